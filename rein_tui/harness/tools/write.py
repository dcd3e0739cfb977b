"""Write: a whole file, new or in the place of one that the model has read."""

import asyncio
from typing import Annotated

import msgspec

from ..protocol.displays import DiffDisplay
from ..protocol.tools import ToolContext, ToolResult
from .base import failed
from .diff import make_diff, structured_patch
from .file_tool import FileInput, FileTool
from .files import FileRefusedError, Loaded, exists, load
from .text import Encoding, find_encoding, is_binary, line_end, shown


class WriteInput(FileInput, frozen=True, kw_only=True):
    """Which file, and all of its text."""

    content: Annotated[str, msgspec.Meta(description="The whole text")]


class Write(FileTool[WriteInput]):
    """Writes a whole file."""

    name = "Write"
    input_type = WriteInput

    async def preview(self, value: WriteInput, context: ToolContext) -> DiffDisplay | None:
        """The diff that it would make."""
        try:
            real = self.access.ledger.resolve(value.file_path, "write")
            old = await asyncio.to_thread(_load, real, value.file_path)
        except FileRefusedError:
            return None
        return await asyncio.to_thread(_diff, value.file_path, old, value.content)

    async def run(self, value: WriteInput, context: ToolContext) -> ToolResult:
        """Write it, unless the file holds something that the model does not know."""
        ledger = self.access.ledger
        try:
            real = ledger.resolve(value.file_path, "write")
            old = await asyncio.to_thread(_load, real, value.file_path)
            if old is not None and (refusal := _REFUSALS.get(ledger.knows(old))):
                return failed(f"{value.file_path} {refusal}")
            data = _encode(value.content, old)
            diff = await asyncio.to_thread(_diff, real, old, value.content)
            version = await self.access.change(data, diff, old, context)
        except FileRefusedError as error:
            return failed(str(error))
        except UnicodeEncodeError as error:
            return failed(
                f"{value.file_path} is encoded as {error.encoding}, which has no {error.object[error.start]!r}."
            )
        ledger.wrote(real, version, whole=True)
        return ToolResult(
            content=f"{'Created' if old is None else 'Updated'} {value.file_path}.",
            display=msgspec.structs.replace(diff, path=value.file_path),
            response={
                "type": "create" if old is None else "update",
                "filePath": value.file_path,
                "content": value.content,
                "structuredPatch": [] if old is None else structured_patch(diff),
                "originalFile": None if old is None else shown(find_encoding(old.data).decode(old.data)),
            },
        )


_REFUSALS = {
    "unread": "exists and was not read yet. Read it first, or use Edit.",
    "partly": "was read only in part. Read the rest before replacing it, or use Edit.",
    "stale": "was changed since it was read, by a person or a program. Read it again before replacing it.",
}


def _load(real: str, shown_path: str) -> Loaded | None:
    return load(real, shown=shown_path) if exists(real) else None


def _diff(path: str, old: Loaded | None, content: str) -> DiffDisplay:
    if old is None:
        return make_diff(path, None, shown(content))
    note = f"has {old.links} names; all of them change" if old.links > 1 else ""
    if is_binary(old.data):
        return make_diff(path, "", shown(content), note=f"replaces {len(old.data):,} bytes of binary data")
    return make_diff(path, shown(find_encoding(old.data).decode(old.data)), shown(content), note=note)


def _encode(content: str, old: Loaded | None) -> bytes:
    """The content in the encoding and with the line ends of the file that it replaces."""
    if old is None or is_binary(old.data):
        return Encoding().encode(content)
    encoding = find_encoding(old.data)
    if line_end(encoding.decode(old.data)) == "\r\n" and "\r\n" not in content:
        content = content.replace("\n", "\r\n")
    return encoding.encode(content)
