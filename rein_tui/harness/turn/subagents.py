"""Subagents: the same loop once more, with its own conversation, inside one call of the Agent tool.

Everything that a subagent does is told through that call, with the call's id as `parent`; its questions go to the
same person, its calls through the same gate.
"""

import itertools
import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Literal

from msgspec import structs

from ..protocol.agents import AgentSpec
from ..protocol.decisions import Mode
from ..protocol.errors import ConfigError, ReinError
from ..protocol.events import (
    AgentFinished,
    AgentStarted,
    ContextPrepared,
    Event,
    Notice,
    PromptAdded,
    ToolCallRequested,
)
from ..protocol.hooks import HookCall
from ..protocol.messages import Message, TextBlock, ToolSpec, Usage
from ..protocol.ports import Emit
from ..protocol.tools import Tool, ToolContext, Toolset, Workspace
from .conversation import Conversation
from .interrupt import Interrupt, Interrupted
from .loop import Loop
from .moments import fire
from .outfit import Outfit, Outfitter, plain
from .parts import AgentIdentity, Parts

DEEPEST = 3
"""How deep subagents may start subagents."""

_NO_DEEPER = 10

NEVER_INSIDE = frozenset({"AskUserQuestion", "EnterPlanMode", "ExitPlanMode", "TaskOutput", "TaskStop"})
"""Tools that belong to the session itself."""

MEMORY_TOOLS = ("Read", "Write", "Edit")
"""What an agent with a memory needs to keep it, whatever its file lists."""

_REASONS = {"denied": "the person said no to one of its calls and stopped it. The others work on."}

_LOOSE_MODES = frozenset({"bypassPermissions", "acceptEdits"})


@dataclass(frozen=True, slots=True)
class AgentLimits:
    """What holds for all agents: the `model` of each, whatever else names one, and how deep they may start others."""

    model: str = ""
    deepest: int = DEEPEST

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> "AgentLimits":
        """As the ecosystem's variables say."""
        depth = environment.get("CLAUDE_CODE_MAX_SUBAGENT_SPAWN_DEPTH", "")
        deepest = min(int(depth), _NO_DEEPER) if depth.isascii() and depth.isdecimal() else DEEPEST
        return cls(environment.get("CLAUDE_CODE_SUBAGENT_MODEL", ""), deepest)


@dataclass(frozen=True, slots=True)
class AgentResult:
    """What a subagent came back with."""

    agent_id: str
    text: str
    usage: Usage
    calls: int
    seconds: float
    failure: str = ""


class ToolSubset:
    """The tools of a session that one agent may call, none of `never`, and its `own`. Unknown names are ignored."""

    def __init__(
        self,
        tools: Toolset,
        spec: AgentSpec,
        own: Mapping[str, Tool] | None = None,
        *,
        is_deepest: bool = False,
        never: frozenset[str] = NEVER_INSIDE,
    ) -> None:
        self._tools = tools
        self._own: Mapping[str, Tool] = {} if own is None else own
        self._denied = set(never) | {_bare(name) for name in spec.disallowed}
        if is_deepest:
            self._denied.add("Agent")
        self._allowed = None if spec.tools is None else {_bare(name) for name in spec.tools}
        if self._allowed is not None and spec.memory:
            self._allowed |= set(MEMORY_TOOLS)

    def _has(self, name: str) -> bool:
        return name not in self._denied and (self._allowed is None or _listed(name, self._allowed))

    def get(self, name: str) -> Tool | None:
        """The tool of that name or legacy alias, if this agent may call it."""
        own = self._own.get(name)
        if own is not None and own.name not in self._denied:
            return own
        tool = self._tools.get(name)
        return tool if tool is not None and self._has(tool.name) else None

    def specs(self, removed: frozenset[str] = frozenset(), *, everything: bool = False) -> tuple[ToolSpec, ...]:
        """Its tools as the model sees them; an agent that names its tools gets them all at once."""
        specs = self._tools.specs(removed, everything=everything or self._allowed is not None)
        mine = [tool.spec for name, tool in self._own.items() if name not in self._denied | removed]
        return (*(spec for spec in specs if self._has(spec.name) and spec.name not in self._own), *mine)


