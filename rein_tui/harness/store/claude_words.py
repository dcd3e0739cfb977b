"""What the parts of a Claude Code record mean: texts, what a person typed, what a tool showed. Lenient throughout."""

import re
from typing import Any, Literal, NamedTuple, cast

from ..protocol.base import JsonObject
from ..protocol.displays import CommandDisplay, DiffDisplay, Display, FileDisplay, Hunk, MatchesDisplay
from ..protocol.messages import ToolUseBlock

_COMMAND = re.compile(r"<command-name>\s*(.*?)\s*</command-name>", re.DOTALL)
_ARGUMENTS = re.compile(r"<command-args>\s*(.*?)\s*</command-args>", re.DOTALL)
_SHELL = re.compile(r"<bash-input>\s*(.*?)\s*</bash-input>", re.DOTALL)
_OUTPUT = re.compile(r"\s*<(?:local-command-\w+|bash-std(?:out|err)|task-notification|system-reminder)\b")
_INTERRUPTED = re.compile(r"\s*\[Request interrupted by user(?: for tool use)?\]\s*")


class Spoken(NamedTuple):
    """What a user record is. `text` is what was typed, where tags wrap it; else empty."""

    kind: Literal["prompt", "output", "interrupted"]
    text: str = ""


def spoken(blocks: list[JsonObject]) -> Spoken:
    """Whether a person typed this, and what."""
    text = "\n".join(as_text(block.get("text")) for block in blocks)
    if _INTERRUPTED.fullmatch(text):
        return Spoken("interrupted")
    if _OUTPUT.match(text):
        return Spoken("output")
    if command := _COMMAND.search(text):
        arguments = _ARGUMENTS.search(text)
        return Spoken("prompt", f"{command[1]} {arguments[1] if arguments else ''}".strip())
    if shell := _SHELL.search(text):
        return Spoken("prompt", f"!{shell[1]}")
    return Spoken("prompt")


def shown(call: ToolUseBlock, told: JsonObject, *, is_error: bool) -> Display | None:
    """What our own tool would have shown for this result, as far as the record tells."""
    match call.name:
        case "Edit" | "MultiEdit" | "Write" if isinstance(told.get("structuredPatch"), list):
            return _diff(told)
        case "Bash" if told:
            output = "\n".join(text for name in ("stdout", "stderr") if (text := as_text(told.get(name))))
            command, description = as_text(call.input.get("command")), as_text(call.input.get("description"))
            return CommandDisplay(
                command=command, description=description, output=output, exit_code=1 if is_error else 0
            )
        case "Read" if file := as_object(told.get("file")):
            return FileDisplay(
                path=as_text(file.get("filePath")),
                text=as_text(file.get("content")),
                start_line=_count(file.get("startLine")) or 1,
                total_lines=_count(file.get("totalLines")),
            )
        case "Grep" | "Glob" if told:
            names = [name for name in _listed(told.get("filenames")) if isinstance(name, str)]
            text = as_text(told.get("content")) or "\n".join(names)
            return MatchesDisplay(
                pattern=as_text(call.input.get("pattern")), text=text, total=_count(told.get("numFiles"))
            )
        case _:
            return None


def _diff(told: JsonObject) -> DiffDisplay:
    hunks = [_hunk(as_object(each)) for each in _listed(told.get("structuredPatch"))]
    is_new = told.get("type") == "create"
    if is_new and not hunks:
        lines = tuple(f"+{line}" for line in as_text(told.get("content")).splitlines())
        hunks = [Hunk(old_start=0, old_lines=0, new_start=1, new_lines=len(lines), lines=lines)]
    lines = [line for hunk in hunks for line in hunk.lines]
    return DiffDisplay(
        path=as_text(told.get("filePath")),
        hunks=tuple(hunks),
        added=sum(line.startswith("+") for line in lines),
        removed=sum(line.startswith("-") for line in lines),
        old_exists=not is_new,
    )


def _hunk(raw: JsonObject) -> Hunk:
    lines = [line.replace("\n", " ") for line in _listed(raw.get("lines")) if isinstance(line, str)]
    return Hunk(
        old_start=_count(raw.get("oldStart")),
        old_lines=_count(raw.get("oldLines")),
        new_start=_count(raw.get("newStart")),
        new_lines=_count(raw.get("newLines")),
        lines=tuple(line for line in lines if line[:1] in " +-" and line),
    )


def blocks_of(record: JsonObject) -> list[JsonObject]:
    """The content blocks of a record's message."""
    content = as_object(record.get("message")).get("content")
    if isinstance(content, str):
        return [{"type": "text", "text": content}]
    return [as_object(block) for block in _listed(content) if isinstance(block, dict)]


def as_text(value: Any) -> str:
    """The value if it is a text, else nothing."""
    return value if isinstance(value, str) else ""


def as_object(value: Any) -> JsonObject:
    """The value if it is an object, else an empty one."""
    return cast(JsonObject, value) if isinstance(value, dict) else {}


def _listed(value: Any) -> list[Any]:
    return cast("list[Any]", value) if isinstance(value, list) else []


def _count(value: Any) -> int:
    return value if isinstance(value, int) and 0 <= value < 1 << 53 else 0
