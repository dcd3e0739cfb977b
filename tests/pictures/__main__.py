"""Take all pictures: `python -m tests.pictures FOLDER [WIDTHxHEIGHT]`."""

import asyncio
import os
import shutil
import sys
import tempfile
from pathlib import Path

from .render import LARGEST, write_png
from .scenes import SIZE, take_all


def main(arguments: list[str]) -> int:
    """Write one PNG a picture into the folder; returns the exit code."""
    if not arguments:
        sys.stderr.write("usage: python -m tests.pictures FOLDER [WIDTHxHEIGHT]\n")
        return 2
    if shutil.which("rsvg-convert") is None:
        sys.stderr.write("rsvg-convert is not installed (package librsvg2-bin or librsvg).\n")
        return 1
    folder = Path(arguments[0])
    folder.mkdir(parents=True, exist_ok=True)
    width, _, height = arguments[1].partition("x") if len(arguments) > 1 else ("", "", "")
    size = (int(width), int(height)) if width.isdecimal() and height.isdecimal() else SIZE
    os.environ.pop("NO_COLOR", None)
    with tempfile.TemporaryDirectory(prefix="rein-") as scratch:
        svgs = asyncio.run(take_all(Path(scratch).resolve(), size))
    too_large = 0
    for name, svg in svgs.items():
        size_in_bytes = write_png(svg, folder / f"{name}.png")
        too_large += size_in_bytes > LARGEST
        print(f"{folder / name}.png  {size_in_bytes / 1000:.0f} kB{'  TOO LARGE' if size_in_bytes > LARGEST else ''}")
    return 1 if too_large else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
