"""Calls in tags: Hermes and its kin, Qwen3-Coder's parameters, `<invoke>`, GLM's keys, XML with the tool's own tags."""

import re
from dataclasses import replace

from .cursor import Cursor
from .lenient import Repair
from .pythonic import expression, python_calls
from .shapes import Found, RawCall, broken, call_of, calls_of, defines

STRUCK = "</s>"
"""Ends a message of Mistral or Llama 2; in prose it is HTML."""

ENDS = (
    *("<|im_end|>", "<|eot_id|>", "<|eom_id|>", "<|end|>", "<|endoftext|>"),
    *("<end_of_turn>", "<｜end▁of▁sentence｜>", STRUCK),
)
"""Tokens that end a message and leak into its text when a server's template is wrong."""

_NAME = re.compile(r"[\w.\-/:]+")
_STRAY = re.compile(r"[\s}\],;]*")
UNCLOSED = Repair("closing tag missing")


def json_calls(cursor: Cursor, *closers: str, tagged: bool = False) -> tuple[RawCall, ...]:
    """One or several JSON values up to a closer, each a call or several; what cannot be read is a broken call.

    `tagged` says that a closer was due, so that a missing one is noted.
    """
    calls: tuple[RawCall, ...] = ()
    stops = (*closers, *ENDS)
    while raw := cursor.value(*stops):
        place = cursor.at
        stray = _STRAY.match(cursor.text, cursor.at)
        cursor.at = stray.end() if stray else cursor.at
        over = cursor.is_at_end()
        closed = bool(cursor.literal(*stops))
        found = calls_of(raw, closed=closed or not over)
        if not found:
            found = () if defines(raw) else (broken(raw),)
        late = tagged and not closed and cursor.peek() not in ("{", "[")
        calls += tuple(_unclosed(call) for call in found) if late else found
        if closed or cursor.peek() not in ("{", "["):
            cursor.at = cursor.at if closed else place
            break
    return calls


def _unclosed(call: RawCall) -> RawCall:
    return replace(call, repairs=(*call.repairs, UNCLOSED))


def hermes(cursor: Cursor, opener: str) -> Found | None:
    """`<tool_call>…</tool_call>` and its spellings, whatever stands inside: JSON, parameters, keys, Python."""
    closer = "</" + opener[1:] if opener.startswith("<") else "[/" + opener[1:]
    closers = (closer, "</tool_call>", "</tool_calls>", "</tools>")
    cursor.space()
    if cursor.literal("```json", "```"):
        cursor.space()
        calls = json_calls(cursor, "```", *closers, tagged=True)
        return _then(Found(calls), cursor, closers) if calls else None
    if cursor.peek() in ("{", "["):
        calls = json_calls(cursor, *closers, tagged=True)
        return Found(calls) if calls else None
    if cursor.literal("<function="):
        found = parameters(cursor, "<function=")
        return _then(replace(found, dialect="qwen3-coder") if found else None, cursor, closers)
    if cursor.literal("<invoke name="):
        return _then(invoke(cursor, "<invoke name="), cursor, closers)
    if cursor.literal("<name>"):
        return _then(_spelled(cursor), cursor, closers)
    name = cursor.name()
    return _then(_named(cursor, name, closers), cursor, closers) if name else None


_ATTRIBUTE = re.compile(r"""\s*([\w.\-]+)\s*=\s*(?:"([^"]*)"|'([^']*)')""")


def attributed(cursor: Cursor, opener: str) -> Found | None:
    """`<tool_call id="1">…</tool_call>` and `<tool_call name="x">{…}</tool_call>`."""
    head, end = cursor.until(">", "\n")
    given = {found[1]: found[2] or found[3] or "" for found in _ATTRIBUTE.finditer(head)}
    if end != ">" or not given or _ATTRIBUTE.sub("", head).strip():
        return None
    name = next((given[key] for key in ("name", "function", "tool") if given.get(key)), "")
    closer = "</" + opener[1:-1] + ">"
    if not name:
        return hermes(cursor, opener[:-1] + ">")
    cursor.space()
    if cursor.peek() == "{":
        raw = cursor.value(closer, *ENDS)
        return _then(Found((call_of(name, raw, closed=not cursor.is_at_end()),)), cursor, (closer,))
    body, closed = cursor.until(closer)
    if not closed:
        return None
    return Found((RawCall(name=name, arguments=dict(_children(body)), typed=False),))


def _then(found: Found | None, cursor: Cursor, closers: tuple[str, ...]) -> Found | None:
    """What was found, with the closing tag of what stands around it."""
    if found is not None:
        place = cursor.at
        spaced = re.compile(r"\s*").match(cursor.text, place)
        cursor.at = spaced.end() if spaced else place
        if not cursor.is_at_end() and not cursor.literal(*closers):
            cursor.at = place
    return found


def _named(cursor: Cursor, name: str, closers: tuple[str, ...]) -> Found | None:
    """`name` and then JSON, Python arguments or GLM's `<arg_key>`."""
    start = cursor.at - len(name)
    cursor.space()
    if cursor.peek() == "(":
        cursor.at = start
        calls = python_calls(expression(cursor))
        return Found(calls) if calls else None
    if cursor.peek() == "{":
        raw = cursor.value(*closers, *ENDS)
        return Found((call_of(name, raw, closed=not cursor.is_at_end()),))
    arguments: dict[str, str] = {}
    while cursor.literal("<arg_key>"):
        key, _ = cursor.until("</arg_key>")
        cursor.space()
        if cursor.literal("<arg_value>"):
            arguments[key.strip()], _ = cursor.until("</arg_value>", *closers)
        cursor.space()
    # `<tool_call> and </tool_call>` speaks of the tags.
    if arguments or (cursor.text[start - 1] not in " \t" and cursor.sees(*closers)):
        return Found((RawCall(name=name, arguments=dict(arguments), typed=False),), dialect="glm")
    return None


