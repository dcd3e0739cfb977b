"""Files that are read in another way than as lines: images, notebooks, PDF."""

import base64
import json
import os
import re
import shutil
from typing import Any, cast

from ..processes.process import child_environment, run_process
from ..protocol.displays import TextDisplay
from ..protocol.messages import ImageBlock
from ..protocol.tools import ToolContext, ToolResult
from .base import failed

IMAGE_BYTES = 3_750_000
"""The largest image: as base64 it has the 5 MB that model servers take."""

_PAGES = re.compile(r"^(\d{1,5})(?:-(\d{1,5}))?$")


def image_type(start: bytes) -> str:
    """The media type of an image that models can see, by its first bytes; empty for anything else."""
    if start.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if start.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if start.startswith((b"GIF87a", b"GIF89a")):
        return "image/gif"
    if start.startswith(b"RIFF") and start[8:12] == b"WEBP":
        return "image/webp"
    return ""


def is_whole_image(media_type: str, data: bytes) -> bool:
    """Whether the image's end is there. A server refuses one that is cut off, with every request that holds it."""
    match media_type:
        case "image/png":
            return b"IEND" in data
        case "image/jpeg":
            return b"\xff\xd9" in data
        case "image/gif":
            return b";" in data[-16:]
        case _:
            return len(data) >= int.from_bytes(data[4:8], "little") + 8


def read_image(fd: int, media_type: str, path: str) -> ToolResult:
    """The image as a block."""
    with os.fdopen(os.dup(fd), "rb") as stream:
        data = stream.read(IMAGE_BYTES + 1)
    if len(data) > IMAGE_BYTES:
        return failed(f"{path} is an image of more than {IMAGE_BYTES:,} bytes: too large to look at. Make it smaller.")
    if not is_whole_image(media_type, data):
        return failed(f"{path} is cut off: the end of the image is missing.")
    encoded = base64.b64encode(data).decode("ascii")
    return ToolResult(
        content=(ImageBlock(media_type=media_type, data=encoded, name=path),),
        display=TextDisplay(text=f"{path} · {media_type} · {len(data):,} bytes"),
        response={"type": "image", "file": {"filePath": path, "type": media_type, "originalSize": len(data)}},
    )


def notebook_text(text: str) -> str:
    """A notebook's cells with their text outputs; empty when it is no notebook."""
    try:
        cells = json.loads(text)["cells"]
        return "\n".join(_cell(index, cell) for index, cell in enumerate(cells))
    except (ValueError, KeyError, TypeError, AttributeError):
        return ""


def _cell(index: int, cell: dict[str, Any]) -> str:
    kind = cell.get("cell_type", "code")
    parts = [f'<cell id="{cell.get("id", f"cell-{index}")}" type="{kind}">', _joined(cell.get("source", ""))]
    for output in cell.get("outputs", ()):
        found = output.get("text") or output.get("data", {}).get("text/plain") or output.get("traceback")
        if found:
            parts.append(f"<output>\n{_joined(found)}\n</output>")
    return "\n".join([*parts, "</cell>"])


def _joined(value: object) -> str:
    return "".join(map(str, cast("list[object]", value))) if isinstance(value, list) else str(value)


async def pdf_text(real: str, path: str, pages: str, context: ToolContext) -> ToolResult:
    """A PDF's text by way of `pdftotext`, if the machine has it."""
    chosen = _PAGES.match(pages.strip()) if pages else _PAGES.match("1-20")
    if not chosen:
        return failed('Read: field "pages": expected a page or a range, such as "3" or "1-5"')
    program = shutil.which("pdftotext")
    if program is None:
        return failed(f"{path} is a PDF, and this machine has no pdftotext (poppler) to read it with.")
    first, last = chosen[1], chosen[2] or chosen[1]
    argv = [program, "-layout", "-f", first, "-l", last, "--", real, "-"]
    done = await run_process(argv, cwd=context.workspace.cwd, env=child_environment(), timeout=60)
    if done.exit_code != 0:
        return failed(f"{path}: pdftotext failed: {done.stderr.decode(errors='replace').strip()[:500]}")
    text = done.stdout.decode(errors="replace")
    return ToolResult(
        content=f"Pages {first}-{last} of {path}:\n{text}",
        display=TextDisplay(text=text),
        response={"type": "parts", "file": {"filePath": path, "content": text}},
    )
