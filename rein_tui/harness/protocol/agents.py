"""Subagents as words."""

from typing import Any, Literal, TypeAlias

from .base import Word
from .decisions import Mode, Source
from .hooks import HookSpec

MemoryScope: TypeAlias = Literal["", "user", "project", "local"]


class AgentServer(Word, frozen=True, kw_only=True):
    """An MCP server that an agent names: one of the session's, or (`entry`) one that runs for this agent alone."""

    name: str
    source: Source
    entry: Any = None


class AgentSpec(Word, frozen=True, kw_only=True):
    """A kind of subagent: who it is, what it may call, where it is written.

    `tools` None means all that the session has; entries may be unknown names, which are ignored. `model` is empty
    or `inherit` for the session's. `prompt` is its system prompt. `max_turns` 0 means no limit of its own. `memory`
    says whose folder it remembers in. `is_isolated`: it works in a checkout of its own. `initial_prompt` goes before
    the first prompt of a session that it leads.
    """

    name: str
    description: str
    prompt: str = ""
    tools: tuple[str, ...] | None = None
    disallowed: tuple[str, ...] = ()
    model: str = ""
    effort: str = ""
    mode: Mode | None = None
    max_turns: int = 0
    background: bool = False
    skills: tuple[str, ...] = ()
    hooks: tuple[HookSpec, ...] = ()
    servers: tuple[AgentServer, ...] = ()
    memory: MemoryScope = ""
    is_isolated: bool = False
    initial_prompt: str = ""
    source: Source = Source(layer="builtin")
    plugin_id: str = ""