def _bare(entry: str) -> str:
    """The tool of a list entry: `Bash(git *)` limits nothing here but means Bash."""
    name = entry.split("(", 1)[0].strip()
    return {"Task": "Agent"}.get(name, name)


def _listed(name: str, entries: set[str]) -> bool:
    if name in entries or "*" in entries:
        return True
    return any(name.startswith(e.removesuffix("*").rstrip("_") + "__") for e in entries if e.startswith("mcp__"))


class Subagents:
    """Runs subagents for one session.

    `specs` are the kinds there are, as of now; `brief` makes an agent's system prompt; `model_for` turns a model
    name of a spec or call into a model id of the session's provider (empty: the session's own). `outfit` is entered
    for an agent, with its id, while it runs: it gives what the agent brings and ends that with it. `memory` gives
    the memory files that an agent is told of, as (path, text).
    """

    def __init__(
        self,
        parts: Parts,
        specs: Callable[[], Mapping[str, AgentSpec]],
        brief: Callable[[AgentSpec, Workspace], ContextPrepared],
        model_for: Callable[[str], Awaitable[str]],
        outfit: Outfitter = plain,
        memory: Callable[[AgentSpec], Sequence[tuple[str, str]]] = lambda spec: (),
        limits: AgentLimits = AgentLimits(),
    ) -> None:
        self._parts = parts
        self.specs = specs
        self._brief = brief
        self._model_for = model_for
        self._outfit = outfit
        self._memory = memory
        self._limits = limits
        self._switches: dict[str, Interrupt] = {}
        self._numbers = itertools.count(1)

    def kind(self, name: str, plugin: str = "") -> AgentSpec | None:
        """The kind of that name, in any case of its letters; one of `plugin` also by its name there."""
        kinds = self.specs()
        by_case = {each.lower(): spec for each, spec in kinds.items()}
        return kinds.get(name) or by_case.get(f"{plugin}:{name}".lower()) or by_case.get(name.lower())

    def next_id(self) -> str:
        """A fresh agent id."""
        return f"agent_{next(self._numbers)}_{int(time.time()):x}"

    def stop(self, call_id: str) -> bool:
        """End the agent that this call started, and what it started; the others work on. Whether it was running."""
        switch = self._switches.get(call_id)
        if switch is not None:
            switch.trigger("stopped by the person")
        return switch is not None

    async def run(self, spec: AgentSpec, prompt: str, context: ToolContext, *, model: str = "") -> AgentResult:
        """Run an agent to its rest; its events go to `context.emit`. Cancelling it ends everything inside it."""
        agent = AgentIdentity(id=self.next_id(), type=spec.name, depth=context.depth + 1)
        switch = self._switches[context.call_id] = Interrupt()
        try:
            async with self._outfit(spec, agent.id, context.emit) as outfit:
                outfit.workspace = outfit.workspace or context.workspace
                parts = await self._inner_parts(spec, agent, model, switch, outfit)
                result = await self._run(spec, prompt, context, parts, outfit)
        except ReinError as problem:
            return AgentResult(agent.id, "", Usage(), 0, 0.0, f"The agent could not start. {problem}")
        finally:
            self._switches.pop(context.call_id, None)
        if not outfit.farewell:
            return result
        if result.failure:
            return replace(result, failure=f"{result.failure}\n{outfit.farewell}")
        return replace(result, text=f"{result.text}\n\n{outfit.farewell}".strip())

    async def _run(
        self, spec: AgentSpec, prompt: str, context: ToolContext, parts: Parts, outfit: Outfit
    ) -> AgentResult:
        conversation, agent = Conversation(), parts.agent
        started = time.perf_counter()
        counted = _Counted()

        async def tell(event: Event) -> None:
            counted.note(event)
            if not event.parent:
                conversation.apply(event)
                event = structs.replace(event, parent=context.call_id)
            await context.emit(event)

        await tell(AgentStarted(agent_id=agent.id, agent_type=spec.name, prompt=prompt, model=parts.model))
        loop = Loop(parts, conversation, lambda: self._context(spec, parts, outfit), deque())
        failure = ""
        outcome: Literal["ok", "error", "interrupted"] = "ok"
        try:
            for event in await self._first_events(spec, parts, prompt, tell):
                await tell(event)
            async with aclosing(loop.run()) as events:
                async for event in events:
                    await tell(event)
        except Interrupted:
            failure, outcome = "The person stopped this agent before it was done.", "interrupted"
        except ReinError as error:
            failure, outcome = f"The agent failed. {error}", "error"
            await tell(Notice(level="error", text=error.message, where=error.where, hint=error.hint))
        seconds = time.perf_counter() - started
        usage = loop.progress.usage
        await tell(
            AgentFinished(
                agent_id=agent.id,
                agent_type=spec.name,
                usage=usage,
                duration=seconds,
                calls=counted.calls,
                outcome=outcome,
            )
        )
        if loop.progress.reason != "end_turn" and not failure and not loop.progress.last_text:
            reason = loop.progress.detail or _REASONS.get(loop.progress.reason, loop.progress.reason)
            failure = f"The agent stopped: {reason}"
        return AgentResult(agent.id, loop.progress.last_text, usage, counted.calls, seconds, failure)

    async def _inner_parts(
        self, spec: AgentSpec, agent: AgentIdentity, model: str, switch: Interrupt, outfit: Outfit
    ) -> Parts:
        """The session's parts as this agent has them. Raises ConfigError when it has no tool at all."""
        outer = self._parts
        workspace = outfit.workspace or outer.workspace
        wanted = self._limits.model or model or spec.model
        mode: Mode | None = None if outer.permissions.mode in _LOOSE_MODES else spec.mode
        tools = ToolSubset(outer.tools, spec, outfit.tools, is_deepest=agent.depth >= self._limits.deepest)
        if spec.tools is not None and not tools.specs():
            named = ", ".join(spec.tools)
            raise ConfigError(f"None of its tools is there: {named}", where=str(spec.source))
        return replace(
            outer,
            tools=tools,
            workspace=workspace,
            frontmatter=(*outer.frontmatter, *outfit.rules),
            checkout="" if workspace is outer.workspace else str(workspace.root),
            model=await self._model_for(wanted) or outer.model,
            agent=agent,
            mode=mode or outer.mode,
            effort=spec.effort or outer.effort,
            max_steps=spec.max_turns or outer.max_steps,
            interrupt=switch,
        )

    def _context(self, spec: AgentSpec, parts: Parts, outfit: Outfit) -> ContextPrepared:
        prepared = self._brief(spec, parts.workspace)
        system = "\n\n".join((prepared.system, *outfit.words))
        tools = parts.tools.specs(parts.removed_tools())
        return structs.replace(prepared, system=system, tools=tools, sources={**prepared.sources, **_sizes(outfit)})

    async def _first_events(self, spec: AgentSpec, parts: Parts, prompt: str, tell: Emit) -> Iterator[Event]:
        """What the memory files say, the prompt, and what SubagentStart hooks add to it."""
        agent = parts.agent
        memory = [(path, _user(text)) for path, text in self._memory(spec)]
        events: list[Event] = [PromptAdded(message=said, origin="memory", source=path) for path, said in memory]
        events.append(PromptAdded(message=_user(prompt)))
        payload = {"agent_id": agent.id, "agent_type": agent.type}
        call = HookCall(
            point="SubagentStart", subject=agent.type, payload=payload, agent_id=agent.id, agent_type=agent.type
        )
        outcome = await fire(parts, call, tell)
        events += [PromptAdded(message=_user(text), origin="hook") for text in outcome.context]
        return iter(events)


@dataclass(slots=True)
class _Counted:
    calls: int = 0

    def note(self, event: Event) -> None:
        self.calls += isinstance(event, ToolCallRequested)


def _sizes(outfit: Outfit) -> dict[str, int]:
    return {"what the agent brings": sum(map(len, outfit.words))} if outfit.words else {}


def _user(text: str) -> Message:
    return Message(role="user", blocks=(TextBlock(text=text),))
