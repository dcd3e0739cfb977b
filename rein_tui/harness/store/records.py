"""Facts folded into the records of a transcript as the ecosystem's hooks read it: one content block a record.

The fold is pure and its ids follow from the session's id, so that a transcript written live and one made later
from the store are the same.
"""

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import NamedTuple

from ..hooks.result_shapes import api_block, api_content, text_of, tool_response
from ..protocol.base import JsonObject
from ..protocol.events import (
    AgentStarted,
    Compacted,
    CwdChanged,
    Fact,
    MessageFinished,
    PromptAdded,
    Rewound,
    SessionStarted,
    TitleChanged,
    ToolCallFinished,
)
from ..protocol.messages import Message, ResultContent, TextBlock, Usage
from ..turn.prompt_ids import prompt_id

_NAMESPACE = uuid.UUID("6f1d8f0e-6f0c-4a53-9a0e-0d6a4f9e2b11")


class Line(NamedTuple):
    """One record, and the subagent whose file it belongs in (empty: the session's own)."""

    agent_id: str
    record: JsonObject


class _Chain:
    """One line of descent: the session's, or a subagent's."""

    def __init__(self, agent_id: str = "") -> None:
        self.agent_id = agent_id
        self.last: str | None = None
        self.at_turn: dict[int, str | None] = {}


