"""Ollama's `/api/chat`: the body of a request, and the state machine of an answer in lines of JSON."""

from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any

import msgspec

from ..protocol.base import JsonObject
from ..protocol.errors import ProviderError
from ..protocol.messages import (
    ImageBlock,
    Message,
    StopReason,
    TextBlock,
    ToolResultBlock,
    ToolUseBlock,
    Usage,
)
from ..protocol.models import Completed, ModelRequest, ProviderEvent, TextChunk, ThinkingChunk, ToolInputChunk
from .base import NewId, TextReader, end_text, new_call_id, tool_use, unique_id
from .failures import Origin, cut_error, malformed_error, stream_error
from .memo import Memo
from .openai_wire import encode_tools, image_note, result_text
from .sse import Frame
from .strict_json import child, children, number, read_event, text


def encode_request(request: ModelRequest, *, num_ctx: int, vision: bool, thinks: bool) -> JsonObject:
    """The body. `thinks` false leaves the wish for thinking out: such models refuse it."""
    options: JsonObject = {"num_ctx": num_ctx}
    if request.max_tokens:
        options["num_predict"] = request.max_tokens
    if request.temperature is not None:
        options["temperature"] = request.temperature
    if request.stop:
        options["stop"] = list(request.stop)
    body: JsonObject = {
        "model": request.model,
        "messages": list(_messages(request.system, request.messages, vision)),
        "stream": True,
        "options": options,
    }
    tools = [tool for tool in request.tools if not request.forced_tool or tool.name == request.forced_tool]
    if tools:
        body["tools"] = encode_tools(tools)
    if request.forced_schema is not None:
        body["format"] = request.forced_schema
    if thinks:
        body["think"] = request.thinking
    return body


def _messages(system: str, messages: Iterable[Message], vision: bool) -> Iterator[JsonObject]:
    if system:
        yield {"role": "system", "content": system}
    memo = _MEMOS[vision]
    asked: Message | None = None
    for message in messages:
        yield from memo.get(message, partial(_encoded, asked, vision))
        asked = message


def encode_body(body: JsonObject, *, vision: bool) -> bytes:
    """What `encode_request` made, as bytes for sending."""
    return _MEMOS[vision].body(body)


_MEMOS = {True: Memo(), False: Memo()}


def _encoded(asked: Message | None, vision: bool, message: Message) -> list[JsonObject]:
    """One message; `asked` is the one before it, whose calls it may answer."""
    names = {call.id: call.name for call in asked.tool_uses} if asked is not None else {}
    results = [block for block in message.blocks if isinstance(block, ToolResultBlock)]
    encoded: list[JsonObject] = [
        {
            "role": "tool",
            "tool_name": names.get(result.tool_use_id, ""),
            "content": result_text(result, vision=vision) or "(no output)",
        }
        for result in results
    ]
    said = _said(message, results, vision)
    return [*encoded, said] if said["content"].strip() or len(said) > 2 else encoded


def _said(message: Message, results: Iterable[ToolResultBlock], vision: bool) -> JsonObject:
    """What a message says itself: its prose, its calls, and all images, those of results among them."""
    inside = [b for r in results if not isinstance(r.content, str) for b in r.content if isinstance(b, ImageBlock)]
    images = [*inside, *(block for block in message.blocks if isinstance(block, ImageBlock))]
    words = [block.text for block in message.blocks if isinstance(block, TextBlock) and block.text.strip()]
    if not vision:
        words += [image_note(image) for image in images]
    said: JsonObject = {"role": message.role, "content": "\n\n".join(words)}
    if images and vision:
        said["images"] = [image.data for image in images]
    if calls := [{"function": {"name": call.name, "arguments": call.input}} for call in message.tool_uses]:
        said["tool_calls"] = calls
    return said


class OllamaAccumulator:
    """Folds the lines of one answer; the line with `done: true` makes it complete."""

    def __init__(
        self, origin: Origin, taken: set[str], reader: TextReader | None = None, new_id: NewId = new_call_id
    ) -> None:
        self._origin = origin
        self._taken = taken
        self._reader = reader
        self._new_id = new_id
        self._thinking: list[str] = []
        self._text: list[str] = []
        self._calls: list[ToolUseBlock] = []
        self._last: JsonObject = {}

    @property
    def settled(self) -> bool:
        """The last line came."""
        return bool(self._last)

    @property
    def done(self) -> bool:
        """The last line came; nothing follows it."""
        return bool(self._last)

    def feed(self, frame: Frame) -> Iterable[ProviderEvent]:
        """One line. Raises ProviderError for an error and for what is not JSON."""
        try:
            line = read_event(frame.data)
        except ValueError as error:
            raise malformed_error(self._origin, f"a line is not JSON ({error})") from error
        if line.get("error"):
            raise stream_error(self._origin, line)
        events: list[ProviderEvent] = []
        message = child(line, "message")
        if thought := text(message, "thinking"):
            self._thinking.append(thought)
            events.append(ThinkingChunk(text=thought))
        if prose := text(message, "content"):
            self._text.append(prose)
            events.extend(self._reader.feed(prose) if self._reader is not None else (TextChunk(text=prose),))
        for part in children(message, "tool_calls"):
            events.append(self._call(part))
        if line.get("done") is True:
            self._last = line
        return events

    def finish(self, problem: ProviderError | None) -> Iterator[ProviderEvent]:
        """The answer, if its last line came; else `problem`, or a cut."""
        if not self._last:
            raise problem or cut_error(self._origin)
        end = end_text(self._reader, "".join(self._thinking), "".join(self._text), tuple(self._calls))
        yield from end.events
        yield Completed(
            message=Message(role="assistant", blocks=end.blocks),
            stop_reason=self._stop(any(isinstance(block, ToolUseBlock) for block in end.blocks)),
            usage=Usage(
                input_tokens=number(self._last, "prompt_eval_count"), output_tokens=number(self._last, "eval_count")
            ),
            model=text(self._last, "model"),
            parse=end.parse,
        )

    def _call(self, part: JsonObject) -> ToolInputChunk:
        """A call comes whole; its input is an object, or (older servers) the text of one."""
        function = child(part, "function")
        given: Any = function.get("arguments")
        raw = given if isinstance(given, str) else msgspec.json.encode(given or {}).decode()
        call_id = unique_id(text(part, "id"), self._taken, self._new_id)
        self._calls.append(tool_use(call_id, text(function, "name"), raw))
        return ToolInputChunk(call_id=call_id, name=text(function, "name"), text=raw)

    def _stop(self, calls: bool) -> StopReason:
        if text(self._last, "done_reason") == "length":
            return "max_tokens"
        return "tool_use" if calls else "end_turn"
