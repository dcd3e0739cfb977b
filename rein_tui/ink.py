"""Screens without colours of ours: what colour says is said by reverse, dim and bold, in the colours of the terminal.

For NO_COLOR, and for terminals of which nothing is known (TERM=dumb): Textual would draw in shades of grey, or in all
colours.
"""

from collections.abc import Sequence
from functools import lru_cache

from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.filter import LineFilter

_MARKED = 1.4
"""Contrast of what lies under a text with what lies around it, from which it marks something: a cursor, a word."""
_FAINT = 5.6
"""Contrast of a text below which it is faint on purpose."""


class Ink(LineFilter):
    """Takes all colours away; a mark is reversed, what is faint is dim."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """The same text in the terminal's own colours."""
        return [Segment(text, style and _inked(style, background), control) for text, style, control in segments]


class Marks(LineFilter):
    """In the terminal's own colours, of which nothing is known: what stands on bright white is reversed instead."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """The same text, rows that are marked reversed."""
        return [Segment(text, style and _marked(style), control) for text, style, control in segments]


INK: Sequence[LineFilter] = (Ink(),)
MARKS: Sequence[LineFilter] = (Marks(),)
_BRIGHT_WHITE = 15
"""Its number among the terminal's colours."""
_REVERSED = Style(bgcolor="default", reverse=True)


@lru_cache(2048)
def _marked(style: Style) -> Style:
    return style + _REVERSED if style.bgcolor and style.bgcolor.number == _BRIGHT_WHITE else style


@lru_cache(2048)
def _inked(style: Style, around: Color) -> Style:
    under = _colour(style, front=False) or around
    front = _colour(style, front=True)
    is_marked = _contrast(under, around) >= _MARKED or bool(style.reverse)
    is_faint = front is not None and not is_marked and _contrast(front, under) < _FAINT
    plain = style.without_color + Style(reverse=is_marked, dim=is_faint or bool(style.dim))
    return plain + Style(meta=style.meta) if style.meta else plain


def _colour(style: Style, *, front: bool) -> Color | None:
    colour = style.color if front else style.bgcolor
    return None if colour is None or colour.is_default else Color.from_rich_color(colour)


def _contrast(one: Color, other: Color) -> float:
    """WCAG's ratio, from 1 to 21."""
    low, high = sorted((_luminance(one), _luminance(other)))
    return (high + 0.05) / (low + 0.05)


def _luminance(colour: Color) -> float:
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in colour.normalized
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
