"""The ecosystem's own records of plugins: known marketplaces, what is installed, and where its files lie.

    ~/.claude/plugins/known_marketplaces.json   marketplaces/<name>/
    ~/.claude/plugins/installed_plugins.json    cache/<marketplace>/<plugin>/<version>/   data/<id>/

Other programs read and write these files too: unknown fields are kept, both known forms are understood.
"""

import json
import os
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..places import Places
from ..protocol.base import JsonObject
from ..protocol.errors import ConfigError
from ..settings.reader import read_json
from ..settings.shapes import is_list, is_object

_LIMIT = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class PluginFolders:
    """Where plugins live on this machine."""

    root: Path

    @classmethod
    def of(cls, places: Places, environment: Mapping[str, str]) -> "PluginFolders":
        """The usual place, or CLAUDE_CODE_PLUGIN_CACHE_DIR."""
        moved = environment.get("CLAUDE_CODE_PLUGIN_CACHE_DIR")
        return cls(Path(moved).expanduser() if moved else places.config / "plugins")

    @property
    def known(self) -> Path:
        """The marketplaces that were added."""
        return self.root / "known_marketplaces.json"

    @property
    def installed(self) -> Path:
        """What was installed from them."""
        return self.root / "installed_plugins.json"

    def marketplace(self, name: str) -> Path:
        """Where a marketplace's own copy lies."""
        return self.root / "marketplaces" / name

    def cache(self, marketplace: str, plugin: str, version: str) -> Path:
        """Where one version of a plugin lies."""
        return self.root / "cache" / marketplace / plugin / version


@dataclass(frozen=True, slots=True)
class Installed:
    """One installation of a plugin. `scope` is user, project, local or managed; `project` where it is for one."""

    id: str
    path: Path
    version: str = ""
    scope: str = "user"
    project: str = ""
    record: JsonObject = field(default_factory=dict[str, Any])

    @property
    def name(self) -> str:
        """The plugin's name."""
        return self.id.partition("@")[0]

    @property
    def marketplace(self) -> str:
        """Where it is from."""
        return self.id.partition("@")[2]


@dataclass(frozen=True, slots=True)
class Known:
    """One marketplace that was added: its source as written, and where its copy lies."""

    name: str
    source: JsonObject
    path: Path
    record: JsonObject = field(default_factory=dict[str, Any])


def read_known(folders: PluginFolders) -> dict[str, Known]:
    """The marketplaces that were added. Raises ConfigError when the file cannot be understood."""
    found: dict[str, Known] = {}
    for name, entry in _object(folders.known).items():
        if is_object(entry):
            source = entry.get("source")
            path = entry.get("installLocation")
            found[name] = Known(
                name,
                source if is_object(source) else {},
                Path(path) if isinstance(path, str) and path else folders.marketplace(name),
                entry,
            )
    return found


def write_known(folders: PluginFolders, known: Known) -> None:
    """Record a marketplace, or what is new about it. Raises ConfigError."""
    data = _object(folders.known)
    data[known.name] = known.record | {
        "source": known.source,
        "installLocation": str(known.path),
        "lastUpdated": _now(),
    }
    write_object(folders.known, data)


def forget_known(folders: PluginFolders, name: str) -> bool:
    """Take a marketplace out of the record; false when it was not there. Raises ConfigError."""
    data = _object(folders.known)
    if data.pop(name, None) is None:
        return False
    write_object(folders.known, data)
    return True


def read_installed(folders: PluginFolders) -> list[Installed]:
    """Every installation, in the order recorded. Raises ConfigError when the file cannot be understood."""
    plugins = _object(folders.installed).get("plugins")
    found: list[Installed] = []
    for plugin_id, entry in plugins.items() if is_object(plugins) else ():
        for record in entry if is_list(entry) else [entry]:
            path = record.get("installPath") if is_object(record) else None
            if is_object(record) and isinstance(path, str) and path:
                found.append(
                    Installed(
                        plugin_id,
                        Path(path),
                        _text(record.get("version")),
                        _text(record.get("scope")) or "user",
                        _text(record.get("projectPath")),
                        record,
                    )
                )
    return found


def write_installed(folders: PluginFolders, installed: Installed, commit: str = "") -> None:
    """Record an installation in place of one of the same scope and project. Raises ConfigError."""
    data, plugins, records = _records_of(folders, installed.id)
    old = next((record for record in records if _is_same(record, installed)), None)
    record: JsonObject = {
        **(old or {}),
        "scope": installed.scope,
        "installPath": str(installed.path),
        "version": installed.version,
        "installedAt": (old or {}).get("installedAt") or _now(),
        "lastUpdated": _now(),
    }
    if installed.project:
        record["projectPath"] = installed.project
    if commit:
        record["gitCommitSha"] = commit
    plugins[installed.id] = [*(each for each in records if each is not old), record]
    write_object(folders.installed, data)


def forget_installed(folders: PluginFolders, installed: Installed) -> None:
    """Take one installation out of the record. Raises ConfigError."""
    data, plugins, records = _records_of(folders, installed.id)
    left = [record for record in records if not _is_same(record, installed)]
    if left:
        plugins[installed.id] = left
    else:
        plugins.pop(installed.id, None)
    write_object(folders.installed, data)


def _records_of(folders: PluginFolders, plugin_id: str) -> tuple[JsonObject, JsonObject, list[JsonObject]]:
    data = _object(folders.installed)
    found = data.get("plugins")
    plugins: JsonObject = found if is_object(found) else {}
    data["plugins"] = plugins
    for key, entry in list(plugins.items()):
        if is_object(entry):  # the first form had one installation for each plugin
            plugins[key] = [{"scope": "user", **entry}]
    data["version"] = 2
    entry = plugins.get(plugin_id)
    return data, plugins, [record for record in entry if is_object(record)] if is_list(entry) else []


def _is_same(record: JsonObject, installed: Installed) -> bool:
    scope = _text(record.get("scope")) or "user"
    return scope == installed.scope and _text(record.get("projectPath")) == installed.project


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime())


def _object(path: Path) -> JsonObject:
    document = read_json(path, _LIMIT)
    if document is None:
        return {}
    if not is_object(document.data):
        raise ConfigError("must be an object", where=str(path), hint="Move the file away; it is made anew.")
    return dict(document.data)


def write_object(path: Path, data: JsonObject) -> None:
    """Put a JSON file in place in one step. Raises ConfigError."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(data, file, indent=2, ensure_ascii=False)
            file.write("\n")
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except OSError as problem:
        raise ConfigError(f"cannot be written: {problem.strerror or problem}", where=str(path)) from problem
