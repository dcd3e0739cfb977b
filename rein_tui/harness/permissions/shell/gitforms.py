"""git forms that only read, and the repository settings under which even those run programs."""

import posixpath
import re
from collections.abc import Sequence
from fnmatch import fnmatchcase

from .options import Table, read_options, table
from .types import ShellScene

_HOSTILE = tuple(
    "core.fsmonitor core.pager core.sshcommand core.hookspath core.editor core.askpass core.gitproxy "
    "core.alternaterefscommand core.attributesfile core.worktree sequence.editor diff.external diff.*.textconv "
    "diff.*.command diff.tool diff.*.cachetextconv difftool.* mergetool.* merge.*.driver filter.* alias.* include.* "
    "includeif.* pager.* gpg.* credential.* interactive.difffilter trailer.* remote.*.uploadpack remote.*.receivepack "
    "remote.*.vcs remote.*.promisor extensions.* uploadpack.* url.* protocol.* submodule.*.update log.showsignature "
    "browser.* man.* help.* init.templatedir commit.template web.* instaweb.* sendemail.* imap.* svn.* "
    "tar.* core.fsyncmethod diff.submodule status.submodulesummary user.signingkey".split()
)
_HARMLESS_EXTENSIONS = frozenset({"extensions.objectformat", "extensions.refstorage", "extensions.worktreeconfig"})
_MAX_CONFIG = 256 * 1024
_SECTION = re.compile(r'\[\s*([A-Za-z0-9.-]+)(?:\s+"((?:[^"\\]|\\.)*)")?\s*\]')
_KEY = re.compile(r"\s*([A-Za-z][A-Za-z0-9-]*)")

_LOG = (
    "oneline graph decorate no-decorate all branches tags remotes stat shortstat numstat name-only name-status summary "
    "patch no-patch merges no-merges first-parent reverse follow abbrev-commit no-abbrev-commit no-color raw "
    "full-index minimal patience histogram word-diff cached staged no-renames left-right cherry-pick cherry-mark "
    "cherry no-walk topo-order date-order author-date-order relative-date parents children boundary "
    "pretty source full-history "
    "ignore-all-space ignore-space-change ignore-blank-lines ignore-space-at-eol function-context check no-ext-diff "
    "no-textconv merge-base pickaxe-regex pickaxe-all text exit-code quiet no-prefix compact-summary "
    "no-notes simplify-merges ancestry-path no-mailmap use-mailmap regexp-ignore-case extended-regexp fixed-strings "
    "perl-regexp no-commit-id all-match invert-grep cc dd combined-all-paths find-copies-harder no-indent-heuristic"
)
_LOG_OPTIONAL = (
    "stat color decorate abbrev dirstat branches tags remotes word-diff color-words pretty relative find-renames "
    "find-copies ignore-submodules color-moved dirstat-by-file cumulative no-walk show-linear-break"
)
_LOG_VALUED = (
    "format pretty date since after until before author committer grep max-count:number skip:number unified:number "
    "diff-filter inter-hunk-context:number diff-algorithm glob exclude min-parents:number max-parents:number encoding "
    "word-diff-regex ws-error-highlight line-prefix src-prefix dst-prefix"
)
_LOG_TABLE = table(
    "pusmwbiEFPqcgtrz0RaW",
    "n:number U:number S G L M C B D l:number",
    long=_LOG,
    optional=_LOG_OPTIONAL,
    long_valued=_LOG_VALUED,
    numeric=True,
)
_FORMS: dict[str, Table] = {
    "status": table(
        "sbvuz",
        long="short branch show-stash long verbose no-renames null ahead-behind no-ahead-behind",
        optional="porcelain untracked-files ignored ignore-submodules column find-renames",
    ),
    "diff": _LOG_TABLE,
    "log": _LOG_TABLE,
    "show": _LOG_TABLE,
    "whatchanged": _LOG_TABLE,
    "diff-tree": _LOG_TABLE,
    "rev-list": table(
        "n", "n:number", long=_LOG + " count", optional=_LOG_OPTIONAL, long_valued=_LOG_VALUED, numeric=True
    ),
    "shortlog": table(
        "nsec", "w", long="numbered summary email committer " + _LOG, long_valued=_LOG_VALUED, numeric=True
    ),
    "blame": table(
        "bctlfnspewWk",
        "L C M",
        long="root show-stats line-porcelain porcelain show-name show-number show-email",
        optional="abbrev date color-lines color-by-age",
        long_valued="since date",
    ),
    "ls-files": table(
        "cdmoiskuvtfz",
        "x",
        long="cached deleted modified others ignored stage killed unmerged exclude-standard "
        "full-name error-unmatch directory no-empty-directory eol deduplicate",
        optional="abbrev",
        long_valued="exclude format",
    ),
    "ls-tree": table(
        "drtlz",
        long="long name-only name-status object-only full-name full-tree",
        optional="abbrev",
        long_valued="format",
    ),
    "rev-parse": table(
        "q",
        long="verify quiet show-toplevel show-prefix show-cdup git-dir git-common-dir is-inside-work-tree "
        "is-inside-git-dir is-bare-repository absolute-git-dir symbolic symbolic-full-name all branches tags remotes "
        "show-superproject-working-tree is-shallow-repository show-object-format",
        optional="short abbrev-ref branches tags remotes",
    ),
    "describe": table(
        "",
        long="all tags contains always long exact-match first-parent debug",
        optional="dirty broken abbrev",
        long_valued="candidates:number match exclude abbrev:number",
    ),
    "merge-base": table("a", long="all octopus independent is-ancestor fork-point"),
    "name-rev": table("", long="tags name-only always all undefined no-undefined", long_valued="refs exclude"),
    "show-ref": table("dqs", long="head heads tags branches dereference verify quiet exists", optional="hash abbrev"),
    "for-each-ref": table(
        "",
        long="ignore-case",
        optional="color",
        numeric=False,
        long_valued="format sort count:number points-at merged no-merged contains no-contains",
    ),
    "cat-file": table("tspe", long="", optional=""),
    "count-objects": table("vH", long="verbose human-readable", operands="none"),
    "grep": table(
        "nilLcwvEFGPIahHqoprWz",
        "e m:number A:number B:number C:number f:path",
        long="line-number ignore-case files-with-matches name-only files-without-match count word-regexp invert-match "
        "extended-regexp basic-regexp fixed-strings perl-regexp cached untracked recursive no-recursive "
        "full-name heading break show-function function-context and or not all-match quiet text "
        "null only-matching column",
        optional="color",
        long_valued="max-depth:number max-count:number context:number",
        numeric=True,
    ),
    "version": table(long="build-options", operands="none"),
    "check-ignore": table("qvnz", long="quiet verbose non-matching no-index"),
}


