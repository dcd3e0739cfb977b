"""Edit: one exact, unique piece of text gives way to another."""

import asyncio
from dataclasses import dataclass
from typing import Annotated

import msgspec

from ..protocol.displays import DiffDisplay
from ..protocol.tools import InvalidInput, ToolContext, ToolResult
from .base import failed
from .diff import make_diff, structured_patch
from .file_tool import FileInput, FileTool
from .files import FileRefusedError, Loaded, exists, load
from .near import not_found, several
from .text import Encoding, find_encoding, is_binary, line_end, shown


class EditInput(FileInput, frozen=True, kw_only=True):
    """Which text gives way to which."""

    old_string: Annotated[str, msgspec.Meta(description="Exact text to replace, without line numbers")]
    new_string: str
    replace_all: bool = False


@dataclass(frozen=True, slots=True)
class _Change:
    """An edit worked out: the file before (None: none) and its text after."""

    real: str
    old: Loaded | None
    before: str
    after: str
    encoding: Encoding
    diff: DiffDisplay


class Edit(FileTool[EditInput]):
    """Replaces text in a file."""

    name = "Edit"
    input_type = EditInput

    def check(self, value: EditInput) -> None:
        """An edit must change something."""
        if value.old_string == value.new_string:
            raise InvalidInput('Edit: "old_string" and "new_string" are the same: nothing would change')

    async def preview(self, value: EditInput, context: ToolContext) -> DiffDisplay | None:
        """The diff that it would make."""
        try:
            return msgspec.structs.replace((await self._work_out(value)).diff, path=value.file_path)
        except FileRefusedError:
            return None

    async def run(self, value: EditInput, context: ToolContext) -> ToolResult:
        """Replace it. A file changed meanwhile is no obstacle while the text is still there, once."""
        try:
            change = await self._work_out(value)
            known = "fresh" if change.old is None else self.access.ledger.knows(change.old)
            if known == "unread":
                return failed(f"{value.file_path} was not read yet. Read it before editing it.")
            data = change.encoding.encode(change.after)
            version = await self.access.change(data, change.diff, change.old, context)
        except FileRefusedError as error:
            return failed(str(error))
        except UnicodeEncodeError as error:
            return failed(
                f"{value.file_path} is encoded as {error.encoding}, which has no {error.object[error.start]!r}."
            )
        self.access.ledger.wrote(change.real, version, whole=change.old is None)
        note = ""
        if known == "stale":
            note = " It had been changed by someone else since it was read; the text to replace was still there, once."
        return ToolResult(
            content=f"Edited {value.file_path} ({_size(change.diff)}).{note}",
            display=msgspec.structs.replace(change.diff, path=value.file_path),
            response={
                "filePath": value.file_path,
                "oldString": value.old_string,
                "newString": value.new_string,
                "originalFile": shown(change.before),
                "structuredPatch": structured_patch(change.diff),
                "userModified": False,
                "replaceAll": value.replace_all,
            },
        )

    async def _work_out(self, value: EditInput) -> _Change:
        """The edit without doing it. Raises FileRefusedError with what the model should do instead."""
        real = self.access.ledger.resolve(value.file_path, "write")
        return await asyncio.to_thread(_work_out, real, value)


def _work_out(real: str, value: EditInput) -> _Change:
    if not exists(real):
        if value.old_string:
            raise FileRefusedError(f"{value.file_path}: no such file. Create it with Write.")
        diff = make_diff(real, None, shown(value.new_string))
        return _Change(real, None, "", value.new_string, Encoding(), diff)
    old = load(real, shown=value.file_path)
    if is_binary(old.data):
        raise FileRefusedError(f"{value.file_path} is a binary file: it cannot be edited as text.")
    encoding = find_encoding(old.data)
    before = encoding.decode(old.data)
    after = _replaced(before, value)
    note = f"has {old.links} names; all of them change" if old.links > 1 else ""
    return _Change(real, old, before, after, encoding, make_diff(real, shown(before), shown(after), note))


def _size(diff: DiffDisplay) -> str:
    return f"+{diff.added} -{diff.removed}"


def _replaced(text: str, value: EditInput) -> str:
    """The text after the edit, its line ends kept. Raises FileRefusedError."""
    old, new = (s.replace("\r\n", "\n") for s in (value.old_string, value.new_string))
    if not old:
        if text:
            raise FileRefusedError(
                f"{value.file_path} is not empty: an empty old_string only fits a new or empty file."
            )
        return value.new_string
    windows = line_end(text) == "\r\n"
    forms = [(old, new.replace("\n", "\r\n") if windows and "\n" not in old else new)]
    if "\n" in old:
        forms.append((old.replace("\n", "\r\n"), new.replace("\n", "\r\n")))
    found = [(a, b, text.count(a)) for a, b in forms if a in text]
    count = sum(n for _, _, n in found)
    if not count:
        raise FileRefusedError(not_found(value.file_path, shown(text), old))
    if count > 1 and not value.replace_all:
        raise FileRefusedError(several(value.file_path, shown(text), old, count))
    for a, b, _ in found:
        text = text.replace(a, b)
    return text
