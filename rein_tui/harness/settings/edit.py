"""Change one permission rule in a settings file and nothing else: other content, order and layout stay.

The file is edited as text at the place that the strict reader found, the result is read again and compared, and
only then put in place in one step.
"""

import json
import os
import stat
import tempfile
from pathlib import Path
from typing import Any, Literal, TypeAlias

from rein_tui.harness.protocol.errors import ConfigError

from .reader import BadJson, Document, Pointer, decode_json, parse_json, read_bytes
from .shapes import is_list, is_object

Behavior: TypeAlias = Literal["allow", "ask", "deny"]

_BOM = b"\xef\xbb\xbf"


def add_rule(path: Path, behavior: Behavior, rule: str, within: Path | None = None) -> int:
    """Add a rule to the file's list, unless it is there; returns its line. Raises ConfigError.

    `within` is a folder that the file must not lead out of by links (the settings of a repository).
    """
    _stay(path, within)
    content = read_bytes(path)
    if content is None:
        text = json.dumps({"permissions": {behavior: [rule]}}, indent=2, ensure_ascii=False) + "\n"
        replace_file(path, text.encode())
        return _line_of(parse_json(text), behavior, rule)
    document = decode_json(content, str(path))
    rules = _rules(document, behavior, path)
    if rule in rules:
        return _line_of(document, behavior, rule)
    text = _inserted(document, behavior, rule)
    changed = _checked(text, document, behavior, [*rules, rule], path)
    replace_file(path, (_BOM if content.startswith(_BOM) else b"") + text.encode())
    return _line_of(changed, behavior, rule)


def remove_rule(path: Path, behavior: Behavior, rule: str, within: Path | None = None) -> bool:
    """Take a rule out of the file's list; false when it is not there. Raises ConfigError."""
    _stay(path, within)
    content = read_bytes(path)
    if content is None:
        return False
    document = decode_json(content, str(path))
    rules = _rules(document, behavior, path)
    if rule not in rules:
        return False
    text = _removed(document, ("permissions", behavior, rules.index(rule)), len(rules))
    rest = list(rules)
    rest.remove(rule)
    _checked(text, document, behavior, rest, path)
    replace_file(path, (_BOM if content.startswith(_BOM) else b"") + text.encode())
    return True


def switch_on(path: Path, name: str) -> None:
    """Add `name: true` at the top of the file's object, unless it is true there already. Raises ConfigError."""
    content = read_bytes(path)
    if content is None:
        replace_file(path, (json.dumps({name: True}, indent=2) + "\n").encode())
        return
    document = decode_json(content, str(path))
    data = document.data
    if is_object(data) and data.get(name) is True:
        return
    if not is_object(data) or name in data:
        raise ConfigError("is not written in a form that can be edited; change it by hand", where=str(path))
    text = add_member(document, (), name, value=True)
    if parse_json(text).data != {**data, name: True}:
        raise ConfigError("could not be edited safely; change it by hand", where=str(path))
    replace_file(path, (_BOM if content.startswith(_BOM) else b"") + text.encode())


def _stay(path: Path, within: Path | None) -> None:
    if within is not None and not Path(os.path.realpath(path)).is_relative_to(os.path.realpath(within)):
        raise ConfigError("leads out of the project through a link; not written", where=str(path))


def _rules(document: Document, behavior: Behavior, path: Path) -> list[Any]:
    data = document.data
    permissions = data.get("permissions", {}) if is_object(data) else None
    rules = permissions.get(behavior, []) if is_object(permissions) else None
    if not is_list(rules):
        raise ConfigError("is not written in a form that can be edited; change it by hand", where=str(path))
    return rules


def _inserted(document: Document, behavior: Behavior, rule: str) -> str:
    permissions = document.data.get("permissions")
    if permissions is None:
        return add_member(document, (), "permissions", {behavior: [rule]})
    if behavior not in permissions:
        return add_member(document, ("permissions",), behavior, [rule])
    count = len(permissions[behavior])
    return _add_item(document, ("permissions", behavior), count, json.dumps(rule, ensure_ascii=False))


def _add_item(document: Document, pointer: Pointer, count: int, item: str) -> str:
    text, span = document.text, document.spans[pointer]
    if count:
        last = document.spans[(*pointer, count - 1)]
        lead = _lead(text, last.key)
        return text[: last.end] + "," + (lead or " ") + item + text[last.end :]
    outer = _indent(text, span.key)
    unit, newline = _unit(text), _newline(text)
    if newline not in text.strip():
        return text[: span.start] + f"[{item}]" + text[span.end :]
    return text[: span.start] + f"[{newline}{outer}{unit}{item}{newline}{outer}]" + text[span.end :]


