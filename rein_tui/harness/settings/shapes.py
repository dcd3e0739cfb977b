"""Narrow decoded JSON for the type checker."""

from typing import Any, TypeGuard

from rein_tui.harness.protocol.base import JsonObject


def is_object(value: Any) -> TypeGuard[JsonObject]:
    """Whether a JSON value is an object."""
    return isinstance(value, dict)


def is_list(value: Any) -> TypeGuard[list[Any]]:
    """Whether a JSON value is a list."""
    return isinstance(value, list)
