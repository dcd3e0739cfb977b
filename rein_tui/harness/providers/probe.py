"""Finds model servers on this machine, and tries out whether a model really calls tools.

Nothing is told from names. Servers are asked side by side, each for a second at most; a model is given one tool
and asked to call it, and the verdict is kept for that server, version and model.
"""

import asyncio
from collections.abc import Sequence
from contextlib import aclosing
from typing import Literal, TypeAlias

from ..protocol.base import Word
from ..protocol.errors import ConfigError, ProviderError
from ..protocol.messages import Message, TextBlock, ToolSpec
from ..protocol.ports import Completed, FoundServer, ModelRequest, Provider
from .http import Endpoint, HttpServer
from .servers import PATIENCE, look

USUAL_URLS = (
    "http://localhost:11434",  # Ollama
    "http://localhost:1234",  # LM Studio
    "http://localhost:8080",  # llama.cpp, LocalAI
    "http://localhost:8000",  # vLLM
)

Verdict: TypeAlias = Literal["native", "text", "none"]
"""`native`: calls come as calls; `text`: the model wrote one into its prose; `none`: it did neither."""


class ToolProbe(Word, frozen=True, kw_only=True):
    """What came of trying a model out. `raw` is its text where it made no native call."""

    verdict: Verdict
    raw: str = ""


async def find_servers(urls: Sequence[str] = (), *, usual: Sequence[str] = USUAL_URLS) -> tuple[FoundServer, ...]:
    """Servers that answer on `urls` and on the usual ports, in that order, each address once."""
    wanted = dict.fromkeys(url.rstrip("/").removesuffix("/v1") for url in (*urls, *usual))
    found = await asyncio.gather(*(_try(url) for url in wanted))
    return tuple(server for server in found if server is not None)


async def _try(url: str) -> FoundServer | None:
    try:
        server = HttpServer(Endpoint(url=url, idle=PATIENCE))
    except ConfigError:
        return None
    try:
        return await look(server)
    except ProviderError:
        return None
    finally:
        await server.close()


class ToolProber:
    """Tries models out, each once; `again` repeats it."""

    def __init__(self) -> None:
        self._verdicts: dict[tuple[str, str, str], ToolProbe] = {}

    async def probe(self, provider: Provider, model: str, server: FoundServer, *, again: bool = False) -> ToolProbe:
        """Whether `model` makes native calls. `provider` must not rewrite tools as text. Raises ProviderError."""
        key = (server.url, server.version, model)
        if again or key not in self._verdicts:
            self._verdicts[key] = await _echo(provider, model)
        return self._verdicts[key]


_ECHO = ToolSpec(
    name="echo",
    description="Repeats a text.",
    input_schema={"type": "object", "properties": {"text": {"type": "string"}}, "required": ["text"]},
)


async def _echo(provider: Provider, model: str) -> ToolProbe:
    request = ModelRequest(
        model=model,
        system="Use the tool when you are asked to.",
        messages=(Message(role="user", blocks=(TextBlock(text='Call the tool echo with text="ok".'),)),),
        tools=(_ECHO,),
        max_tokens=64,
        temperature=0.0,
    )
    done: Completed | None = None
    async with aclosing(provider.stream(request)) as events:
        async for event in events:
            if isinstance(event, Completed):
                done = event
    assert done is not None
    if any(call.name == "echo" and not call.malformed for call in done.message.tool_uses):
        return ToolProbe(verdict="native")
    raw = done.message.text
    return ToolProbe(verdict="text" if "echo" in raw and "{" in raw else "none", raw=raw)
