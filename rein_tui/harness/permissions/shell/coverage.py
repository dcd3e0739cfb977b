"""Which allow rule covers a command: narrow, one understood argv, and never what a prefix does not say."""

from collections.abc import Sequence

from .escapes import escape_of
from .patterns import collapse_blanks
from .reader import Command
from .rulebook import Entry, RuleBook
from .spelling import STDIN_ARGUMENT, canonical, shown
from .stripping import Stripped, strip_for_allow


def covering_rule(allow: RuleBook, command: Command, stripped: Stripped, unsafe: str) -> tuple[Entry | None, str]:
    """The allow rule that covers a command, or why those that match do not.

    `unsafe` names a variable before the command that could change what it does; then only a rule for the exact
    text, or one for everything, covers it.
    """
    argv, raw, text = command.values, [word.raw for word in command.words], shown(command)
    extra = [STDIN_ARGUMENT] if stripped.appended else []
    if command.assignments:
        assigned = [f"{a.name}={a.value.raw}" for a in command.assignments]
        for entry in allow.match([" ".join((*assigned, *raw, *extra))], text):
            if entry.pattern.is_exact or entry.pattern.is_everything:
                return entry, ""
        if unsafe:
            return None, ""
    why_not = ""
    for start in dict.fromkeys((0, *_steps(argv, stripped.skipped))):
        texts = dict.fromkeys((" ".join((*raw[start:], *extra)), " ".join((*map(canonical, argv[start:]), *extra))))
        for entry in allow.match(texts, text):
            same = collapse_blanks(entry.pattern.spec) in texts
            reason = "" if same else _objection(entry, argv, start, stripped.skipped)
            if not reason:
                return entry, ""
            allow.object_to(entry.place, f"matched, but {reason}")
            why_not = why_not or reason
    return None, why_not


def _steps(argv: Sequence[str], skipped: int) -> list[int]:
    """Where each wrapper in front ends."""
    return [end for end in range(1, skipped + 1) if strip_for_allow([*argv[:end], argv[end]]).skipped == end]


def _objection(entry: Entry, argv: Sequence[str], start: int, skipped: int) -> str:
    """Why a matching rule does not cover the command; "" when it does."""
    pattern = entry.pattern
    if pattern.is_exact or pattern.is_everything:
        return ""
    if start < skipped and len(pattern.pieces[0]) <= len(" ".join(argv[start:skipped])) + 1:
        return f"`{entry.rule.text}` does not say what `{argv[start]}` may run"
    return escape_of(argv[skipped:])
