"""Calls without marks of their own: fenced or bare JSON, Python, "Calling tool:", ReAct.

These look like ordinary answers, so they count only under conditions: a tool that was sent, (nearly) the whole
message, not introduced as an example.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from .cursor import Cursor
from .pythonic import expression, python_calls
from .quoting import announces_example
from .shapes import Found, RawCall, broken, call_of, calls_of
from .strings import NeedMore
from .tags import ENDS, hermes, json_calls, parameters

MOST_BEFORE = 400
MOST_AFTER = 400
"""Characters of prose before and behind a bare call; a message with more is an answer that quotes one."""

_FENCE_AHEAD = re.compile(r"```(?:json|tool_call)?\s*[\[{]")
_TOOL_FENCES = frozenset({"tool_call", "tool_calls", "tool", "tool_use", "function_call", "action"})
_JSON_FENCES = frozenset({"json", "json5", "jsonc", "", "text", "plaintext", "txt", "xml", "html"})
_PYTHON_FENCES = frozenset({"tool_code", "python", "py"})


@dataclass(frozen=True, slots=True)
class Scene:
    """What a reader may know beside the text: whether a call or a name is one of a tool's, and the prose before."""

    knows: Callable[[RawCall | str], bool]
    before: str = ""

    @property
    def is_quoting(self) -> bool:
        """Whether the words just before announce an example."""
        return announces_example(self.before)

    def accepts(self, calls: tuple[RawCall, ...]) -> bool:
        """Whether these may be calls without a mark that says so."""
        return bool(calls) and all(self.knows(call) for call in calls) and not self.is_quoting


def _little_follows(cursor: Cursor) -> bool:
    """Whether the message is nearly over. Raises NeedMore."""
    rest = cursor.rest().lstrip()
    if _FENCE_AHEAD.search(rest[:MOST_AFTER]):
        return True
    if len(rest) >= MOST_AFTER:
        return False
    if not cursor.final:
        raise NeedMore
    return True


def fence(cursor: Cursor, opener: str, scene: Scene) -> Found | None:
    """A fenced block that is a call and nothing else."""
    language = cursor.name().lower()
    if language not in _TOOL_FENCES | _JSON_FENCES | _PYTHON_FENCES:
        return None
    cursor.space()
    if language in _TOOL_FENCES:
        return _tool_fence(cursor, scene)
    if language in _PYTHON_FENCES:
        calls = python_calls(expression(cursor))
        sure = language == "tool_code" and bool(calls)
    elif tag := cursor.literal("<tool_call>", "<function="):
        found = hermes(cursor, tag) if tag == "<tool_call>" else parameters(cursor, tag)
        calls, sure = (found.calls if found else ()), True
    else:
        calls, sure = _json_values(cursor), False
    if not calls or not _fence_ends(cursor):
        return None
    if not scene.accepts(calls) or not (sure or _little_follows(cursor)):
        return None
    return Found(calls)


def _fence_ends(cursor: Cursor) -> bool:
    """Whether nothing but the fence's end is left of it."""
    cursor.space()
    cursor.literal(*ENDS)
    return cursor.is_at_end() or bool(cursor.literal("```"))


def _tool_fence(cursor: Cursor, scene: Scene) -> Found | None:
    """A block that says itself that it is a call; it must still parse as one."""
    if scene.is_quoting:
        return None
    if cursor.peek() in ("{", "["):
        calls = json_calls(cursor, "```")
    else:
        calls = python_calls(expression(cursor)) if cursor.peek() else ()
        if calls:
            _fence_ends(cursor)
    return Found(calls) if calls else None


def _json_values(cursor: Cursor) -> tuple[RawCall, ...]:
    """Calls in JSON values that follow one another; none when one of them is no call."""
    calls: tuple[RawCall, ...] = ()
    while cursor.peek() in ("{", "["):
        raw = cursor.value("\n```", *ENDS)
        found = calls_of(raw, closed=not cursor.is_at_end())
        if not found:
            return ()
        calls += found
        place = cursor.at
        cursor.space()
        while cursor.peek() in {",", ";"} and cursor.peek():
            cursor.at += 1
            cursor.space()
        if cursor.peek() not in {"{", "["}:
            cursor.at = place
            break
    return calls


