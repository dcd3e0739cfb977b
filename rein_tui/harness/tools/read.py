"""Read: a file as numbered lines, an image as an image; whatever cannot be read is said at once."""

import asyncio
import difflib
import os
from pathlib import Path
from typing import Annotated

import msgspec

from ..protocol.base import JsonObject
from ..protocol.displays import FileDisplay
from ..protocol.tools import ToolContext, ToolResult
from .base import failed, one_line
from .documents import image_type, notebook_text, pdf_text, read_image
from .file_tool import FileInput, FileTool
from .files import LOADED, FileRefusedError, Version, digest, open_file
from .pieces import Piece, read_piece, split_lines
from .text import PROBED, find_encoding, is_binary, is_wide, shown

LINES = 2000
LINE_LENGTH = 2000
CHARACTERS = 100_000
"""Characters of one result, about 25,000 tokens."""


class ReadInput(FileInput, frozen=True, kw_only=True):
    """Which file, and which part of it."""

    offset: Annotated[int, msgspec.Meta(description="First line, from 1", ge=0)] | None = None
    limit: Annotated[int, msgspec.Meta(description="Number of lines", ge=1)] | None = None
    pages: Annotated[str, msgspec.Meta(description='PDF pages, e.g. "1-5"')] | None = None


class Read(FileTool[ReadInput]):
    """Reads a file."""

    name = "Read"
    input_type = ReadInput
    read_only = True

    def summarize(self, value: ReadInput) -> str:
        """Path, and lines where not the whole file is wanted."""
        first = value.offset or 1
        part = f" from line {first}" if value.offset else ""
        if value.limit:
            part = f" lines {first}-{first + value.limit - 1}"
        return one_line(f"Read {value.file_path}{part}")

    async def run(self, value: ReadInput, context: ToolContext) -> ToolResult:
        """Read it."""
        try:
            real = self.access.ledger.resolve(value.file_path, "read")
            # Opened and closed in the thread: a cancelled call must not close what the thread still reads.
            result = await asyncio.to_thread(self._read, real, value)
        except FileRefusedError as error:
            return failed(str(error) + await asyncio.to_thread(_similar, value.file_path))
        return result or await pdf_text(real, value.file_path, value.pages or "", context)

    def _read(self, real: str, value: ReadInput) -> ToolResult | None:
        """The file as whatever it is; None for a PDF, which another program reads."""
        with open_file(real, shown=value.file_path) as (fd, info):
            start = os.read(fd, PROBED)
            os.lseek(fd, 0, os.SEEK_SET)
            if kind := image_type(start):
                return read_image(fd, kind, value.file_path)
            if start.startswith(b"%PDF-"):
                return None
            if is_binary(start):
                return failed(
                    f"{value.file_path} is a binary file ({info.st_size:,} bytes): it cannot be read as text."
                )
            if info.st_size > LOADED and is_wide(start):
                return failed(f"{value.file_path} is a large file in UTF-16 or UTF-32. Convert it first, with iconv.")
            return self._text(fd, info, real, value)

    def _text(self, fd: int, info: os.stat_result, real: str, value: ReadInput) -> ToolResult:
        # Every line takes some of CHARACTERS, so more lines than this never fit.
        first, count = max(1, value.offset or 1), min(value.limit or LINES, CHARACTERS // 8)
        version = Version(info.st_dev, info.st_ino, info.st_size, info.st_mtime_ns)
        if info.st_size > LOADED:
            piece = read_piece(fd, first, count, LINE_LENGTH)
        else:
            with os.fdopen(os.dup(fd), "rb") as stream:
                data = stream.read(LOADED + 1)
            version = Version(info.st_dev, info.st_ino, info.st_size, info.st_mtime_ns, digest(data))
            text = shown(find_encoding(data).decode(data))
            if real.endswith(".ipynb"):
                text = notebook_text(text) or text
            lines = split_lines(text)
            piece = Piece(lines[first - 1 : first - 1 + count], len(lines))
        return self._result(piece, first, version, real, value)

    def _result(self, piece: Piece, first: int, version: Version, real: str, value: ReadInput) -> ToolResult:
        if piece.total and first > piece.total:
            return failed(f"{value.file_path} has only {piece.total:,} lines; offset {first:,} is beyond its end.")
        kept: list[str] = []
        room = CHARACTERS
        for line in piece.lines:
            cut = (
                line
                if len(line) <= LINE_LENGTH
                else f"{line[:LINE_LENGTH]}… [{len(line) - LINE_LENGTH:,} more characters]"
            )
            room -= len(cut) + 8
            if room < 0 and kept:
                break
            kept.append(cut)
        last = first + len(kept) - 1
        if version.sha256:
            self.access.ledger.saw(real, version, first, last, piece.total)
        numbered = "\n".join(f"{number:6}\t{line}" for number, line in enumerate(kept, first))
        content = numbered or "(The file is empty.)"
        if last != piece.total and (value.limit is None or len(kept) < value.limit or not piece.total):
            whole = f"of {piece.total:,}" if piece.total else f"of a file of {version.size:,} bytes"
            content += f"\n\n(PARTIAL view: lines {first}-{last} {whole}. Go on with offset {last + 1}, or use Grep.)"
        text = "\n".join(kept)
        return ToolResult(
            content=content,
            display=FileDisplay(path=value.file_path, text=text, start_line=first, total_lines=piece.total),
            response=_response(value.file_path, text, first, len(kept), piece.total),
        )


def _response(path: str, text: str, first: int, count: int, total: int) -> JsonObject:
    file = {"filePath": path, "content": text, "numLines": count, "startLine": first, "totalLines": total}
    return {"type": "text", "file": file}


def _similar(path: str) -> str:
    """A hint at a file of almost that name beside it, if the path leads nowhere."""
    wanted = Path(path)
    try:
        if wanted.exists():
            return " List it with Bash or Glob." if wanted.is_dir() else ""
        names = [entry.name for entry, _ in zip(wanted.parent.iterdir(), range(2000), strict=False)]
    except OSError:
        return ""
    near = difflib.get_close_matches(wanted.name, names, n=3, cutoff=0.6)
    return f" Did you mean {', '.join(str(wanted.parent / name) for name in near)}?" if near else ""
