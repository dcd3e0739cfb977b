"""Tool schemas as model servers take them: an object at the root, of bounded size."""

import json
from typing import Any

from ...protocol.base import JsonObject
from ...settings.shapes import is_list, is_object

LARGEST = 64 * 1024
"""Characters of a schema; one that is larger is replaced by "any object"."""

_COMBINERS = ("anyOf", "oneOf", "allOf")


def flattened(schema: JsonObject) -> JsonObject:
    """The schema with `type: object` at its root and no combination there; alternatives become one object."""
    if len(json.dumps(schema, default=str)) > LARGEST:
        return {"type": "object", "properties": {}, "additionalProperties": True}
    combined: list[tuple[str, list[JsonObject]]] = []
    for key in _COMBINERS:
        parts = schema.get(key)
        if is_list(parts):
            combined.append((key, [part for part in parts if is_object(part)]))
    rest = {key: value for key, value in schema.items() if key not in _COMBINERS}
    properties: JsonObject = {}
    required: list[str] = []
    for key, parts in combined:
        for part in parts:
            properties = _members(part) | properties
        wanted = [set(_required(part)) for part in parts]
        if wanted:
            both = set[str].union(*wanted) if key == "allOf" else set[str].intersection(*wanted)
            required += sorted(both)
    rest["type"] = "object"
    rest["properties"] = properties | _members(schema)
    needed = list(dict.fromkeys([*_required(schema), *required]))
    if needed:
        rest["required"] = needed
    else:
        rest.pop("required", None)
    return rest


def _members(schema: JsonObject) -> JsonObject:
    found = schema.get("properties")
    return found if is_object(found) else {}


def _required(schema: JsonObject) -> list[str]:
    found: Any = schema.get("required")
    return [str(name) for name in found] if is_list(found) else []
