"""Adds and removes servers in the files where they are configured; everything else in a file stays as it was.

`.mcp.json` belongs to the project; local and user servers stand in the ecosystem's own `~/.claude.json`.
"""

import json
import os
import stat
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, TypeAlias

from ...places import Places
from ...protocol.base import JsonObject
from ...protocol.errors import ConfigError
from ...settings.reader import read_json
from ...settings.shapes import is_object
from .sources import STATE_LIMIT, project_state

EditScope: TypeAlias = Literal["local", "project", "user"]
SCOPES: tuple[EditScope, ...] = ("local", "project", "user")


def file_of(places: Places, root: Path, scope: EditScope) -> Path:
    """The file that holds the servers of a scope."""
    return root / ".mcp.json" if scope == "project" else places.global_state


def add_server(places: Places, root: Path, scope: EditScope, name: str, entry: JsonObject) -> Path:
    """Write an entry; the file. Raises ConfigError when the name is taken there or the file cannot be edited."""

    def add(servers: JsonObject) -> None:
        if name in servers:
            raise ConfigError(
                f"there is a server {name!r} already", hint=f"Remove it first: rein-tui mcp remove {name}"
            )
        servers[name] = entry

    return _edit(places, root, scope, add)


def remove_server(places: Places, root: Path, scope: EditScope, name: str) -> Path:
    """Take an entry out; the file. Raises ConfigError when it is not there."""

    def remove(servers: JsonObject) -> None:
        if servers.pop(name, None) is None:
            raise ConfigError(f"there is no server {name!r}")

    return _edit(places, root, scope, remove)


def _edit(places: Places, root: Path, scope: EditScope, change: Callable[[JsonObject], None]) -> Path:
    path = file_of(places, root, scope)
    document = read_json(path, STATE_LIMIT)
    data: Any = document.data if document is not None else {}
    if not is_object(data):
        raise ConfigError("is not an object; correct it by hand", where=str(path))
    try:
        change(_servers(data, root, scope, document))
    except ConfigError as problem:
        raise ConfigError(problem.message, where=str(path), hint=problem.hint) from None
    _write(path, json.dumps(data, indent=2, ensure_ascii=False) + "\n", private=scope != "project")
    return path


def _servers(data: JsonObject, root: Path, scope: EditScope, document: Any) -> JsonObject:
    """The object of servers inside of the document, made where there is none. Raises ConfigError."""
    if scope == "local":
        key, _ = project_state(document, root)
        data = _member(_member(data, "projects"), key)
    elif scope == "project" and "mcpServers" not in data and data:
        return data  # the flat form
    return _member(data, "mcpServers")


def _member(data: JsonObject, key: str) -> JsonObject:
    found = data.setdefault(key, {})
    if not is_object(found):
        raise ConfigError(f"{key} is not an object; correct it by hand")
    return found


def _write(path: Path, text: str, *, private: bool) -> None:
    """Replace the file in one step; a link is followed to its own file. Raises ConfigError."""
    target = Path(os.path.realpath(path))
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        mode = stat.S_IMODE(target.stat().st_mode) if target.exists() else (0o600 if private else 0o644)
        handle, name = tempfile.mkstemp(prefix=".mcp-", suffix=".tmp", dir=target.parent)
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            Path(name).chmod(mode)
            Path(name).replace(target)
        except OSError:
            Path(name).unlink(missing_ok=True)
            raise
    except OSError as problem:
        raise ConfigError(f"cannot be written: {problem.strerror or problem}", where=str(path)) from problem
