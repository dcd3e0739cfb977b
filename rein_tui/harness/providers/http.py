"""One model server over HTTP: on this machine by our own few lines, else by way of httpx, which loads on first use.

No redirects: a key goes to the address that a person configured and nowhere else. Proxies are used for the world
and never for this machine. Raises only ProviderError.
"""

import asyncio
import threading
from collections.abc import AsyncGenerator, AsyncIterator, Generator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from ..protocol.base import JsonObject
from ..protocol.errors import ProviderError, ReinError
from .addresses import check_url, is_loopback
from .base import Secret
from .failures import Origin, connection_error, cut_error, malformed_error, stall_error, status_error
from .keys import KeyRing
from .loopback import CONNECT, Loopback, Reply
from .sse import Decoder, LineDecoder, SseDecoder, WholeDecoder
from .strict_json import read_event

if TYPE_CHECKING:
    import httpx

_KEYLESS = (
    "The server wants a key: set LOCAL_LLM_API_KEY in your environment, or under `env` in your own settings.json, and"
    " start again."
)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a server is. `idle` is seconds without a byte before it counts as dead: a local server may load a model."""

    url: str
    idle: float = 300.0
    headers: Mapping[str, str] | None = None
    allow_http: bool = False


@dataclass(frozen=True, slots=True)
class Body:
    """An answer that has begun: its bytes, and the decoder for its content type."""

    chunks: AsyncIterator[bytes]
    decoder: Decoder


class HttpServer:
    """Requests to one server. Paths are relative to its root, which is the address without a trailing `/v1`."""

    def __init__(self, endpoint: Endpoint, keys: KeyRing | None = None) -> None:
        self._endpoint = endpoint
        self._keys = keys or KeyRing()
        self._root = check_url(endpoint.url, allow_http=endpoint.allow_http).removesuffix("/v1")
        is_near = is_loopback(self._root) and self._root.startswith("http://")
        self._near = Loopback(self._root, endpoint.idle) if is_near else None
        self._loading = threading.Lock()
        self._client: httpx.AsyncClient | None = None

    @property
    def root(self) -> str:
        """The address without `/v1`."""
        return self._root

    @property
    def origin(self) -> Origin:
        """Who to name in errors, and the key that they must not show."""
        return Origin(self._root, self._keys.known, _KEYLESS)

    def headers(self, key: Secret) -> dict[str, str]:
        """What goes with every request."""
        sent = {"accept": "text/event-stream, application/json", **(self._endpoint.headers or {})}
        return {**sent, "authorization": f"Bearer {key.reveal()}"} if key else sent

    async def get(self, path: str, within: float | None = None) -> JsonObject:
        """A JSON object, `within` so many seconds. Raises ProviderError, also for any other content."""
        return await self._whole("GET", path, None, within)

    async def post(self, path: str, body: JsonObject, within: float | None = None) -> JsonObject:
        """Send a JSON object, get one."""
        return await self._whole("POST", path, body, within)

    @asynccontextmanager
    async def stream(self, path: str, body: bytes) -> AsyncGenerator[Body]:
        """Send JSON; the answer as it comes. Leaving before its end closes the connection, which stops the server."""
        reply = await self._send("POST", path, body)
        try:
            if reply.status != 200:
                raise status_error(self.origin, reply.status, reply.headers, await reply.read())
            decoder = _decoder(reply.headers.get("content-type", ""), self.origin)
            yield Body(reply.chunks, decoder)
        finally:
            await reply.close()

    async def warm(self) -> None:
        """Import httpx in a thread, where it is needed."""
        if self._near is None:
            await asyncio.to_thread(self._load)

    async def close(self) -> None:
        """Close the connections."""
        if self._near is not None:
            await self._near.close()
        if self._client is not None:
            await self._client.aclose()

    async def _whole(self, method: str, path: str, body: JsonObject | None, within: float | None) -> JsonObject:
        try:
            async with asyncio.timeout(within):
                reply = await self._send(method, path, b"" if body is None else msgspec.json.encode(body))
                try:
                    content = await reply.read()
                finally:
                    await reply.close()
        except TimeoutError as error:
            raise stall_error(self.origin, within or 0.0) from error
        if reply.status != 200:
            raise status_error(self.origin, reply.status, reply.headers, content)
        try:
            return read_event(content)
        except ValueError as error:
            raise malformed_error(self.origin, str(error), retryable=False) from error

    async def _send(self, method: str, path: str, body: bytes) -> Reply:
        headers = {**self.headers(await self._key()), "content-type": "application/json"}
        if self._near is not None:
            return await self._near.send(method, path, headers, body, self.origin)
        if self._client is None:
            await asyncio.to_thread(self._load)
        assert self._client is not None
        request = self._client.build_request(method, self._root + path, content=body, headers=headers)
        with self._translated():
            response = await self._client.send(request, stream=True)
        lower = {name.lower(): value for name, value in response.headers.items()}
        return Reply(response.status_code, lower, self._chunks(response), response.aclose)

    async def _key(self) -> Secret:
        try:
            return await self._keys.current()
        except ProviderError:
            raise
        except ReinError as error:
            raise ProviderError(error.message, kind="auth", where=error.where, hint=error.hint) from error

    async def _chunks(self, response: "httpx.Response") -> AsyncGenerator[bytes]:
        import httpx

        try:
            async for chunk in response.aiter_bytes():
                yield chunk
        except httpx.TimeoutException as error:
            raise stall_error(self.origin, self._endpoint.idle) from error
        except httpx.HTTPError as error:
            raise cut_error(self.origin, _reason(error)) from error

    @contextmanager
    def _translated(self) -> Generator[None]:
        import httpx

        try:
            yield
        except httpx.ReadTimeout as error:
            raise stall_error(self.origin, self._endpoint.idle) from error
        except (httpx.ReadError, httpx.RemoteProtocolError, httpx.DecodingError) as error:
            raise cut_error(self.origin, _reason(error)) from error
        except httpx.HTTPError as error:
            raise connection_error(self.origin, _reason(error)) from error

    def _load(self) -> None:
        with self._loading:
            if self._client is not None:
                return
            import httpx

            timeout = httpx.Timeout(self._endpoint.idle, connect=CONNECT)
            proxied = not is_loopback(self._root)
            self._client = httpx.AsyncClient(timeout=timeout, trust_env=proxied, follow_redirects=False)


def _decoder(content_type: str, origin: Origin) -> Decoder:
    kind = content_type.partition(";")[0].strip().lower()
    if kind == "application/json":
        return WholeDecoder()
    if kind == "application/x-ndjson":
        return LineDecoder()
    if kind in {"text/html", "application/xhtml+xml"}:
        raise malformed_error(origin, "a stream was asked for, a web page came", retryable=False)
    return SseDecoder()


def _reason(error: Exception) -> str:
    return str(error).strip() or type(error).__name__
