"""Markdown that grows: what is finished is rendered once and frozen, only the open end is rendered again.

The open end is the last top-level block, or the last item of a top-level list. An open code fence is rendered by its
new lines; a long open table at most every fourth time. When all is said, the lines are those that
`markdown_pieces` gives for the whole text.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec
from textual.content import Content

from .highlight import MAX_COLOURED, code_lines, next_code_lines
from .lines import BLANK, EMPTY, Line, Piece, lay_out
from .markdown import CONTENT, code_piece, parser, pieces_of
from .safe import SafeStream

if TYPE_CHECKING:  # the parser loads with the first text, not with the screen
    from markdown_it.token import Token

_FENCE = re.compile(r"( {0,3})(`{3,}|~{3,})([^\n]*)\n")
_DEFINITION = re.compile(r"^ {0,3}\[[^\]\n]+\]:", re.MULTILINE)
_ALL = 1 << 60
_LONG_TABLE = 2000
_TABLE_RATE = 4


class _Fence(msgspec.Struct):
    """An open code fence: its opening, the complete lines so far, and where its rows begin."""

    marker: str
    indent: int
    language: str
    first_row: int
    lines: list[str] = msgspec.field(default_factory=list[str])
    size: int = 0

    def is_closed_by(self, line: str) -> bool:
        text = line.strip(" \t")
        return len(line) - len(line.lstrip(" ")) < 4 and len(text) >= len(self.marker) and set(text) == {self.marker[0]}


class GrowingMarkdown:
    """Text of a model, fed as it comes, and its lines for one width.

    `gutter` stands before every line, `lead` above the text.
    """

    def __init__(
        self, text: str = "", *, finished: bool = False, gutter: Content = EMPTY, lead: Sequence[Piece] = ()
    ) -> None:
        self._gutter = gutter
        self._lead = lead
        self._stream: SafeStream | None = None
        self._incoming: list[str] = []
        self.size = 0
        self._parts: list[str] = []
        self._open = ""
        self._gap = False
        self._frozen = 0
        self._width = 0
        self._fence: _Fence | None = None
        self._skipped = 0
        self._finished = self._settled = False
        self.feed(text)
        if finished:
            self.finish()

    @property
    def text(self) -> str:
        """All of it so far."""
        self._take()
        if len(self._parts) > 1:
            self._parts = ["".join(self._parts)]
        return self._parts[0] if self._parts else ""

    def feed(self, text: str) -> None:
        """More text, in any cut."""
        self._incoming.append(text)
        self.size += len(text)

    def finish(self) -> None:
        """No more to come: the next `grow` shows the final form."""
        self._finished = True

    def _take(self) -> None:
        """Make what came since the last look safe, in one go. Thousands of texts that are told hold little more."""
        if self._incoming:
            self._stream = self._stream or SafeStream("markdown")
            self._add(self._stream.feed("".join(self._incoming)).plain)
            self._incoming.clear()
        if self._finished and not self._settled:
            self._add(self._stream.finish().plain if self._stream is not None else "")
            self._stream = None
            self._settled = True

    def _add(self, text: str) -> None:
        if text:
            self._parts.append(text)
            self._open += text

    def whole(self, width: int) -> list[Line]:
        """All lines for a width, from the start; later `grow` calls go on from there."""
        self._width = width
        self._open, self._frozen, self._gap, self._fence = self.text, len(self._lead), False, None
        lines = lay_out(self._lead, width)
        if self._finished and _DEFINITION.search(self.text):
            # Link definitions may stand below their uses: only a parse of the whole text sees them.
            self._show(pieces_of(parser().parse(self.text), self._room), lines)
            return lines
        self._advance(lines)
        return lines

    def grow(self, lines: list[Line], width: int) -> None:
        """Bring `lines` up to date."""
        self._take()
        if width != self._width or (self._finished and _DEFINITION.search(self.text)):
            lines[:] = self.whole(width)
        else:
            self._advance(lines)

    def _advance(self, lines: list[Line]) -> None:
        goes_on = True
        while goes_on:
            goes_on = self._grow_fence(self._fence, lines) if self._fence else self._parse(lines)

    def _show(self, pieces: Sequence[Piece], lines: list[Line]) -> None:
        """Put pieces below what is frozen, after the gap that belongs there."""
        del lines[self._frozen :]
        if pieces and self._gap and len(lines) > len(self._lead):
            self._put([BLANK], lines)
        self._put(pieces, lines)

    def _put(self, pieces: Sequence[Piece], lines: list[Line]) -> None:
        gutter = self._gutter
        if gutter:
            pieces = [piece.within(gutter) for piece in pieces]
        lines += lay_out(pieces, self._width)

    @property
    def _room(self) -> int:
        return self._width - self._gutter.cell_length

    def _freeze(self, pieces: Sequence[Piece], lines: list[Line], *, gap: bool) -> None:
        self._show(pieces, lines)
        self._frozen = len(lines)
        self._gap = gap

    # --- blocks ---------------------------------------------------------------------------------------------

    def _parse(self, lines: list[Line]) -> bool:
        """Freeze what is finished and render the rest; true when an open fence is to be gone on with."""
        if self._waits_with_table(lines):
            return False
        tokens = parser().parse(self._open)
        # Only behind a complete line: "-" may still become "---".
        cut, first_row = last_start(tokens, _ALL if self._finished else self._open.count("\n")), 0
        if cut is not None:
            index, row, gap = cut
            self._freeze(pieces_of(tokens[:index], self._room), lines, gap=gap)
            self._open = _from_row(self._open, row)
            if tokens[index].level:  # an item becomes a list of its own
                tokens = parser().parse(self._open)
            else:
                tokens = tokens[index:]
                first_row = row
        if tokens and tokens[0].type == "fence" and self._opens_fence(_row(tokens[0]) - first_row, lines):
            return True
        self._show(pieces_of(tokens, self._room), lines)
        return False

    def _waits_with_table(self, lines: list[Line]) -> bool:
        """A long table changes all its rows with each new cell: show it less often."""
        if self._finished or len(self._open) < _LONG_TABLE or "|" not in self._open[:20] or len(lines) == self._frozen:
            return False
        self._skipped = (self._skipped + 1) % _TABLE_RATE
        return self._skipped != 0

    # --- fences ---------------------------------------------------------------------------------------------

    def _opens_fence(self, row: int, lines: list[Line]) -> bool:
        text = _from_row(self._open, row)
        match = _FENCE.match(text)
        if match is None:
            return False
        language = match[3].strip().split(" ")[0].split("{")[0]
        gap, self._gap = self._gap, False
        self._freeze([BLANK] if gap and self._frozen > len(self._lead) else [], lines, gap=False)
        self._fence = _Fence(match[2], len(match[1]), language, len(lines))
        self._open = text[match.end() :]
        return True

    def _grow_fence(self, fence: _Fence, lines: list[Line]) -> bool:
        """Add the new lines of an open fence; true when it was closed and more text follows."""
        *complete, partial = self._open.split("\n")
        if self._finished and partial:
            complete, partial = [*complete, partial], ""
        closing = next((number for number, line in enumerate(complete) if fence.is_closed_by(line)), None)
        if closing is not None or self._finished:
            self._close_fence(fence, complete[:closing], lines)
            self._open = "" if closing is None else "\n".join([*complete[closing + 1 :], partial])
            return bool(self._open.strip())
        self._add_code(fence, [_dedented(line, fence.indent) for line in complete], lines)
        self._open = partial
        if partial and not fence.is_closed_by(partial):
            self._put([code_piece(Content(partial.expandtabs(4)))], lines)
        return False

    def _add_code(self, fence: _Fence, new: list[str], lines: list[Line]) -> None:
        language = fence.language if fence.size < MAX_COLOURED else ""
        coloured = next_code_lines(fence.lines, new, language) if new else []
        self._freeze([code_piece(line) for line in coloured], lines, gap=False)
        fence.lines += new
        fence.size += sum(map(len, new))

    def _close_fence(self, fence: _Fence, last: list[str], lines: list[Line]) -> None:
        """Colour the whole fence once more, now that it is complete: strings over many lines come out right."""
        del lines[fence.first_row :]
        self._frozen = fence.first_row
        code = "\n".join([*fence.lines, *(_dedented(line, fence.indent) for line in last)])
        self._freeze([code_piece(line) for line in code_lines(code, fence.language)], lines, gap=True)
        self._fence = None


def _dedented(line: str, indent: int) -> str:
    return line[min(indent, len(line) - len(line.lstrip(" "))) :]


def _from_row(text: str, row: int) -> str:
    position = 0
    for _ in range(row):
        position = text.index("\n", position) + 1
    return text[position:]


def last_start(tokens: Sequence[Token], rows: int) -> tuple[int, int, bool] | None:
    """Where the part begins that more text may still change: index, source row, whether a gap stands before it.

    It begins above row `rows`. None when nothing before it is finished.
    """
    tops = [i for i, token in enumerate(tokens) if token.level == 0 and token.nesting >= 0 and 0 <= _row(token) < rows]
    if not tops:
        return None
    last = tops[-1]
    if tokens[last].type in {"bullet_list_open", "ordered_list_open"}:
        items = [
            i
            for i in range(last, len(tokens))
            if tokens[i].level == 1 and tokens[i].type == "list_item_open" and _row(tokens[i]) < rows
        ]
        if len(items) > 1 and _is_numbered_on(tokens[last], tokens[items[-1]], len(items) - 1):
            index = items[-1]
            return index, _row(tokens[index]), _row(tokens[index]) > _content_end(tokens[last:index])
    return (last, _row(tokens[last]), True) if len(tops) > 1 else None


def _is_numbered_on(opening: Token, item: Token, position: int) -> bool:
    """Whether an item that became the first of its list would keep its number."""
    return not item.info or item.info == str(int(opening.attrs.get("start", 1)) + position)


def _row(token: Token) -> int:
    return token.map[0] if token.map else -1


def _content_end(tokens: Sequence[Token]) -> int:
    return max((token.map[1] for token in tokens if token.map and token.type in CONTENT), default=0)
