"""What one agent has that its session has not: servers of its own, a memory, a checkout to work in."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass, field
from typing import TypeAlias

from ..protocol.agents import AgentSpec
from ..protocol.decisions import Rule
from ..protocol.ports import Emit
from ..protocol.tools import Tool, Workspace


@dataclass(slots=True)
class Outfit:
    """An agent's own things, while it runs.

    `tools` come on top of those that its file lists, and change while it runs. `words` join its system prompt.
    `workspace` None: it works where the session does. `farewell` is known once it has rested: what its caller should
    know beside its answer.
    """

    tools: dict[str, Tool] = field(default_factory=dict[str, Tool])
    rules: tuple[Rule, ...] = ()
    words: tuple[str, ...] = ()
    workspace: Workspace | None = None
    farewell: str = ""


Outfitter: TypeAlias = Callable[[AgentSpec, str, Emit], AbstractAsyncContextManager[Outfit]]
"""Agent, its id, what tells inside the call that started it → its things while it runs. Raises ReinError."""


def plain(spec: AgentSpec, agent_id: str, emit: Emit) -> AbstractAsyncContextManager[Outfit]:
    """Nothing of its own."""
    del spec, agent_id, emit
    return nullcontext(Outfit())
