"""The file commands that acceptEdits approves inside the working directories, with the options they may carry."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from .options import Table, read_options, table

_TABLES: dict[str, Table] = {
    "mkdir": table("pv", "m", long="parents verbose", long_valued="mode"),
    "touch": table("acmh", "t d", long="no-create no-dereference", long_valued="date time"),
    "rm": table("rRfvdiI", long="recursive force verbose dir one-file-system preserve-root", optional="interactive"),
    "rmdir": table("pv", long="parents verbose ignore-fail-on-non-empty"),
    "mv": table("fnvuT", long="force no-clobber verbose update no-target-directory"),
    "cp": table(
        "rRafnvupTd",
        long="recursive archive force no-clobber verbose update no-target-directory no-dereference",
        optional="preserve",
    ),
}
IN_PLACE = re.compile(r"-i[A-Za-z0-9._~-]*|--in-place(?:=[A-Za-z0-9._~-]+)?")


@dataclass(slots=True)
class FileChange:
    """What a file command reads and writes; `problem` says why it is not understood."""

    reads: list[str] = field(default_factory=list[str])
    writes: list[str] = field(default_factory=list[str])
    problem: str = ""


def file_change(argv: Sequence[str]) -> FileChange | None:
    """The files that one of the known commands changes; None when it is none of them."""
    program, words = argv[0], list(argv[1:])
    if program == "sed":
        return _sed(words)
    known = _TABLES.get(program)
    if known is None:
        return None
    options = read_options(words, known)
    change = FileChange(problem=options.problem)
    if not options.operands:
        change.problem = change.problem or f"`{program}` names no file"
    elif program == "cp":
        change.reads, change.writes = options.operands[:-1], options.operands[-1:]
        change.writes += _landed(options.operands)
    elif program == "mv":
        change.writes = [*options.operands, *_landed(options.operands)]
    else:
        change.writes = list(options.operands)
    return change


def _landed(operands: Sequence[str]) -> list[str]:
    """Where sources end up if the destination is a folder: a protected name keeps its name there."""
    folder = operands[-1].rstrip("/")
    return [f"{folder}/{source.rstrip('/').rsplit('/', 1)[-1]}" for source in operands[:-1]]


def _sed(words: list[str]) -> FileChange | None:
    from .sedscript import sed_reading

    in_place = [word for word in words if IN_PLACE.fullmatch(word)]
    if not in_place:
        return None
    reading = sed_reading([word for word in words if word not in in_place])
    if reading.problem or not reading.paths:
        return FileChange(problem=reading.problem or "sed names no file")
    return FileChange(writes=list(reading.paths))
