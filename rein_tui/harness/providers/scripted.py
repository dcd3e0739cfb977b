"""A model that plays a script, for the demo and for every test of what stands on a model.

It is shipped, not a mock: the real harness with its real tools, hooks and permissions runs over it. A script is
a sequence of steps, one a request; a step is what the model does (think, speak, call tools, fail, be cut, hang)
or a function from the request to such a step. It knows nothing of HTTP.
"""

import asyncio
import itertools
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Sequence
from pathlib import Path
from typing import TypeAlias, cast, get_args

import msgspec
from msgspec import field

from ..protocol.base import JsonObject
from ..protocol.errors import ConfigError, Failure, ProviderError, ProviderErrorKind
from ..protocol.messages import Block, Message, StopReason, TextBlock, ThinkingBlock, ToolUseBlock, Usage
from ..protocol.models import (
    Completed,
    ModelInfo,
    ModelRequest,
    ProviderEvent,
    ProviderNotice,
    Retrying,
    TextChunk,
    ThinkingChunk,
    ToolInputChunk,
    WireRequest,
)
from .gauge import image_sizes

_KINDS = frozenset[str](get_args(ProviderErrorKind))


class ScriptedCall(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One tool call of a step. Without `id` the provider numbers it; `malformed` is input that does not parse."""

    name: str
    input: JsonObject = field(default_factory=dict[str, object])
    id: str = ""
    malformed: str = ""


class Step(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the model does in answer to one request.

    Told in this order: `retries`, `notices`, thinking, text, calls. Text goes out in pieces of `chunk` characters.
    `error` is raised after the pieces; `hang` waits there until the stream is closed; `cut` loses the last block,
    as a broken connection would. Without `stop_reason` it follows from the calls, without `usage` it is estimated.
    """

    text: str = ""
    thinking: str = ""
    calls: tuple[ScriptedCall, ...] = ()
    stop_reason: StopReason | None = None
    usage: Usage | None = None
    error: Failure | None = None
    chunk: int = 12
    cut: bool = False
    hang: bool = False
    retries: tuple[Retrying, ...] = ()
    notices: tuple[ProviderNotice, ...] = ()


Respond: TypeAlias = Callable[[ModelRequest], Step]
"""A step that depends on the request."""


class _ScriptFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    steps: tuple[Step, ...]
    model: str = "scripted"
    pace: float = 0


class ScriptedProvider:
    """Plays `steps` in order, one a request, as `models.Provider`; `requests` keeps what was asked.

    `pace` is the time in seconds between two pieces of text. A single function in place of the steps answers
    every request. When the steps are used up, a request raises ProviderError(kind="unavailable").
    """

    def __init__(
        self,
        steps: Sequence[Step | Respond] | Respond,
        *,
        model: str = "scripted",
        pace: float = 0,
        context_window: int = 200_000,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self.requests: list[ModelRequest] = []
        self._steps: Iterator[Step | Respond] = itertools.repeat(steps) if callable(steps) else iter(tuple(steps))
        self._model = model
        self._pace = pace
        self._context_window = context_window
        self._sleep = sleep
        self._ids = itertools.count(1)

    @property
    def name(self) -> str:
        """For the status line."""
        return "scripted"

    async def stream(self, request: ModelRequest) -> AsyncGenerator[ProviderEvent]:
        """Play the next step. Raises ProviderError where the script says so, or when it is over."""
        self.requests.append(request)
        step = self._next(request)
        for event in (*step.retries, *step.notices):
            yield event
        blocks = _blocks(step, self._ids)
        for block in blocks:
            lost = step.cut and block is blocks[-1]
            for event in _pieces(block, step.chunk, lost):
                if self._pace > 0:
                    await self._sleep(self._pace)
                yield event
        if step.hang:
            await asyncio.get_running_loop().create_future()
        if step.error is not None:
            raise _as_error(step.error)
        kept = blocks[:-1] if step.cut else blocks
        if step.cut and not kept:
            raise ProviderError("The stream was cut before anything was complete.", kind="cut", retryable=True)
        yield Completed(
            message=Message(role="assistant", blocks=kept),
            stop_reason="incomplete" if step.cut else step.stop_reason or ("tool_use" if step.calls else "end_turn"),
            usage=step.usage or estimate_usage(request, kept),
            model=self._model,
            request_id=f"scripted_{len(self.requests)}",
        )

    def _next(self, request: ModelRequest) -> Step:
        step = next(self._steps, None)
        if step is None:
            raise ProviderError(
                "The script is over: it has no step for this request.",
                kind="unavailable",
                hint="Choose a model with /model to go on.",
            )
        return step if isinstance(step, Step) else step(request)

    async def models(self) -> tuple[ModelInfo, ...]:
        """The one model that it plays."""
        return (ModelInfo(id=self._model, title="Scripted", context_window=self._context_window, abilities=("tools",)),)

    async def context_window(self, model: str) -> int:
        """As given."""
        return self._context_window

    def wire(self, request: ModelRequest) -> WireRequest:
        """The request as words: nothing goes over a wire."""
        body = cast(JsonObject, msgspec.to_builtins(request))
        return WireRequest(method="POST", url="scripted:", headers={}, body=body)

    async def warm(self) -> None:
        """Nothing to load."""

    async def close(self) -> None:
        """Nothing to close."""


def load_script(path: Path) -> ScriptedProvider:
    """A provider that plays a JSON file `{"steps": [...], "model"?: "...", "pace"?: seconds}`.

    Raises ConfigError naming the file and the field, for every unknown key and every wrong type.
    """
    try:
        script = msgspec.json.decode(path.read_bytes(), type=_ScriptFile)
    except OSError as error:
        raise ConfigError(f"The script cannot be read: {error.strerror or error}", where=str(path)) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        problem, _, pointer = str(error).partition(" - at `")
        place = f"{path}: {pointer.rstrip('`')}" if pointer else str(path)
        raise ConfigError(f"The script does not parse: {problem}", where=place) from error
    for number, step in enumerate(script.steps):
        if step.chunk < 1:
            raise ConfigError("`chunk` must be at least 1", where=f"{path}: $.steps[{number}].chunk")
        if step.error is not None and step.error.kind not in _KINDS:
            raise ConfigError(
                f"`kind` must be one of {', '.join(sorted(_KINDS))}", where=f"{path}: $.steps[{number}].error.kind"
            )
    return ScriptedProvider(script.steps, model=script.model, pace=max(0.0, script.pace))


_IMAGE_TOKENS = 1600


def estimate_usage(request: ModelRequest, answer: Sequence[Block]) -> Usage:
    """About four characters a token, and so many an image: for a model that does not count."""
    images = list(image_sizes(request))
    sent = len(request.system) + len(msgspec.json.encode((request.messages, request.tools))) - sum(images)
    answered = len(msgspec.json.encode(tuple(answer)))
    return Usage(input_tokens=sent // 4 + 1 + _IMAGE_TOKENS * len(images), output_tokens=answered // 4 + 1)


def _blocks(step: Step, ids: Iterator[int]) -> tuple[Block, ...]:
    blocks: list[Block] = []
    if step.thinking:
        blocks.append(ThinkingBlock(thinking=step.thinking))
    if step.text:
        blocks.append(TextBlock(text=step.text))
    for call in step.calls:
        call_id = call.id or f"toolu_{next(ids):04d}"
        blocks.append(ToolUseBlock(id=call_id, name=call.name, input=call.input, malformed=call.malformed))
    return tuple(blocks)


def _pieces(block: Block, size: int, lost: bool) -> Iterator[ProviderEvent]:
    """The chunks of one block; of a block that gets lost, only its first half."""
    match block:
        case TextBlock(text=text):
            for piece in _cut(text, size, lost):
                yield TextChunk(text=piece)
        case ThinkingBlock(thinking=text):
            for piece in _cut(text, size, lost):
                yield ThinkingChunk(text=piece)
        case ToolUseBlock():
            raw = block.malformed or msgspec.json.encode(block.input).decode()
            for piece in _cut(raw, max(size, 64), lost):
                yield ToolInputChunk(call_id=block.id, name=block.name, text=piece)
        case _:  # scripts hold no other blocks
            return


def _cut(text: str, size: int, lost: bool) -> Iterator[str]:
    text = text[: (len(text) + 1) // 2] if lost else text
    return (text[at : at + size] for at in range(0, len(text), size))


def _as_error(failure: Failure) -> ProviderError:
    kind = cast(ProviderErrorKind, failure.kind) if failure.kind in _KINDS else "server"
    return ProviderError(
        failure.message,
        kind=kind,
        where=failure.where,
        hint=failure.hint,
        status=failure.status,
        retryable=failure.retryable,
    )
