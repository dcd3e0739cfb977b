"""Names of programs that a command mentions where it may start them: in code, options, variables and its input.

Only a guess, and only ever used to ask: what stands there may be text as well.
"""

import posixpath
import re
from collections.abc import Iterable, Sequence

from .escapes import names_a_program
from .files import FileUse
from .wrappers import INTERPRETERS, SHELLS, base_name

_WORD = re.compile(r"[\w./-]+")
_MAX_CODE = 20_000
_FINDERS = frozenset("which type command hash whence".split())
_COPIERS = frozenset("cp ln mv install".split())
_INLINE = re.compile(r"-[A-Za-z]*[cerE]|--(?:eval|execute|command|print)")
_LANGUAGES = frozenset(
    "perl python python2 python3 pypy ruby node nodejs deno bun php lua luajit tclsh expect Rscript julia irb".split()
)
_RUNNERS = SHELLS | _LANGUAGES | frozenset(". source make gmake".split())
_STARTS_PROGRAMS = re.compile(
    r"\b(?:system|exec\w*|popen\w*|spawn\w*|subprocess|child_process|qx|shell_exec|passthru|proc_open|Open3|ctypes|pty"
    r"|__import__|importlib|fork\w*|execute)\b|`|%x\b|\bopen\s*\(?\s*[\"'][^\"']*\|"
)


def mentioned_programs(argv: Sequence[str], assigned: Sequence[str] = (), fed: Sequence[str] = ()) -> set[str]:
    """Base names of what this command may start besides what is known to start.

    `assigned` are the values of the variables before it, `fed` the texts that it reads from the line itself.
    """
    program, words = base_name(argv[0]), argv[1:]
    texts = list(assigned)
    if program in INTERPRETERS:
        texts += [*words, *fed]
    elif program in _FINDERS or names_a_program(argv):
        texts += words
    elif program in _COPIERS:  # a program under another name
        texts += [word for word in words if "/" in word]
    return {base_name(word) for text in texts for word in _WORD.findall(text[:_MAX_CODE])}


def code_may_start_programs(program: str, words: Sequence[str], fed: Iterable[str]) -> bool:
    """Whether inline code for an interpreter uses what starts other programs."""
    if program not in _LANGUAGES:
        return False
    inline = [words[index + 1] for index, word in enumerate(words[:-1]) if _INLINE.fullmatch(word)]
    return any(_STARTS_PROGRAMS.search(code[:_MAX_CODE]) for code in (*inline, *fed))


def runs_what_it_writes(commands: Sequence[Sequence[str]], uses: Sequence[FileUse], targets: Iterable[str]) -> bool:
    """Whether a line starts a file, or hands one to an interpreter, that it writes itself.

    `uses` are the files that each command names, `targets` those that the line redirects to.
    """
    targets = {posixpath.normpath(path) for path in targets} - {"/dev/null"}
    if not targets and not any(use.writes for use in uses):
        return False
    writes = [{posixpath.normpath(path) for path in use.writes} for use in uses]
    for at, argv in enumerate(commands):
        runs = argv if base_name(argv[0]) in _RUNNERS else argv[:1]
        written = targets.union(*writes[:at], *writes[at + 1 :]) - {"/dev/null"}
        if any(posixpath.normpath(word) in written for word in runs):
            return True
    return False
