"""How long a hook may take."""

from collections.abc import Iterable, Mapping

from rein_tui.harness.protocol.hooks import HookSpec

from .points import default_timeout

SESSION_END_BUDGET = 1.5
"""Seconds that all SessionEnd hooks share: nobody wants to wait for a program that is going."""

MAX_SESSION_END_BUDGET = 60.0
"""Seconds to which a settings file can raise it."""

_VARIABLE = "CLAUDE_CODE_SESSIONEND_HOOKS_TIMEOUT_MS"


def timeout_of(spec: HookSpec, budget: float | None = None) -> float:
    """Seconds that one run may take. What an entry says is not clamped, except by a shared budget."""
    if budget is not None:
        return min(budget, spec.timeout or budget)
    return spec.timeout if spec.timeout is not None else default_timeout(spec.point, spec.handler)


def session_end_budget(specs: Iterable[HookSpec], variables: Mapping[str, str]) -> float:
    """Seconds that these SessionEnd hooks share.

    The largest timeout in a settings file raises it, a plugin's does not; an environment variable decides alone.
    """
    wished = variables.get(_VARIABLE, "")
    if wished.isdecimal() and int(wished) > 0:
        return int(wished) / 1000
    own = (spec.timeout for spec in specs if spec.timeout and not (spec.plugin_id or spec.owner))
    return min(max([SESSION_END_BUDGET, *own]), MAX_SESSION_END_BUDGET)
