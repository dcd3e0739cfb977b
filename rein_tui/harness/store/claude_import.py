"""Sessions of Claude Code as facts: to browse, search and replay them here. Lenient; never writes there.

Only the newest line of descent counts: records of branches that were rewound away and of subagents are left out.
"""

import json
import math
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, cast

from ..protocol.base import JsonObject, Word
from ..protocol.errors import StoreError
from ..protocol.events import (
    Compacted,
    Fact,
    MessageFinished,
    Origin,
    PromptAdded,
    SessionStarted,
    TitleChanged,
    ToolCallFinished,
    ToolCallRequested,
    ToolCallStarted,
    TurnFinished,
    TurnStarted,
)
from ..protocol.messages import (
    Block,
    ImageBlock,
    Message,
    RedactedThinkingBlock,
    ResultContent,
    StopReason,
    TextBlock,
    ThinkingBlock,
    ToolUseBlock,
    Usage,
)
from ..protocol.ports import SessionInfo
from .summary import SessionSummary

_LINKED = {"user", "assistant", "progress", "system", "attachment"}
_STOPS: dict[str, StopReason] = {
    "end_turn": "end_turn",
    "tool_use": "tool_use",
    "max_tokens": "max_tokens",
    "stop_sequence": "stop_sequence",
    "refusal": "refusal",
    "pause_turn": "pause_turn",
}


class Imported(Word, frozen=True, kw_only=True):
    """A transcript as facts; `skipped` counts lines that could not be understood."""

    info: SessionInfo
    facts: tuple[Fact, ...]
    skipped: int = 0


def find_transcripts(config: Path) -> list[Path]:
    """All transcripts of sessions below `~/.claude/projects`, newest first."""
    found = [path for path in (config / "projects").glob("*/*.jsonl") if path.is_file()]
    return sorted(found, key=lambda path: -path.stat().st_mtime)


def read_transcript(path: Path) -> Imported:
    """One transcript. Raises StoreError when it cannot be read or holds no conversation."""
    try:
        lines = path.read_bytes().split(b"\n")
    except OSError as error:
        raise StoreError(error.strerror or str(error), where=str(path)) from error
    parsed = [_parse(line) for line in lines if line.strip()]
    records = [record for record in parsed if record is not None]
    chain = _newest_chain(records)
    if not chain:
        raise StoreError("There is no conversation in this file.", where=str(path), hint="Expected a session's JSONL.")
    session_id = _text(chain[0].get("sessionId")) or path.stem
    reader = _Reader(session_id)
    facts = (*reader.read(chain), *_titles(records))
    summary = SessionSummary(id=session_id)
    summary.apply_all(facts)
    summary.state = "done"
    return Imported(info=summary.info, facts=facts, skipped=len(parsed) - len(records))


class _Reader:
    """Records of one chain to facts."""

    def __init__(self, session_id: str) -> None:
        self._session_id = session_id
        self._turn = self._step = 0
        self._time = 0.0
        self._answer: list[JsonObject] = []
        self._names: dict[str, str] = {}

    def read(self, chain: list[JsonObject]) -> Iterator[Fact]:
        first = chain[0]
        yield SessionStarted(
            session_id=self._session_id,
            cwd=_text(first.get("cwd")),
            branch=_text(first.get("gitBranch")),
            version=_text(first.get("version")),
            time=_time(first),
        )
        for record in chain:
            if self._answer and not _continues(record, self._answer[-1]):
                yield from self._finish_answer()
            self._time = _time(record) or self._time
            if record["type"] == "assistant":
                self._answer.append(record)
            elif record["type"] == "user":
                yield from self._user(record)
        yield from self._finish_answer()
        yield from self._end_turn()

    def _user(self, record: JsonObject) -> Iterator[Fact]:
        blocks = _blocks_of(record)
        results = [block for block in blocks if block.get("type") == "tool_result"]
        for block in results:
            yield self._result(block, record)
        words = [block for block in (_block(raw) for raw in blocks) if block is not None]
        if results or not words:
            return
        message = Message(role="user", blocks=tuple(words))
        if record.get("isCompactSummary"):
            yield Compacted(summary=message.text, time=self._time, turn=self._turn)
            return
        origin: Origin = "system" if record.get("isMeta") else "prompt"
        if origin == "prompt":
            yield from self._end_turn()
            self._turn, self._step = self._turn + 1, 0
            yield TurnStarted(text=message.text, time=self._time, turn=self._turn)
        yield PromptAdded(message=message, origin=origin, time=self._time, turn=self._turn)

    def _finish_answer(self) -> Iterator[Fact]:
        """The records of one message, a block each, as one message and its calls."""
        records, self._answer = self._answer, []
        if not records:
            return
        last = _object(records[-1].get("message"))
        blocks = [b for record in records for raw in _blocks_of(record) if (b := _block(raw)) is not None]
        message = Message(role="assistant", blocks=tuple(blocks), id=_text(last.get("id")))
        self._step += 1
        yield MessageFinished(
            step=self._step,
            message=message,
            stop_reason=_STOPS.get(_text(last.get("stop_reason")), "tool_use" if message.tool_uses else "end_turn"),
            usage=_usage(_object(last.get("usage"))),
            model=_text(last.get("model")),
            request_id=_text(records[-1].get("requestId")),
            time=_time(records[-1]),
            turn=self._turn,
        )
        for call in message.tool_uses:
            self._names[call.id] = call.name
            summary = f"{call.name} {_about(call.input)}".strip()
            about: dict[str, Any] = {"time": self._time, "turn": self._turn, "call_id": call.id, "name": call.name}
            yield ToolCallRequested(input=call.input, step=self._step, summary=summary, **about)
            yield ToolCallStarted(input=call.input, **about)

    def _result(self, block: JsonObject, record: JsonObject) -> Fact:
        call_id = _text(block.get("tool_use_id"))
        response = record.get("toolUseResult")
        return ToolCallFinished(
            call_id=call_id,
            name=self._names.get(call_id, "Unknown"),
            outcome="error" if block.get("is_error") else "ok",
            content=_content(block.get("content")),
            response=cast(JsonObject, response) if isinstance(response, dict) else None,
            time=self._time,
            turn=self._turn,
        )

    def _end_turn(self) -> Iterator[Fact]:
        if self._turn:
            yield TurnFinished(time=self._time, turn=self._turn, steps=self._step)


