"""Colours of command output (SGR escapes) as theme colours.

Only what cannot hide or fake anything: bold, italic, underline, dim, reverse and a foreground hue. Conceal, blink and
backgrounds are ignored, and every colour becomes the theme's text colour of that hue, so that it can be read on any
theme.
"""

import colorsys
from functools import lru_cache
from typing import TypeAlias

import msgspec
from msgspec.structs import replace

Rgb: TypeAlias = tuple[int, int, int]

_HUES = (
    "$text-muted",
    "$text-error",
    "$text-success",
    "$text-warning",
    "$text-primary",
    "$text-secondary",
    "$text-accent",
    "",
)
_ATTRIBUTES = {1: ("bold", True), 2: ("dim", True), 3: ("italic", True), 4: ("underline", True), 7: ("reverse", True)}
_RESETS = {22: ("bold", "dim"), 23: ("italic",), 24: ("underline",), 27: ("reverse",)}


class Sgr(msgspec.Struct, frozen=True):
    """The state of the terminal's pen, as far as we honour it."""

    hue: str = ""
    bold: bool = False
    dim: bool = False
    italic: bool = False
    underline: bool = False
    reverse: bool = False

    @property
    def style(self) -> str:
        """As a Textual style; empty for plain text."""
        words = [name for name in ("bold", "italic", "underline", "reverse") if getattr(self, name)]
        colour = self.hue or ("$text-muted" if self.dim else "")
        return " ".join([*words, colour]) if colour else " ".join(words)

    def apply(self, parameters: str) -> "Sgr":
        """The pen after `ESC [ parameters m`."""
        return _applied(self, parameters)


PLAIN = Sgr()


@lru_cache(1024)
def _applied(pen: Sgr, parameters: str) -> Sgr:
    codes = [int(code) if code.isdigit() and len(code) < 6 else 0 for code in parameters.replace(":", ";").split(";")]
    while codes:
        code = codes.pop(0)
        if code in {38, 48, 58}:
            hue = _extended(codes)
            pen = replace(pen, hue=hue) if code == 38 else pen
        else:
            pen = _simple(pen, code)
    return pen


def _simple(pen: Sgr, code: int) -> Sgr:
    if code == 0:
        return PLAIN
    if code in _ATTRIBUTES:
        name, value = _ATTRIBUTES[code]
        return replace(pen, **{name: value})
    if code in _RESETS:
        return replace(pen, **dict.fromkeys(_RESETS[code], False))
    if 30 <= code <= 37:
        return replace(pen, hue=_HUES[code - 30])
    if 90 <= code <= 97:
        return replace(pen, hue=_HUES[code - 90])
    return replace(pen, hue="") if code == 39 else pen


def _extended(codes: list[int]) -> str:
    """The hue of `5;n` or `2;r;g;b`; takes what it reads from `codes`."""
    kind = codes.pop(0) if codes else 0
    if kind == 5 and codes:
        return _indexed(codes.pop(0))
    if kind == 2 and len(codes) >= 3:
        rgb = (codes.pop(0), codes.pop(0), codes.pop(0))
        return _nearest(rgb)
    return ""


def _indexed(index: int) -> str:
    if index < 16:
        return _HUES[index % 8]
    if index >= 232:
        return "$text-muted" if index < 244 else ""
    cube = index - 16
    return _nearest((cube // 36 % 6 * 51, cube // 6 % 6 * 51, cube % 6 * 51))


def _nearest(rgb: Rgb) -> str:
    hue, lightness, saturation = colorsys.rgb_to_hls(*(min(255, part) / 255 for part in rgb))
    if saturation < 0.15:
        return "$text-muted" if lightness < 0.6 else ""
    degrees = hue * 360
    for limit, index in ((25, 1), (70, 3), (165, 2), (200, 6), (260, 4), (335, 5)):
        if degrees < limit:
            return _HUES[index]
    return _HUES[1]
