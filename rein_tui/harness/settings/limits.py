"""What a value of the right kind may be, for the keys where the kind is not all. A table; `check.py` applies it.

Each of these only says how a model is reached or asked: a value that means nothing is left out, and what holds
without it holds.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, get_args

from rein_tui.harness.providers.anthropic_wire import EFFORTS, AuthHeader

_HEADER_VALUE = re.compile(r"[\x20-\x7e]*")


@dataclass(frozen=True, slots=True)
class Limit:
    """Which values are meant; `expected` says so to a person."""

    fits: Callable[[Any], bool]
    expected: str


def _one_of(values: Iterable[str]) -> Limit:
    known = tuple(values)
    return Limit(lambda value: value in known, f"one of {', '.join(known)}")


_COUNT = Limit(lambda value: 0 <= value <= 10**9, "a number of tokens")
_DAY = 86_400

LIMITS: dict[str, Limit] = {
    "authHeader": _one_of(get_args(AuthHeader)),
    "anthropicVersion": Limit(lambda value: _HEADER_VALUE.fullmatch(value) is not None, "what a header may hold"),
    "idleTimeoutSeconds": Limit(lambda value: 0 < value <= _DAY, "a number of seconds, above 0 and at most a day"),
    "numCtx": _COUNT,
    "contextWindow": _COUNT,
    "effortLevel": _one_of(EFFORTS),
}
