"""The `if` of a handler: exactly one permission rule that narrows it down to some calls of a tool."""

import re
from collections.abc import Callable
from typing import TypeAlias

from rein_tui.harness.protocol.base import JsonObject

MatchesRule: TypeAlias = Callable[[str, str, JsonObject], bool | None]
"""Whether a permission rule fits a tool and its input; None when that cannot be told."""

_FILE_TOOLS = frozenset({"Read", "Grep", "Glob", "Edit", "Write", "MultiEdit", "NotebookEdit"})
_RULE = re.compile(r"\s*([A-Za-z_][\w*-]*)\s*(\(.*\))?\s*", re.DOTALL)


def condition_problem(condition: str) -> str:
    """Why a condition cannot be used, or empty."""
    return "" if _RULE.fullmatch(condition) else "`if` must be exactly one permission rule, such as Bash(git *)"


def holds(condition: str, tool: str, tool_input: JsonObject, matches_rule: MatchesRule | None) -> bool:
    """Whether the handler should run. What cannot be told runs: a condition narrows, it does not protect."""
    rule = _RULE.fullmatch(condition)
    if rule is None:
        return True
    if matches_rule is not None:
        return matches_rule(condition.strip(), tool, tool_input) is not False
    # Without the rule engine only plainly another tool can be told; file rules reach over several tools.
    named = rule[1]
    return named == tool or "*" in named or (named in _FILE_TOOLS and tool in _FILE_TOOLS)
