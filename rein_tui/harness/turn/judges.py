"""Models that judge for hooks: one question to a model, or a small agent that may look into files first.

Neither leaves a trace in the conversation. The agent has no hooks, which would call it again, and asks nobody.
"""

import json
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Any, cast

from ..protocol.agents import AgentSpec
from ..protocol.base import JsonObject
from ..protocol.engines import HookEngine
from ..protocol.events import ContextPrepared, PromptAdded
from ..protocol.messages import Message, TextBlock
from .conversation import Conversation
from .interrupt import Interrupt
from .loop import Loop
from .parts import AgentIdentity, Parts
from .side_requests import ask_object
from .subagents import DEEPEST, ToolSubset

MAX_STEPS = 50
"""Requests that one agent may make before it has to answer."""

_SYSTEM = "You check one condition for a hook. Look into the files that matter, change nothing, then answer."
_LOOKS = AgentSpec(name="hook", description="Judges for a hook.", tools=("Read", "Grep", "Glob"))


@dataclass(frozen=True, slots=True)
class Judges:
    """Implements the model ports of HookContext. `quiet` is a hook engine without hooks; `model_for` finds a model."""

    parts: Parts
    quiet: HookEngine
    model_for: Callable[[str], Awaitable[str]]

    async def ask(self, prompt: str, model: str, schema: JsonObject) -> JsonObject:
        """A model's answer. Raises ProviderError, ValueError."""
        return await ask_object(self.parts, prompt, await self.model_for(model), schema)

    async def look(self, prompt: str, model: str, schema: JsonObject) -> JsonObject:
        """An agent's answer after at most MAX_STEPS requests. Raises ProviderError, ValueError."""
        outer = self.parts
        inner = replace(
            outer,
            tools=ToolSubset(outer.tools, _LOOKS, is_deepest=True),
            hooks=self.quiet,
            model=await self.model_for(model) or outer.model,
            agent=AgentIdentity(id="hook", type="hook", depth=DEEPEST),
            interactive=False,
            interrupt=Interrupt(),
            max_steps=MAX_STEPS,
            frontmatter=(),
            after_call=None,
        )
        said = await self._run(inner, prompt)
        answer = _object_in(said)
        if answer is not None:
            return answer
        found = f"{prompt}\n\nThis is what was found out:\n{said or '(nothing)'}"
        return await ask_object(outer, found, inner.model, schema)

    async def _run(self, parts: Parts, prompt: str) -> str:
        conversation = Conversation()
        conversation.apply(PromptAdded(message=Message(role="user", blocks=(TextBlock(text=prompt),))))
        tools = parts.tools.specs(parts.removed_tools())
        loop = Loop(parts, conversation, lambda: ContextPrepared(system=_SYSTEM, tools=tools), deque())
        async with aclosing(loop.run()) as events:
            async for event in events:
                conversation.apply(event)
        return loop.progress.last_text


def _object_in(text: str) -> JsonObject | None:
    """The answer, where the text is one JSON object with an `ok`."""
    text = text.strip()
    if text.startswith("```"):
        text = text.strip("`").removeprefix("json").strip()
    try:
        value: Any = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return cast(JsonObject, value) if isinstance(value, dict) and "ok" in value else None
