"""What a repository looks like, without running anything that the repository brings along.

The branch is read from files. Only `status_of` starts git, with overrides for what a hostile configuration could
run; filters cannot be overridden, so it is for trusted folders only.
"""

from pathlib import Path

from ..processes.environment import child_environment
from ..processes.process import run_process

_OVERRIDES = (
    "core.fsmonitor=false",
    "core.hooksPath=/dev/null",
    "core.pager=cat",
    "core.sshCommand=false",
    "diff.external=",
    "log.showSignature=false",
    "submodule.recurse=false",
    "status.submoduleSummary=false",
)
_SECONDS = 2.0
_LISTED = 12


def repository_of(folder: Path) -> Path | None:
    """The root of the repository that holds this folder."""
    for candidate in (folder, *folder.parents):
        if (candidate / ".git").exists():
            return candidate
    return None


def branch_of(folder: Path) -> str:
    """The branch checked out there; a short commit when detached; empty outside a repository."""
    root = repository_of(folder)
    if root is None:
        return ""
    try:
        head = (_git_folder(root) / "HEAD").read_text(encoding="utf-8", errors="replace")[:4096].strip()
    except OSError:
        return ""
    if head.startswith("ref:"):
        return head[4:].strip().removeprefix("refs/heads/")
    return head[:8]


def git_argv(*arguments: str) -> list[str]:
    """A git command line that runs none of the repository's own pagers, hooks, monitors or differs."""
    overrides = [word for override in _OVERRIDES for word in ("-c", override)]
    return ["git", "--no-pager", "--no-optional-locks", *overrides, *arguments]


async def status_of(folder: Path) -> str:
    """A few lines on what is changed and what was committed last; empty when git cannot say within two seconds.

    Only for trusted folders.
    """
    env = child_environment({"GIT_TERMINAL_PROMPT": "0", "GIT_PAGER": "cat", "GIT_OPTIONAL_LOCKS": "0"})
    lines: list[str] = []
    changed = await _ask(folder, env, "status", "--porcelain", "--ignore-submodules=all", "--untracked-files=normal")
    if changed is None:
        return ""
    entries = changed.splitlines()
    lines += entries[:_LISTED] if entries else ["(nothing changed)"]
    if len(entries) > _LISTED:
        lines.append(f"… and {len(entries) - _LISTED} more")
    commits = await _ask(folder, env, "log", "--oneline", "--no-decorate", "-5")
    if commits:
        lines += ["Last commits:", *commits.splitlines()]
    return "\n".join(line[:200] for line in lines)


async def _ask(folder: Path, env: dict[str, str], *arguments: str) -> str | None:
    try:
        done = await run_process(git_argv(*arguments), cwd=folder, env=env, timeout=_SECONDS)
    except OSError:
        return None
    return done.stdout.decode("utf-8", "replace") if done.exit_code == 0 else None


def _git_folder(root: Path) -> Path:
    """`.git` itself, or where a worktree's `.git` file points. Raises OSError."""
    dot_git = root / ".git"
    if dot_git.is_dir():
        return dot_git
    line = dot_git.read_text(encoding="utf-8", errors="replace")[:4096].strip()
    return root / line.removeprefix("gitdir:").strip()
