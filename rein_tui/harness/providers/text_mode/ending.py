"""What was heard of an answer → the message's blocks, and the trace of how its calls were read."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field

from ...protocol.messages import Block, Message, ParseTrace, TextBlock, ThinkingBlock, ToolUseBlock
from ..base import NewId
from .fitting import Fitted, Tools
from .lenient import Repair
from .quoting import stands_in, texts_read
from .shapes import Found, RawCall, call_of

QUOTED = Repair("the same call stands in what the model has read, so it may only be quoted", semantic=True)
"""Such a call asks before it runs."""


@dataclass(slots=True)
class Heard:
    """What was understood so far."""

    prose: list[str] = field(default_factory=list[str])
    thinking: list[str] = field(default_factory=list[str])
    found: list[Found] = field(default_factory=list[Found])
    dropped: bool = False


class Ending:
    """Makes blocks and a trace of what was heard."""

    def __init__(self, tools: Tools, heard: Heard, raw: str, new_id: NewId, read: Sequence[Message]) -> None:
        self._texts = read
        self._tools = tools
        self._heard = heard
        self._raw = raw
        self._new_id = new_id
        self._repairs: list[Repair] = []
        self._notes: list[str] = []

    def blocks(self, native: tuple[ToolUseBlock, ...]) -> tuple[tuple[Block, ...], ParseTrace | None]:
        """The message's blocks, thinking first, and how its calls were read; no trace for plain prose."""
        if native:
            calls = tuple(self._mended(call) for call in native)
            dialect = "native"
            self._raw = "\n".join(f"{call.name} {call.malformed or json.dumps(call.input)}" for call in native)
            if self._heard.found:
                self._notes.append("calls written as text beside the server's own were left out")
        else:
            calls = self._read()
            dialect = ", ".join(dict.fromkeys(found.dialect for found in self._heard.found))
        if self._heard.dropped:
            self._notes.append("a result that the model made up was left out")
        prose = "".join(self._heard.prose)
        blocks: list[Block] = []
        if self._heard.thinking:
            blocks.append(ThinkingBlock(thinking="".join(self._heard.thinking).strip()))
        if prose.strip():
            blocks.append(TextBlock(text=prose))
        blocks += calls
        return tuple(blocks), self._trace(calls, dialect, bool(native))

    def _trace(self, calls: tuple[ToolUseBlock, ...], dialect: str, native: bool) -> ParseTrace | None:
        if not calls or (native and not self._repairs and not self._notes):
            return None
        doubts = tuple(dict.fromkeys(repair.what for repair in self._repairs if repair.semantic))
        return ParseTrace(
            raw=self._raw,
            dialect=dialect,
            repairs=tuple(dict.fromkeys(repair.what for repair in self._repairs)),
            semantic=bool(doubts),
            doubts=doubts,
            call_ids=tuple(call.id for call in calls),
            note="; ".join(self._notes),
        )

    def _read(self) -> tuple[ToolUseBlock, ...]:
        """The calls written as text, each once."""
        seen: list[tuple[str, object]] = []
        calls: list[ToolUseBlock] = []
        for raw in (call for found in self._heard.found for call in found.calls):
            fitted = self._tools.fit(raw)
            key = (fitted.name, fitted.input if not fitted.raw else fitted.raw)
            if key in seen:
                self._notes.append(f"a repeated {fitted.name} call was left out")
                continue
            seen.append(key)
            self._repairs += fitted.repairs
            if stands_in(raw.name, raw.arguments, texts_read(self._texts)):
                self._repairs.append(QUOTED)
            calls.append(_block(fitted, self._new_id()))
        return tuple(calls)

    def _mended(self, call: ToolUseBlock) -> ToolUseBlock:
        """A native call, repaired where it did not parse or does not fit."""
        malformed = call.malformed  # maybe cut off by the limit of tokens
        raw = call_of(call.name, malformed, closed=False) if malformed else RawCall(call.name, call.input)
        fitted = self._tools.fit(raw)
        if raw.problem or (call.malformed and fitted.problem):
            return call
        if all(repair.what.startswith("unknown key") for repair in fitted.repairs):
            return call  # what the server parsed and the tool understands stays as it is
        self._repairs += fitted.repairs
        return ToolUseBlock(id=call.id, name=fitted.name, input=fitted.input)


def _block(fitted: Fitted, call_id: str) -> ToolUseBlock:
    if fitted.raw:
        return ToolUseBlock(id=call_id, name=fitted.name, malformed=fitted.raw)
    return ToolUseBlock(id=call_id, name=fitted.name, input=fitted.input)
