"""Options with which an ordinary program runs another one or takes code from a file: no prefix rule covers them."""

import re
from collections.abc import Sequence

from .filecommands import IN_PLACE
from .sedscript import is_harmless_script, sed_scripts
from .wrappers import EXACT_ONLY, SHELLS, base_name

_LONG: dict[str, str] = {
    "rg": "pre hostname-bin",
    "ag": "pager",
    "fd": "exec exec-batch",
    "fdfind": "exec exec-batch",
    "sort": "compress-program",
    "tar": "to-command checkpoint-action use-compress-program rsh-command info-script new-volume-script rmt-command",
    "rsync": "rsh rsync-path",
    "wget": "use-askpass execute config",
    "curl": "config",
    "man": "pager html",
    "bat": "pager",
    "batcat": "pager",
    "split": "filter",
    "install": "strip-program",
    "zip": "unzip-command",
    "cargo": "config",
    "npm": "script-shell node-options userconfig globalconfig shell init-module",
    "pnpm": "script-shell node-options",
    "yarn": "script-shell use-yarnrc",
    "nmap": "script",
    "diff": "paginate",
    "less": "lesskey-file lesskey-src",
    "sed": "file",
    "awk": "file exec include load",
    "gawk": "file exec include load",
    "cpio": "rsh-command",
    "make": "eval",
    "gmake": "eval",
    "docker": "host context config tlscacert",
    "podman": "connection url remote",
    "git": "upload-pack receive-pack exec ext-diff extcmd open-files-in-pager exec-path config-env template config "
    "textconv tool run-command tree-filter index-filter msg-filter env-filter commit-filter parent-filter "
    "tag-name-filter smtp-server sendmail-cmd to-cmd cc-cmd header-cmd show-signature gui-tool sign-cmd",
    "openssl": "",
    "gpg": "exec photo-viewer agent-program dirmngr-program",
    "ffmpeg": "",
    "pandoc": "filter lua-filter pdf-engine",
    "eslint": "rulesdir resolve-plugins-relative-to",
    "systemctl": "host machine",
    "journalctl": "",
    "kubectl": "kubeconfig",
    "helm": "post-renderer",
    "ansible": "",
    "node": "",
    "gcc": "wrapper",
}
_SHORT: dict[str, str] = {
    "fd": "xX",
    "fdfind": "xX",
    "tar": "IF",
    "ssh": "oFEI",
    "scp": "oFS",
    "sftp": "oFSb",
    "rsync": "e",
    "wget": "e",
    "curl": "K",
    "man": "PHC",
    "sed": "f",
    "awk": "fEil",
    "gawk": "fEil",
    "mawk": "f",
    "nawk": "f",
    "vim": "cSsu",
    "vi": "cSsu",
    "nvim": "cSsu",
    "ex": "cS",
    "docker": "H",
    "nc": "ec",
    "ncat": "ec",
    "tcpdump": "z",
    "less": "k",
    "split": "",
}
_WORDS: dict[str, frozenset[str]] = {
    "find": frozenset("-exec -execdir -ok -okdir -delete -fprint -fprint0 -fprintf -fls -files0-from".split()),
    "bfs": frozenset("-exec -execdir -ok -okdir -delete -fprint -fprint0 -fprintf -fls -files0-from".split()),
    "go": frozenset("-exec -toolexec -vettool --exec --toolexec --vettool -modfile -overlay".split()),
    "gcc": frozenset("-wrapper -fplugin".split()),
    "g++": frozenset("-wrapper -fplugin".split()),
    "clang": frozenset("-load -fplugin -Xclang".split()),
    "zip": frozenset("-TT".split()),
    "socat": frozenset(),
    "git": frozenset("bisect filter-branch daemon shell instaweb send-email difftool mergetool credential".split()),
    "emacs": frozenset("--eval -eval --load -l --funcall -f --batch -batch --script".split()),
    "openssl": frozenset("-engine -provider -provider-path engine".split()),
    "docker": frozenset(("-c",)),
    "gdb": frozenset("-ex -x --eval-command --command --args".split()),
}
_AWK_CODE = re.compile(r"system|getline|[|>]|@|ENVIRON|close")
_DATABASE_CODE = re.compile(r"\.(?:shell|system)|\\!|^\\|\bsystem\b|\bprogram\b|load_extension", re.IGNORECASE)
_TRANSPORT = re.compile(r"(?:ext|fd)::|^-|--upload-pack")
_GIT_GLOBALS = frozenset(
    "-c -C --exec-path --git-dir --work-tree --namespace --config-env --attr-source -p --paginate".split()
)
_GIT_BUILTIN = frozenset(
    "add am annotate apply archive blame branch bundle cat-file check-attr check-ignore check-mailmap check-ref-format "
    "checkout checkout-index cherry cherry-pick clean clone column commit commit-graph commit-tree "
    "config count-objects "
    "describe diff diff-files diff-index diff-tree fast-export fast-import fetch fetch-pack fmt-merge-msg for-each-ref "
    "format-patch fsck gc grep hash-object help index-pack init interpret-trailers log ls-files ls-remote ls-tree "
    "mailinfo mailsplit maintenance merge merge-base merge-file merge-index merge-tree mktag mktree mv name-rev notes "
    "pack-objects pack-refs patch-id prune pull push range-diff read-tree rebase reflog remote repack replace "
    "rerere reset restore rev-list rev-parse revert rm send-pack shortlog show show-branch show-index show-ref "
    "sparse-checkout stage stash status stripspace submodule switch symbolic-ref tag unpack-objects update-index "
    "update-ref update-server-info var verify-commit verify-pack verify-tag version whatchanged worktree "
    "write-tree lfs --version -v".split()
)
_STATE_BUILTINS = frozenset(
    "export declare typeset local readonly unset set shopt alias unalias source . eval exec trap "
    "enable complete compgen "
    "compopt hash pushd popd let read mapfile readarray getopts umask ulimit bind history fc builtin logout suspend "
    "disown cd dirs exit return break continue shift".split()
)
_TRANSPARENT = frozenset("timeout time nice nohup stdbuf command builtin noglob".split())
_SUBSCRIPTS = frozenset("read unset wait getopts export".split())
_ARITHMETIC_TESTS = frozenset("-eq -ne -lt -le -gt -ge -v -R".split())


