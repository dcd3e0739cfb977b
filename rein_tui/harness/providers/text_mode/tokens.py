"""Calls between special tokens, which leak as text when a server's template or parser is wrong."""

import re

from .cursor import Cursor
from .pythonic import expression, python_calls
from .shapes import Found, RawCall, broken, call_of
from .tags import ENDS, json_calls

_INDEX = re.compile(r":\d+$")
_DEEP_CALL = ("<｜tool▁call▁begin｜>", "<|tool▁call▁begin|>", "<|tool_call_begin|>", "<｜tool_call_begin｜>")
_DEEP_SEP = ("<｜tool▁sep｜>", "<|tool▁sep|>", "<|tool_sep|>", "<｜tool_sep｜>")
_DEEP_END = ("<｜tool▁call▁end｜>", "<|tool▁call▁end|>", "<|tool_call_end|>", "<｜tool_call_end｜>")
_DEEP_ALL = ("<｜tool▁calls▁end｜>", "<|tool▁calls▁end|>", "<|tool_calls_end|>", "<｜tool_calls_end｜>")
_KIMI_ALL = ("<|tool_calls_section_end|>", "<|tool_call_section_end|>")
LOST = (*_DEEP_END, *_DEEP_ALL, *_KIMI_ALL, "<|/tool_call|>", "<|END_ACTION|>", "[END_TOOL_REQUEST]", "<|python_end|>")
"""Closing tokens that stand alone where a call was read without them."""

_ARGUMENTS = "<|tool_call_argument_begin|>"


def mistral(cursor: Cursor, opener: str) -> Found | None:
    """`[TOOL_CALLS][{…}]`, and the newer `[TOOL_CALLS]name[ARGS]{…}`."""
    cursor.space()
    if cursor.peek() in ("{", "["):
        return Found(json_calls(cursor, "[/TOOL_CALLS]"))
    name = cursor.name()
    if not name:
        return None
    if cursor.literal("[CALL_ID]"):
        cursor.name()
    cursor.literal("[ARGS]")
    cursor.space()
    if cursor.peek() != "{":
        return None
    raw = cursor.value("[TOOL_CALLS]", *ENDS)
    return Found((call_of(name, raw, closed=not cursor.is_at_end()),))


def enclosed(cursor: Cursor, opener: str) -> Found | None:
    """JSON between two tokens: Granite, phi-4, Cohere, LM Studio, phi-4-mini's `functools`."""
    if opener.endswith("["):
        cursor.at -= 1
    cursor.space()
    if cursor.peek() not in ("{", "["):
        return None
    closers = ("<|/tool_call|>", "</tool_call>", "<|END_ACTION|>", "[END_TOOL_REQUEST]", "<|tool_call_end|>")
    return Found(json_calls(cursor, *closers))


def deepseek(cursor: Cursor, opener: str) -> Found | None:
    """V3 and R1: `function<sep>NAME` and fenced JSON; V3.1: `NAME<sep>{…}`. One section may hold several."""
    cursor.space()
    if "calls" in opener and not cursor.literal(*_DEEP_CALL):
        return None
    calls: list[RawCall] = []
    while True:
        head, _ = cursor.until(*_DEEP_SEP, *_DEEP_END)
        name = head.strip()
        if name in {"function", ""}:
            name = cursor.line().strip()
        calls.append(_fenced_arguments(cursor, name))
        place = cursor.at
        cursor.space()
        cursor.literal(*_DEEP_END)
        cursor.space()
        if cursor.literal(*_DEEP_CALL):
            continue
        if not cursor.literal(*_DEEP_ALL) and cursor.at == place:
            cursor.at = place
        return Found(tuple(calls)) if calls[0].name else None


def _fenced_arguments(cursor: Cursor, name: str) -> RawCall:
    cursor.space()
    fenced = cursor.literal("```json", "```")
    if fenced:
        cursor.space()
    raw = cursor.value("```", *_DEEP_END, *_DEEP_ALL, *ENDS)
    call = call_of(name, raw, closed=not cursor.is_at_end()) if raw else broken(name, name)
    if fenced:
        cursor.space()
        cursor.literal("```")
    return call


