"""A server at an address: streamable HTTP or SSE, with headers, a headers helper and OAuth."""

import json
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ...places import Places
from ...processes.process import run_process
from ...settings.shapes import is_object
from .config import ServerConfig
from .failures import McpFailure
from .oauth import Loopback, TokenFile, provider, register_configured

if TYPE_CHECKING:
    import httpx2

HELPER_TIME = 10.0
"""Seconds that a headers helper has."""

_CONNECT = 30.0
_READ = 300.0


@dataclass(frozen=True, slots=True)
class Remote:
    """What reaching a server needs. `login`: a person waits and will use the browser.

    `refused` is told the status of answers that want a login (401), `tell` the address that a person has to open.
    """

    config: ServerConfig
    places: Places
    environment: Mapping[str, str]
    cwd: str
    refused: Callable[[int], None]
    tell: Callable[[str], None]
    login: bool = False


@asynccontextmanager
async def remote_transport(remote: Remote) -> AsyncGenerator[tuple[Any, Any]]:
    """The two streams of an SDK transport to that address. Raises McpFailure, OSError."""
    import httpx2
    from mcp.client.sse import sse_client
    from mcp.client.streamable_http import streamable_http_client

    async def seen(response: "httpx2.Response") -> None:
        if response.status_code == 401:
            remote.refused(401)

    def client(
        headers: dict[str, str] | None = None,
        timeout: "httpx2.Timeout | None" = None,
        auth: "httpx2.Auth | None" = None,
    ) -> "httpx2.AsyncClient":
        return httpx2.AsyncClient(
            headers=headers,
            timeout=timeout or httpx2.Timeout(_CONNECT, read=_READ),
            auth=auth,
            event_hooks={"response": [seen]},
        )

    async with AsyncExitStack() as stack:
        headers = await _headers(remote)
        auth = await _auth(remote, stack, headers)
        if remote.config.transport == "sse":
            transport = sse_client(remote.config.url, headers, httpx_client_factory=client, auth=auth)
        else:
            http = await stack.enter_async_context(client(headers, auth=auth))
            transport = streamable_http_client(remote.config.url, http_client=http)
        async with transport as streams:
            yield streams


async def _auth(remote: Remote, stack: AsyncExitStack, headers: dict[str, str]) -> "httpx2.Auth | None":
    if any(name.lower() == "authorization" for name in headers):
        return None
    storage = TokenFile.of(remote.places, remote.config)
    if not remote.login:
        return provider(remote.config, storage, None, remote.tell) if storage.has_tokens else None
    loopback = Loopback(remote.config.oauth.callback_port)
    await stack.enter_async_context(loopback.listening())
    auth = provider(remote.config, storage, loopback, remote.tell)
    await register_configured(remote.config, storage)
    return auth


async def _headers(remote: Remote) -> dict[str, str]:
    """The entry's headers, those of its helper over them. Raises McpFailure."""
    config = remote.config
    if not config.headers_helper:
        return dict(config.headers)
    try:
        argv = ["sh", "-c", config.headers_helper]
        done = await run_process(argv, cwd=remote.cwd, env=remote.environment, timeout=HELPER_TIME)
        values: Any = json.loads(done.stdout) if done.exit_code == 0 else None
    except (OSError, ValueError):
        values = None
    if not is_object(values) or not all(isinstance(value, str) for value in values.values()):
        hint = "It must print a JSON object of texts within 10 seconds."
        raise McpFailure("The headersHelper gave no headers.", where=config.name, hint=hint)
    return {**config.headers, **values}
