"""The provider around a local server that sees to it that calls arrive, whatever the model does with them.

Before the first request with tools it finds out how the model's calls travel: as the person said, as an earlier
probe showed, or by probing. A call that cannot be run is asked for again, twice at most; the second time the server
holds the form.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from typing import Literal, TypeAlias

import msgspec
from msgspec import structs

from ...protocol.errors import ProviderError
from ...protocol.messages import ParseTrace, Usage
from ...protocol.models import (
    Completed,
    ModelInfo,
    ModelRequest,
    Provider,
    ProviderEvent,
    ProviderNotice,
    Retrying,
    WireRequest,
)
from ...protocol.workbench import FoundServer, ModelProbe
from ..gauge import TRUNCATED
from ..probe import ToolProbe, ToolProber, info_of
from .feedback import RETRIES, Problem, asked_again, problem_in
from .forms import HERMES, form_named, form_shown
from .mode import ToolText, Way
from .prompt import both_ways

Wish: TypeAlias = Literal["auto", "native", "text"]
Whereabouts: TypeAlias = Callable[[], Awaitable[FoundServer | None]]
"""Tells which server this is, with its version and models; None while it does not answer."""

_UNKNOWN_KINDS = frozenset({"openai", "unknown", ""})
"""Servers of no known kind are not probed unasked: a gateway may count or bill every request. Until an answer holds a
call, tools go both ways there."""

_MOST_CHARACTERS = 8
"""Characters a token that no ordinary text reaches."""

_SMALL = 7_000_000_000
"""Bytes of a file with about ten billion parameters at four to five bits each."""


class CallingProvider:
    """`models.Provider` around `inner`, which must read through `mode`."""

    def __init__(
        self, inner: Provider, mode: ToolText, where: Whereabouts, *, wish: Wish = "auto", prober: ToolProber
    ) -> None:
        self._inner = inner
        self.mode = mode
        self._where = where
        self._wish: Wish = wish
        self._prober = prober
        self._settling = asyncio.Lock()

    @property
    def name(self) -> str:
        """The server's."""
        return self._inner.name

    async def stream(self, request: ModelRequest) -> AsyncGenerator[ProviderEvent]:
        """Send one request. Raises only ProviderError."""
        if not request.tools:
            async with aclosing(self._inner.stream(request)) as events:
                async for event in events:
                    yield event
            return
        async with aclosing(self._settled(request.model)) as notices:
            async for notice in notices:
                yield notice
        async with aclosing(self._until_callable(request)) as events:
            async for event in events:
                yield event

    async def models(self) -> tuple[ModelInfo, ...]:
        """The server's models. Raises ProviderError."""
        return await self._inner.models()

    async def context_window(self, model: str) -> int:
        """Tokens that fit; 0 when unknown."""
        return await self._inner.context_window(model)

    def wire(self, request: ModelRequest) -> WireRequest:
        """The request as it would be sent."""
        return self._inner.wire(self._heard(request))

    async def warm(self) -> None:
        """Load what the first request needs. Asks the model nothing."""
        await self._inner.warm()

    async def close(self) -> None:
        """Close the connections."""
        await self._inner.close()

    def way(self, model: str) -> Way:
        """How this model's calls travel, as far as it is known."""
        return self.mode.way(model)

    def is_small(self, model: str) -> bool:
        """Whether the model is known to be small."""
        return self.mode.is_settled(model) and self.mode.way(model).small

    # --- which way ------------------------------------------------------------------------------------------

    async def probe(self, model: str) -> ToolProbe:
        """Try the model out anew and go by what comes of it. Raises ProviderError."""
        server = await self._where() or FoundServer(url="", flavour="unknown")
        # The model must answer to tools as the server sends them, however its calls travelled so far.
        self.mode.settle(model, Way())
        found = await self._prober.probe(self._inner, model, server, again=True)
        self.mode.settle(model, _way(found, _is_small(server, model)))
        return found

    async def tried(self, model: str) -> ModelProbe:
        """The same as a word for people: what was found, and how calls travel from now on."""
        found = await self.probe(model)
        way = self.way(model)
        server = await self._where()
        return ModelProbe(
            model=model,
            server=f"{server.flavour} {server.version}".strip() if server else "",
            verdict=found.verdict,
            sent=way.form if way.kind == "text" else "native",
            dialect=found.dialect,
            raw=found.raw,
        )

    async def _settled(self, model: str) -> AsyncGenerator[ProviderEvent]:
        """Find out how the model's calls travel, once; tells that it does. Raises ProviderError."""
        async with self._settling:
            if self.mode.is_settled(model):
                return
            server = await self._where()
            small = _is_small(server, model)
            if self._wish != "auto":
                self.mode.settle(
                    model, Way(kind=self._wish, small=bool(small or (self._wish == "text" and small is None)))
                )
                return
            if server is None:
                return  # it does not answer; the request will say so
            known = self._prober.known(model, server)
            if known is None and server.flavour in _UNKNOWN_KINDS:
                return  # nothing is known of it: its first answers show what they are
            if known is None:
                yield ProviderNotice(
                    text=f"Trying out whether {model} makes tool calls …", level="info", code="tool_probe"
                )
                known = await self._prober.probe(self._inner, model, server)
                yield ProviderNotice(text=f"{model}: {told(known)}.", level="info", code="tool_way")
            self.mode.settle(model, _way(known, small))

    def _heard(self, request: ModelRequest) -> ModelRequest:
        """The request so that the model hears of its tools: both ways while nobody knows which one it takes."""
        is_open = bool(request.tools) and self._wish == "auto" and not self.mode.is_settled(request.model)
        return both_ways(request, HERMES) if is_open else request

    # --- until it can be run --------------------------------------------------------------------------------

    async def _until_callable(self, request: ModelRequest) -> AsyncGenerator[ProviderEvent]:
        asked, done, wrong = request, None, list[str]()
        usage = Usage()
        for attempt in range(1, RETRIES + 2):
            before, done = done, None
            alarm: ProviderNotice | None = None
            try:
                async with aclosing(self._inner.stream(self._heard(asked))) as events:
                    async for event in events:
                        if isinstance(event, Completed):
                            done = event
                        elif isinstance(event, ProviderNotice) and event.code == TRUNCATED:
                            alarm = event
                        else:
                            yield event
            except ProviderError as error:
                if before is None and self._learn_refusal(request.model, error):
                    continue
                if before is None or error.kind not in {"invalid_request", "server", "too_long"}:
                    raise
                done, wrong = before, [*wrong, f"the server did not take the constrained try: {error.message}"]
            assert done is not None
            usage += done.usage if done is not before else Usage()
            if alarm and (self.mode.is_settled(request.model) or not _left_out(request, done.usage)):
                yield alarm
            if self._learn(request, done):
                yield Retrying(attempt=attempt, delay=0, reason="The server left the tools out; they go as text now")
                continue
            problem = problem_in(done, request.tools)
            if problem is None or attempt > RETRIES or done is before:
                if self.mode.is_settled(request.model):
                    done = structs.replace(done, calls=self.mode.way(request.model).title)
                yield _concluded(done, usage, wrong)
                return
            wrong.append(problem.what)
            yield Retrying(attempt=attempt, delay=0, reason=_reason(problem), max_attempts=RETRIES)
            form = form_named(done.parse.dialect if done.parse else self.mode.way(request.model).form)
            asked = asked_again(request, done, problem, form, constrained=attempt == RETRIES)

    def _learn(self, request: ModelRequest, done: Completed) -> bool:
        """Where nothing was proved beforehand, an answer with calls shows how they travel.

        Returns whether to ask anew: the server does not know tools, so the model never heard of them.
        """
        model = request.model
        if self.mode.is_settled(model):
            return False
        if not done.message.tool_uses:
            if not _left_out(request, done.usage):
                return False
            self.mode.settle(model, Way(kind="text"))
            return True
        dialect = done.parse.dialect if done.parse is not None else "native"
        raw = done.parse.raw if done.parse is not None else ""
        self.mode.settle(model, Way() if dialect == "native" else Way(kind="text", form=form_shown(dialect, raw).name))
        return False

    def _learn_refusal(self, model: str, error: ProviderError) -> bool:
        """Whether the server just said that this model takes no tools, so that it gets them as text."""
        if self.mode.is_settled(model) or error.kind != "invalid_request" or "tool" not in error.message.lower():
            return False
        self.mode.settle(model, Way(kind="text"))
        return True