def kimi(cursor: Cursor, opener: str) -> Found | None:
    """`functions.NAME:0` and its arguments, in a section or alone."""
    cursor.space()
    if "section" in opener and not cursor.literal("<|tool_call_begin|>"):
        return None
    calls: list[RawCall] = []
    while True:
        cursor.space()
        if cursor.peek() in ("{", "["):
            calls += json_calls(cursor, "<|tool_call_end|>")
        else:
            head, closer = cursor.until(_ARGUMENTS, *_DEEP_SEP, "<|tool_call_end|>")
            name = _INDEX.sub("", head.strip()).removeprefix("functions.")
            if closer not in {_ARGUMENTS, "<|tool_call_end|>"} or not name or "\n" in name:
                return None  # DeepSeek in plain characters, or nothing at all
            raw = "" if closer == "<|tool_call_end|>" else _value(cursor)
            calls.append(call_of(name, raw, closed=not cursor.is_at_end()))
        place = cursor.at
        cursor.space()
        cursor.literal("<|tool_call_end|>")
        cursor.space()
        if not cursor.literal("<|tool_call_begin|>"):
            if not cursor.literal(*_KIMI_ALL) and not calls:
                cursor.at = place
            return Found(tuple(calls))


def _value(cursor: Cursor) -> str:
    cursor.space()
    return cursor.value("<|tool_call_end|>", *_KIMI_ALL, *ENDS)


def llama(cursor: Cursor, opener: str) -> Found | None:
    """`<|python_tag|>` before JSON, or before `name.call(query="…")`."""
    cursor.space()
    if cursor.peek() == "{":
        return Found(json_calls(cursor, "<|python_end|>"))
    if cursor.peek() != "[" and not cursor.name():
        return None
    if opener.startswith("<|python") and cursor.peek() in ("(", "["):
        cursor.at = cursor.text.index(opener) + len(opener)
        cursor.space()
        calls = python_calls(expression(cursor))
        cursor.literal("<|python_end|>")
        return Found(calls) if calls else None
    return None


def harmony(cursor: Cursor, opener: str) -> Found | None:
    """gpt-oss: channels with a recipient; `analysis` is thinking, `final` is the prose that follows."""
    if opener.endswith("to=functions."):
        return _recipient(cursor)
    if opener == "<|start|>":
        _, closer = cursor.until("<|channel|>", "<|message|>", "to=functions.")
        if closer == "to=functions.":  # the recipient may stand with the role, too
            return _recipient(cursor)
        cursor.at -= len(closer) if closer == "<|channel|>" else 0
        return Found() if closer else None
    head, closer = cursor.until("<|message|>", "to=functions.", "\n")
    if closer == "to=functions.":
        return _recipient(cursor)
    if not closer or closer == "\n":
        return None
    if head.strip() == "analysis":
        thinking, _ = cursor.until("<|end|>", "<|return|>")
        return Found(thinking=thinking)
    return Found()


def _recipient(cursor: Cursor) -> Found | None:
    """`NAME <|constrain|>json<|message|>{…}`, also where the tokens were lost on the way."""
    name = cursor.name()
    place = cursor.at
    body = cursor.text.find("{", place, place + 80)
    if not name or body < 0:
        if name and not cursor.final and len(cursor.text) < place + 80:
            cursor.until("{")
        return None
    cursor.at = body
    raw = cursor.value("<|call|>", *ENDS)
    call = call_of(name, raw, closed=not cursor.is_at_end())
    cursor.literal("<|call|>", "<|end|>")
    return Found((call,))


def recipient(cursor: Cursor, opener: str) -> Found | None:
    """Functionary 2: `<|recipient|>NAME\\n<|content|>{…}`; `all` is the person."""
    name = cursor.line().strip()
    cursor.literal("<|content|>")
    cursor.space()
    if name == "all" or cursor.peek() != "{":
        return Found() if name == "all" else None
    raw = cursor.value("<|stop|>", "<|from|>", *ENDS)
    return Found((call_of(name, raw, closed=not cursor.is_at_end()),))
