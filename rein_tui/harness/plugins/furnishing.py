"""How a session is furnished with what files and plugins bring: the Skill tool, `/name`, agents, hooks, programs."""

from collections.abc import AsyncGenerator, Callable, Generator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from msgspec import structs

from ..agents import builtin_agents
from ..hooks.config import for_subagent
from ..hooks.engine import Hooks
from ..protocol.agents import AgentSpec
from ..protocol.base import JsonObject
from ..protocol.decisions import Rule
from ..protocol.events import ContextPrepared
from ..protocol.ports import Emit
from ..protocol.tools import Workspace
from ..settings.layers import Settings
from ..turn.outfit import Outfit, Outfitter
from ..turn.parts import Parts
from . import agent_memory
from .extensions import Extensions
from .invocation import Attach, Usage
from .listing import Budget
from .mcp.for_agents import AgentServers
from .rendering import Scene
from .worktrees import Worktree, worktree

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

    def brief(self, spec: AgentSpec, workspace: Workspace) -> ContextPrepared:
        """The system prompt of a subagent: its own, its skills, and where it works. Raises ConfigError."""
        skills = self.extensions.preloaded(spec, self.scene(""))
        place = f"Working directory: {workspace.cwd}"
        text = "\n\n".join(part for part in (self.extensions.agent_prompt(spec), *skills, place) if part)
        return ContextPrepared(system=text, sources={f"agent {spec.name}": len(text)})

    def lead_words(self, spec: AgentSpec) -> str:
        """The same of an agent that leads the session, with what it remembers. Raises ConfigError."""
        words = self.brief(spec, self.workspace).system
        return f"{words}\n\n{agent_memory.words_of(spec, self._memory_of(spec))}" if spec.memory else words

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

    def outfit(self, hooks: Hooks, servers: Callable[[], AgentServers]) -> Outfitter:
        """Gives an agent what its file brings while it runs: hooks, servers, a memory, a checkout of its own."""

        @asynccontextmanager
        async def outfitted(spec: AgentSpec, agent_id: str, emit: Emit) -> AsyncGenerator[Outfit]:
            outfit, tree = Outfit(), None
            try:
                async with AsyncExitStack() as stack:
                    stack.enter_context(_hooked(hooks, spec, agent_id))
                    if spec.memory:
                        self._remember(spec, outfit)
                    if spec.is_isolated:
                        tree = await stack.enter_async_context(worktree(self.workspace, spec.name))
                        self._move(tree, spec, outfit)
                    if spec.servers:
                        said = await stack.enter_async_context(servers().of(spec, outfit.tools, emit))
                        outfit.words += ("# How to use the MCP servers", *said) if said else ()
                    yield outfit
            finally:
                outfit.farewell = tree.left if tree is not None else ""

        return outfitted

    def _remember(self, spec: AgentSpec, outfit: Outfit) -> None:
        """Its memory belongs to the project, also where it works in a checkout of its own."""
        folder = self._memory_of(spec)
        outfit.words += (agent_memory.words_of(spec, folder),)
        outfit.rules += _may_read(folder, spec)

    def _memory_of(self, spec: AgentSpec) -> Path:
        return agent_memory.folder_of(spec, self.extensions.scene.places, self.workspace.root)

    def _move(self, tree: Worktree, spec: AgentSpec, outfit: Outfit) -> None:
        """It works in its checkout, and may look at the project beside it."""
        root = self.workspace.root
        outfit.workspace = tree.workspace
        outfit.rules += _may_read(root, spec)
        outfit.words += (
            f"You work in a checkout of your own, {tree.path}, on the branch {tree.branch}. A path of the project "
            f"at {root} that you are given means the same file in your checkout.",
        )


def _may_read(folder: Path, spec: AgentSpec) -> tuple[Rule, ...]:
    """A rule that lets an agent look into a folder; none for a name that would mean more in a rule."""
    if set(str(folder)) & set("*?[]{}()\\!"):
        return ()
    return (
        Rule(text=f"Read(/{folder}/**)", behavior="allow", source=structs.replace(spec.source, layer="frontmatter")),
    )


@contextmanager
def _hooked(hooks: Hooks, spec: AgentSpec, agent_id: str) -> Generator[None]:
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
        window=window,
        budget=Budget(
            fraction=fraction if isinstance(fraction, int | float) else 0.01,
            longest=longest if isinstance(longest, int) else 1536,
            characters=int(characters) if characters.isdecimal() else 0,
        ),
        may_run_shell=settings.get("disableSkillShellExecution", default=False) is not True,
    )
