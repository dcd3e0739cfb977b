"""The state machine of one Chat Completions answer, for servers that each read the protocol in their own way.

Known liberties: calls without `index`, several calls in one chunk, arguments as an object, ids on every chunk or
none, usage at the end, in every chunk or never, `reasoning_content` or `reasoning`, a `finish_reason` of "stop"
beside calls, no `[DONE]`, or one plain JSON object in place of a stream. Nothing is complete before the server
has said that the answer is: a stream that ends earlier was cut, and no call of it is told.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, cast

import msgspec

from ..protocol.base import JsonObject
from ..protocol.errors import ProviderError
from ..protocol.messages import Message, StopReason, ToolUseBlock, Usage
from ..protocol.models import Completed, ProviderEvent, TextChunk, ThinkingChunk, ToolInputChunk
from .base import NewId, TextReader, end_text, new_call_id, tool_use, unique_id
from .failures import Origin, cut_error, malformed_error, stream_error
from .sse import Frame
from .strict_json import child, children, number, read_event, text

_STOPS: dict[str, StopReason] = {"length": "max_tokens", "max_tokens": "max_tokens", "content_filter": "refusal"}


@dataclass(slots=True)
class Call:
    """A call as far as it came. `index` is the server's, -1 without one; `given` its own id."""

    id: str
    name: str
    index: int = -1
    given: str = ""
    pieces: list[str] = field(default_factory=list[str])


@dataclass(slots=True)
class Tally:
    """What the server counted; all zero when it did not."""

    prompt: int = 0
    cached: int = 0
    answer: int = 0

    def usage(self) -> Usage:
        """In our words: cached tokens are not input tokens."""
        cached = min(self.cached, self.prompt)
        return Usage(input_tokens=self.prompt - cached, output_tokens=self.answer, cache_read_tokens=cached)


class ChatAccumulator:
    """Folds the frames of one answer. With a `reader`, text goes through it (text mode); `taken` are known call ids."""

    def __init__(
        self, origin: Origin, taken: set[str], reader: TextReader | None = None, new_id: NewId = new_call_id
    ) -> None:
        self.tally = Tally()
        self._origin = origin
        self._taken = taken
        self._reader = reader
        self._new_id = new_id
        self._thinking: list[str] = []
        self._text: list[str] = []
        self._calls: list[Call] = []
        self._finish = ""
        self._done = False
        self._id = ""
        self._model = ""

    @property
    def settled(self) -> bool:
        """A finish reason came; usage may follow."""
        return bool(self._finish)

    @property
    def done(self) -> bool:
        """[DONE] came."""
        return self._done

    def feed(self, frame: Frame) -> Iterable[ProviderEvent]:
        """One chunk. Raises ProviderError for an error object and for what is not JSON."""
        if frame.data.startswith(b"[") and frame.data.strip() == b"[DONE]":
            self._done = True
            return ()
        try:
            chunk = read_event(frame.data)
        except ValueError as error:
            if self.settled:
                return ()
            raise malformed_error(self._origin, f"a chunk is not JSON ({error})") from error
        if chunk.get("error") or frame.event == "error":
            raise stream_error(self._origin, chunk)
        self._id = self._id or text(chunk, "id")
        self._model = self._model or text(chunk, "model")
        if "usage" in chunk or "timings" in chunk:
            self._count(chunk)
        events: list[ProviderEvent] = []
        for choice in children(chunk, "choices")[:1]:
            self._delta(child(choice, "delta") or child(choice, "message"), events)
            self._finish = text(choice, "finish_reason") or self._finish
        return events

    def finish(self, problem: ProviderError | None) -> Iterator[ProviderEvent]:
        """The answer, if the server said that it is complete; else `problem`, or a cut."""
        if not (self.settled or self._done):
            raise problem or cut_error(self._origin)
        native = tuple(tool_use(call.id, call.name, "".join(call.pieces)) for call in self._calls)
        end = end_text(self._reader, "".join(self._thinking), "".join(self._text), native)
        yield from end.events
        calls = any(isinstance(block, ToolUseBlock) for block in end.blocks)
        yield Completed(
            message=Message(role="assistant", blocks=end.blocks, id=self._id),
            # The word "stop" beside calls is a lie that many servers tell.
            stop_reason=_STOPS.get(self._finish, "tool_use" if calls else "end_turn"),
            usage=self.tally.usage(),
            model=self._model,
            request_id=self._id,
            parse=end.parse,
        )

    def _delta(self, delta: JsonObject, events: list[ProviderEvent]) -> None:
        thought = text(delta, "reasoning_content") or text(delta, "reasoning") or text(delta, "thinking")
        if thought:
            self._thinking.append(thought)
            events.append(ThinkingChunk(text=thought))
        if prose := _content(delta.get("content")):
            self._text.append(prose)
            events.extend(self._reader.feed(prose) if self._reader is not None else (TextChunk(text=prose),))
        if "tool_calls" in delta:
            for part in children(delta, "tool_calls"):
                self._call(part, events)
        if "function_call" in delta and (old := child(delta, "function_call")):
            self._call({"index": 0, "function": old}, events)

    def _call(self, part: JsonObject, events: list[ProviderEvent]) -> None:
        function = child(part, "function") or part
        call = self._find(part, text(function, "name"))
        piece = _arguments(function.get("arguments"))
        call.pieces.append(piece)
        events.append(ToolInputChunk(call_id=call.id, name=call.name, text=piece))

    def _find(self, part: JsonObject, name: str) -> Call:
        """The call that a fragment belongs to: by index, by id, else the last one; a new name opens a new call."""
        index = number(part, "index") if isinstance(part.get("index"), int) else -1
        given = text(part, "id")
        found = next((call for call in reversed(self._calls) if _belongs(call, index, given)), None)
        if found is None or (name and given and found.given and given != found.given):
            found = Call(id=unique_id(given, self._taken, self._new_id), name=name, index=index, given=given)
            self._calls.append(found)
        elif index < 0 and not given and name and found.pieces:
            found = Call(id=unique_id("", self._taken, self._new_id), name=name)
            self._calls.append(found)
        found.name = found.name or name
        return found

    def _count(self, chunk: JsonObject) -> None:
        usage, timings = child(chunk, "usage"), child(chunk, "timings")
        if usage:
            details = child(usage, "prompt_tokens_details")
            self.tally = Tally(
                number(usage, "prompt_tokens"), number(details, "cached_tokens"), number(usage, "completion_tokens")
            )
        elif timings and not self.tally.prompt:
            cached = number(timings, "cache_n")
            self.tally = Tally(number(timings, "prompt_n") + cached, cached, number(timings, "predicted_n"))


def _belongs(call: Call, index: int, given: str) -> bool:
    if index >= 0 and call.index >= 0:
        return call.index == index
    return not given or call.given == given


def _content(content: Any) -> str:
    """Text, whether it comes as a string or in parts."""
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        return ""
    parts = [cast(JsonObject, part) for part in cast(list[Any], content) if isinstance(part, dict)]
    return "".join(text(part, "text") for part in parts)


def _arguments(arguments: Any) -> str:
    """A fragment of JSON text; some servers send the object itself."""
    if isinstance(arguments, str):
        return arguments
    return "" if arguments is None else msgspec.json.encode(arguments).decode()
