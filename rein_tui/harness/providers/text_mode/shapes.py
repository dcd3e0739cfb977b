"""A decoded value → calls, by the keys that models use for a call's name and its arguments."""

import re
from dataclasses import dataclass, replace
from typing import Any, cast

from ...protocol.base import JsonObject
from ..strict_json import child
from .lenient import Repair, load

NAME_KEYS = ("name", "tool_name", "function_name", "tool", "function", "action", "recipient_name", "command_name")
ARGUMENT_KEYS = (
    "arguments",
    "parameters",
    "input",
    "args",
    "params",
    "action_input",
    "tool_input",
    "tool_args",
    "function_args",
    "kwargs",
)
_WRAPPERS = ("tool_calls", "tool_call", "function_call", "function", "calls", "tool_uses")
_BESIDE = frozenset({"type", "id", "tool_call_id", "call_id", "index", "thought", "reasoning", "explanation"})


@dataclass(frozen=True, slots=True)
class RawCall:
    """A call as it was written. `typed` false: its values are text, and the schema says what they are.

    `beside`: the arguments stood beside the name, so that any object with a name looks like this.
    """

    name: str
    arguments: JsonObject
    repairs: tuple[Repair, ...] = ()
    typed: bool = True
    problem: str = ""
    raw: str = ""
    beside: bool = False


@dataclass(frozen=True, slots=True)
class Found:
    """What stood at one place, and is no prose: calls in order, thinking, or neither (a stray token)."""

    calls: tuple[RawCall, ...] = ()
    thinking: str = ""
    dialect: str = ""


def is_definition(value: Any) -> bool:
    """Whether a value describes a tool, or several, as a model does that is asked what it can do."""
    if isinstance(value, list):
        return bool(cast(list[Any], value)) and all(is_definition(item) for item in cast(list[Any], value))
    if not isinstance(value, dict):
        return False
    found = cast(JsonObject, value)
    if isinstance(found.get("function"), dict):
        return is_definition(found["function"])
    schemas = [child(found, key) for key in ("parameters", "input_schema", "inputSchema")]
    return any(schema.get("type") == "object" and isinstance(schema.get("properties"), dict) for schema in schemas)


def calls_in(value: Any, repairs: tuple[Repair, ...] = ()) -> tuple[RawCall, ...]:
    """The calls that a value stands for; none when it is something else."""
    if isinstance(value, list):
        each = [calls_in(item, repairs) for item in cast(list[Any], value)]
        return tuple(call for calls in each for call in calls) if all(each) else ()
    if not isinstance(value, dict):
        return ()
    found = cast(JsonObject, value)
    if is_definition(found):
        return ()
    for key in _WRAPPERS:
        if isinstance(found.get(key), dict | list) and key in found:
            return calls_in(found[key], repairs)
    name_key = next((key for key in NAME_KEYS if isinstance(found.get(key), str) and found[key]), "")
    if name_key:
        return _named(found, name_key, repairs)
    if len(found) == 1:
        ((name, arguments),) = found.items()
        if isinstance(arguments, dict):
            step = Repair("the name stood as the key")
            return (RawCall(name=name, arguments=cast(JsonObject, arguments), repairs=(*repairs, step)),)
    return ()


def _named(found: JsonObject, name_key: str, repairs: tuple[Repair, ...]) -> tuple[RawCall, ...]:
    name = found[name_key]
    for key in ARGUMENT_KEYS:
        if key in found and key != name_key:
            return (with_arguments(RawCall(name=name, arguments={}, repairs=repairs), found[key]),)
    rest = {key: item for key, item in found.items() if key != name_key and key not in _BESIDE}
    if rest:
        repairs = (*repairs, Repair("the arguments stood beside the name"))
    return (RawCall(name=name, arguments=rest, repairs=repairs, beside=bool(rest)),)


def with_arguments(call: RawCall, value: Any) -> RawCall:
    """The call with these arguments: an object, the text of one, or nothing."""
    if isinstance(value, dict):
        return replace(call, arguments=cast(JsonObject, value))
    if value is None or value == "":
        return call
    if isinstance(value, list) and len(items := cast(list[Any], value)) == 1 and isinstance(items[0], dict):
        return replace(call, arguments=items[0], repairs=(*call.repairs, Repair("the arguments stood in a list")))
    if isinstance(value, str):
        try:
            inner, repairs = load(value)
        except ValueError as error:
            return replace(call, problem=f"the arguments are not JSON: {error}", raw=value)
        if isinstance(inner, dict):
            step = Repair("the arguments were JSON inside a string")
            return replace(call, arguments=cast(JsonObject, inner), repairs=(*call.repairs, step, *repairs))
    return replace(call, problem="the arguments must be one JSON object", raw=str(cast(object, value)))


def calls_of(text: str, *, closed: bool = True) -> tuple[RawCall, ...]:
    """The calls that a JSON text stands for; none when it is no JSON or something else."""
    try:
        value, repairs = load(text, closed=closed)
    except ValueError:
        return ()
    return calls_in(value, repairs)


def defines(text: str) -> bool:
    """Whether a JSON text describes tools and calls none."""
    try:
        return is_definition(load(text)[0])
    except ValueError:
        return False


def call_of(name: str, text: str, *, closed: bool = True) -> RawCall:
    """The call of that name whose arguments are this text; with a problem when they are not JSON."""
    if not text.strip():
        return RawCall(name=name, arguments={})
    try:
        value, repairs = load(text, closed=closed)
    except ValueError as error:
        return RawCall(name=name, arguments={}, problem=f"the arguments are not JSON: {error}", raw=text)
    if isinstance(value, dict):
        inner = cast(JsonObject, value)
        doubled = (
            calls_in(inner, repairs)
            if {"name", "arguments"} <= set(inner) or {"name", "parameters"} <= set(inner)
            else ()
        )
        return doubled[0] if len(doubled) == 1 and doubled[0].name == name else RawCall(name, inner, repairs)
    return with_arguments(RawCall(name=name, arguments={}, repairs=repairs), value)


_NAME_IN = re.compile(r"""["'](?:name|tool|function)["']\s*:\s*["']([\w.\-]+)["']""")


def broken(raw: str, name: str = "") -> RawCall:
    """What was meant as a call and cannot be read: it is never run, the model is told."""
    named = _NAME_IN.search(raw)
    return RawCall(
        name=name or (named[1] if named else "unknown"), arguments={}, problem="the call is not JSON", raw=raw
    )
