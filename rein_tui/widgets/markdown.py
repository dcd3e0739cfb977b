"""Markdown to pieces: markdown-it tokens → styled logical lines, independent of theme.

HTML is shown as text, images as their description, links keep their real target; nothing is fetched. Only tables
depend on the width. Growing text (`MarkdownText`) freezes every finished block and renders only the open one again: an
open code fence by its new lines, an open table at most every fourth time.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache
from typing import TYPE_CHECKING

from msgspec.structs import replace
from textual.content import Content, Span
from textual.style import Style

from .highlight import code_lines
from .lines import BLANK, EMPTY, Piece
from .safe import safe_link, safe_text
from .tables import table_pieces

if TYPE_CHECKING:  # the parser loads with the first text, not with the screen
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

CODE_STYLE = "$text-warning"
CODE_GUTTER = Content.styled("│ ", "$text-muted 50%")
QUOTE_GUTTER = Content.styled("▎ ", "$text-muted")
_HEADINGS = {1: "bold underline $text-primary", 2: "bold $text-primary", 3: "bold $text-primary"}
_MARKS = {"strong": "bold", "em": "italic", "s": "strike"}
CONTENT = frozenset({"paragraph_open", "fence", "code_block", "heading_open", "table_open", "hr"})
"""Tokens whose source lines end where text ends; lists and quotes take trailing blank lines in."""
_DEEP = 1000
_TASKS = {"[ ] ": "☐ ", "[x] ": "☑ ", "[X] ": "☑ "}


@cache
def parser() -> MarkdownIt:
    """The one parser: CommonMark with tables, strikethrough and bare links; HTML stays text."""
    from markdown_it import MarkdownIt

    return MarkdownIt("commonmark", {"html": False, "linkify": True}).enable(["table", "strikethrough", "linkify"])


def markdown_pieces(source: str, width: int) -> list[Piece]:
    """The pieces of a whole text, blocks parted by blank lines."""
    return pieces_of(parser().parse(safe_text(source, "markdown")), width)


def pieces_of(tokens: Sequence[Token], width: int) -> list[Piece]:
    """The pieces of parsed tokens (whole blocks), without blank lines around them."""
    renderer = _Renderer(width)
    renderer.render(tokens)
    return renderer.pieces


class _Renderer:
    """Walks a token list once. Gutters of quotes and items pile up; `_first` waits for an item's first line.

    A gap between blocks is only noted, and written with the gutters of what follows it. Inside lists a gap stands
    where the source has a blank line, which needs no look at the whole list as CommonMark's looseness would.
    """

    def __init__(self, width: int) -> None:
        self.pieces: list[Piece] = []
        self._width = width
        self._gutters: list[Content] = []
        self._first: Content | None = None
        self._numbers: list[int | None] = []
        self._table: list[list[Content]] | None = None
        self._aligns: list[str] = []
        self._heading = 0
        self._gap = False
        self._gap_depth = _DEEP
        self._end = 0

    def render(self, tokens: Iterable[Token]) -> None:
        for token in tokens:
            self._space(token)
            kind = token.type
            if kind == "inline":
                self._inline(token)
            elif kind in {"fence", "code_block"}:
                language = token.info.strip().split(" ")[0].split("{")[0]
                for line in code_lines(token.content.removesuffix("\n"), language):
                    self._put(code_piece(line))
            elif kind == "hr":
                self._put(Piece(Content.styled("─" * min(40, self._room), "$text-muted"), wrap="crop", silent=True))
            elif kind.endswith(("list_open", "list_close", "item_open", "item_close")):
                self._list(kind, token)
            elif kind.startswith("blockquote"):
                self._quote(kind)
            elif kind.startswith("heading"):
                self._heading = int(token.tag[1]) if token.nesting > 0 else 0
            else:
                self._table_part(kind, token)

    @property
    def _room(self) -> int:
        return max(8, self._width - sum(gutter.cell_length for gutter in self._gutters))

    def _space(self, token: Token) -> None:
        """Note a gap where one belongs before this token."""
        if not token.map or token.nesting < 0 or token.type == "inline":
            return
        start, end = token.map
        if 0 < self._end < start or (self.pieces and token.level == 0):
            self._gap = True
            self._gap_depth = min(self._gap_depth, len(self._gutters))
        if token.type in CONTENT:
            self._end = end

    def _put(self, piece: Piece) -> None:
        """Add a piece inside the quotes and items that are open."""
        rest = _together(self._gutters)
        if self._gap and self.pieces:
            around = self._gutters[: self._gap_depth]
            gutter = _together(around) if QUOTE_GUTTER in around else EMPTY
            self.pieces.append(Piece(EMPTY, gutter, gutter) if gutter else BLANK)
        self._gap, self._gap_depth = False, _DEEP
        first, self._first = (rest if self._first is None else self._first), None
        if first or rest:
            piece = replace(piece, first=first + piece.first, rest=rest + piece.rest)
        self.pieces.append(piece)

    def _list(self, kind: str, token: Token) -> None:
        if kind == "list_item_open":
            self._open_item()
        elif kind == "list_item_close":
            if self._first is not None:
                self._put(BLANK)
            self._gutters.pop()
        elif kind.endswith("_open"):
            self._numbers.append(int(token.attrs.get("start", 1)) if kind.startswith("ordered") else None)
        else:
            self._numbers.pop()

    def _quote(self, kind: str) -> None:
        if kind.endswith("_open"):
            if self._first is not None:
                self._first += QUOTE_GUTTER
            self._gutters.append(QUOTE_GUTTER)
        else:
            self._gutters.pop()
            if self._gap:
                self._gap_depth = min(self._gap_depth, len(self._gutters))

    def _open_item(self) -> None:
        number = self._numbers[-1]
        if number is None:
            bullet = "•◦▪"[(len(self._numbers) - 1) % 3] + " "
        else:
            bullet = f"{number}. "
            self._numbers[-1] = number + 1
        before = _together(self._gutters) if self._first is None else self._first
        self._first = before + Content.styled(bullet, "$text-primary")
        self._gutters.append(Content(" " * len(bullet)))

    def _table_part(self, kind: str, token: Token) -> None:
        if kind == "table_open":
            self._table, self._aligns = [], []
        elif kind == "tr_open" and self._table is not None:
            self._table.append([])
        elif kind == "th_open":
            self._aligns.append(str(token.attrs.get("style", "")).removeprefix("text-align:"))
        elif kind == "table_close" and self._table is not None:
            table, self._table = self._table, None
            for piece in table_pieces(table, self._aligns, self._room):
                self._put(piece)

    def _inline(self, token: Token) -> None:
        content = inline_content(token.children or ())
        if self._table is not None:
            self._table[-1].append(content)
            return
        if self._heading:
            content = content.stylize_before(_HEADINGS.get(self._heading, "bold $text-secondary"))
        if self._first is not None and content.plain[:4] in _TASKS:
            content = Content(_TASKS[content.plain[:4]]) + content[4:]
        for line in content.split("\n", allow_blank=True):
            self._put(Piece(line))


def code_piece(line: Content) -> Piece:
    """One line of a code block."""
    return Piece(line, CODE_GUTTER, CODE_GUTTER, "fold")


def _together(gutters: Sequence[Content]) -> Content:
    whole = gutters[0] if gutters else EMPTY
    for gutter in gutters[1:]:
        whole += gutter
    return whole


def inline_content(tokens: Sequence[Token]) -> Content:
    """Styled text of inline tokens. Soft breaks become spaces; links carry their target."""
    parts: list[str] = []
    spans: list[Span] = []
    opened: list[tuple[int, str | Style]] = []
    position = 0
    for token in tokens:
        kind = token.type
        text = ""
        if kind.endswith("_open"):
            opened.append((position, _link_style(token) if kind == "link_open" else _MARKS.get(kind[:-5], "")))
        elif kind.endswith("_close") and opened:
            start, style = opened.pop()
            if style:
                spans.append(Span(start, position, style))
        elif kind == "softbreak":
            text = " "
        elif kind == "hardbreak":
            text = "\n"
        elif kind == "image":
            text = f"[image: {token.content or 'no description'}]"
            spans.append(Span(position, position + len(text), "italic $text-muted"))
        else:
            text = token.content.replace("\t", " ")
            if kind == "code_inline":
                spans.append(Span(position, position + len(text), CODE_STYLE))
        parts.append(text)
        position += len(text)
    return Content("".join(parts), sorted(spans, key=lambda span: (span.start, -span.end)))


def _link_style(token: Token) -> str | Style:
    target = safe_link(str(token.attrs.get("href", "")))
    return Style.from_meta({"link": target}) + Style(underline=True) if target else ""