def _reason(problem: Problem) -> str:
    return f"The call of {problem.call.name} could not be read: {problem.what}"


def _concluded(done: Completed, usage: Usage, wrong: list[str]) -> Completed:
    """The answer with the story of the tries before it, where there were some.

    `usage` is what all of them cost together. The window holds the last one only: what failed is not kept.
    """
    if not wrong:
        return done
    last = done.usage
    usage = structs.replace(usage, input_tokens=last.input_tokens, cache_read_tokens=last.cache_read_tokens)
    parse = done.parse or ParseTrace(raw=done.message.text, dialect="native")
    story = f"after {len(wrong)} failed {'try' if len(wrong) == 1 else 'tries'}: {'; '.join(wrong)}"
    note = "; ".join(part for part in (parse.note, story) if part)
    return structs.replace(done, usage=usage, parse=structs.replace(parse, note=note))


def _is_small(server: FoundServer | None, model: str) -> bool | None:
    """Whether the model has fewer than about ten billion parameters; None when the server does not tell."""
    info = info_of(server, model) if server else None
    return info.size_bytes < _SMALL if info is not None and info.size_bytes else None


def _way(probe: ToolProbe, small: bool | None) -> Way:
    """Natively where a probe proves it, whatever the server claims: "tools" only says that a template names them.

    Else as text: a model that did neither may still follow an example.
    """
    if probe.verdict == "native":
        return Way(small=bool(small))
    return Way(kind="text", form=form_shown(probe.dialect, probe.raw).name, small=small is not False)


def _left_out(request: ModelRequest, usage: Usage) -> bool:
    """Whether the server counted a prompt that holds the conversation but cannot hold the tools."""
    tools = len(msgspec.json.encode(request.tools))
    rest = len(msgspec.json.encode((request.system, request.messages)))
    counted = usage.context_tokens - usage.output_tokens
    return rest / _MOST_CHARACTERS <= counted < (rest + tools) / _MOST_CHARACTERS and counted < rest


def told(probe: ToolProbe) -> str:
    """What came of a probe, in words for a person."""
    match probe.verdict:
        case "native":
            return "native tool calls"
        case "text":
            return f"writes tool calls as text ({probe.dialect}); read from there"
        case "none":
            return "made no tool call when it was tried; it gets its tools as text"
