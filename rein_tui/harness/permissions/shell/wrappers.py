"""Programs that run other programs, seen through broadly: what deny and ask rules look at."""

import posixpath
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

_ASSIGNMENT = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\+?=")
SHELLS = frozenset("sh bash dash zsh ksh mksh ash fish rbash yash csh tcsh".split())
INTERPRETERS = frozenset(
    "awk gawk mawk nawk perl python python2 python3 pypy ruby node nodejs deno bun php lua luajit tclsh expect Rscript "
    "sed gsed ed ex vi vim nvim emacs m4 make gmake osascript jshell ghci julia sqlite3 psql mysql gdb tmux screen "
    "find parallel xargs ssh env sudo su nix-shell irb busybox toybox".split()
)


@dataclass(frozen=True, slots=True)
class Wrapper:
    """How a wrapper's own words end: `valued` short letters and `valued_long` names take a value; `operands` are
    its own before the command; `assigns` when NAME=value words may come first; `script` options hold shell code."""

    valued: str = ""
    valued_long: tuple[str, ...] = ()
    operands: int = 0
    assigns: bool = False
    script: tuple[str, ...] = ()
    joins: bool = False


WRAPPERS: dict[str, Wrapper] = {
    "timeout": Wrapper("ks", ("kill-after", "signal"), operands=1),
    "gtimeout": Wrapper("ks", ("kill-after", "signal"), operands=1),
    "time": Wrapper("fo", ("format", "output"), assigns=True),
    "gtime": Wrapper("fo", ("format", "output")),
    "nice": Wrapper("n", ("adjustment",)),
    "nohup": Wrapper(),
    "stdbuf": Wrapper("ioe", ("input", "output", "error")),
    "command": Wrapper(),
    "builtin": Wrapper(),
    "noglob": Wrapper(),
    "nocorrect": Wrapper(),
    "exec": Wrapper("a"),
    "coproc": Wrapper(assigns=True),
    "env": Wrapper("uCP", ("unset", "chdir"), assigns=True, script=("-S", "--split-string")),
    "sudo": Wrapper(
        "ugpCDhrtTUR",
        ("user", "group", "prompt", "chdir", "host", "role", "type", "other-user", "chroot", "close-from"),
        assigns=True,
    ),
    "doas": Wrapper("uC", assigns=True),
    "pkexec": Wrapper("u", ("user",)),
    "run0": Wrapper("ug", ("user", "group")),
    "su": Wrapper("sgGw", ("shell", "group"), script=("-c", "--command")),
    "runuser": Wrapper("ugGsw", ("user", "group", "shell"), script=("-c", "--command")),
    "script": Wrapper("oEIOTBm", script=("-c", "--command")),
    "watch": Wrapper("nq", ("interval", "equexit"), joins=True),
    "ionice": Wrapper("cnpPu", ("class", "classdata")),
    "chrt": Wrapper("TPD", ("sched-runtime", "sched-period", "sched-deadline"), operands=1),
    "taskset": Wrapper(operands=1),
    "setsid": Wrapper(),
    "flock": Wrapper("wE", ("wait", "timeout", "conflict-exit-code"), operands=1, script=("-c", "--command")),
    "xargs": Wrapper("IadELnPs", ("arg-file", "delimiter", "max-args", "max-chars", "max-procs", "replace")),
    "parallel": Wrapper("jIanNS", ("jobs",), joins=True),
    "strace": Wrapper("eoabEIOpPsSuX", ("output", "trace", "user")),
    "ltrace": Wrapper("eoanspu", ("output",)),
    "chroot": Wrapper(valued_long=("userspec", "groups"), operands=1),
    "unshare": Wrapper("SGRw", ("setuid", "setgid", "root", "wd")),
    "nsenter": Wrapper("tSGr", ("target", "setuid", "setgid")),
    "setpriv": Wrapper(),
    "prlimit": Wrapper("p"),
    "numactl": Wrapper("NCmip"),
    "cpulimit": Wrapper("lpe"),
    "systemd-run": Wrapper("pupHME", ("property", "unit", "slice", "uid", "gid", "setenv", "working-directory")),
    "systemd-inhibit": Wrapper(),
    "dbus-run-session": Wrapper(),
    "dbus-launch": Wrapper(),
    "ssh-agent": Wrapper("aEtO"),
    "fakeroot": Wrapper("lsib"),
    "proot": Wrapper("rbwq"),
    "bwrap": Wrapper(),
    "firejail": Wrapper(),
    "unbuffer": Wrapper(),
    "rlwrap": Wrapper("abcCDfgHlmpPqsSwz"),
    "xvfb-run": Wrapper("enfps"),
    "caffeinate": Wrapper("tw"),
    "arch": Wrapper(),
    "linux32": Wrapper(),
    "linux64": Wrapper(),
    "setarch": Wrapper(operands=1),
    "busybox": Wrapper(),
    "toybox": Wrapper(),
    "torsocks": Wrapper(),
    "proxychains": Wrapper("f"),
    "proxychains4": Wrapper("f"),
    "entr": Wrapper(),
    "watchexec": Wrapper("ewi"),
    "chronic": Wrapper(),
    "ts": Wrapper(),
    "catchsegv": Wrapper(),
    "valgrind": Wrapper(),
    "perf": Wrapper("oeF", operands=1),
    "hyperfine": Wrapper("wrmMSsp", joins=True),
    "direnv": Wrapper(operands=2),
    "aa-exec": Wrapper("pn"),
    "faketime": Wrapper("f", operands=1),
    "start-stop-daemon": Wrapper("nupxsgcdkrRIPN"),
    "stdbuf.exe": Wrapper(),
}
"""What deny and ask rules look through."""