def _listing(flags: str, long: str, valued: str = "", optional: str = "") -> Table:
    return table(flags, long=long, optional="color column abbrev " + optional, long_valued=valued, operands="none")


_BRANCH = _listing(
    "arvl",
    "all remotes verbose list show-current no-color no-column ignore-case no-abbrev",
    "contains no-contains merged no-merged points-at sort format",
    "merged no-merged",
)
_TAG = _listing(
    "ln", "list no-column ignore-case", "contains no-contains merged no-merged points-at sort format", "merged"
)


def is_hostile_key(key: str) -> bool:
    """Whether a git setting can name a program, pull in other settings or move the work tree."""
    section, dot, rest = key.partition(".")
    subsection, _, name = rest.rpartition(".")
    folded = ".".join(part for part in (section.lower(), subsection, name.lower()) if part) if dot else key.lower()
    if folded in _HARMLESS_EXTENSIONS:
        return False
    return any(fnmatchcase(folded, pattern) for pattern in _HOSTILE)


def hostile_setting(text: str) -> str:
    """The first setting of a git config file that makes read-only git unsafe; "" when there is none.

    What does not parse as git's config format counts as hostile.
    """
    section = ""
    for line in re.sub(r"\\\r?\n", "", text).splitlines():
        stripped = line.strip()
        while stripped.startswith("["):
            found = _SECTION.match(stripped)
            if not found:
                return stripped
            name = found[1].lower()
            section = f"{name}.{found[2]}" if found[2] is not None else name
            stripped = stripped[found.end() :].strip()
        if not stripped or stripped[0] in "#;":
            continue
        key = _KEY.match(stripped)
        if not key or not section:
            return stripped
        if is_hostile_key(f"{section}.{key[1]}"):
            return f"{section}.{key[1]}"
    return ""


