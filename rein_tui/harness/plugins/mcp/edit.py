"""Adds and removes servers in the files where they are configured; everything else in a file stays as it was.

`.mcp.json` belongs to the project; local and user servers stand in the ecosystem's own `~/.claude.json`.
"""

import json
import os
import stat
import tempfile
from pathlib import Path
from typing import Any, Literal, TypeAlias

from ...places import Places
from ...protocol.base import JsonObject
from ...protocol.errors import ConfigError
from ...settings.edit import add_member, remove_member
from ...settings.reader import Document, read_json
from ...settings.shapes import is_object
from .sources import STATE_LIMIT, project_state

EditScope: TypeAlias = Literal["local", "project", "user"]
SCOPES: tuple[EditScope, ...] = ("local", "project", "user")


def file_of(places: Places, root: Path, scope: EditScope) -> Path:
    """The file that holds the servers of a scope."""
    return root / ".mcp.json" if scope == "project" else places.global_state


def add_server(places: Places, root: Path, scope: EditScope, name: str, entry: JsonObject) -> Path:
    """Write an entry; the file. Raises ConfigError when the name is taken there or the file cannot be edited."""
    path, document, way = _opened(places, root, scope)
    servers = _at(document, way, path)
    if servers is not None and name in servers:
        hint = f"Remove it first: rein-tui mcp remove {name} -s {scope}"
        raise ConfigError(f"there is a server {name!r} already", where=str(path), hint=hint)
    if document is None:
        text = json.dumps(_nested(way, {name: entry}), indent=2, ensure_ascii=False) + "\n"
    else:
        there = next(cut for cut in range(len(way), -1, -1) if _at(document, way[:cut], path) is not None)
        missing = (*way[there:], name)
        text = add_member(document, way[:there], missing[0], _nested(missing[1:], entry))
    _write(path, text, private=scope != "project")
    return path


def remove_server(places: Places, root: Path, scope: EditScope, name: str) -> Path:
    """Take an entry out; the file. Raises ConfigError when it is not there."""
    path, document, way = _opened(places, root, scope)
    servers = _at(document, way, path)
    if document is None or servers is None or name not in servers:
        raise ConfigError(f"there is no server {name!r}", where=str(path))
    _write(path, remove_member(document, (*way, name)), private=scope != "project")
    return path


def scopes_with(places: Places, root: Path, name: str) -> list[EditScope]:
    """The scopes whose files have a server of that name. Raises ConfigError for a file that cannot be read."""
    found: list[EditScope] = []
    for scope in SCOPES:
        path, document, way = _opened(places, root, scope)
        if name in (_at(document, way, path) or ()):
            found.append(scope)
    return found


def _opened(places: Places, root: Path, scope: EditScope) -> tuple[Path, Document | None, tuple[str, ...]]:
    """The file of a scope, what it says, and the way to its servers. Raises ConfigError."""
    path = file_of(places, root, scope)
    document = read_json(path, STATE_LIMIT)
    data: Any = document.data if document is not None else {}
    if not is_object(data):
        raise ConfigError("is not an object; correct it by hand", where=str(path))
    if scope == "local":
        return path, document, ("projects", project_state(document, root)[0], "mcpServers")
    is_flat = scope == "project" and "mcpServers" not in data and bool(data)
    return path, document, () if is_flat else ("mcpServers",)


def _at(document: Document | None, way: tuple[str, ...], path: Path) -> JsonObject | None:
    """The object at the end of the way; None where the way is not there yet. Raises ConfigError."""
    found: Any = document.data if document is not None else None
    for key in way:
        if found is None:
            return None
        found = found.get(key)
        if found is not None and not is_object(found):
            raise ConfigError(f"{key} is not an object; correct it by hand", where=str(path))
    return found


def _nested(way: tuple[str, ...], value: JsonObject) -> JsonObject:
    for key in reversed(way):
        value = {key: value}
    return value


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
