"""The setting `agent`: the session itself works as one of the agents, with its prompt, tools, model and hooks."""

from collections.abc import Mapping

from ..protocol.agents import AgentSpec
from ..protocol.decisions import Mode
from ..protocol.events import Notice
from ..settings.layers import Settings
from ..turn.parts import Parts
from ..turn.subagents import ToolSubset


def lead_of(settings: Settings, agents: Mapping[str, AgentSpec]) -> tuple[AgentSpec | None, list[Notice]]:
    """The agent that settings name, if there is such a one, and what is wrong with the name."""
    name = settings.get("agent", default="")
    if not name:
        return None, []
    spec = agents.get(name)
    if spec is not None:
        return spec, _unmet(spec)
    where = str(settings.origin("agent") or "")
    text = f"There is no agent {name!r}: the session works as usual."
    return None, [Notice(level="warning", text=text, where=where, hint="/agents lists them.", code="no_such_agent")]


def _unmet(spec: AgentSpec) -> list[Notice]:
    if not spec.is_isolated:
        return []
    text = f"isolation of the agent {spec.name} means nothing where it leads the session: it works in this folder"
    return [Notice(level="warning", text=text, where=str(spec.source), code="bad_agent_key")]


def mode_of(spec: AgentSpec) -> Mode | None:
    """The mode that it brings; a project's agent cannot loosen the session that it leads."""
    is_loose = spec.mode in ("acceptEdits", "bypassPermissions")
    return None if is_loose and spec.source.layer not in ("user", "managed") else spec.mode


def follow_lead(parts: Parts, spec: AgentSpec) -> None:
    """Let a session's parts be those of the agent. Flags of the command line that were given before win."""
    parts.tools = ToolSubset(parts.tools, spec, never=frozenset())
    parts.effort = parts.effort or spec.effort
    parts.max_steps = parts.max_steps or spec.max_turns
