"""What a loop and its gate stand on: one value, built once per session and copied for each subagent."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..protocol.base import JsonObject
from ..protocol.decisions import Mode, Rule
from ..protocol.engines import HookEngine, PermissionEngine
from ..protocol.events import Event
from ..protocol.models import Provider
from ..protocol.ports import Prompter
from ..protocol.tools import Toolset, Workspace
from .interrupt import Interrupt

if TYPE_CHECKING:
    from .underway import Underway


@dataclass(frozen=True, slots=True)
class AgentIdentity:
    """Who acts: the session itself (all empty), or a subagent of it."""

    id: str = ""
    type: str = ""
    depth: int = 0


@dataclass(slots=True)
class Parts:
    """The engines and settings of one loop.

    `frontmatter` are the rules of the running command, skill or agent: for the turn only. `mode` overrides the
    permission engine's mode (subagents). `checkout` is the worktree that an agent works in alone. `max_steps` 0
    means no limit. `asking` keeps one question at a time. `after_call` hears of each call that worked and gives
    texts for the model beside its result. `stop_hook_cap` is how often in a row Stop hooks may send the model on
    (0: no limit). `after_hooks` hears of each call (tool, input) after its PostToolUse hooks. `system_prompt` takes
    the place of ours. `fallbacks` gives the models that stand in, in order, for the rest of a turn in which the
    model is overloaded, fails or is unknown. `keep` comes back when a call is stored, or raises Refused.
    `tell_aside` tells what happens beside the loop. `withheld` are tools that the person took out of the window.
    """

    provider: Provider
    model: str
    tools: Toolset
    permissions: PermissionEngine
    hooks: HookEngine
    prompter: Prompter
    workspace: Workspace
    interrupt: Interrupt = field(default_factory=Interrupt)
    interactive: bool = True
    max_steps: int = 0
    max_tokens: int = 0
    effort: str = ""
    thinking: bool = False
    temperature: float | None = None
    mode: Mode | None = None
    checkout: str = ""
    system_prompt: str | None = None
    frontmatter: tuple[Rule, ...] = ()
    agent: AgentIdentity = AgentIdentity()
    stop_hook_cap: int = 8
    fallbacks: Callable[[], Coroutine[Any, Any, Sequence[str]]] | None = None
    asking: asyncio.Lock = field(default_factory=asyncio.Lock)
    tell_aside: Callable[[Event], None] | None = None
    keep: Callable[["Underway"], Coroutine[Any, Any, None]] | None = None
    after_call: Callable[[str, JsonObject], Sequence[str]] | None = None
    after_hooks: Callable[[str, JsonObject], None] | None = None
    withheld: set[str] = field(default_factory=set[str])

    def removed_tools(self) -> frozenset[str]:
        """Tools that the model does not get to see: rules remove them, or the person withholds them."""
        return self.permissions.removed_tools() | self.withheld
