"""Finds model servers on this machine, and tries out whether a model really calls tools.

Nothing is told from names. Servers are asked side by side, each for a second at most; a model is given one tool
and asked to call it, and the verdict is kept for that server, version and model.
"""

import asyncio
import os
from collections.abc import Sequence
from contextlib import aclosing, suppress
from pathlib import Path
from typing import Literal, TypeAlias

import msgspec

from ..protocol.base import Word
from ..protocol.errors import ConfigError, ProviderError
from ..protocol.messages import Message, TextBlock, ToolSpec
from ..protocol.models import Completed, ModelInfo, ModelRequest, Provider
from ..protocol.workbench import FoundServer
from .http import Endpoint, HttpServer
from .keys import KeyRing
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
    """What came of trying a model out. `raw` is its text where it made no native call, `dialect` what that is."""

    verdict: Verdict
    raw: str = ""
    dialect: str = ""


async def find_servers(
    urls: Sequence[str] = (), keys: KeyRing | None = None, *, usual: Sequence[str] = USUAL_URLS
) -> tuple[FoundServer, ...]:
    """Servers that answer on `urls` and on the usual ports, in that order, each address once.

    `keys` go to `urls`, which a person named, and never to whoever listens on a usual port; nor is that given as long.
    """
    named = list(dict.fromkeys(map(_root, urls)))
    others = [url for url in dict.fromkeys(map(_root, usual)) if url not in named]
    found = await asyncio.gather(
        *(_try(url, keys, _LONGER) for url in named), *(_try(url, None, PATIENCE) for url in others)
    )
    return tuple(server for server in found if server is not None)


_LONGER = 3.0
"""Seconds for a server that a person named: one on a busy machine must not be taken for another kind."""


async def look_at(url: str, keys: KeyRing | None = None, within: float = _LONGER) -> FoundServer:
    """The server at this address. Raises ConfigError for an address that makes no sense, ProviderError."""
    server = HttpServer(Endpoint(url=url, idle=within), keys)
    try:
        return await look(server, within)
    finally:
        await server.close()


def _root(url: str) -> str:
    return url.rstrip("/").removesuffix("/v1")


async def _try(url: str, keys: KeyRing | None, within: float) -> FoundServer | None:
    try:
        return await look_at(url, keys, within)
    except (ConfigError, ProviderError):
        return None


class ToolProber:
    """Tries models out, each once; `again` repeats it. With a `file`, verdicts outlive the program."""

    def __init__(self, file: Path | None = None) -> None:
        self._file = file
        self._verdicts: dict[str, ToolProbe] | None = None

    def known(self, model: str, server: FoundServer) -> ToolProbe | None:
        """What an earlier probe of this model on this version of this server showed."""
        return self._read().get(_key(model, server))

    async def probe(self, provider: Provider, model: str, server: FoundServer, *, again: bool = False) -> ToolProbe:
        """Whether `model` makes native calls. `provider` must not rewrite tools as text. Raises ProviderError."""
        verdict = None if again else self.known(model, server)
        if verdict is None:
            verdict = await _echo(provider, model)
            self._keep(_key(model, server), verdict)
        return verdict

    def _read(self) -> dict[str, ToolProbe]:
        if self._verdicts is None:
            self._verdicts = {}
            if self._file is not None:
                # What cannot be read is probed again.
                with suppress(OSError, msgspec.MsgspecError):
                    self._verdicts = msgspec.json.decode(self._file.read_bytes(), type=dict[str, ToolProbe])
        return self._verdicts

    def _keep(self, key: str, verdict: ToolProbe) -> None:
        verdicts = self._read()
        verdicts[key] = verdict
        if self._file is None:
            return
        with suppress(OSError):
            self._file.parent.mkdir(parents=True, exist_ok=True)
            draft = self._file.with_suffix(f".{os.getpid()}.tmp")
            draft.write_bytes(msgspec.json.format(msgspec.json.encode(verdicts), indent=1))
            draft.replace(self._file)


def info_of(server: FoundServer, model: str) -> ModelInfo | None:
    """What the server tells of the model; a server of one model serves that one, whatever it is called."""
    named = next((info for info in server.models if info.id == model), None)
    return server.models[0] if named is None and len(server.models) == 1 else named


def _key(model: str, server: FoundServer) -> str:
    """Server, version, model and what the model's file is: another file under the same name is tried anew."""
    info = info_of(server, model)
    content = (info.digest or str(info.size_bytes)) if info is not None else ""
    return " ".join((server.url, server.version or "-", model, content or "-"))


_ECHO = ToolSpec(
    name="echo",
    description="Repeats a text.",
    input_schema={"type": "object", "properties": {"text": {"type": "string"}}, "required": ["text"]},
)
_ENOUGH, _WITH_THOUGHT = 64, 1024


async def _echo(provider: Provider, model: str) -> ToolProbe:
    try:
        done = await _ask(provider, model, _ENOUGH)
    except ProviderError as error:
        if error.kind != "invalid_request":
            raise
        return ToolProbe(verdict="none", raw=error.message)  # such as: this model does not support tools
    if done.stop_reason == "max_tokens" and not done.message.tool_uses:
        done = await _ask(provider, model, _WITH_THOUGHT)  # it was still thinking
    return _judged(done)


def _judged(done: Completed) -> ToolProbe:
    from .text_mode.mode import read_text

    called = any(call.name == "echo" and not call.malformed for call in done.message.tool_uses)
    if called and (done.parse is None or done.parse.dialect == "native"):
        return ToolProbe(verdict="native")
    raw = done.parse.raw if done.parse is not None else done.message.text
    parse = done.parse or read_text(raw, (_ECHO,)).parse
    return ToolProbe(verdict="text" if parse else "none", raw=raw, dialect=parse.dialect if parse else "")


async def _ask(provider: Provider, model: str, max_tokens: int) -> Completed:
    request = ModelRequest(
        model=model,
        system="Use the tool when you are asked to.",
        messages=(Message(role="user", blocks=(TextBlock(text='Call the tool echo with text="ok".'),)),),
        tools=(_ECHO,),
        max_tokens=max_tokens,
        temperature=0.0,
    )
    done: Completed | None = None
    async with aclosing(provider.stream(request)) as events:
        async for event in events:
            if isinstance(event, Completed):
                done = event
    assert done is not None
    return done
