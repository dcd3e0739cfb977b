"""Turning plugins on and off in settings files: one value changes, everything else stays as it was written."""

import json
import os
import tempfile
from pathlib import Path
from typing import Literal, TypeAlias

from ..places import Places
from ..protocol.base import JsonObject
from ..protocol.errors import ConfigError
from ..settings.reader import BadJson, Document, decode_json, parse_json, read_bytes
from ..settings.shapes import is_object
from ..settings.trust import keep_trust

Scope: TypeAlias = Literal["user", "project", "local"]
SCOPES: tuple[Scope, ...] = ("user", "project", "local")

_KEY = "enabledPlugins"


def settings_file(places: Places, root: Path, scope: Scope) -> Path:
    """Where that scope's settings are written."""
    if scope == "user":
        return places.user_settings
    return root / ".claude" / ("settings.json" if scope == "project" else "settings.local.json")


def switch(places: Places, root: Path, scope: Scope, plugin_id: str, enabled: bool | None) -> Path:
    """Say in that scope's file that a plugin is on or off, or (None) nothing about it. Raises ConfigError."""
    path = settings_file(places, root, scope)
    if scope == "user":
        _edit(path, plugin_id, enabled)
    else:
        with keep_trust(places, root):
            _edit(path, plugin_id, enabled)
    return path


def _edit(path: Path, plugin_id: str, enabled: bool | None) -> None:
    content = read_bytes(path)
    if content is None:
        if enabled is not None:
            _write(path, json.dumps({_KEY: {plugin_id: enabled}}, indent=2) + "\n")
        return
    document = decode_json(content, str(path))
    data = document.data
    switches = data.get(_KEY, {}) if is_object(data) else None
    if not is_object(data) or not is_object(switches):
        raise ConfigError("is not written in a form that can be edited; change it by hand", where=str(path))
    if switches.get(plugin_id) is enabled:
        return
    wanted: JsonObject = {**switches, plugin_id: enabled}
    if enabled is None:
        del wanted[plugin_id]
    text = _changed(document, wanted)
    try:
        good = parse_json(text).data == {**data, _KEY: wanted}
    except BadJson:
        good = False
    if not good:
        raise ConfigError("could not be edited safely; change it by hand", where=str(path))
    _write(path, text)


def _changed(document: Document, wanted: JsonObject) -> str:
    """The file's text with this one object in place of the old, laid out like the rest."""
    text, span = document.text, document.spans.get((_KEY,))
    unit = next((line[: len(line) - len(line.lstrip(" \t"))] for line in text.splitlines() if line[:1] in " \t"), "  ")
    shown = json.dumps(wanted, indent=unit or 2, ensure_ascii=False).replace("\n", "\n" + (unit or "  "))
    if span is not None:
        return text[: span.start] + shown + text[span.end :]
    at = document.spans[()].start + 1
    comma = "," if document.data else "\n"
    return f'{text[:at]}\n{unit or "  "}"{_KEY}": {shown}{comma}{text[at:]}'


def _write(path: Path, text: str) -> None:
    target = Path(os.path.realpath(path))  # people link their settings: the link stays
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        mode = target.stat().st_mode & 0o777 if target.exists() else 0o644
        handle, name = tempfile.mkstemp(prefix=".settings-", dir=target.parent)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(name).chmod(mode)
        Path(name).replace(target)
    except OSError as problem:
        raise ConfigError(f"cannot be written: {problem.strerror or problem}", where=str(path)) from problem