def _spelled(cursor: Cursor) -> Found | None:
    """`<name>x</name><arguments>{…}</arguments>`."""
    name = cursor.until("</name>")[0].strip()
    cursor.space()
    tag = cursor.literal("<arguments>", "<parameters>", "<input>", "<args>")
    if not name or not tag:
        return Found((RawCall(name=name, arguments={}),)) if name else None
    body, closer = cursor.until("</" + tag[1:], "</tool_call>")
    if body.lstrip().startswith("{"):
        return Found((call_of(name, body, closed=bool(closer)),))
    return Found((RawCall(name=name, arguments=dict(_children(body)), typed=False),))


_CHILD = re.compile(r"""<([\w.\-]+)(?:\s+(?:name|key)=["']([^"'>]+)["'][^>]*)?>(.*?)</\1>""", re.DOTALL)


def _children(body: str) -> list[tuple[str, str]]:
    """Values in tags of their own, or in tags that name them: `<arg name="k">v</arg>`."""
    return [(found[2] or found[1], _trimmed(found[3])) for found in _CHILD.finditer(body)]


def _trimmed(text: str) -> str:
    """Without the one line break that stands for layout at either end."""
    return text.removeprefix("\r").removeprefix("\n").removesuffix("\n")


def own_tag(cursor: Cursor, opener: str) -> Found | None:
    """`<Read><file_path>a</file_path></Read>`: the tool's name, or one that it is known by, is the tag."""
    name = opener[1:-1]
    cursor.space()
    if cursor.peek() == "{":
        raw = cursor.value("</" + opener[1:])
        return _then(Found((call_of(name, raw),)), cursor, ("</" + opener[1:],))
    if cursor.peek() != "<":
        return None
    body, closer = cursor.until("</" + opener[1:])
    children = _children(body)
    if not children or not closer:
        return None
    return Found((RawCall(name=name, arguments=dict(children), typed=False),))


def parameters(cursor: Cursor, opener: str) -> Found | None:
    """`<function=NAME>` with `<parameter=K>V</parameter>` (Qwen3-Coder) or one JSON object (Llama) inside."""
    name = cursor.until(">", "\n")[0].strip().strip("\"'")
    if not _NAME.fullmatch(name):
        return None
    cursor.space()
    if cursor.peek() == "{":
        raw = cursor.value("</function>", *ENDS)
        call = call_of(name, raw, closed=not cursor.is_at_end())
        return _then(Found((call,)), cursor, ("</function>",))
    arguments: dict[str, str] = {}
    repairs: list[Repair] = []
    while cursor.literal("<parameter="):
        key, value, repair = _parameter(cursor)
        arguments[key] = value
        repairs += [repair] if repair else []
        if cursor.is_at_end():
            break
        cursor.space()
    if not cursor.literal("</function>"):
        if not arguments:
            return None
        repairs.append(UNCLOSED)
    return Found((RawCall(name=name, arguments=dict(arguments), repairs=tuple(repairs), typed=False),))


def _parameter(cursor: Cursor) -> tuple[str, str, Repair | None]:
    head, _ = cursor.until(">")
    if head.endswith("</parameter") and "=" in head:
        key, _, value = head.removesuffix("</parameter").partition("=")
        return key.strip(), value, Repair("parameter tag without its end")
    start = cursor.at
    value, closer = cursor.until("</parameter>", "\n<parameter=", "\n</function>", "</tool_call>")
    if closer == "</parameter>":
        return head.strip().strip("\"'"), _trimmed(value), None
    cursor.at = start + len(value) + (1 if closer.startswith("\n") else 0)
    cut = not closer
    return head.strip(), _trimmed(value), Repair("closing tag of a parameter missing", semantic=cut)


def invoke(cursor: Cursor, opener: str) -> Found | None:
    """`<invoke name="N"><parameter name="K">V</parameter></invoke>`, also with DeepSeek's DSML marks."""
    mark = opener[1 : opener.index("invoke")] if "invoke" in opener else ""
    tag = opener[1 + len(mark) :].partition(" ")[0]
    name = cursor.until(">")[0].split('"')[1:2]
    if not name or not _NAME.fullmatch(name[0]):
        return None
    ends = (f"</{mark}{tag}>", f"</{mark}function_calls>", f"</{mark}tool_calls>")
    cursor.space()
    if cursor.peek() == "{":
        raw = cursor.value(*ends, *ENDS)
        return _then(Found((call_of(name[0], raw, closed=not cursor.is_at_end()),)), cursor, ends)
    arguments: dict[str, str] = {}
    while cursor.literal(f"<{mark}parameter name="):
        key = cursor.until(">")[0].split('"')
        value, _ = cursor.until(f"</{mark}parameter>")
        arguments[key[1] if len(key) > 1 else key[0]] = _trimmed(value)
        if cursor.is_at_end():
            break
        cursor.space()
    found = Found((RawCall(name=name[0], arguments=dict(arguments), typed=False),))
    if not cursor.is_at_end() and not cursor.literal(*ends) and not arguments:
        return None
    return found


def wrapper(cursor: Cursor, opener: str) -> Found | None:
    """`<function_calls>` and the like around `<invoke>`: taken off when an invocation follows."""
    mark = opener[1 : opener.index("｜", 2) + 1] if opener.startswith("<｜") else ""
    cursor.space()
    return Found() if cursor.sees(f"<{mark}invoke name=", "<invoke name=") else None


def stray(cursor: Cursor, opener: str) -> Found | None:
    """A token that means nothing by itself."""
    return Found()
