"""The state machine of one Messages API answer. Strict where a call would run, lenient where nothing depends on it.

    message_start → (content_block_start → content_block_delta* → content_block_stop)* → message_delta → message_stop

Unknown events and pings mean nothing. Everything else must follow the drawing: an event for a block that is not
open breaks the protocol. A call's input is parsed once, after its block has stopped.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TypeAlias, cast, get_args

from ..protocol.base import JsonObject
from ..protocol.errors import ProviderError
from ..protocol.messages import (
    Block,
    Message,
    RedactedThinkingBlock,
    StopReason,
    TextBlock,
    ThinkingBlock,
    ToolUseBlock,
    Usage,
)
from ..protocol.models import Completed, ProviderEvent, TextChunk, ThinkingChunk, ToolInputChunk
from .base import NewId, new_call_id, tool_use, unique_id
from .failures import Origin, cut_error, malformed_error, stream_error
from .sse import Frame
from .streaming import incomplete_notice
from .strict_json import child, number, read_event, text

_STOPS = frozenset[str](get_args(StopReason)) - {"incomplete"}
_RENAMED: dict[str, StopReason] = {"model_context_window_exceeded": "context_full"}

_Events: TypeAlias = Iterable[ProviderEvent]


@dataclass(slots=True)
class _Open:
    """A block that has started and not stopped."""

    kind: str
    start: JsonObject
    call_id: str = ""
    pieces: list[str] = field(default_factory=list[str])
    signature: list[str] = field(default_factory=list[str])


class MessageAccumulator:
    """Folds the frames of one answer; `taken` are the ids of calls that the conversation already holds."""

    def __init__(self, origin: Origin, taken: set[str], new_id: NewId = new_call_id) -> None:
        self._origin = origin
        self._taken = taken
        self._new_id = new_id
        self._open: dict[int, _Open] = {}
        self._blocks: list[Block] = []
        self._started = 0
        self._id = ""
        self._model = ""
        self._usage: dict[str, int] = {}
        self._stop: StopReason | None = None
        self._done = False

    @property
    def settled(self) -> bool:
        """The stop reason is known and no block is open."""
        return self._stop is not None and not self._open

    @property
    def done(self) -> bool:
        """message_stop came."""
        return self._done

    def feed(self, frame: Frame) -> _Events:
        """One event. Raises ProviderError for an error event and for a broken protocol."""
        try:
            event = read_event(frame.data)
        except ValueError as error:
            raise malformed_error(self._origin, f"an event is not JSON ({error})") from error
        kind = text(event, "type")
        if kind == "error" or frame.event == "error":
            raise stream_error(self._origin, event)
        match kind:
            case "content_block_delta":
                return self._delta(event)
            case "content_block_start":
                return self._start(event)
            case "content_block_stop":
                self._stop_block(event)
            case "message_start":
                self._begin(child(event, "message"))
            case "message_delta":
                self._count(child(event, "usage"))
                self._rest(text(child(event, "delta"), "stop_reason"))
            case "message_stop":
                self._done = True
            case _:  # ping, and whatever a newer API adds
                pass
        return ()

    def finish(self, problem: ProviderError | None) -> Iterator[ProviderEvent]:
        """The end: complete, or incomplete with what came, or an error, after which the request may be sent again.

        Once a block is complete it may not, thinking included: what was paid for and shown is kept.
        """
        kept = tuple(self._blocks)
        stop = self._stop
        if stop is None or self._open:
            problem = problem or cut_error(self._origin)
            if not kept:
                raise problem
            kept += self._begun()
            yield incomplete_notice(problem)
            stop = "incomplete"
        yield Completed(
            message=Message(role="assistant", blocks=kept, id=self._id),
            stop_reason=stop,
            usage=_usage(self._usage),
            model=self._model,
            request_id=self._id,
        )

    def _begun(self) -> tuple[TextBlock, ...]:
        """The prose of a block that did not stop: the person has read it. Nothing behind a call, which has its turn."""
        if any(isinstance(block, ToolUseBlock) for block in self._blocks):
            return ()
        texts = ("".join(opened.pieces) for opened in self._open.values() if opened.kind == "text")
        return tuple(TextBlock(text=text) for text in texts if text.strip())

    def _begin(self, message: JsonObject) -> None:
        if self._started and text(message, "id") != self._id:
            raise malformed_error(self._origin, "a second message begins inside the first")
        self._id = text(message, "id")
        self._model = text(message, "model")
        self._count(child(message, "usage"))

    def _start(self, event: JsonObject) -> _Events:
        index = number(event, "index")
        block = child(event, "content_block")
        if self.settled or index != self._started:
            raise malformed_error(self._origin, f"block {index} starts out of order")
        self._started += 1
        opened = self._open[index] = _Open(kind=text(block, "type"), start=block)
        match opened.kind:
            case "tool_use":
                opened.call_id = unique_id(text(block, "id"), self._taken, self._new_id)
                return (ToolInputChunk(call_id=opened.call_id, name=text(block, "name"), text=""),)
            case "text" if text(block, "text"):
                return self._grow(opened, "text_delta", {"text": block["text"]})
            case "thinking" if text(block, "thinking"):
                return self._grow(opened, "thinking_delta", {"thinking": block["thinking"]})
            case _:
                return ()

    def _delta(self, event: JsonObject) -> _Events:
        opened = self._open.get(number(event, "index"))
        if opened is None:
            raise malformed_error(self._origin, f"a delta for block {event.get('index')}, which is not open")
        delta = child(event, "delta")
        return self._grow(opened, text(delta, "type"), delta)

    def _grow(self, opened: _Open, kind: str, delta: JsonObject) -> _Events:
        match (opened.kind, kind):
            case ("text", "text_delta"):
                piece = text(delta, "text")
                opened.pieces.append(piece)
                return (TextChunk(text=piece),) if piece else ()
            case ("thinking", "thinking_delta"):
                piece = text(delta, "thinking")
                opened.pieces.append(piece)
                return (ThinkingChunk(text=piece),) if piece else ()
            case ("tool_use", "input_json_delta"):
                piece = text(delta, "partial_json")
                opened.pieces.append(piece)
                name = text(opened.start, "name")
                return (ToolInputChunk(call_id=opened.call_id, name=name, text=piece),) if piece else ()
            case ("thinking", "signature_delta"):
                opened.signature.append(text(delta, "signature"))
            case (_, "text_delta" | "thinking_delta" | "input_json_delta" | "signature_delta"):
                raise malformed_error(self._origin, f"a {kind} for a {opened.kind} block")
            case _:  # citations, and whatever a newer API adds
                pass
        return ()

    def _stop_block(self, event: JsonObject) -> None:
        opened = self._open.pop(number(event, "index"), None)
        if opened is None:
            raise malformed_error(self._origin, f"block {event.get('index')} stops, but is not open")
        whole = "".join(opened.pieces)
        match opened.kind:
            case "text" if whole:
                self._blocks.append(TextBlock(text=whole))
            case "thinking":
                signature = "".join(opened.signature) or text(opened.start, "signature")
                self._blocks.append(ThinkingBlock(thinking=whole, signature=signature))
            case "redacted_thinking":
                self._blocks.append(RedactedThinkingBlock(data=text(opened.start, "data")))
            case "tool_use":
                whole = whole or _early_input(opened.start)
                self._blocks.append(tool_use(opened.call_id, text(opened.start, "name"), whole))
            case _:  # an empty text, or a block that we did not ask for
                pass

    def _rest(self, reason: str) -> None:
        if not reason:
            return
        if reason in _STOPS:
            self._stop = cast(StopReason, reason)
        else:
            self._stop = _RENAMED.get(reason, "end_turn")

    def _count(self, usage: JsonObject) -> None:
        # message_delta counts from the start of the message, so a later value replaces an earlier one.
        for key in ("input_tokens", "output_tokens", "cache_read_input_tokens", "cache_creation_input_tokens"):
            if usage.get(key) is not None:
                self._usage[key] = number(usage, key)


def _early_input(block: JsonObject) -> str:
    """Input that stood whole in content_block_start, as some gateways send it."""
    import json

    given = child(block, "input")
    return json.dumps(given) if given else ""


def _usage(counts: dict[str, int]) -> Usage:
    return Usage(
        input_tokens=counts.get("input_tokens", 0),
        output_tokens=counts.get("output_tokens", 0),
        cache_read_tokens=counts.get("cache_read_input_tokens", 0),
        cache_write_tokens=counts.get("cache_creation_input_tokens", 0),
    )
