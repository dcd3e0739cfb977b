"""Narrowing decoded JSON: what came from a file, a program or a server may have any shape."""

import json
from typing import NoReturn, TypeGuard

from rein_tui.harness.protocol.base import JsonObject

MAX_DEPTH = 64
"""Levels of nesting that a hook's JSON may have."""


def is_object(value: object) -> TypeGuard[JsonObject]:
    """Whether a decoded JSON value is an object."""
    return isinstance(value, dict)


def is_list(value: object) -> TypeGuard[list[object]]:
    """Whether a decoded JSON value is an array."""
    return isinstance(value, list)


def read_json(text: str) -> object:
    """Decode JSON from a hook into values that can be stored. Raises ValueError, RecursionError.

    Half a surrogate pair (a cut emoji) is replaced, a number beyond 64 bits becomes a float; NaN and nesting
    beyond MAX_DEPTH are refused.
    """
    return _plain(json.loads(text, parse_constant=_refuse, parse_int=_integer), MAX_DEPTH)


def _refuse(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _integer(digits: str) -> int | float:
    return int(digits) if len(digits) <= 18 else float(digits)


def _plain(value: object, depth: int) -> object:
    if not depth:
        raise ValueError("nested too deeply")
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if is_list(value):
        return [_plain(item, depth - 1) for item in value]
    if is_object(value):
        return {str(_plain(key, depth)): _plain(item, depth - 1) for key, item in value.items()}
    return value
