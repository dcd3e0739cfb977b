"""Claude: the Messages API through the anthropic SDK, which loads in a thread on first use.

The SDK sends (authentication, headers, connection); the answer's bytes are decoded and accumulated by our own
state machine, because the SDK's takes a stream that was cut for an answer. Its retries are off; ours are outside.
"""

import asyncio
import threading
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

import msgspec

from ..protocol.base import JsonObject
from ..protocol.errors import ProviderError, ReinError
from ..protocol.messages import Usage
from ..protocol.models import Completed, ModelInfo, ModelRequest, ProviderEvent, WireRequest
from .addresses import check_url, is_loopback
from .anthropic_errors import answer_bytes, translated
from .anthropic_models import ModelLimits, read_models, window_of
from .anthropic_stream import MessageAccumulator
from .anthropic_wire import AuthHeader, encode_body, encode_request
from .base import Secret, call_ids
from .failures import Origin, malformed_error
from .keys import KeyRing
from .prices import Price, cost, price_of
from .retry import Pace, RetryPolicy, with_retries
from .sse import SseDecoder
from .streaming import read_answer
from .strict_json import child, number, read_event, text

if TYPE_CHECKING:
    import httpx2
    from anthropic import AsyncAnthropic

DEFAULT_MODEL = "claude-sonnet-5-5"
SMALL_MODEL = "claude-haiku-5-5"
DEFAULT_URL = "https://api.anthropic.com"
API_VERSION = "2026-10-21"
"""What the SDK sends unless an option says otherwise; shown in the inspector, tested against the SDK."""
_MOST_PAGES = 20
"""Pages of the model list that are read."""

_BETA = "anthropic-beta"
_INTERLEAVED = "interleaved-thinking-2025-05-14"
"""Lets models that think with a budget think between calls, too; adaptive ones do so by themselves."""


@dataclass(frozen=True, slots=True)
class AnthropicOptions:
    """What a person may set. `idle` is seconds without a byte before a stream counts as dead (pings count).

    `auth` is the header that carries the key, `version` another anthropic-version: for gateways that speak an older
    form of the API. `headers` go along with each request. `overrides` are the names that this server has for models.
    """

    url: str = DEFAULT_URL
    auth: AuthHeader = "bearer"
    version: str = ""
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    prices: Mapping[str, Price] = field(default_factory=dict[str, Price])
    overrides: Mapping[str, str] = field(default_factory=dict[str, str])
    cached: bool = True
    idle: float = 90.0


