"""Tools of servers that would fill the window: held back from requests until ToolSearch finds them.

Two hundred tools cost more than most conversations. All of them go along while they fit a share of the window; once
they do not, only their names do. A tool that is held back can be called all the same: holding back saves room, it
forbids nothing.
"""

from collections.abc import Callable, Iterable, Mapping

from ..context.tokens import CHARACTERS_A_TOKEN, size_of_tool
from ..protocol.tools import Tool
from .base import SchemaTool

UNKNOWN_WINDOW = 8_000
"""Tokens for the tools of servers while nobody knows how large the window is."""

_USUAL_SHARE = 0.10
_NEVER = frozenset({"false", "0", "no", "off"})
_ALWAYS = frozenset({"true", "1", "yes", "on"})


def share_of_window(environment: Mapping[str, str]) -> float | None:
    """How much of the window tools of servers may fill, by ENABLE_TOOL_SEARCH: `auto:N` percent, `true` 0; `false`
    is None, no limit."""
    word = environment.get("ENABLE_TOOL_SEARCH", "").strip().lower()
    percent = word.removeprefix("auto:")
    if word in _NEVER:
        return None
    if word in _ALWAYS:
        return 0.0
    return min(int(percent), 100) / 100 if percent.isdecimal() else _USUAL_SHARE


class Deferral:
    """Decides which tools of servers go with a request.

    Once they did not all fit they stay held back, so that the tools at the head of a cached request stay the same.
    """

    def __init__(self) -> None:
        self._window: Callable[[], int] = lambda: 0
        self._share: float | None = _USUAL_SHARE
        self._found: set[str] = set()
        self._sizes: dict[int, tuple[Tool, int]] = {}
        self.is_on = False

    @property
    def budget(self) -> int:
        """Tokens that the tools of servers may take in a request; 0 where there is no limit."""
        if self._share is None:
            return 0
        return max(1, round(self._share * self._window()) if self._window() or not self._share else UNKNOWN_WINDOW)

    def measure(self, window: Callable[[], int], share: float | None) -> None:
        """Take this share of the model's window, which `window` gives in tokens (0 while unknown); None: no limit."""
        self._window, self._share = window, share

    def find(self, names: Iterable[str]) -> None:
        """These tools go along from now on."""
        self._found.update(names)

    def held_back(self, tools: Iterable[Tool]) -> frozenset[str]:
        """The names of the tools that do not go with the next request."""
        waiting = [tool for tool in tools if isinstance(tool, SchemaTool) and tool.can_wait]
        if not self.is_on:
            self.is_on = bool(waiting) and 0 < self.budget < sum(map(self._tokens, waiting))
        if not self.is_on:
            return frozenset()
        return frozenset(tool.name for tool in waiting if tool.name not in self._found)

    def _tokens(self, tool: Tool) -> int:
        known = self._sizes.get(id(tool))
        if known is None or known[0] is not tool:
            known = self._sizes[id(tool)] = (tool, round(size_of_tool(tool.spec) / CHARACTERS_A_TOKEN))
        return known[1]