def escape_of(argv: Sequence[str]) -> str:
    """Why a prefix rule for this program does not cover this use of it, for a person; "" when it does."""
    program = base_name(argv[0])
    words = argv[1:]
    if program in EXACT_ONLY:
        return f"`{program}` runs another command, which a prefix rule does not name"
    if program in _STATE_BUILTINS:
        return f"`{program}` changes the shell that runs the rest of the line"
    if program in SHELLS and any(
        re.fullmatch(r"-[A-Za-z]*c[A-Za-z]*|--command(?:=.*)?|--(?:rc|init-)file.*", w) for w in words
    ):
        return f"`{program} -c` runs code, which a prefix rule does not name"
    if program in SHELLS and not any(re.match(r"[^-+]", w) for w in words):
        return f"`{program}` runs what it reads, which a prefix rule does not name"
    if program in _TRANSPARENT and words and words[0] not in {"-v", "-V"}:
        return f"`{program}` runs another command, and its options are not understood"
    if evaluates(program, words):
        return f"`{program}` would evaluate code among its words"
    option = _option(program, words)
    if option:
        return f"`{option}` of {program} can run another program or take code from a file"
    return code_escape(program, words)


def names_a_program(argv: Sequence[str]) -> bool:
    """Whether an option or the code among the words can name a program to run."""
    program, words = base_name(argv[0]), argv[1:]
    return program in {"compgen", "complete"} or bool(_option(program, words) or code_escape(program, words))


def evaluates(program: str, words: Sequence[str]) -> bool:
    """Whether a builtin runs what stands in its words: `printf -v 'a[$(x)]'`, `test 'a[x]' -eq 1`."""
    if program in {"test", "["}:
        return any(
            word in _ARITHMETIC_TESTS and not _are_numbers(words[index - 1 : index], words[index + 1 : index + 2])
            for index, word in enumerate(words)
        )
    if program == "printf":
        return bool(words) and words[0].startswith("-v") and any("[" in word for word in words[:2])
    return program in _SUBSCRIPTS and any("$(" in word or "`" in word for word in words)


