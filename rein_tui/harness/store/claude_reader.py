"""Records of a Claude Code transcript to facts, one chain at a time. Lenient: whatever a record holds, it is read."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, cast

from msgspec import structs

from ..protocol.base import JsonObject
from ..protocol.events import (
    AgentFinished,
    AgentStarted,
    Compacted,
    Fact,
    MessageFinished,
    Origin,
    PromptAdded,
    SessionStarted,
    ToolCallFinished,
    ToolCallRequested,
    ToolCallStarted,
    TurnFinished,
    TurnInterrupted,
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
from .claude_words import as_object, as_text, blocks_of, shown, spoken

_STOPS: dict[str, StopReason] = {
    "end_turn": "end_turn",
    "tool_use": "tool_use",
    "max_tokens": "max_tokens",
    "stop_sequence": "stop_sequence",
    "refusal": "refusal",
    "pause_turn": "pause_turn",
}


class Reader:
    """Records of one chain to facts. `inside` holds the records of subagents by the call that started each."""

    def __init__(self, session_id: str, inside: Mapping[str, Sequence[JsonObject]] | None = None) -> None:
        self._session_id = session_id
        self._inside = inside or {}
        self._turn = self._step = 0
        self._is_open = False
        self._time = 0.0
        self._answer: list[JsonObject] = []
        self._calls: dict[str, ToolUseBlock] = {}
        self._unanswered: dict[str, ToolUseBlock] = {}

    def read(self, chain: list[JsonObject]) -> Iterator[Fact]:
        first = chain[0]
        yield SessionStarted(
            session_id=self._session_id,
            cwd=as_text(first.get("cwd")),
            branch=as_text(first.get("gitBranch")),
            version=as_text(first.get("version")),
            model=next(
                (model for record in chain if (model := as_text(as_object(record.get("message")).get("model")))), ""
            ),
            time=_time(first),
        )
        yield from self._records(chain)
        yield from self._end_turn()

    def read_inside(self, chain: Sequence[JsonObject], call: ToolUseBlock, turn: int) -> Iterator[Fact]:
        """What a subagent did, as the events inside its call."""
        prompt = as_text(call.input.get("prompt"))
        kind, name = as_text(call.input.get("subagent_type")), as_text(chain[0].get("agentId")) or call.id
        facts = [
            fact for fact in self._records(chain) if not isinstance(fact, TurnStarted | TurnFinished | PromptAdded)
        ]
        began, ended = _time(chain[0]), _time(chain[-1])
        calls = sum(isinstance(fact, ToolCallFinished) for fact in facts)
        started = AgentStarted(agent_id=name, agent_type=kind, prompt=prompt, time=began)
        finished = AgentFinished(
            agent_id=name, agent_type=kind, calls=calls, duration=max(0.0, ended - began), time=ended
        )
        for fact in (started, *facts, finished):
            yield structs.replace(fact, parent=call.id, turn=turn)

    def _records(self, chain: Iterable[JsonObject]) -> Iterator[Fact]:
        for record in chain:
            if self._answer and not _continues(record, self._answer[-1]):
                yield from self._finish_answer()
            self._time = _time(record) or self._time
            if record["type"] == "assistant":
                self._answer.append(record)
            elif record["type"] == "user":
                yield from self._user(record)
        yield from self._finish_answer()

    def _user(self, record: JsonObject) -> Iterator[Fact]:
        blocks = blocks_of(record)
        results = [block for block in blocks if block.get("type") == "tool_result"]
        for block in results:
            yield from self._result(block, record)
        words = [block for block in (_block(raw) for raw in blocks) if block is not None]
        if results or not words:
            return
        said = spoken(blocks)
        if said.kind == "interrupted":
            yield from self._end_turn(interrupted=True)
            return
        message = Message(role="user", blocks=(TextBlock(text=said.text),) if said.text else tuple(words))
        if record.get("isCompactSummary"):
            yield Compacted(summary=message.text, time=self._time, turn=self._turn)
            return
        origin: Origin = "system" if record.get("isMeta") or said.kind == "output" else "prompt"
        if origin == "prompt":
            yield from self._end_turn()
            self._turn, self._step, self._is_open = self._turn + 1, 0, True
            yield TurnStarted(text=message.text, time=self._time, turn=self._turn)
        yield PromptAdded(message=message, origin=origin, time=self._time, turn=self._turn)

    def _finish_answer(self) -> Iterator[Fact]:
        """The records of one message, a block each, as one message and its calls."""
        records, self._answer = self._answer, []
        if not records:
            return
        last = as_object(records[-1].get("message"))
        blocks = [b for record in records for raw in blocks_of(record) if (b := _block(raw)) is not None]
        message = Message(role="assistant", blocks=tuple(blocks), id=as_text(last.get("id")))
        self._step += 1
        yield MessageFinished(
            step=self._step,
            message=message,
            stop_reason=_STOPS.get(as_text(last.get("stop_reason")), "tool_use" if message.tool_uses else "end_turn"),
            usage=_usage(as_object(last.get("usage"))),
            model=as_text(last.get("model")),
            request_id=as_text(records[-1].get("requestId")),
            time=_time(records[-1]),
            turn=self._turn,
        )
        for call in message.tool_uses:
            self._calls[call.id] = self._unanswered[call.id] = call
            summary = f"{call.name} {_about(call.input)}".strip()
            about: dict[str, Any] = {"time": self._time, "turn": self._turn, "call_id": call.id, "name": call.name}
            yield ToolCallRequested(input=call.input, step=self._step, summary=summary, **about)
            yield ToolCallStarted(input=call.input, **about)

    def _result(self, block: JsonObject, record: JsonObject) -> Iterator[Fact]:
        call_id = as_text(block.get("tool_use_id"))
        response = record.get("toolUseResult")
        self._unanswered.pop(call_id, None)
        call = self._calls.get(call_id) or ToolUseBlock(id=call_id, name="Unknown")
        if inside := self._inside.get(call_id):
            yield from Reader(self._session_id).read_inside(inside, call, self._turn)
        yield ToolCallFinished(
            call_id=call_id,
            name=call.name,
            display=shown(call, as_object(response), is_error=bool(block.get("is_error"))),
            outcome="error" if block.get("is_error") else "ok",
            content=_content(block.get("content")),
            response=cast(JsonObject, response) if isinstance(response, dict) else None,
            time=self._time,
            turn=self._turn,
        )

    def _end_turn(self, *, interrupted: bool = False) -> Iterator[Fact]:
        if not self._is_open:
            return
        self._is_open = False
        for call in self._unanswered.values():
            yield ToolCallFinished(
                call_id=call.id,
                name=call.name,
                outcome="interrupted",
                content="The recording holds no answer to this call.",
                time=self._time,
                turn=self._turn,
            )
        self._unanswered.clear()
        if interrupted:
            yield TurnInterrupted(time=self._time, turn=self._turn, steps=self._step)
        else:
            yield TurnFinished(time=self._time, turn=self._turn, steps=self._step)


def _continues(record: JsonObject, last: JsonObject) -> bool:
    """Whether this is the next block of the same message."""
    ids = [as_text(as_object(each.get("message")).get("id")) for each in (record, last)]
    return record["type"] == "assistant" and bool(ids[0]) and ids[0] == ids[1]


def _block(raw: JsonObject) -> Block | None:
    match raw.get("type"):
        case "text":
            return TextBlock(text=as_text(raw.get("text")))
        case "thinking":
            return ThinkingBlock(thinking=as_text(raw.get("thinking")), signature=as_text(raw.get("signature")))
        case "redacted_thinking":
            return RedactedThinkingBlock(data=as_text(raw.get("data")))
        case "image":
            source = as_object(raw.get("source"))
            return ImageBlock(media_type=as_text(source.get("media_type")), data=as_text(source.get("data")))
        case "tool_use":
            return ToolUseBlock(
                id=as_text(raw.get("id")), name=as_text(raw.get("name")), input=as_object(raw.get("input"))
            )
        case _:
            return None


def _content(value: Any) -> ResultContent:
    if isinstance(value, list):
        blocks = (_block(cast(JsonObject, raw)) for raw in cast("list[Any]", value) if isinstance(raw, dict))
        return tuple(block for block in blocks if isinstance(block, TextBlock | ImageBlock))
    return as_text(value)


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
        time = datetime.fromisoformat(as_text(record.get("timestamp"))).timestamp()
    except (ValueError, OverflowError):
        return 0.0
    return time if math.isfinite(time) else 0.0
