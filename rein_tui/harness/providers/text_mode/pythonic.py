"""Calls written as Python: `[read(path="a"), grep(pattern="b")]`. Parsed, never evaluated; literals only."""

import ast
from typing import Any, cast

from ...protocol.base import JsonObject
from .cursor import Cursor
from .lenient import Repair
from .shapes import RawCall
from .strings import NeedMore

_JSON_WORDS: dict[str, Any] = {"true": True, "false": False, "null": None}
_WRAPPERS = {"print", "await"}
POSITION = "*"
"""Prefix of an argument that stood without its name, followed by its place: `*0`. The schema tells the name."""


def expression(cursor: Cursor) -> str:
    """The text of one bracketed expression, from here to where its brackets close; empty when they do not.

    Passes it. Raises NeedMore.
    """
    start = at = cursor.at
    depth, text = 0, cursor.text
    while at < len(text):
        character = text[at]
        if character in "\"'":
            after = _string_end(text, at)
            if after < 0:
                break
            at = after
            continue
        depth += (character in "([{") - (character in ")]}")
        at += 1
        if depth == 0 and character in ")]}":
            cursor.at = at
            return text[start:at]
    if not cursor.final:
        raise NeedMore
    return ""


def _string_end(text: str, at: int) -> int:
    width = 3 if text[at : at + 3] in {'"""', "'''"} else 1
    mark = text[at : at + width]
    at += width
    while at < len(text):
        if text[at] == "\\":
            at += 2
        elif text.startswith(mark, at):
            return at + width
        else:
            at += 1
    return -1


def python_calls(source: str) -> tuple[RawCall, ...]:
    """The calls of one expression: a call, or a list of calls; none when it is anything else."""
    try:
        body = ast.parse(source.strip(), mode="eval").body
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        return ()
    nodes = body.elts if isinstance(body, ast.List | ast.Tuple) else [body]
    calls = [_call(node) for node in nodes]
    found = [call for call in calls if call is not None]
    return tuple(found) if found and len(found) == len(nodes) else ()


def _call(node: ast.expr) -> RawCall | None:
    if not isinstance(node, ast.Call):
        return None
    name = _dotted(node.func)
    if name in _WRAPPERS and len(node.args) == 1 and not node.keywords:
        return _call(node.args[0])
    if not name:
        return None
    try:
        arguments: JsonObject = {f"{POSITION}{place}": _literal(value) for place, value in enumerate(node.args)}
        arguments |= {str(word.arg): _literal(word.value) for word in node.keywords if word.arg}
    except (ValueError, RecursionError):
        return None
    if list(arguments) == ["*0"] and isinstance(arguments["*0"], dict):
        arguments = cast(JsonObject, arguments["*0"])
    repairs = (Repair("arguments without their names", semantic=True),) if "*0" in arguments else ()
    return RawCall(name=name.removesuffix(".call"), arguments=arguments, repairs=repairs)


def _dotted(node: ast.expr) -> str:
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute) and (before := _dotted(node.value)):
        return f"{before}.{node.attr}"
    return ""


def _literal(node: ast.expr) -> Any:
    """The value of a literal. Raises ValueError for anything that would have to be evaluated."""
    match node:
        case ast.Constant(value=str() | int() | float() | None):
            return node.value
        case ast.Name(id=name) if name in _JSON_WORDS:
            return _JSON_WORDS[name]
        case ast.List(elts=items) | ast.Tuple(elts=items):
            return [_literal(item) for item in items]
        case ast.Dict(keys=keys, values=values):
            pairs = [(_literal(key), _literal(value)) for key, value in zip(keys, values, strict=True) if key]
            if len(pairs) != len(keys) or any(not isinstance(key, str) for key, _ in pairs):
                raise ValueError("not a JSON object")
            return dict(pairs)
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as number)):
            return -number
        case _:
            raise ValueError("not a literal")