def _are_numbers(*operands: Sequence[str]) -> bool:
    return all(len(operand) == 1 and re.fullmatch(r"-?[0-9]+", operand[0]) for operand in operands)


def _option(program: str, words: Sequence[str]) -> str:
    names = [name for name in _LONG.get(program, "").split() if name]
    letters = _SHORT.get(program, "")
    special = _WORDS.get(program, frozenset())
    for word in words:
        if word == "--" and program != "git":
            return ""
        if word.partition("=")[0] in special:
            return word
        if word.startswith("--"):
            given = word[2:].partition("=")[0]
            if len(given) >= 1 and any(name.startswith(given) for name in names):
                return word
        elif letters and re.match(rf"-[A-Za-z0-9]*[{letters}]", word):
            return word
    return ""


def code_escape(program: str, words: Sequence[str]) -> str:
    """Why the code among a program's words does more than its rule says, for a person; "" when it does not."""
    if program in {"awk", "gawk", "mawk", "nawk"} and any(_AWK_CODE.search(w.replace("||", " ")) for w in words):
        return "this awk program can run commands or write files"
    if program in {"sed", "gsed"}:
        return _sed(words)
    if program == "git":
        return _git(words)
    if program in {"vim", "vi", "nvim", "ex", "view"} and any(word.startswith("+") for word in words):
        return "an editor command can run programs"
    if program in {"strace", "ltrace"} and any("|" in word for word in words):
        return f"`{program}` pipes into a program"
    if program == "socat" and any(re.search(r"exec:|system:", word, re.IGNORECASE) for word in words):
        return "`socat` runs a program"
    if program in {"less", "more"} and any(word.startswith("+") for word in words):
        return "a pager command can run programs"
    if program in {"sqlite3", "psql", "mysql", "mariadb"} and any(_DATABASE_CODE.search(word) for word in words):
        return f"this {program} command can run programs"
    return ""


def _sed(words: Sequence[str]) -> str:
    kept = [word for word in words if not IN_PLACE.fullmatch(word)]
    scripts = sed_scripts(kept)
    if scripts and all(map(is_harmless_script, scripts)):
        return ""
    return "this sed script may run commands or touch other files"


def _git(words: Sequence[str]) -> str:
    index = 0
    while index < len(words) and words[index].startswith("-"):
        if words[index].partition("=")[0] in _GIT_GLOBALS or words[index].startswith(("-c", "-C")):
            return f"`git {words[index]}` changes where git works or what it runs"
        index += 1
    if index < len(words) and words[index] not in _GIT_BUILTIN:
        return f"`git {words[index]}` may be an alias or a program of its own"
    rest = words[index:]
    if not rest:
        return ""
    action = rest[0]
    if any(_TRANSPORT.match(word.partition("=")[2] or word) and "::" in word for word in rest):
        return "this git address runs a command"
    if action == "grep" and any(re.match(r"-[A-Za-z]*O", word) for word in rest):
        return "`-O` of git grep starts a program"
    if action in {"rebase", "am"} and any(re.match(r"-[A-Za-z]*x", word) for word in rest):
        return "`-x` of git runs a command"
    if action in {"clone", "ls-remote"} and any(re.match(r"-[A-Za-z]*[uc]", word) for word in rest if word[:2] != "--"):
        return "this option of git clone can run a program"
    if action == "submodule" and "foreach" in rest:
        return "`git submodule foreach` runs a command"
    if action == "config" and not _config_is_harmless(rest):
        return "this git setting can name a program"
    return ""


def _config_is_harmless(rest: Sequence[str]) -> bool:
    from .gitforms import is_hostile_key

    keys = [word for word in rest[1:] if "." in word and not word.startswith("-")]
    return not any(word in {"-e", "--edit", "-f", "--file"} for word in rest) and not any(
        is_hostile_key(k) for k in keys
    )
