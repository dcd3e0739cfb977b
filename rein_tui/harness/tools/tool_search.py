"""ToolSearch: the model finds the tools of servers that are held back, and gets them into its list."""

import re
from collections.abc import Callable, Sequence
from typing import Annotated

import msgspec

from ..context.tokens import CHARACTERS_A_TOKEN
from ..protocol.messages import ToolSpec
from ..protocol.tools import Tool, ToolContext, ToolResult
from .base import BaseTool, ToolInput, one_line
from .deferral import Deferral

SERVERS = "mcp"
"""The source under which the tool itself counts: among the tools of servers, whose budget it shares."""

_SELECT = "select:"
_SHOWN = 160


class ToolSearchInput(ToolInput, frozen=True, kw_only=True):
    """What for."""

    query: Annotated[str, msgspec.Meta(description="Words, or select:NAME,NAME", min_length=1)]
    max_results: Annotated[int, msgspec.Meta(ge=1, le=20)] = 5


class ToolSearch(BaseTool[ToolSearchInput]):
    """Looks through the tools that wait; `waiting` gives them as of now."""

    name = "ToolSearch"
    input_type = ToolSearchInput
    read_only = True

    def __init__(self, deferral: Deferral, waiting: Callable[[], Sequence[Tool]]) -> None:
        self._deferral = deferral
        self._waiting = waiting

    @property
    def spec(self) -> ToolSpec:
        """With the names that wait, as far as half of the budget goes."""
        room = round(self._deferral.budget * CHARACTERS_A_TOKEN / 2)
        text = f"{super().spec.description}\nTools that wait:\n{_names(self._waiting(), room)}"
        return msgspec.structs.replace(super().spec, description=text, source=SERVERS)

    async def run(self, value: ToolSearchInput, context: ToolContext) -> ToolResult:
        """Search, and let what was found go along."""
        waiting = self._waiting()
        found = _search(waiting, value.query)[: value.max_results]
        if not found:
            text = f"No tool fits {value.query!r}. {len(waiting)} wait: try other words, or the name of a server."
            return ToolResult(content=text)
        self._deferral.find(tool.name for tool in found)
        lines = [f"- {tool.name}: {one_line(tool.spec.description, _SHOWN)}" for tool in found]
        response = {"matches": [tool.name for tool in found], "query": value.query}
        return ToolResult(content="You can call these now:\n" + "\n".join(lines), response=response)


def _names(tools: Sequence[Tool], room: int) -> str:
    """The names by server; of a server whose names do not fit, how many there are."""
    servers: dict[str, list[str]] = {}
    for tool in tools:
        servers.setdefault(tool.spec.source.partition(":")[2], []).append(tool.name)
    lines: list[str] = []
    for server, names in servers.items():
        line = ", ".join(names)
        room -= len(line)
        lines.append(line if room >= 0 else f"{len(names)} tools of the server {server}")
    return "\n".join(lines)


def _search(tools: Sequence[Tool], query: str) -> list[Tool]:
    """The tools that fit about as well as the best one, the best first."""
    if query.startswith(_SELECT):
        wanted = {name.strip() for name in query.removeprefix(_SELECT).split(",")}
        return [tool for tool in tools if tool.name in wanted or tool.name.rpartition("__")[2] in wanted]
    words = _words(query)
    scores = {tool.name: _score(words, tool) for tool in tools}
    enough = max(scores.values(), default=0) / 2
    return sorted((tool for tool in tools if scores[tool.name] > enough), key=lambda tool: -scores[tool.name])


def _score(words: Sequence[str], tool: Tool) -> int:
    """A word in the name counts four times one in the description; the beginning of a word is enough."""
    named, described = _words(tool.name), _words(tool.spec.description)
    return sum(4 * _is_among(word, named) + _is_among(word, described) for word in words)


def _is_among(word: str, others: Sequence[str]) -> bool:
    return any(other.startswith(word) if len(word) > 2 else other == word for other in others)


def _words(text: str) -> list[str]:
    return [word for word in re.split(r"[\W_]+", text.lower()) if word]