def bare(cursor: Cursor, opener: str, scene: Scene) -> Found | None:
    """JSON, or a list of Python calls, that is nearly the whole message."""
    if len(scene.before.strip()) > MOST_BEFORE or scene.is_quoting:
        return None
    cursor.at -= 1
    start = cursor.at
    cursor.at += 1
    cursor.space()
    follows = cursor.peek()
    if opener == "[" and (follows.isalpha() or follows == "_"):
        cursor.at = start
        calls = python_calls(expression(cursor))
        return Found(calls, dialect="pythonic") if scene.accepts(calls) and _little_follows(cursor) else None
    if follows in {'"', "'", "“", "{"} or (opener == "{" and follows.isalpha()):
        cursor.at = start
        calls = _json_values(cursor)
    else:
        return None
    return Found(calls) if scene.accepts(calls) and _little_follows(cursor) else None


def function(cursor: Cursor, opener: str, scene: Scene) -> Found | None:
    """`Read(file_path="a")` at the start of a line, for a tool that was sent."""
    if len(scene.before.strip()) > MOST_BEFORE or scene.is_quoting:
        return None
    cursor.at -= len(opener)
    calls = python_calls(expression(cursor))
    return Found(calls) if scene.accepts(calls) and _little_follows(cursor) else None


def announced(cursor: Cursor, opener: str, scene: Scene) -> Found | None:
    """`Calling tool: name({…})`."""
    cursor.space()
    cursor.literal("`")
    start = cursor.at
    if cursor.peek() in ("{", "["):
        calls = _json_values(cursor)
        return Found(calls) if scene.accepts(calls) else None
    name = cursor.name()
    if not scene.knows(name):
        return None
    cursor.space()
    if cursor.peek() == "{":
        return Found((call_of(name, cursor.value(), closed=not cursor.is_at_end()),))
    if cursor.peek() == "(":
        place = cursor.at
        cursor.at += 1
        cursor.space()
        if cursor.peek() == "{":
            raw = cursor.value(")")
            cursor.space()
            cursor.literal(")")
            return Found((call_of(name, raw),))
        cursor.at = place
        source = name + expression(cursor)
        calls = python_calls(source)
        return Found(calls) if calls else Found((broken(source, name),)) if cursor.at > start else None
    return None


def react(cursor: Cursor, opener: str, scene: Scene) -> Found | None:
    """`Action: name` and `Action Input: {…}`; Qwen-Agent's flowers; Command-R's fenced list."""
    cursor.space()
    if cursor.literal("```json", "```"):
        cursor.space()
        calls = json_calls(cursor, "```")
        return Found(calls) if calls and all(scene.knows(call.name) for call in calls) else None
    name = cursor.line().strip().strip("`*")
    if not scene.knows(name):
        return None
    cursor.space()
    if not cursor.literal("Action Input:", "Action input:", "✿ARGS✿:"):
        return None
    cursor.space()
    if cursor.literal("```json", "```"):
        cursor.space()
    if cursor.peek() != "{":
        return None
    raw = cursor.value("\nObservation", "✿", *ENDS)
    call = call_of(name, raw, closed=not cursor.is_at_end())
    cursor.space()
    cursor.literal("```")
    return Found((call,))


def prompted(cursor: Cursor, opener: str, scene: Scene) -> Found | None:
    """Functionary 3: `>>>name` and JSON on the next line."""
    name = cursor.name()
    if not scene.knows(name):
        return None
    cursor.space()
    if cursor.peek() != "{":
        return None
    return Found((call_of(name, cursor.value(">>>", *ENDS), closed=not cursor.is_at_end()),))