def add_member(document: Document, pointer: Pointer, name: str, value: Any) -> str:
    """The file's text with a new member at the end of the object at `pointer`, laid out like the rest."""
    text, span = document.text, document.spans[pointer]
    members = [at for at in document.spans if len(at) == len(pointer) + 1 and at[: len(pointer)] == pointer]
    newline, unit = _newline(text), _unit(text)
    if members:
        last = max((document.spans[at] for at in members), key=lambda found: found.end)
        lead = _lead(text, last.key)
        indent = lead.rpartition("\n")[2] if "\n" in lead else ""
        shown = _shown(name, value, indent, unit, newline if "\n" in lead else "")
        return text[: last.end] + "," + (lead or " ") + shown + text[last.end :]
    outer = _indent(text, span.key)
    shown = _shown(name, value, outer + unit, unit, newline)
    return text[: span.start] + "{" + f"{newline}{outer}{unit}{shown}{newline}{outer}" + "}" + text[span.end :]


def remove_member(document: Document, pointer: Pointer) -> str:
    """The file's text without that member of an object; the others stay as they are written."""
    text, spans = document.text, document.spans
    outer = pointer[:-1]
    beside = sorted(
        (spans[at] for at in spans if len(at) == len(pointer) and at[:-1] == outer), key=lambda found: found.key
    )
    index = beside.index(spans[pointer])
    if len(beside) == 1:
        return text[: spans[outer].start] + "{}" + text[spans[outer].end :]
    if index + 1 < len(beside):
        return text[: beside[index].key] + text[beside[index + 1].key :]
    return text[: beside[index - 1].end] + text[beside[index].end :]


def _shown(name: str, value: Any, indent: str, unit: str, newline: str) -> str:
    if not newline:
        return f"{json.dumps(name)}: {json.dumps(value, ensure_ascii=False)}"
    body = json.dumps(value, ensure_ascii=False, indent=unit or 2)
    return f"{json.dumps(name)}: " + body.replace("\n", newline + indent)


def _removed(document: Document, pointer: Pointer, count: int) -> str:
    text, index = document.text, int(pointer[-1])
    span = document.spans[pointer]
    if count == 1:
        whole = document.spans[pointer[:-1]]
        return text[: whole.start] + "[]" + text[whole.end :]
    if index + 1 < count:
        return text[: span.start] + text[document.spans[(*pointer[:-1], index + 1)].start :]
    return text[: document.spans[(*pointer[:-1], index - 1)].end] + text[span.end :]


def _lead(text: str, at: int) -> str:
    """The blanks before an offset, line break included."""
    start = at
    while start and text[start - 1] in " \t\r\n":
        start -= 1
    return text[start:at]


def _indent(text: str, at: int) -> str:
    line = text[text.rfind("\n", 0, at) + 1 : at]
    return line[: len(line) - len(line.lstrip(" \t"))]


def _unit(text: str) -> str:
    for line in text.splitlines():
        blanks = line[: len(line) - len(line.lstrip(" \t"))]
        if blanks:
            return blanks
    return "  "


def _newline(text: str) -> str:
    return "\r\n" if "\r\n" in text else "\n"


def _checked(text: str, before: Document, behavior: Behavior, rules: list[Any], path: Path) -> Document:
    """The edited text must say what the file said, but for this one list."""
    wanted: dict[str, Any] = dict(before.data)
    wanted["permissions"] = {**wanted.get("permissions", {}), behavior: rules}
    try:
        document = parse_json(text)
    except BadJson as problem:
        raise ConfigError("could not be edited safely; change it by hand", where=str(path)) from problem
    if document.data != wanted:
        raise ConfigError("could not be edited safely; change it by hand", where=str(path))
    return document


def _line_of(document: Document, behavior: Behavior, rule: str) -> int:
    rules: list[Any] = document.data["permissions"][behavior]
    return document.line("permissions", behavior, rules.index(rule))


def replace_file(path: Path, content: bytes) -> None:
    """Replace the file in one step. A link is followed to its own file (people link their settings).

    Raises ConfigError.
    """
    target = Path(os.path.realpath(path))
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        mode = stat.S_IMODE(target.stat().st_mode) if target.exists() else 0o644
        handle, name = tempfile.mkstemp(prefix=".settings-", suffix=".tmp", dir=target.parent)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            Path(name).chmod(mode)
            Path(name).replace(target)
        except OSError:
            Path(name).unlink(missing_ok=True)
            raise
    except OSError as problem:
        raise ConfigError(f"cannot be written: {problem.strerror or problem}", where=str(path)) from problem
