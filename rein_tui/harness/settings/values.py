"""Change one plain value in a settings file and nothing else: other content, order and layout stay."""

import json
from pathlib import Path
from typing import Any

from rein_tui.harness.protocol.errors import ConfigError

from .edit import add_member, replace_file
from .reader import BadJson, Document, decode_json, parse_json, read_bytes
from .shapes import is_object


def write_value(path: Path, keys: tuple[str, ...], value: str | bool | int) -> int:
    """Set the value at one key, or at one key of an object; returns its line. Raises ConfigError."""
    content = read_bytes(path)
    if content is None:
        text = json.dumps(_nested(keys, value), indent=2, ensure_ascii=False) + "\n"
        replace_file(path, text.encode())
        return parse_json(text).line(*keys)
    document = decode_json(content, str(path))
    text = _changed(document, keys, value, path)
    try:
        changed = parse_json(text)
    except BadJson as problem:
        raise ConfigError("could not be edited safely; change it by hand", where=str(path)) from problem
    if changed.data != _wanted(document.data, keys, value):
        raise ConfigError("could not be edited safely; change it by hand", where=str(path))
    bom = b"\xef\xbb\xbf"
    replace_file(path, (bom if content.startswith(bom) else b"") + text.encode())
    return changed.line(*keys)


def _changed(document: Document, keys: tuple[str, ...], value: Any, path: Path) -> str:
    text, holder = document.text, document.data
    for depth, key in enumerate(keys):
        if not is_object(holder):
            raise ConfigError("is not written in a form that can be edited; change it by hand", where=str(path))
        if key not in holder:
            inner = _nested(keys[depth + 1 :], value)
            return add_member(document, keys[:depth], key, inner)
        holder = holder[key]
    span = document.spans[keys]
    return text[: span.start] + json.dumps(value, ensure_ascii=False) + text[span.end :]


def _nested(keys: tuple[str, ...], value: Any) -> Any:
    for key in reversed(keys):
        value = {key: value}
    return value


def _wanted(data: Any, keys: tuple[str, ...], value: Any) -> Any:
    if not keys:
        return value
    held = data if is_object(data) else {}
    return {**held, keys[0]: _wanted(held.get(keys[0]), keys[1:], value)}
