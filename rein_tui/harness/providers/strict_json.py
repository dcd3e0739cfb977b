"""JSON as it must be before anything runs on it: one object, no key twice, nothing that JSON does not know.

`read_object` is for tool input and refuses whatever is doubtful. `read_event` is for the envelopes of a stream,
where a server's small sins (NaN, half an emoji) must not cost the answer.
"""

import json
from typing import Any, NoReturn, cast

import msgspec

from ..protocol.base import JsonObject


def read_object(raw: str) -> JsonObject:
    """The one object that `raw` holds. Raises ValueError saying what is wrong, in words for the model."""
    try:
        value = json.loads(raw, object_pairs_hook=_unique, parse_constant=_refuse)
    except RecursionError:
        raise ValueError("the JSON is nested too deeply") from None
    found = _as_object(value)
    if "\\ud" in raw.lower() and _has_lone_surrogate(found):
        raise ValueError("a string holds half of a surrogate pair")
    return found


def read_event(data: bytes) -> JsonObject:
    """A stream's envelope. Raises ValueError when it is not a JSON object."""
    try:
        value: Any = msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError):
        value = _lenient(data)
    return _as_object(value)


def child(value: JsonObject, key: str) -> JsonObject:
    """The object under `key`, or an empty one: envelopes are read leniently, field by field."""
    found = value.get(key)
    return cast(JsonObject, found) if isinstance(found, dict) else {}


def children(value: JsonObject, key: str) -> list[JsonObject]:
    """The objects in the array under `key`; anything else in it is skipped."""
    found = value.get(key)
    if not isinstance(found, list):
        return []
    return [cast(JsonObject, item) for item in cast(list[Any], found) if isinstance(item, dict)]


def text(value: JsonObject, key: str) -> str:
    """The string under `key`, or empty."""
    found = value.get(key)
    return found if isinstance(found, str) else ""


def strings(value: JsonObject, key: str) -> tuple[str, ...]:
    """The strings in the array under `key`."""
    found = value.get(key)
    return tuple(item for item in cast(list[Any], found) if isinstance(item, str)) if isinstance(found, list) else ()


def number(value: JsonObject, key: str) -> int:
    """The count under `key`, or 0; never negative."""
    found = value.get(key)
    return max(0, int(found)) if isinstance(found, int | float) and not isinstance(found, bool) else 0


def _lenient(data: bytes) -> Any:
    try:
        value = json.loads(data.decode("utf-8", "replace"))
        # Half a surrogate pair cannot be stored or drawn: it becomes a question mark.
        return json.loads(json.dumps(value, ensure_ascii=False).encode("utf-8", "replace"))
    except RecursionError:
        raise ValueError("the JSON is nested too deeply") from None


def _unique(pairs: list[tuple[str, Any]]) -> JsonObject:
    found = dict(pairs)
    if len(found) != len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))
        raise ValueError(f"the key {twice!r} stands twice")
    return found


def _refuse(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _has_lone_surrogate(value: JsonObject) -> bool:
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return True
    return False


def _as_object(value: Any) -> JsonObject:
    if not isinstance(value, dict):
        raise ValueError(f"a JSON object is needed, not {_kind(value)}")  # noqa: TRY004 - it is about the text
    return cast(JsonObject, value)


def _kind(value: object) -> str:
    match value:
        case None:
            return "null"
        case str():
            return "a string"
        case list():
            return "an array"
        case bool():
            return "a boolean"
        case _:
            return "a number"
