"""Ollama through its native API, because only there can the context length be asked for.

Without `num_ctx` Ollama takes a default that may be 4,096 tokens and cuts longer prompts in silence. The length
is chosen once a model and kept: another one would make the server load the model again.
"""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass

import msgspec

from ..protocol.models import Completed, ModelInfo, ModelRequest, ProviderEvent, WireRequest
from .base import Secret, TextMode, call_ids
from .gauge import PromptGauge, characters_of, told_apart
from .http import Endpoint, HttpServer
from .keys import KeyRing
from .ollama_wire import OllamaAccumulator, encode_body, encode_request
from .openai_wire import blind_notice
from .retry import LOCAL_POLICY, Pace, RetryPolicy, with_retries
from .scripted import estimate_usage
from .servers import PATIENCE, abilities_of, look, show_ollama, window_of
from .sse import LineDecoder
from .streaming import read_answer

LEAST_CONTEXT = 8_192
MOST_CONTEXT = 32_768
"""More costs memory that small machines lack; a person may ask for it."""


@dataclass(frozen=True, slots=True)
class OllamaOptions:
    """What a person may set. `num_ctx` 0 means: as large as the model allows, between 8k and 32k."""

    endpoint: Endpoint
    num_ctx: int = 0
    policy: RetryPolicy = LOCAL_POLICY


@dataclass(frozen=True, slots=True)
class _Known:
    """What Ollama told of a model."""

    num_ctx: int
    abilities: tuple[str, ...]


class OllamaProvider:
    """One Ollama server as `models.Provider`."""

    def __init__(
        self,
        options: OllamaOptions,
        keys: KeyRing | None = None,
        *,
        text_mode: TextMode | None = None,
        pace: Pace | None = None,
    ) -> None:
        self._options = options
        self._server = HttpServer(options.endpoint, keys)
        self._text_mode = text_mode
        self._pace = pace
        self._gauge = PromptGauge()
        self._known: dict[str, _Known] = {}

    @property
    def name(self) -> str:
        """For the status line."""
        return "ollama"

    async def stream(self, request: ModelRequest) -> AsyncGenerator[ProviderEvent]:
        """Send one request. Raises only ProviderError."""
        async with aclosing(with_retries(lambda: self._attempt(request), self._options.policy, self._pace)) as events:
            async for event in events:
                yield event

    async def models(self) -> tuple[ModelInfo, ...]:
        """The models on the server, with size, context and abilities. Raises ProviderError."""
        return (await look(self._server)).models

    async def context_window(self, model: str) -> int:
        """The length that requests ask for."""
        return (await self._look_up(model)).num_ctx

    def wire(self, request: ModelRequest) -> WireRequest:
        """The request as it would be sent, with the key left out."""
        known = self._known.get(request.model) or self._choose({})
        sent = self._text_mode.rewrite(request) if self._text_mode is not None else request
        body = encode_request(
            sent, num_ctx=known.num_ctx, vision=_able("vision", known), thinks="thinking" in known.abilities
        )
        headers = {**self._server.headers(Secret("[key]")), "content-type": "application/json"}
        return WireRequest(method="POST", url=f"{self._server.root}/api/chat", headers=headers, body=body)

    async def warm(self) -> None:
        """Load the HTTP client."""
        await self._server.warm()

    async def close(self) -> None:
        """Close the connections."""
        await self._server.close()

    async def _attempt(self, request: ModelRequest) -> AsyncGenerator[ProviderEvent]:
        known = await self._look_up(request.model)
        if not _able("vision", known) and (notice := blind_notice(request)):
            yield notice
        reader = self._text_mode.reader(request) if self._text_mode is not None else None
        accumulator = OllamaAccumulator(self._server.origin, call_ids(request), reader)
        body = encode_body(self.wire(request).body, vision=_able("vision", known))
        async with (
            self._server.stream("/api/chat", body) as answer,
            aclosing(read_answer(answer.chunks, LineDecoder(), accumulator, self._server.origin)) as events,
        ):
            async for event in events:
                if isinstance(event, Completed):
                    sent = characters_of(body, request, vision=_able("vision", known))
                    if notice := self._gauge.check(request, sent, event.usage.input_tokens):
                        yield notice
                    if not event.usage.context_tokens:
                        usage = estimate_usage(request, event.message.blocks)
                        event = msgspec.structs.replace(event, usage=usage)  # noqa: PLW2901
                    event = told_apart(event, known.num_ctx)  # noqa: PLW2901
                yield event

    async def _look_up(self, model: str) -> _Known:
        """What the server says of a model, asked once; an answer that does not come is asked for again."""
        if model in self._known:
            return self._known[model]
        details = await show_ollama(self._server, model, 5 * PATIENCE)
        known = self._choose(details)
        if details:
            self._known[model] = known
        return known

    def _choose(self, details: dict[str, object]) -> _Known:
        most = window_of(details) or MOST_CONTEXT
        wanted = self._options.num_ctx or max(LEAST_CONTEXT, min(most, MOST_CONTEXT))
        return _Known(num_ctx=min(wanted, most), abilities=abilities_of(details))


def _able(ability: str, known: _Known) -> bool:
    return not known.abilities or ability in known.abilities
