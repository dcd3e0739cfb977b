"""How a session is furnished with what files and plugins bring: the Skill tool, `/name`, agents, hooks, programs."""

from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from ..agents import builtin_agents
from ..hooks.config import for_subagent
from ..hooks.engine import Hooks
from ..parts import Parts
from ..protocol.agents import AgentSpec
from ..protocol.base import JsonObject
from ..protocol.events import ContextPrepared
from ..protocol.tools import Workspace
from ..settings.layers import Settings
from .extensions import Extensions
from .invocation import Attach, Usage
from .listing import Budget
from .rendering import Scene

AfterCall: TypeAlias = Callable[[str, JsonObject], Sequence[str]]
"""Hears of a call that worked; gives texts for the model."""


@dataclass(frozen=True, slots=True)
class Furniture:
    """Extensions as the parts of one session see them."""

    extensions: Extensions
    session_id: str
    workspace: Workspace

    def agents(self) -> dict[str, AgentSpec]:
        """Every kind of subagent, the built-in ones included."""
        return builtin_agents() | self.extensions.catalog.agents()

    def brief(self, spec: AgentSpec) -> ContextPrepared:
        """The system prompt of a subagent: its own, its skills, and where it works. Raises ConfigError."""
        skills = self.extensions.preloaded(spec, self.scene(""))
        place = f"Working directory: {self.workspace.cwd}"
        text = "\n\n".join(part for part in (self.extensions.agent_prompt(spec), *skills, place) if part)
        return ContextPrepared(system=text, sources={f"agent {spec.name}": len(text)})

    def scene(self, effort: str) -> Scene:
        """What a body may refer to."""
        return Scene(project=str(self.workspace.root), session_id=self.session_id, effort=effort)

    def environment(self, ambient: Mapping[str, str]) -> dict[str, str]:
        """What commands get on top: PATH with the plugins' programs, where they bring any."""
        path = ambient.get("PATH", "")
        searched = self.extensions.search_path(path)
        return {"PATH": searched} if searched != path else {}

    def after_call(self, tell: AfterCall) -> AfterCall:
        """The same, and skills about the file that was touched come up."""

        def touched(tool: str, tool_input: JsonObject) -> Sequence[str]:
            path = tool_input.get("file_path")
            if isinstance(path, str) and Path(path).is_absolute():
                self.extensions.catalog.touch(path)
            return tell(tool, tool_input)

        return touched

    def living(self, hooks: Hooks) -> Callable[[AgentSpec, str], AbstractContextManager[None]]:
        """Lets the hooks that an agent's file brings hold while it runs."""
        return lambda spec, agent_id: _living(hooks, spec, agent_id)


@contextmanager
def _living(hooks: Hooks, spec: AgentSpec, agent_id: str) -> Generator[None]:
    if not spec.hooks:
        yield
        return
    hooks.add(for_subagent(list(spec.hooks), agent_id))
    try:
        yield
    finally:
        hooks.remove(f"agent:{agent_id}")


def usage_of(
    furniture: Furniture,
    settings: Settings,
    parts: Parts,
    attach: Attach,
    window: Callable[[], int],
    environment: Mapping[str, str],
) -> Usage:
    """What invocations need, from settings and parts."""
    characters = environment.get("SLASH_COMMAND_TOOL_CHAR_BUDGET", "")
    fraction = settings.get("skillListingBudgetFraction", default=0.01)
    longest = settings.get("skillListingMaxDescChars", default=1536)
    return Usage(
        scene=lambda: furniture.scene(parts.effort),
        attach=attach,
        agents=furniture.agents,
        window=window,
        budget=Budget(
            fraction=fraction if isinstance(fraction, int | float) else 0.01,
            longest=longest if isinstance(longest, int) else 1536,
            characters=int(characters) if characters.isdecimal() else 0,
        ),
        may_run_shell=settings.get("disableSkillShellExecution", default=False) is not True,
    )