def _parse(line: bytes) -> JsonObject | None:
    try:
        value: Any = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return cast(JsonObject, value) if isinstance(value, dict) else None


def _newest_chain(records: list[JsonObject]) -> list[JsonObject]:
    """From the newest leaf back to the root, by parentUuid; compaction boundaries are bridged."""
    linked = [
        r for r in records if _text(r.get("type")) in _LINKED and _text(r.get("uuid")) and not r.get("isSidechain")
    ]
    by_id = {_text(record["uuid"]): record for record in linked}
    parents = {_text(record.get("parentUuid")) for record in linked}
    leaves = [r for r in linked if r["type"] in {"user", "assistant"} and _text(r["uuid"]) not in parents]
    leaf = (leaves or linked or [None])[-1]
    chain: list[JsonObject] = []
    seen: set[str] = set()
    while leaf is not None and _text(leaf["uuid"]) not in seen:
        seen.add(_text(leaf["uuid"]))
        chain.append(leaf)
        leaf = by_id.get(_text(leaf.get("parentUuid")) or _text(leaf.get("logicalParentUuid")))
    return [record for record in reversed(chain) if record["type"] in {"user", "assistant"}]


def _titles(records: Iterable[JsonObject]) -> Iterator[Fact]:
    kinds: dict[str, tuple[str, Literal["model", "person"]]] = {
        "summary": ("summary", "model"),
        "ai-title": ("aiTitle", "model"),
        "custom-title": ("customTitle", "person"),
    }
    for record in records:
        kind = kinds.get(_text(record.get("type")))
        if kind and (title := _text(record.get(kind[0]))):
            yield TitleChanged(title=title, by=kind[1])


def _continues(record: JsonObject, last: JsonObject) -> bool:
    """Whether this is the next block of the same message."""
    ids = [_text(_object(each.get("message")).get("id")) for each in (record, last)]
    return record["type"] == "assistant" and bool(ids[0]) and ids[0] == ids[1]


def _blocks_of(record: JsonObject) -> list[JsonObject]:
    content = _object(record.get("message")).get("content")
    if isinstance(content, str):
        return [{"type": "text", "text": content}]
    return (
        [cast(JsonObject, b) for b in cast("list[Any]", content) if isinstance(b, dict)]
        if isinstance(content, list)
        else []
    )


def _block(raw: JsonObject) -> Block | None:
    match raw.get("type"):
        case "text":
            return TextBlock(text=_text(raw.get("text")))
        case "thinking":
            return ThinkingBlock(thinking=_text(raw.get("thinking")), signature=_text(raw.get("signature")))
        case "redacted_thinking":
            return RedactedThinkingBlock(data=_text(raw.get("data")))
        case "image":
            source = _object(raw.get("source"))
            return ImageBlock(media_type=_text(source.get("media_type")), data=_text(source.get("data")))
        case "tool_use":
            return ToolUseBlock(id=_text(raw.get("id")), name=_text(raw.get("name")), input=_object(raw.get("input")))
        case _:
            return None


def _content(value: Any) -> ResultContent:
    if isinstance(value, list):
        blocks = (_block(cast(JsonObject, raw)) for raw in cast("list[Any]", value) if isinstance(raw, dict))
        return tuple(block for block in blocks if isinstance(block, TextBlock | ImageBlock))
    return _text(value)


def _usage(raw: JsonObject) -> Usage:
    def count(name: str) -> int:
        value = raw.get(name)
        return value if isinstance(value, int) and value >= 0 else 0

    return Usage(
        input_tokens=count("input_tokens"),
        output_tokens=count("output_tokens"),
        cache_read_tokens=count("cache_read_input_tokens"),
        cache_write_tokens=count("cache_creation_input_tokens"),
    )


def _about(tool_input: JsonObject) -> str:
    for name in ("command", "file_path", "path", "pattern", "url", "description", "prompt"):
        if isinstance(tool_input.get(name), str):
            return " ".join(str(tool_input[name]).split())[:200]
    return ""


def _time(record: JsonObject) -> float:
    try:
        time = datetime.fromisoformat(_text(record.get("timestamp"))).timestamp()
    except (ValueError, OverflowError):
        return 0.0
    return time if math.isfinite(time) else 0.0


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _object(value: Any) -> JsonObject:
    return cast(JsonObject, value) if isinstance(value, dict) else {}
