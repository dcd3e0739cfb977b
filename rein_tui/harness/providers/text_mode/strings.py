"""Where a string ends that a model wrote: also with quotes inside that it forgot to escape."""

import re

CLOSING = {'"': '"', "'": "'", "“": "”"}
_FOLLOWS = re.compile(r"\s*(.?)", re.DOTALL)


class NeedMore(Exception):
    """The text so far does not say yet what it is."""


def string_end(text: str, start: int, closers: tuple[str, ...] = (), *, final: bool = True) -> int:
    """The place behind the string that opens at `start`; the end of the text when it is not closed.

    A quote closes only before `,` `:` `]` `}`, before a closer, or at the end: any other one was meant as text.
    Raises NeedMore unless final.
    """
    if text.startswith('"""', start):
        end = text.find('"""', start + 3)
        return end + 3 if end >= 0 else _open(text, final)
    wanted = {CLOSING[text[start]], '"'} if text[start] == "“" else {CLOSING[text[start]]}
    at = start + 1
    while at < len(text):
        character = text[at]
        if character == "\\":
            at += 2
        elif character in wanted and _closes(text, at + 1, closers, final):
            return at + 1
        else:
            at += 1
    return _open(text, final)


def _closes(text: str, at: int, closers: tuple[str, ...], final: bool) -> bool:
    found = _FOLLOWS.match(text, at)
    assert found is not None
    if not found[1]:
        if not final:
            raise NeedMore
        return True
    if found[1] in ",:]}":
        return True
    place = found.start(1)
    if any(text.startswith(closer, place) for closer in closers):
        return True
    if not final and any(closer.startswith(text[place:]) for closer in closers):
        raise NeedMore
    return False


def _open(text: str, final: bool) -> int:
    if not final:
        raise NeedMore
    return len(text)
