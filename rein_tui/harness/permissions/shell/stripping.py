"""The few wrappers that allow rules see through, and only with options that are exactly understood."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

_DURATION = re.compile(r"[0-9]+(?:\.[0-9]+)?[smhd]?")
_BUFFER_MODE = re.compile(r"[L0]|[0-9]+[KMG]?B?")


@dataclass(frozen=True, slots=True)
class Stripped:
    """A command without the wrappers that allow rules see through. `appended`: xargs adds unknown arguments."""

    skipped: int
    appended: bool = False


def strip_for_allow(argv: Sequence[str]) -> Stripped:
    """How many leading words are harmless wrappers with exactly understood options."""
    skipped, appended = 0, False
    while skipped < len(argv):
        step = _allowed_step(argv[skipped:])
        if not step or skipped + step >= len(argv):
            break
        appended = appended or argv[skipped] == "xargs"
        skipped += step
    return Stripped(skipped, appended)


def _allowed_step(argv: Sequence[str]) -> int:
    program = argv[0]
    if len(argv) < 2:
        return 0
    if program in {"nohup", "command", "builtin", "noglob", "xargs"}:
        return 0 if argv[1].startswith("-") else 1
    if program == "time":
        step = 2 if argv[1] == "-p" else 1
        return step if step < len(argv) and not argv[step].startswith("-") else 0
    if program == "nice":
        return _nice(argv)
    if program == "timeout":
        return _timeout(argv)
    if program == "stdbuf":
        return _stdbuf(argv)
    return 0


def _nice(argv: Sequence[str]) -> int:
    if not argv[1].startswith("-"):
        return 1
    if re.fullmatch(r"(?:-n|-|--adjustment=)-?[0-9]+", argv[1]):
        return 2
    return 3 if argv[1] == "-n" and len(argv) > 3 and re.fullmatch(r"-?[0-9]+", argv[2]) else 0


def _timeout(argv: Sequence[str]) -> int:
    index = 1
    while index < len(argv) and argv[index].startswith("-"):
        word = argv[index]
        if word in {"--preserve-status", "--foreground", "-v", "--verbose"}:
            index += 1
        elif word in {"-k", "-s"}:
            index += 2
        elif re.fullmatch(r"(?:--kill-after=|--signal=|-k|-s)[A-Za-z0-9.+]+", word):
            index += 1
        else:
            return 0
    return index + 1 if index < len(argv) and _DURATION.fullmatch(argv[index]) else 0


def _stdbuf(argv: Sequence[str]) -> int:
    index = 1
    while index < len(argv) and argv[index].startswith("-"):
        word = argv[index]
        attached = re.sub(r"^(?:-[ioe]|--(?:input|output|error)=)", "", word)
        if word in {"-i", "-o", "-e"}:
            index += 1
            attached = argv[index] if index < len(argv) else ""
        if attached == word or not _BUFFER_MODE.fullmatch(attached):
            return 0
        index += 1
    return index if index > 1 else 0
