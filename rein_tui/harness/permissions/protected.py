"""Files that the machine later runs or obeys: writing them is never approved by a rule, also when they are new."""

PROTECTED_FOLDERS = frozenset(
    ".git .vscode .idea .husky .cargo .devcontainer .yarn .mvn .claude .rein .cursor .codex .gemini".split()
)

PROTECTED_FILES = frozenset(
    ".gitconfig .gitmodules .bashrc .bash_profile .bash_login .bash_aliases .bash_logout .zshrc .zprofile .zshenv "
    ".zlogin .zlogout .profile .envrc .npmrc .yarnrc .yarnrc.yml .pnp.cjs .pnp.loader.mjs .pnpmfile.cjs bunfig.toml "
    ".bunfig.toml .bazelrc .bazelversion .bazeliskrc .pre-commit-config.yaml lefthook.yml lefthook.yaml "
    ".lefthook.yml .lefthook.yaml gradle-wrapper.properties maven-wrapper.properties .devcontainer.json .ripgreprc "
    "pyrightconfig.json .mcp.json .claude.json managed-settings.json".split()
)


def protected_part(parts: tuple[str, ...]) -> str:
    """The name that makes a path protected, or empty. Names are compared without regard to case."""
    folded = [_fold(part) for part in parts]
    start = 0
    for index in range(len(folded) - 1):
        if (folded[index], folded[index + 1]) == (".claude", "worktrees"):
            start = index + 2  # a worktree is an ordinary checkout; what counts is what lies inside
    for index, name in enumerate(folded):
        if index >= start and name in PROTECTED_FOLDERS:
            return parts[index]
        if index >= start and name == "git" and folded[index - 1 : index] == [".config"]:
            return f"{parts[index - 1]}/{parts[index]}"
    if folded and folded[-1] in PROTECTED_FILES:
        return parts[-1]
    return ""


def _fold(name: str) -> str:
    """A name as careless file systems see it: any case, blanks and dots at the end, streams, short names."""
    plain = name.casefold().partition(":")[0].rstrip(" .")
    return {"git~1": ".git", "claude~1": ".claude"}.get(plain, plain) or name
