"""The port to a model: a request in, chunks and one completed message out."""

from collections.abc import AsyncGenerator
from typing import Literal, Protocol, TypeAlias

from .base import JsonObject, Word
from .messages import Message, ParseTrace, StopReason, ToolSpec, Usage


class ModelRequest(Word, frozen=True, kw_only=True):
    """One request to a model, in our words. `max_tokens` 0 means the provider's default for the model.

    `effort` and `thinking` are ignored by providers without them. `forced_schema` asks for one JSON object of
    that schema instead of prose.
    """

    model: str
    system: str
    messages: tuple[Message, ...]
    tools: tuple[ToolSpec, ...] = ()
    max_tokens: int = 0
    temperature: float | None = None
    effort: str = ""
    thinking: bool = False
    forced_schema: JsonObject | None = None
    forced_tool: str = ""
    stop: tuple[str, ...] = ()


class TextChunk(Word, frozen=True, kw_only=True, tag="text_chunk"):
    """More prose."""

    text: str


class ThinkingChunk(Word, frozen=True, kw_only=True, tag="thinking_chunk"):
    """More thinking."""

    text: str


class ToolInputChunk(Word, frozen=True, kw_only=True, tag="tool_input_chunk"):
    """More raw JSON of a call's input."""

    call_id: str
    name: str
    text: str


class Retrying(Word, frozen=True, kw_only=True, tag="retrying"):
    """The provider will send the request again after `delay` seconds."""

    attempt: int
    delay: float
    reason: str
    status: int = 0
    max_attempts: int = 0


class ProviderNotice(Word, frozen=True, kw_only=True, tag="provider_notice"):
    """Something a person should know: a prompt that the server cut, a price for a missed cache, a fallback."""

    text: str
    level: Literal["info", "warning", "error"] = "warning"
    hint: str = ""
    code: str = ""


class Completed(Word, frozen=True, kw_only=True, tag="completed"):
    """The message. Always the last event of a stream, exactly once.

    A stream cut after at least one complete block completes with stop_reason `incomplete`, holding only what was
    complete; a stream cut before that raises ProviderError(kind="cut"). `calls` says how the calls of a local model
    travel: `native`, or `text:` and the form it is prompted in.
    """

    message: Message
    stop_reason: StopReason
    usage: Usage = Usage()
    model: str = ""
    request_id: str = ""
    parse: ParseTrace | None = None
    calls: str = ""


ProviderEvent: TypeAlias = TextChunk | ThinkingChunk | ToolInputChunk | Retrying | ProviderNotice | Completed


class ModelInfo(Word, frozen=True, kw_only=True):
    """A model that can be picked. Sizes in bytes and tokens; 0 when unknown. Prices in US dollars a million tokens.

    `digest` tells one content of the model's file from another, where the server knows it.
    """

    id: str
    title: str = ""
    context_window: int = 0
    max_output: int = 0
    size_bytes: int = 0
    abilities: tuple[str, ...] = ()
    loaded: bool | None = None
    server: str = ""
    digest: str = ""
    input_price: float | None = None
    output_price: float | None = None


class WireRequest(Word, frozen=True, kw_only=True):
    """A request as it goes over the wire, keys redacted: for the inspector and for copying as curl."""

    method: str
    url: str
    headers: dict[str, str]
    body: JsonObject


class Provider(Protocol):
    """A model's server. One instance serves many requests; `stream` may run several times at once."""

    @property
    def name(self) -> str:
        """Short name for the status line: anthropic, ollama, openai, scripted."""
        ...

    def stream(self, request: ModelRequest) -> AsyncGenerator[ProviderEvent]:
        """Send one request. Chunks, then exactly one Completed. Raises only ProviderError.

        Closing the generator cancels the request within a second.
        """
        ...

    async def models(self) -> tuple[ModelInfo, ...]:
        """The models that the server offers. Raises ProviderError."""
        ...

    async def context_window(self, model: str) -> int:
        """Tokens that fit; 0 when unknown. Never raises."""
        ...

    def wire(self, request: ModelRequest) -> WireRequest:
        """The request as it would be sent. Pure."""
        ...

    async def warm(self) -> None:
        """Load what the first request needs, off the input path. Never raises."""
        ...

    async def close(self) -> None:
        """Close connections."""
        ...
