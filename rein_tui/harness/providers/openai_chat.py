"""Any server that speaks Chat Completions: llama.cpp, LM Studio, vLLM, LocalAI, and whatever calls itself compatible.

With a `text_mode`, tools travel as text for models that have no native calls; without it, native only.
"""

from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field

import msgspec

from ..protocol.base import JsonObject
from ..protocol.errors import ProviderError
from ..protocol.models import Completed, ModelInfo, ModelRequest, ProviderEvent, ProviderNotice, Retrying, WireRequest
from .base import Secret, TextMode, call_ids
from .failures import is_grammar_failure
from .gauge import PromptGauge, characters_of, told_apart
from .http import Endpoint, HttpServer
from .keys import KeyRing
from .openai_stream import ChatAccumulator
from .openai_wire import DROPPABLE, blind_notice, encode_body, encode_request, refuses_images
from .prices import Price, cost, price_of
from .retry import LOCAL_POLICY, Pace, RetryPolicy, with_retries
from .scripted import estimate_usage
from .servers import LOADING, look
from .streaming import read_answer


@dataclass(frozen=True, slots=True)
class ChatOptions:
    """What a person may set. `context_window` 0 means that the server is asked."""

    endpoint: Endpoint
    context_window: int = 0
    prices: Mapping[str, Price] = field(default_factory=dict[str, Price])
    policy: RetryPolicy = LOCAL_POLICY


class OpenAIChatProvider:
    """One OpenAI-compatible server as `models.Provider`."""

    def __init__(
        self,
        options: ChatOptions,
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
        self._refused: frozenset[str] = frozenset()
        self._models: dict[str, ModelInfo] = {}
        self._blind: set[str] = set()

    @property
    def name(self) -> str:
        """For the status line."""
        return "openai"

    async def stream(self, request: ModelRequest) -> AsyncGenerator[ProviderEvent]:
        """Send one request. Raises only ProviderError."""
        try:
            async with aclosing(
                with_retries(lambda: self._attempt(request), self._options.policy, self._pace)
            ) as events:
                async for event in events:
                    yield event
        except ProviderError as error:
            if not (request.tools and is_grammar_failure(error)):
                raise
            failure = error
        else:
            return
        # llama.cpp refuses its own model's half-written call every time: without calls, its text can at least be read.
        yield Retrying(attempt=1, delay=0, reason=failure.message, status=failure.status)
        yield ProviderNotice(
            text="The model wrote a tool call that does not parse, twice. Its answer is shown as text.",
            hint="Choose a model that calls tools well, or force calls as text with --prompt-tools.",
            code="call_unreadable",
        )
        async with aclosing(self._attempt(msgspec.structs.replace(request, tools=(), forced_tool=""))) as events:
            async for event in events:
                yield event

    async def models(self) -> tuple[ModelInfo, ...]:
        """The server's models, with what it tells of them. Raises ProviderError."""
        found = await look(self._server)
        if found.flavour != LOADING:  # it will tell more
            self._models = {info.id: info for info in found.models}
        return found.models

    async def context_window(self, model: str) -> int:
        """As set, else as the server says; 0 when unknown."""
        if self._options.context_window:
            return self._options.context_window
        if model not in self._models:
            try:
                await self.models()
            except ProviderError:
                return 0
        info = self._models.get(model)
        return info.context_window if info is not None else 0

    def wire(self, request: ModelRequest) -> WireRequest:
        """The request as it would be sent, with the key left out."""
        sent = self._text_mode.rewrite(request) if self._text_mode is not None else request
        body = encode_request(sent, vision=self._vision(request.model), refused=self._refused)
        headers = {**self._server.headers(Secret("[key]")), "content-type": "application/json"}
        return WireRequest(method="POST", url=f"{self._server.root}/v1/chat/completions", headers=headers, body=body)

    async def warm(self) -> None:
        """Load the HTTP client."""
        await self._server.warm()

    async def close(self) -> None:
        """Close the connections."""
        await self._server.close()

    async def _attempt(self, request: ModelRequest) -> AsyncGenerator[ProviderEvent]:
        while True:
            begun = False
            try:
                async with aclosing(self._once(request)) as events:
                    async for event in events:
                        begun = begun or not isinstance(event, ProviderNotice)
                        yield event
                return
            except ProviderError as error:
                if begun:
                    raise
                if self._vision(request.model) and refuses_images(error, request):
                    self._blind.add(request.model)
                    continue
                refused = _refused_field(error, self.wire(request).body)
                if not refused or refused in self._refused:
                    raise
                self._refused |= {refused}

    async def _once(self, request: ModelRequest) -> AsyncGenerator[ProviderEvent]:
        reader = self._text_mode.reader(request) if self._text_mode is not None else None
        accumulator = ChatAccumulator(self._server.origin, call_ids(request), reader)
        if not self._vision(request.model) and (notice := blind_notice(request)):
            yield notice
        body = encode_body(self.wire(request).body, vision=self._vision(request.model))
        async with (
            self._server.stream("/v1/chat/completions", body) as answer,
            aclosing(read_answer(answer.chunks, answer.decoder, accumulator, self._server.origin)) as events,
        ):
            async for event in events:
                if isinstance(event, Completed):
                    sent = characters_of(body, request, vision=self._vision(request.model))
                    if notice := self._gauge.check(request, sent, accumulator.tally.prompt):
                        yield notice
                    event = self._counted(request, event)  # noqa: PLW2901
                yield event

    def _counted(self, request: ModelRequest, done: Completed) -> Completed:
        """With usage, estimated where the server counts nothing, and with its cost where a price is known."""
        usage = done.usage if done.usage.context_tokens else estimate_usage(request, done.message.blocks)
        price = price_of(done.model or request.model, self._options.prices)
        info = self._models.get(request.model)
        window = self._options.context_window or (info.context_window if info is not None else 0)
        return told_apart(msgspec.structs.replace(done, usage=cost(usage, price)), window)

    def _vision(self, model: str) -> bool:
        """Images go out unless the server has said that the model cannot see."""
        if model in self._blind:
            return False
        info = self._models.get(model)
        return info is None or not info.abilities or "vision" in info.abilities


def _refused_field(error: ProviderError, sent: JsonObject) -> str:
    """The optional field that the server names in its refusal, or empty."""
    if error.kind != "invalid_request" or error.status not in {400, 422}:
        return ""
    return next((name for name in DROPPABLE if name in error.message and name in sent), "")
