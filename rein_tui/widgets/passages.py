"""What a page of details is made of: headings, tables of facts, long texts in passages that are laid out when seen."""

import json
from collections.abc import Callable, Iterator, Sequence
from difflib import unified_diff
from typing import Any

from textual.content import Content

from rein_tui.harness.protocol.displays import DiffDisplay, Hunk

from .block import Block
from .diff import diff_pieces
from .highlight import code_lines
from .lines import BLANK, Piece
from .safe import safe_content

PASSAGE_LINES = 80
LINE_CHARACTERS = 1500
"""Longer lines are cut into several, so that one line of megabytes is laid out piece by piece."""


class Passage(Block):
    """Pieces made for a width, with the text that copying and searching see."""

    def __init__(self, make: Callable[[int], Sequence[Piece]], source: str) -> None:
        self._make = make
        self._source = source

    def pieces(self, width: int) -> Sequence[Piece]:
        return self._make(width)

    @property
    def source(self) -> str:
        return self._source


class TextPassage(Block):
    """Some lines of a long text. `language` and `path` choose colours; without them SGR colours of output are kept."""

    def __init__(self, lines: Sequence[str], language: str = "", path: str = "", style: str = "") -> None:
        self._lines = lines
        self._language = language
        self._path = path
        self._style = style

    def pieces(self, width: int) -> Sequence[Piece]:
        if self._language or self._path:
            return [Piece(line, wrap="fold") for line in code_lines(self.source, self._language, self._path)]
        content = safe_content(self.source, "output", self._style, colour=True)
        return [Piece(line, wrap="fold") for line in content.split("\n", allow_blank=True)]

    def estimate(self, width: int) -> int:
        return sum(1 + len(line) // max(1, width) for line in self._lines)

    @property
    def source(self) -> str:
        return "\n".join(self._lines)


class Heading(Block):
    """A heading with a word beside it, and air above it unless it is the first thing on its page."""

    def __init__(self, title: str, note: str) -> None:
        self._title = title
        self._note = note
        self.is_first = False

    def pieces(self, width: int) -> Sequence[Piece]:
        title = safe_content(self._title, "label", "bold $text-primary")
        line = Content.assemble(title, "  ", safe_content(self._note, "label", "$text-muted"))
        return (Piece(line.rstrip()),) if self.is_first else (BLANK, Piece(line.rstrip()))

    @property
    def source(self) -> str:
        return f"{self._title}  {self._note}".rstrip()


def heading(title: str, note: str = "") -> Block:
    """What a part of the page is about."""
    return Heading(title, note)


def prose(text: str, style: str = "") -> Block:
    """A paragraph."""
    content = safe_content(text, "prompt", style)
    return Passage(lambda _: [Piece(line) for line in content.split("\n", allow_blank=True)], text)


def muted(text: str) -> Block:
    """A paragraph that says what is not there."""
    return prose(text, "$text-muted")


def facts_table(rows: Sequence[tuple[str, Content | str]]) -> Block:
    """Terms and what there is to say; rows without words are left out."""
    shown = [
        (term, words if isinstance(words, Content) else safe_content(words, "prompt")) for term, words in rows if words
    ]
    room = max((len(term) for term, _ in shown), default=0) + 2
    pieces = [
        Piece(line, Content.styled((term if number == 0 else "").ljust(room), "$text-muted"), Content(" " * room))
        for term, words in shown
        for number, line in enumerate(words.split("\n", allow_blank=True))
    ]
    return Passage(lambda _: pieces, "\n".join(f"{term}: {words.plain}" for term, words in shown))


def text_passages(text: str, language: str = "", path: str = "", style: str = "") -> Iterator[Block]:
    """A text of any length, cut into passages."""
    lines = [part for line in text.split("\n") for part in _short(line)]
    for start in range(0, len(lines), PASSAGE_LINES):
        yield TextPassage(lines[start : start + PASSAGE_LINES], language, path, style)


def _short(line: str) -> Sequence[str]:
    if len(line) <= LINE_CHARACTERS:
        return (line,)
    return [line[start : start + LINE_CHARACTERS] for start in range(0, len(line), LINE_CHARACTERS)]


def pretty(value: object) -> str:
    """JSON for reading."""
    return json.dumps(value, indent=2, ensure_ascii=False, default=str)


def pretty_text(text: str) -> tuple[str, str]:
    """A text that may be JSON, made readable, and its language."""
    try:
        value: Any = json.loads(text)
    except ValueError:
        return text, ""
    return (text, "") if value is None or isinstance(value, str | int | float) else (pretty(value), "json")


def json_passages(value: object) -> Iterator[Block]:
    """A JSON value with colours."""
    return text_passages(pretty(value), "json")


def changes(old: object, new: object) -> Block:
    """Two versions of a JSON value as a diff of their readable forms, unchanged lines included."""
    before, after = pretty(old).split("\n"), pretty(new).split("\n")
    lines = list(unified_diff(before, after, lineterm="", n=len(before) + len(after)))[3:]
    added, removed = sum(line[0] == "+" for line in lines), sum(line[0] == "-" for line in lines)
    hunk = Hunk(old_start=1, old_lines=len(before), new_start=1, new_lines=len(after), lines=tuple(lines))
    diff = DiffDisplay(path="input.json", hunks=(hunk,), added=added, removed=removed)
    return Passage(lambda width: diff_pieces(diff, width, "unified"), "\n".join(lines))