EXACT_ONLY = frozenset(WRAPPERS) - frozenset(
    "timeout time nice nohup stdbuf command builtin noglob nocorrect direnv perf valgrind hyperfine".split()
) | frozenset("eval trap tmux screen at batch crontab ssh-add".split())
"""Programs that no prefix rule approves, because the prefix says nothing about what they run."""


@dataclass(slots=True)
class Inner:
    """What a command runs besides itself. `suspects` are guesses: they can ask, never deny for certain."""

    commands: list[tuple[str, ...]] = field(default_factory=list[tuple[str, ...]])
    scripts: list[str] = field(default_factory=list[str])
    suspects: list[tuple[str, ...]] = field(default_factory=list[tuple[str, ...]])


def base_name(program: str) -> str:
    """The program's name without its folder."""
    return posixpath.basename(program.rstrip("/")) or program


def inner_commands(argv: Sequence[str]) -> Inner:
    """Commands and shell code that `argv` would run, one level deep."""
    inner = Inner()
    program = base_name(argv[0])
    if program in SHELLS:
        _shell_code(argv, inner)
    elif program == "eval":
        inner.scripts.append(" ".join(argv[2:] if argv[1:2] == ("--",) else argv[1:]))
    elif program == "trap" and len(argv) > 1:
        inner.scripts.append(argv[2] if argv[1] == "--" and len(argv) > 2 else argv[1])
    elif program in {"find", "gfind", "bfs"}:
        _find_actions(argv, inner)
    elif program in {"fd", "fdfind"}:
        _after_options(argv, ("-x", "--exec", "-X", "--exec-batch"), inner)
    elif program == "git":
        _git_code(argv, inner)
    elif program == "command" and len(argv) > 1 and re.fullmatch(r"-p?[vV]", argv[1]):
        return inner
    elif program in WRAPPERS:
        _unwrap(argv, WRAPPERS[program], inner)
    return inner


def _shell_code(argv: Sequence[str], inner: Inner) -> None:
    for index, word in enumerate(argv[1:], start=1):
        if re.fullmatch(r"-[A-Za-z]*c[A-Za-z]*|--command", word):
            rest = [later for later in argv[index + 1 :] if not later.startswith(("-", "+"))]
            inner.scripts.extend(rest[:1])
            return
        if word.startswith("--command="):
            inner.scripts.append(word.partition("=")[2])
            return


