"""Narrowing decoded JSON: what came from a file, a program or a server may have any shape."""

from typing import TypeGuard

from rein_tui.harness.protocol.base import JsonObject


def is_object(value: object) -> TypeGuard[JsonObject]:
    """Whether a decoded JSON value is an object."""
    return isinstance(value, dict)


def is_list(value: object) -> TypeGuard[list[object]]:
    """Whether a decoded JSON value is an array."""
    return isinstance(value, list)
