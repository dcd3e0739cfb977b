"""A local server whose kind nobody named: it is asked once, on first use, and then served in its own protocol.

The question costs milliseconds on this machine and is asked while the person types (`warm`).
"""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing, suppress

from ..protocol.errors import ProviderError
from ..protocol.models import ModelInfo, ModelRequest, Provider, ProviderEvent, WireRequest
from ..protocol.workbench import FoundServer
from .http import HttpServer
from .servers import LOADING, look

_PATIENCE = 3.0
"""Seconds to learn what the server is: an Ollama taken for another kind would cut prompts in silence."""

Build = Callable[[str], Provider]
"""Makes the provider for a flavour."""


class LocalProvider:
    """Finds out what the server is, then hands everything on to the provider for it."""

    def __init__(self, server: HttpServer, build: Build) -> None:
        self._server = server
        self._build = build
        self._asking = asyncio.Lock()
        self._chosen: Provider | None = None
        self._fallback = build("openai")
        self.found: FoundServer | None = None

    @property
    def name(self) -> str:
        """The flavour, once known."""
        return self.found.flavour if self.found is not None else "local"

    async def stream(self, request: ModelRequest) -> AsyncGenerator[ProviderEvent]:
        """Send one request. Raises only ProviderError."""
        provider = await self._provider()
        async with aclosing(provider.stream(request)) as events:
            async for event in events:
                yield event

    async def models(self) -> tuple[ModelInfo, ...]:
        """The server's models. Raises ProviderError."""
        return await (await self._provider()).models()

    async def context_window(self, model: str) -> int:
        """Tokens that fit; 0 when unknown."""
        return await (await self._provider()).context_window(model)

    def wire(self, request: ModelRequest) -> WireRequest:
        """The request as it would be sent."""
        return (self._chosen or self._fallback).wire(request)

    async def warm(self) -> None:
        """Load the HTTP client and ask the server who it is."""
        with suppress(ProviderError):
            await (await self._provider()).warm()

    async def close(self) -> None:
        """Close the connections."""
        await self._server.close()
        await self._fallback.close()
        if self._chosen is not None:
            await self._chosen.close()

    async def server(self) -> FoundServer | None:
        """What the server is, with its models; None while it does not answer."""
        await self._provider()
        return self.found

    async def _provider(self) -> Provider:
        """The provider for what the server is; while it does not tell, the most common protocol, unsettled."""
        async with self._asking:
            if self._chosen is None:
                try:
                    found = await look(self._server, _PATIENCE)
                except ProviderError:
                    return self._fallback
                if found.flavour == LOADING:
                    return self._fallback
                self.found = found
                ollama = self.found.flavour == "ollama"
                self._chosen = self._build("ollama") if ollama else self._fallback
            return self._chosen