def _find_actions(argv: Sequence[str], inner: Inner) -> None:
    index = 1
    while index < len(argv):
        if argv[index] in {"-exec", "-execdir", "-ok", "-okdir"}:
            end = index + 1
            while (
                end < len(argv) and argv[end] not in {";", "\\;"} and not (argv[end] == "+" and argv[end - 1] == "{}")
            ):
                end += 1
            if argv[index + 1 : end]:
                inner.commands.append(tuple(argv[index + 1 : end]))
            index = end
        index += 1


def _after_options(argv: Sequence[str], options: tuple[str, ...], inner: Inner) -> None:
    for index, word in enumerate(argv):
        name, equals, value = word.partition("=")
        if name in options:
            rest = (*((value,) if equals else ()), *argv[index + 1 :])
            if rest:
                inner.commands.append(rest)


def _git_code(argv: Sequence[str], inner: Inner) -> None:
    for index, word in enumerate(argv):
        name, equals, value = word.partition("=")
        following = argv[index + 1] if index + 1 < len(argv) else ""
        if name in {"--exec", "-x", "--extcmd", "--upload-pack", "--receive-pack", "-u"}:
            inner.scripts.append(value if equals else following)
        elif word in {"-c", "--config"} and "=" in following:
            inner.scripts.append(following.partition("=")[2].lstrip("!"))
        elif "::" in word:
            inner.scripts.append(word.partition("::")[2])
        elif word == "run" and "bisect" in argv[:index] and argv[index + 1 :]:
            inner.commands.append(tuple(argv[index + 1 :]))
        elif word in {"foreach", "--tree-filter", "--index-filter", "--msg-filter", "--env-filter"}:
            inner.scripts.append(following if word != "foreach" else " ".join(argv[index + 1 :]))


def _unwrap(argv: Sequence[str], wrapper: Wrapper, inner: Inner) -> None:
    index, operands, certain = 1, wrapper.operands, True
    if wrapper.script and program_takes_script_anywhere(argv[0]):
        for at, word in enumerate(argv[1:-1], start=1):
            if word in wrapper.script:
                inner.scripts.append(argv[at + 1])
    while index < len(argv):
        word = argv[index]
        name, equals, value = word.partition("=")
        if name in wrapper.script or (wrapper.script and word[:2] in wrapper.script and not word.startswith("--")):
            attached = value if equals and name.startswith("--") else word[2:] if word[:2] != "--" else ""
            inner.scripts.append(attached or (argv[index + 1] if index + 1 < len(argv) else ""))
            index += 1 if attached else 2
        elif word == "--":
            index += 1
            break
        elif word.startswith("--"):
            takes = name[2:] in wrapper.valued_long and not equals
            certain = certain and (equals != "" or name[2:] in wrapper.valued_long)
            index += 2 if takes else 1
        elif word.startswith("-") and len(word) > 1:
            index += 2 if _takes_next(word, wrapper.valued) else 1
        elif wrapper.assigns and _ASSIGNMENT.match(word):
            index += 1
        elif operands:
            operands -= 1
            index += 1
        else:
            break
    _keep(argv, index + operands, certain, wrapper, inner)


def program_takes_script_anywhere(program: str) -> bool:
    """`su root -c CODE`: the option may follow the operand."""
    return base_name(program) in {"su", "runuser", "script", "flock"}


def _keep(argv: Sequence[str], index: int, certain: bool, wrapper: Wrapper, inner: Inner) -> None:
    rest = tuple(argv[index:])
    if rest:
        inner.commands.append(rest)
        if wrapper.joins:
            inner.scripts.append(" ".join(rest))
    if not certain or any(word.startswith("-") for word in argv[1:index]):
        inner.suspects.extend(tuple(argv[start:]) for start in range(1, min(len(argv), 40)) if start != index)


def _takes_next(word: str, valued: str) -> bool:
    """Whether a short-option cluster ends in a letter whose value is the next word."""
    for position, letter in enumerate(word[1:], start=1):
        if letter in valued:
            return position == len(word) - 1
    return False
