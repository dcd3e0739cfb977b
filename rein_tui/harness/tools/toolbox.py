"""The tools of a session: found by name or by an older name, added and removed while it runs."""

import difflib
from collections.abc import Iterable, Iterator

from ..protocol.messages import ToolSpec
from ..protocol.tools import Tool
from .deferral import Deferral
from .tool_search import ToolSearch

ALIASES = {
    "Task": "Agent",
    "BashOutput": "TaskOutput",
    "AgentOutput": "TaskOutput",
    "KillShell": "TaskStop",
    "KillBash": "TaskStop",
}
"""Names that tools had earlier, as they still stand in rules, matchers and models' habits."""


class Toolbox:
    """Tools by name, in the order in which the model sees them. `deferral` holds tools of servers back."""

    def __init__(self, tools: Iterable[Tool] = ()) -> None:
        self.deferral = Deferral()
        self._removed: frozenset[str] = frozenset()
        self._search = ToolSearch(self.deferral, self._waiting)
        self._tools: dict[str, Tool] = {}
        for tool in tools:
            self.add(tool)

    def __iter__(self) -> Iterator[Tool]:
        return iter(tuple(self._tools.values()))

    def __contains__(self, name: str) -> bool:
        return self.get(name) is not None

    def get(self, name: str) -> Tool | None:
        """The tool of that name, or of the name that an old one became."""
        found = self._tools.get(name) or self._tools.get(ALIASES.get(name, ""))
        return self._search if found is None and name == self._search.name and self.deferral.is_on else found

    def add(self, tool: Tool) -> None:
        """Add a tool, or put it in the place of one with the same name."""
        self._tools[tool.name] = tool

    def remove(self, name: str) -> bool:
        """Take a tool away; whether it was there."""
        return self._tools.pop(name, None) is not None

    def specs(self, removed: frozenset[str] = frozenset(), *, everything: bool = False) -> tuple[ToolSpec, ...]:
        """The tools as the model sees them, without those that policy removed (by any of their names).

        `everything`: also those that are held back, for an agent that names its tools.
        """
        self._removed = gone = removed | {ALIASES[name] for name in removed if name in ALIASES}
        offered = [tool for name, tool in self._tools.items() if name not in gone]
        held_back = frozenset[str]() if everything else self.deferral.held_back(offered)
        specs = tuple(tool.spec for tool in offered if tool.name not in held_back)
        return (*specs, self._search.spec) if held_back and self._search.name not in gone else specs

    def held_back(self) -> int:
        """How many tools wait for ToolSearch."""
        return len(self._waiting())

    def _waiting(self) -> tuple[Tool, ...]:
        offered = [tool for name, tool in self._tools.items() if name not in self._removed]
        names = self.deferral.held_back(offered)
        return tuple(tool for tool in offered if tool.name in names)

    def unknown(self, name: str) -> str:
        """What to tell a model that asked for a tool that is not there."""
        by_case = {known.lower(): known for known in self._tools}
        near = difflib.get_close_matches(name.lower(), by_case, n=1, cutoff=0.6)
        hint = f" Did you mean {by_case[near[0]]}?" if near else ""
        return f"Unknown tool {name!r}.{hint} Available tools: {', '.join(self._tools)}."
