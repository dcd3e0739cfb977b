"""From the screen to a PNG: Textual's SVG, without fonts from elsewhere, drawn by rsvg-convert.

Textual's SVG relies on a font of exactly its cell width and on `textLength`, which rsvg-convert does not know. So the
size is set to fit the font that is there, and characters that other fonts may supply stand by themselves.
"""

import html
import re
import shutil
import subprocess
from pathlib import Path

from rich.cells import cell_len

CELL = 12.2
"""Width of a cell in Rich's SVG, in its own units."""
FONT = "DejaVu Sans Mono"
ADVANCE = 0.602
"""Width of that font's characters, in ems."""
PIXELS = 1.15
"""Pixels of the PNG a unit of the SVG."""
LARGEST = 250_000

_FACE = re.compile(r"@font-face \{.*?\}\s*", re.DOTALL)
_TEXT = re.compile(
    r'<text class="([^"]+)" x="([\d.]+)" y="([\d.]+)" textLength="[\d.]+" clip-path="([^"]+)">(.*?)</text>'
)
_SURE = re.compile(r"[\x20-\x7e\xa0-\xff\u2010-\u2027\u2190-\u2193\u2500-\u259f]+|.", re.DOTALL)


def offline(svg: str) -> str:
    """The same picture without a link to anywhere, in a font that is commonly there."""
    size = CELL / ADVANCE
    svg = _FACE.sub("", svg)
    svg = svg.replace("font-family: Fira Code, monospace", f"font-family: {FONT}, monospace")
    svg = svg.replace("font-size: 20px", f"font-size: {size:.3f}px").replace(
        "font-family: arial", f"font-family: {FONT}"
    )
    svg = re.sub(r"<!-- Generated .*?-->", "", svg)
    return _TEXT.sub(_placed, svg)


def _placed(match: re.Match[str]) -> str:
    """One text as pieces that each begin where their first cell is."""
    kind, x, y, clip, body = match.groups()
    pieces: list[str] = []
    cells = 0
    for piece in _SURE.findall(html.unescape(body)):
        if piece.strip(" \xa0"):
            left = float(x) + cells * CELL
            pieces.append(
                f'<text class="{kind}" x="{left:g}" y="{y}" clip-path="{clip}" xml:space="preserve">'
                f"{html.escape(piece)}</text>"
            )
        cells += cell_len(piece)
    return "".join(pieces)


def write_png(svg: str, path: Path) -> int:
    """Draw it; returns the size in bytes. Fewer colours where ImageMagick is there to choose them."""
    plain = offline(svg)
    if re.search(r"url\((?!#)|href=|@import", re.sub(r">[^<]*<", "><", plain)):
        raise ValueError("the picture still links somewhere")
    source = path.with_suffix(".svg")
    source.write_text(plain, encoding="utf-8")
    try:
        subprocess.run(["rsvg-convert", "-z", str(PIXELS), "-o", str(path), str(source)], check=True)
    finally:
        source.unlink()
    if convert := shutil.which("convert"):
        fewer = ["-strip", "-dither", "None", "-colors", "96", "-define", "png:compression-level=9"]
        subprocess.run([convert, str(path), *fewer, f"PNG8:{path}"], check=True)
    return path.stat().st_size