class AnthropicProvider:
    """Claude, or whatever else speaks the Messages API, as `models.Provider`."""

    def __init__(
        self,
        keys: KeyRing,
        options: AnthropicOptions | None = None,
        *,
        policy: RetryPolicy | None = None,
        pace: Pace | None = None,
    ) -> None:
        self._keys = keys
        self._options = options or AnthropicOptions()
        self._url = check_url(self._options.url).removesuffix("/v1")
        self._policy = policy or RetryPolicy()
        self._pace = pace
        self._limits = ModelLimits()
        self._models: tuple[ModelInfo, ...] = ()
        self._loading = threading.Lock()
        self._client: AsyncAnthropic | None = None

    @property
    def name(self) -> str:
        """For the status line."""
        return "anthropic"

    async def stream(self, request: ModelRequest) -> AsyncGenerator[ProviderEvent]:
        """Send one request. Raises only ProviderError."""
        events = with_retries(lambda: self._attempt(request), self._policy, self._pace)
        async with aclosing(events):
            async for event in events:
                if isinstance(event, Completed):
                    price = price_of(event.model or request.model, self._options.prices)
                    if price is None and request.model in self._options.overrides:
                        price = price_of(request.model, self._options.prices)  # who answered has another name there
                    event = msgspec.structs.replace(event, usage=cost(event.usage, price))  # noqa: PLW2901
                yield event

    async def models(self) -> tuple[ModelInfo, ...]:
        """The models that the API lists, newest first. Raises ProviderError."""
        client, origin, headers = await self._prepare()
        pages: list[JsonObject] = []
        after = ""
        while len(pages) < _MOST_PAGES:
            with translated(origin, self._options.idle, self._keys):
                query = {"limit": 1000, **({"after_id": after} if after else {})}
                listed = client.models.with_raw_response.list
                reply = await listed(timeout=10.0, extra_headers=headers, extra_query=query)
                data = reply.http_response.content
            pages.append(_object(data, origin))
            before, after = after, text(pages[-1], "last_id")
            if pages[-1].get("has_more") is not True or after in {"", before}:
                break
        self._models = read_models(pages, self._url, self._options.prices)
        return self._models

    async def context_window(self, model: str) -> int:
        """What the model list says, else what is known of the family."""
        if not self._models and self._client is not None:  # asking must not wait for the import of the SDK
            with suppress(ProviderError):  # the turn itself will tell
                await self.models()
        listed = next((info.context_window for info in self._models if info.id == model), 0)
        return listed or window_of(model)

    def prompt_cost(self, model: str, tokens: int) -> tuple[float, float] | None:
        """US dollars for so many tokens of a prompt: written to the cache, and read from it; None without a price."""
        price = price_of(model, self._options.prices)
        if price is None:
            return None
        written, read = Usage(cache_write_tokens=tokens), Usage(cache_read_tokens=tokens)
        return cost(written, price).cost_usd or 0.0, cost(read, price).cost_usd or 0.0

    async def count_tokens(self, request: ModelRequest) -> int:
        """The prompt's tokens, counted by the server. Raises ProviderError."""
        client, origin, headers = await self._prepare()
        body = {k: v for k, v in self._body(request).items() if k in {"model", "messages", "system", "tools"}}
        with translated(origin, self._options.idle, self._keys):
            counting = cast(Any, client.messages.with_raw_response.count_tokens)
            reply = await counting(**body, extra_headers=headers)
            data: bytes = reply.http_response.content
        return number(_object(data, origin), "input_tokens")

    def wire(self, request: ModelRequest) -> WireRequest:
        """The request as it would be sent, with the key left out."""
        body = {**self._body(request), "stream": True}
        headers = {name: value for name, value in self._headers(Secret("[key]")).items() if value}
        headers |= dict.fromkeys(self._options.headers, "[set]")  # they may hold keys, too
        headers = {"content-type": "application/json", "anthropic-version": API_VERSION, **headers, **self._betas(body)}
        return WireRequest(method="POST", url=f"{self._url}/v1/messages", headers=headers, body=body)

    async def warm(self) -> None:
        """Import the SDK in a thread."""
        await asyncio.to_thread(self._load)

    async def close(self) -> None:
        """Close the connections."""
        if self._client is not None:
            await self._client.close()

    async def _attempt(self, request: ModelRequest) -> AsyncGenerator[ProviderEvent]:
        client, origin, headers = await self._prepare()
        response = await self._send(client, request, origin, headers)
        try:
            _check_kind(response.headers.get("content-type", ""), origin)
            accumulator = MessageAccumulator(origin, call_ids(request))
            chunks = answer_bytes(response.aiter_bytes(), origin, self._options.idle)
            async with aclosing(read_answer(chunks, SseDecoder(), accumulator, origin)) as events:
                async for event in events:
                    yield _with_request_id(event, response.headers.get("request-id", ""))
        finally:
            await response.aclose()

    async def _send(
        self, client: "AsyncAnthropic", request: ModelRequest, origin: Origin, headers: dict[str, Any]
    ) -> "httpx2.Response":
        """The open response; sent again at once without what the model turned down.

        By way of `post`, with the body as bytes: `messages.create` copies and encodes the whole conversation anew for
        every request, which cost more than everything else that we do for a call.
        """
        import httpx2

        post = cast(Any, client.post)
        while True:
            body = {**self._body(request), "stream": True}
            try:
                with translated(origin, self._options.idle, self._keys):
                    named = {**headers, **self._betas(body)}
                    sent = {"content": encode_body(body), "options": {"headers": named}}
                    return await post("/v1/messages", cast_to=httpx2.Response, stream=True, **sent)
            except ProviderError as error:
                if not self._limits.learn(request.model, error, body):
                    raise

    def _body(self, request: ModelRequest) -> JsonObject:
        info = next((info for info in self._models if info.id == request.model), None)
        dialect = self._limits.dialect(request.model, info, cached=self._options.cached)
        body = encode_request(request, dialect)
        return body | {"model": self._options.overrides.get(request.model, request.model)}

    async def _prepare(self) -> tuple["AsyncAnthropic", Origin, dict[str, Any]]:
        """The client, who to blame, and the headers that carry the key."""
        if self._client is None:
            await asyncio.to_thread(self._load)
        assert self._client is not None
        try:
            key = await self._keys.current()
        except ProviderError:
            raise
        except ReinError as error:
            raise ProviderError(error.message, kind="auth", where=error.where, hint=error.hint) from error
        from anthropic import Omit

        # An empty header means that the SDK must not send its own either.
        headers = {name: value or Omit() for name, value in self._headers(key).items()}
        return self._client, Origin(self._url, key), headers

    def _headers(self, key: Secret) -> dict[str, str]:
        headers: dict[str, str] = dict(self._options.headers)
        if self._options.version:
            headers["anthropic-version"] = self._options.version
        auth = self._options.auth if key else ""
        headers["Authorization"] = f"Bearer {key.reveal()}" if auth in {"bearer", "both"} else ""
        if auth in {"x-api-key", "both"}:
            headers["X-Api-Key"] = key.reveal()
        return headers

    def _betas(self, body: JsonObject) -> dict[str, str]:
        """The header that switches on what this body needs, beside what a person switches on."""
        if child(body, "thinking").get("type") != "enabled":
            return {}
        wanted = next((value for name, value in self._options.headers.items() if name.lower() == _BETA), "")
        return {_BETA: f"{wanted},{_INTERLEAVED}" if wanted else _INTERLEAVED}

    def _load(self) -> None:
        with self._loading:
            if self._client is not None:
                return
            import anthropic

            proxied = not is_loopback(self._url)  # a proxy for the world is no way to this machine
            http = anthropic.DefaultAsyncHttpxClient(
                follow_redirects=False, trust_env=proxied, timeout=anthropic.Timeout(self._options.idle, connect=10.0)
            )
            client = anthropic.AsyncAnthropic(
                api_key="sent-per-request", base_url=self._url, http_client=http, max_retries=0
            )
            _ = (client.messages, client.models)  # imported on first touch
            self._client = client


def _object(data: bytes, origin: Origin) -> JsonObject:
    try:
        return read_event(data)
    except ValueError as error:
        raise malformed_error(origin, str(error), retryable=False) from error


def _check_kind(content_type: str, origin: Origin) -> None:
    """A login page of some network answers 200 too."""
    if "text/event-stream" not in content_type:
        kind = content_type.partition(";")[0] or "nothing"
        raise malformed_error(origin, f"a stream was asked for, {kind} came", retryable=False)


def _with_request_id(event: ProviderEvent, request_id: str) -> ProviderEvent:
    """The id that the provider's support asks for, where the server gave one."""
    if request_id and isinstance(event, Completed):
        return msgspec.structs.replace(event, request_id=request_id)
    return event
