"""How settings of several layers become one value.

Scalars: the highest layer that sets them. Lists: joined, without repeats. Objects: key by key. Hooks: appended,
never replaced. A few keys are taken whole. Knows no files.
"""

from collections.abc import Iterable, Sequence
from typing import Any, TypeAlias

from rein_tui.harness.protocol.base import JsonObject

from .shapes import is_list, is_object

Way: TypeAlias = tuple[str, ...]

WHOLE: frozenset[Way] = frozenset({("fallbackModel",), ("statusLine",), ("fileSuggestion",)})
"""Values that the highest layer sets as a whole."""

WHOLE_ENTRIES: frozenset[Way] = frozenset({("extraKnownMarketplaces",), ("pluginConfigs",)})
"""Objects whose entries are not merged further."""

APPENDED: frozenset[Way] = frozenset({("hooks",)})
"""Objects of lists in which repeats are kept: two layers may run the same hook."""


def merge(values: Sequence[Any], way: Way = ()) -> Any:
    """Merge values of one key, highest layer first. Where kinds differ, the highest layer's kind counts."""
    if not values:
        return None
    first = values[0]
    if way in WHOLE:
        return first
    same = [value for value in values if type(value) is type(first)]
    if is_list(first):
        items = [item for value in same for item in value]
        return items if way[:1] in APPENDED else without_repeats(items)
    if is_object(first):
        if way[:-1] in WHOLE_ENTRIES:
            return first
        return merge_objects(same, way)
    return first


def merge_objects(objects: Sequence[JsonObject], way: Way = ()) -> JsonObject:
    """Merge objects key by key, highest layer first; `null` sets nothing."""
    result: JsonObject = {}
    for key in _keys(objects):
        values = [value[key] for value in objects if value.get(key) is not None]
        if values:
            result[key] = merge(values, (*way, key))
    return result


def without_repeats(items: Iterable[Any]) -> list[Any]:
    """The items in order, each once. Compares JSON values by kind and content (True is not 1)."""
    result: list[Any] = []
    seen: set[str] = set()
    for item in items:
        key = _key(item)
        if key not in seen:
            seen.add(key)
            result.append(item)
    return result


def _keys(objects: Iterable[JsonObject]) -> list[str]:
    return list(dict.fromkeys(key for value in objects for key in value))


def _key(item: Any) -> str:
    if is_object(item):
        return "{" + ",".join(f"{name!r}:{_key(item[name])}" for name in sorted(item)) + "}"
    if is_list(item):
        return "[" + ",".join(_key(value) for value in item) + "]"
    return repr(item)