def git_form_problem(words: Sequence[str]) -> str:
    """Why git with these words does not only read, for a person; "" when it only reads."""
    if not words:
        return "git alone prints its help through a pager"
    if words[0] in {"--no-pager", "-P", "--no-optional-locks"}:
        words = words[1:]
    if not words or words[0] in {"--version", "-v"}:
        return "" if len(words) == 1 else "this form of git is not on the list of harmless ones"
    action, rest = words[0], words[1:]
    if action == "status":
        rest = [word for word in rest if not re.fullmatch(r"-u(?:no|normal|all)", word)]
    if action == "config" and len(rest) == 1 and "." in rest[0] and not rest[0].startswith("-"):
        return ""
    if any("%G" in word for word in rest):
        return "a format with `%G` checks signatures by running a program"
    if action == "branch":
        return _listed(rest, _BRANCH, "branch")
    if action == "tag":
        listed = bool({"-l", "--list"} & set(rest))
        return _listed([word for word in rest if word.startswith("-")] if listed else rest, _TAG, "tag")
    if action == "remote":
        shows_one = len(rest) == 2 and rest[0] == "get-url" and not rest[1].startswith("-")
        return "" if shows_one or list(rest) in ([], ["-v"], ["--verbose"]) else _unlisted("remote")
    if action == "stash":
        return _stash(rest)
    if action == "reflog":
        return _reflog(rest)
    if action == "worktree":
        return "" if list(rest) in (["list"], ["list", "--porcelain"]) else _unlisted("worktree")
    if action == "config":
        return _config(rest)
    if action == "symbolic-ref":
        return (
            "" if len([w for w in rest if not w.startswith("-")]) == 1 and set(rest) & {"HEAD"} else _unlisted(action)
        )
    known = _FORMS.get(action)
    return read_options(rest, known).problem if known else _unlisted(action)


def _unlisted(action: str) -> str:
    return f"this form of `git {action}` is not on the list of those that only read"


def _listed(rest: Sequence[str], known: Table, action: str) -> str:
    options = read_options(rest, known)
    return f"this form of `git {action}` is not on the list of those that only read" if options.problem else ""


def _stash(rest: Sequence[str]) -> str:
    if not rest or rest[0] not in {"list", "show"}:
        return _unlisted("stash")
    return read_options(rest[1:], _LOG_TABLE).problem


def _reflog(rest: Sequence[str]) -> str:
    shown = rest[1:] if list(rest[:1]) == ["show"] else rest
    if any(word in {"expire", "delete", "drop", "write", "exists"} for word in shown):
        return _unlisted("reflog")
    return read_options(shown, _LOG_TABLE).problem


def _config(rest: Sequence[str]) -> str:
    scopes = {"--local", "--global", "--system", "--worktree", "--show-origin", "--show-scope", "-z", "--name-only"}
    kept = [word for word in rest if word not in scopes]
    if kept in (["--list"], ["-l"], ["list"]):
        return ""
    if len(kept) == 2 and kept[0] in {"--get", "--get-all", "get"} and not kept[1].startswith("-"):
        return ""
    return _unlisted("config")


def repository_problem(scene: ShellScene, action: str) -> str:
    """Why the repository around the working directory may make read-only git run programs; "" when it is clean."""
    if not scene.trusted:
        return "the folder is not trusted, and git runs programs that its settings name"
    folder = posixpath.normpath(scene.cwd)
    while True:
        marker = posixpath.join(folder, ".git")
        if scene.facts.exists(marker):
            return _settings_problem(scene, marker, folder, action)
        if scene.facts.exists(posixpath.join(folder, "HEAD")) and scene.facts.exists(posixpath.join(folder, "objects")):
            return f"{folder} looks like a bare repository, whose settings git would obey"
        if folder in {"/", ""}:
            return ""
        folder = posixpath.dirname(folder)


def _settings_problem(scene: ShellScene, marker: str, folder: str, action: str) -> str:
    facts = scene.facts
    directory, common = marker, marker
    if not facts.is_dir(marker):
        pointer = facts.read_text(marker, 4096)
        if pointer is None or not pointer.startswith("gitdir: "):
            return f"{marker} cannot be read"
        directory = posixpath.join(folder, pointer[8:].strip())
        shared = facts.read_text(posixpath.join(directory, "commondir"), 4096)
        common = posixpath.join(directory, shared.strip()) if shared is not None else directory
    elif facts.exists(posixpath.join(marker, "commondir")):
        return f"{marker} borrows another repository's settings"
    for path in dict.fromkeys(
        posixpath.join(place, name) for place in (directory, common) for name in ("config", "config.worktree")
    ):
        if not facts.exists(path):
            continue
        text = facts.read_text(path, _MAX_CONFIG)
        if text is None:
            return f"{path} cannot be read"
        hostile = hostile_setting(text)
        if hostile:
            return f"`{hostile}` in {path} can make git run a program"
    if facts.exists(posixpath.join(common, "hooks", "post-index-change")):
        return f"a hook of {folder} would run"
    nested = facts.exists(posixpath.join(common, "modules")) or facts.exists(posixpath.join(folder, ".gitmodules"))
    if nested and action in {"status", "diff"}:
        return "git would also look into submodules, whose settings can name programs"
    return ""