class TranscriptFold:
    """Facts in, records out."""

    def __init__(self, session_id: str, version: str = "") -> None:
        self._session_id, self._version = session_id, version
        self._cwd = self._branch = ""
        self._count = 0
        self._main = _Chain()
        self._agents: dict[str, _Chain] = {}
        self._askers: dict[str, str] = {}

    def apply(self, fact: Fact) -> list[Line]:
        """The records of one more fact; mostly none."""
        chain = self._main if not fact.parent else self._agents.setdefault(fact.parent, _Chain(fact.parent))
        lines = [Line(chain.agent_id, record) for record in self._records(fact, chain)]
        if fact.turn:
            chain.at_turn[fact.turn] = chain.last
        return lines

    def _records(self, fact: Fact, chain: _Chain) -> Iterator[JsonObject]:
        match fact:
            case SessionStarted():
                self._cwd, self._branch = self._cwd or fact.cwd, fact.branch or self._branch
            case CwdChanged():
                self._cwd = fact.new
            case AgentStarted():
                chain.agent_id = fact.agent_id
            case PromptAdded():
                flags: JsonObject = {} if fact.origin in {"prompt", "steer"} else {"isMeta": True}
                if fact.origin == "prompt" and fact.turn:
                    flags["promptId"] = prompt_id(self._session_id, fact.turn)
                yield self._linked(chain, fact, {"type": "user", "message": _user(fact.message), **flags})
            case MessageFinished():
                yield from self._answer(fact, chain)
            case ToolCallFinished():
                yield self._result(fact, chain)
            case Compacted():
                yield from self._boundary(fact, chain)
            case Rewound(conversation=True):
                self._go_back(chain, fact.to_turn)
            case TitleChanged(by="person"):
                yield {"type": "custom-title", "customTitle": fact.title, "sessionId": self._session_id}
            case TitleChanged(by="model"):
                yield {"type": "ai-title", "aiTitle": fact.title, "sessionId": self._session_id}
            case _:
                pass

    def _go_back(self, chain: _Chain, to_turn: int) -> None:
        turns = [turn for turn in chain.at_turn if turn <= to_turn]
        chain.last = chain.at_turn[max(turns)] if turns else None

    def _answer(self, fact: MessageFinished, chain: _Chain) -> Iterator[JsonObject]:
        """One record a block, all with the message's id."""
        whole: JsonObject = {
            "id": fact.message.id or f"msg_{self._id(self._count).replace('-', '')[:24]}",
            "type": "message",
            "role": "assistant",
            "model": fact.model,
        }
        end: JsonObject = {"stop_reason": fact.stop_reason, "stop_sequence": None, "usage": _usage(fact.usage)}
        request = {"requestId": fact.request_id} if fact.request_id else {}
        for block in fact.message.blocks:
            message = {**whole, "content": [api_block(block)], **end}
            record = self._linked(chain, fact, {"type": "assistant", "message": message, **request})
            yield record
        for call in fact.message.tool_uses:
            self._askers[call.id] = chain.last or ""

    def _result(self, fact: ToolCallFinished, chain: _Chain) -> JsonObject:
        content = api_content(fact.content, fact.added)
        result: JsonObject = {"tool_use_id": fact.call_id, "type": "tool_result", "content": content}
        if fact.is_error:
            result["is_error"] = True
        told = fact.response if fact.response is None else tool_response(fact.name, fact.response, fact.content)
        record: JsonObject = {
            "type": "user",
            "message": {"role": "user", "content": [result]},
            "toolUseResult": told if told is not None else _as_text(fact.content, is_error=fact.is_error),
        }
        asker = self._askers.pop(fact.call_id, "")
        return self._linked(chain, fact, record | ({"sourceToolAssistantUUID": asker} if asker else {}))

    def _boundary(self, fact: Compacted, chain: _Chain) -> Iterator[JsonObject]:
        summary: JsonObject = {"role": "user", "content": fact.summary}
        if fact.from_turn:
            self._go_back(chain, fact.from_turn - 1)
            yield self._linked(chain, fact, {"type": "user", "message": summary, "isCompactSummary": True})
            return
        before, chain.last = chain.last, None
        about: JsonObject = {
            "type": "system",
            "subtype": "compact_boundary",
            "content": "Conversation compacted",
            "level": "info",
            "isMeta": False,
            "logicalParentUuid": before,
            "compactMetadata": {"trigger": fact.trigger, "preTokens": fact.tokens_before},
        }
        yield self._linked(chain, fact, about)
        yield self._linked(chain, fact, {"type": "user", "message": summary, "isCompactSummary": True})
        for message in fact.kept:
            if message.role == "user":
                yield self._linked(chain, fact, {"type": "user", "message": _user(message)})
                continue
            for block in message.blocks:
                kept: JsonObject = {
                    "id": message.id,
                    "type": "message",
                    "role": "assistant",
                    "content": [api_block(block)],
                }
                yield self._linked(chain, fact, {"type": "assistant", "message": kept})

    def _linked(self, chain: _Chain, fact: Fact, record: JsonObject) -> JsonObject:
        """The record with what every linked record carries, as the new end of its chain."""
        parent, chain.last = chain.last, self._id(self._count)
        self._count += 1
        agent = {"agentId": chain.agent_id} if chain is not self._main else {}
        return {
            "parentUuid": parent,
            "isSidechain": chain is not self._main,
            **agent,
            "userType": "external",
            "cwd": self._cwd,
            "sessionId": self._session_id,
            "version": self._version,
            "gitBranch": self._branch,
            **record,
            "uuid": chain.last,
            "timestamp": _iso(fact.time),
        }

    def _id(self, count: int) -> str:
        return str(uuid.uuid5(_NAMESPACE, f"{self._session_id}/{count}"))


def _user(message: Message) -> JsonObject:
    blocks = message.blocks
    if len(blocks) == 1 and isinstance(blocks[0], TextBlock):
        return {"role": "user", "content": blocks[0].text}
    return {"role": "user", "content": [api_block(block) for block in blocks]}


def _as_text(content: ResultContent, *, is_error: bool) -> str:
    return f"Error: {text_of(content)}" if is_error else text_of(content)


def _usage(usage: Usage) -> JsonObject:
    return {
        "input_tokens": usage.input_tokens,
        "cache_creation_input_tokens": usage.cache_write_tokens,
        "cache_read_input_tokens": usage.cache_read_tokens,
        "output_tokens": usage.output_tokens,
    }


def _iso(time: float) -> str:
    return datetime.fromtimestamp(time, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
