"""The built-in subagents; their system prompts stand beside as markdown."""

from functools import cache
from pathlib import Path

from ..protocol.agents import AgentSpec

_READING = ("Read", "Grep", "Glob", "Bash", "WebFetch", "Skill", "ListMcpResourcesTool", "ReadMcpResourceTool")

WITHOUT_MEMORY = frozenset({"Explore", "Plan"})
"""Agents that look at the code with their own eyes: what the memory files say is not told to them."""


@cache
def builtin_agents() -> dict[str, AgentSpec]:
    """general-purpose, Explore and Plan."""
    return {
        "general-purpose": AgentSpec(
            name="general-purpose",
            description="Any piece of work that stands on its own: research, a change in several files, a review.",
            prompt=_prompt("general"),
        ),
        "Explore": AgentSpec(
            name="Explore",
            description="Finds out about a codebase and reports; changes nothing. Say how thorough it should be.",
            prompt=_prompt("explore"),
            tools=_READING,
            mode="plan",
        ),
        "Plan": AgentSpec(
            name="Plan",
            description="Designs a change before it is made: steps, files, risks; changes nothing.",
            prompt=_prompt("plan"),
            tools=_READING,
            mode="plan",
        ),
    }


def _prompt(name: str) -> str:
    return (Path(__file__).parent / f"{name}.md").read_text(encoding="utf-8").strip()
