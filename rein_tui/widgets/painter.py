"""From lines to strips: resolves theme styles once per combination, and keeps strips of rows that were just shown."""

import re
from collections.abc import Sequence

from rich.segment import Segment
from rich.style import Style as RichStyle
from textual.color import TRANSPARENT, Color
from textual.content import Content, Span
from textual.filter import LineFilter
from textual.strip import Strip
from textual.style import Style

from .lines import Line, intervals

_KEPT = 256
_VARIABLE = re.compile(r"\$([\w-]+)")
_TINT = re.compile(r"\bon ansi_\w+ (\d+)%")
_ON_FULL = re.compile(r"\bansi_default on (ansi_\w+)(?! \d)")
_STRONG = 20
"""Per cent from which a tint marks something: the cursor, the selection, a hit, a changed word."""
_FADED = re.compile(r"(ansi_\w+)(?: \d+%)+")


def _for_terminal_colours(style: str) -> str:
    """Terminal colours cannot be mixed: faded text becomes dim, strong tints are reversed, weak ones left out."""
    style = _ON_FULL.sub(r"reverse \1", style)
    style = _TINT.sub(lambda match: "reverse" if int(match[1]) >= _STRONG else "", style)
    return "dim " + _FADED.sub(r"\1", style) if _FADED.search(style) else style


class Painter:
    """Paints lines for one theme, one background and one width; `filters` are Textual's, where it applies none."""

    def __init__(
        self,
        base: Style,
        variables: dict[str, str],
        width: int,
        filters: Sequence[LineFilter] = (),
        background: Color = TRANSPARENT,
    ) -> None:
        self.base = base
        self.width = width
        self._variables = variables
        self._filters = filters
        self._background = background
        self._is_ansi = variables.get("background", "").startswith("ansi")
        self._parsed: dict[str, Style] = {}
        self._styles: dict[tuple[object, ...], RichStyle] = {}
        self._strips: dict[Line, Strip] = {}

    def strip(self, line: Line, bar: Content, marks: Sequence[Span]) -> Strip:
        """The row of a line, with `bar` in the first column and `marks` laid over the body (selection, search)."""
        if marks or bar.spans:
            return self._paint(line, bar, marks)
        strip = self._strips.get(line)
        if strip is None:
            if len(self._strips) >= _KEPT:
                self._strips.clear()
            strip = self._strips[line] = self._paint(line, bar, ())
        return strip

    def _paint(self, line: Line, bar: Content, marks: Sequence[Span]) -> Strip:
        under = line.piece.style
        bare = line.piece.bare if under else 0
        segments = self._segments(bar, "", ())
        if bare:
            segments += self._segments(line.gutter[:bare], "", ())
        segments += self._segments(line.gutter[bare:] if bare else line.gutter, under, ())
        segments += self._segments(line.body, under, marks)
        room = self.width - bar.cell_length - line.gutter.cell_length - line.body.cell_length
        if room > 0:
            segments.append(Segment(" " * room, self.rich(under) if under else self.rich()))
        strip = Strip(Segment.simplify(self._filtered(segments)), self.width - min(0, room))
        return strip if room >= 0 else strip.adjust_cell_length(self.width)

    def blank(self) -> Strip:
        """An empty row."""
        return Strip(self._filtered([Segment(" " * self.width, self.rich())]), self.width)

    def _filtered(self, segments: list[Segment]) -> list[Segment]:
        """In the colours that the terminal is to have. Here, not row by row: Textual would keep each row twice."""
        for line_filter in self._filters:
            segments = line_filter.apply(segments, self._background)
        return segments

    def rich(self, *styles: object) -> RichStyle:
        """The Rich style of Textual styles laid over one another on the background."""
        found = self._styles.get(styles)
        if found is None:
            style = self.base
            for part in styles:
                if part:
                    style += part if isinstance(part, Style) else self._parse(str(part))
            found = self._styles[styles] = style.rich_style
        return found

    def _parse(self, style: str) -> Style:
        parsed = self._parsed.get(style)
        if parsed is None:
            # Textual loses the percentage inside a variable ("auto 60%") when it substitutes it: done here.
            text = _VARIABLE.sub(lambda match: self._variables.get(match[1], ""), style)
            parsed = self._parsed[style] = Style.parse(_for_terminal_colours(text) if self._is_ansi else text)
        return parsed

    def _segments(self, content: Content, under: str, marks: Sequence[Span]) -> list[Segment]:
        plain = content.plain
        spans = [*content.spans, *marks]
        return [
            Segment(plain[start:end], self.rich(under, *styles) if styles or under else self.rich())
            for start, end, styles in intervals(len(plain), spans)
        ]
