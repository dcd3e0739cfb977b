"""From msgspec types to the small JSON schemas that models get, and from validation errors to their words."""

import re
from typing import Any, cast

import msgspec

from ..protocol.base import JsonObject

_MISSING = re.compile(r"^Object missing required field `([^`]+)`(?: - at `\$\.?([^`]*)`)?$")
_ENUM = re.compile(r"^Invalid enum value (.*?) - at `\$\.?([^`]*)`$")
_EXPECTED = re.compile(r"^Expected `([^`]+)`(.*?)(?: - at `\$\.?([^`]*)`)?$")
_NOISE = frozenset({"title", "default"})
_JSON_NAMES = {"str": "string", "int": "integer", "bool": "boolean", "float": "number", "object": "object"}


def input_schema(input_type: type[Any]) -> JsonObject:
    """The JSON schema of a Struct: references inlined, titles and defaults left out, optional means not required."""
    (schema,), parts = msgspec.json.schema_components([input_type], ref_template="{name}")
    inlined = _inline(schema, parts)
    inlined.pop("description", None)
    return inlined


def _inline(node: Any, parts: dict[str, Any]) -> Any:
    if isinstance(node, list):
        return [_inline(item, parts) for item in cast("list[Any]", node)]
    if not isinstance(node, dict):
        return node
    found = cast("JsonObject", node)
    if "$ref" in found:
        rest = {k: v for k, v in found.items() if k != "$ref"}
        found = {k: v for k, v in parts[found["$ref"]].items() if k != "description"} | rest
    if "anyOf" in found:
        choices = [c for c in found["anyOf"] if c != {"type": "null"}]
        rest = {k: v for k, v in found.items() if k != "anyOf"}
        found = rest | (choices[0] if len(choices) == 1 else {"anyOf": choices})
        if "$ref" in found:
            return _inline(found, parts)
    if all(isinstance(choice, str) for choice in found.get("enum", (0,))):
        found = {"type": "string"} | found
    # Field names live below "properties": a field called "title" must survive.
    kept: JsonObject = {k: _inline(v, parts) for k, v in found.items() if k not in _NOISE and k != "properties"}
    if "properties" in found:
        properties = cast("JsonObject", found["properties"])
        kept["properties"] = {name: _inline(value, parts) for name, value in properties.items()}
    if not kept.get("required", True):
        del kept["required"]
    return kept


def explain(tool: str, error: str, raw: JsonObject, schema: JsonObject) -> str:
    """A validation error in words for the model: which field, what was expected, which fields there are."""
    fields: JsonObject = schema.get("properties", {})
    if found := _MISSING.match(error):
        name, where = found.groups()
        if where:
            return f'{tool}: missing required field "{name}" in {where}'
        unknown = [key for key in raw if key not in fields]
        hint = f"; unknown: {', '.join(map(repr, unknown))}" if unknown else ""
        return f'{tool}: missing required field "{name}" (fields: {", ".join(fields)}{hint})'
    if found := _EXPECTED.match(error):
        expected, rest, where = found.groups()
        wanted = " or ".join(
            _JSON_NAMES.get(part.strip(), part.strip()) for part in expected.split("|") if part.strip() != "null"
        )
        got = re.sub(r"`(\w+)`", lambda m: _JSON_NAMES.get(m[1], m[1]), rest)
        return f'{tool}: field "{where or "input"}": expected {wanted}{got}'
    if found := _ENUM.match(error):
        value, where = found.groups()
        choices = ", ".join(map(str, fields.get(where, {}).get("enum", ())))
        return f'{tool}: field "{where}": {value} is not one of the choices{f": {choices}" if choices else ""}'
    return f"{tool}: {error}"
