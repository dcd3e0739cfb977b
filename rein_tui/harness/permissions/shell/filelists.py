"""`find … -type f … -print0 | xargs -0 PROGRAM …`: the one way to hand over file names that is known to hold only that.

Names cut at blanks could become other files or options, and a link could lead anywhere. `-print0` cuts nothing, and
`-type f` prints no link; each name begins with a folder that the line names.
"""

import re
from collections.abc import Sequence

from .reader import Command

_TAKES_FILES = frozenset(
    "grep egrep fgrep cat wc head tail ls stat file du md5sum sha1sum sha256sum sha512sum cksum".split()
)
_TESTS = frozenset("-name -iname -path -ipath -wholename -iwholename -regex -iregex -size -mtime -mmin -ctime".split())
_LIMITS = frozenset("-maxdepth -mindepth".split())
_XARGS_ALONE = frozenset("-0 --null -r --no-run-if-empty -0r -r0".split())


def fed_program(before: Command | None, command: Command) -> tuple[tuple[str, ...], tuple[str, ...]] | None:
    """The program that xargs starts and the folders whose files it is given; None when that is not certain."""
    if before is None or command.link != "|" or before.assignments or command.assignments:
        return None
    if any(one.descriptor != "2" or one.is_duplication for one in (*before.redirects, *command.redirects)):
        return None
    if not all(word.is_literal for word in (*before.words, *command.words)):
        return None
    folders, program = _listed_folders(before.values), _started(command.values)
    return (program, folders) if folders and program and program[0] in _TAKES_FILES else None


def _listed_folders(argv: Sequence[str]) -> tuple[str, ...]:
    """The folders whose plain files find prints, each ended by a zero byte; empty when it may print anything else."""
    if argv[:1] != ("find",) or argv[-1] != "-print0":
        return ()
    end = next(index for index, word in enumerate(argv) if index and (word[:1] in "-!(,"))
    expression, index, is_plain = argv[end:-1], 0, False
    while index < len(expression):
        word, following = expression[index], expression[index + 1] if index + 1 < len(expression) else ""
        if (word in {"-not", "!"} and following in _TESTS) or word in {"-xdev", "-mount", "-empty"}:
            index += 1
        elif word in _TESTS or (word in _LIMITS and following.isdecimal()):
            index += 2
        elif word == "-type" and following == "f":
            index, is_plain = index + 2, True
        else:
            return ()
    whole = is_plain and index == len(expression)  # else the last test took `-print0` for its value
    return (tuple(argv[1:end]) or (".",)) if whole else ()


def _started(argv: Sequence[str]) -> tuple[str, ...]:
    """What `xargs -0` starts; empty when another option stands before it."""
    if argv[:1] != ("xargs",):
        return ()
    index, cuts_at_zero = 1, False
    while index < len(argv) and argv[index].startswith("-"):
        if argv[index] in _XARGS_ALONE:
            cuts_at_zero = cuts_at_zero or "0" in argv[index] or argv[index] == "--null"
            index += 1
        elif re.fullmatch(r"-[nP][0-9]+", argv[index]):
            index += 1
        elif argv[index] in {"-n", "-P"} and index + 1 < len(argv) and argv[index + 1].isdecimal():
            index += 2
        else:
            return ()
    return tuple(argv[index:]) if cuts_at_zero else ()
