"""plugin.json, or the marketplace's entry in its place: what it says, and what is wrong with it."""

import difflib
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..protocol.base import JsonObject
from ..protocol.decisions import Source
from ..protocol.errors import ConfigError
from ..protocol.events import Notice
from ..settings.reader import Document, read_json
from ..settings.shapes import is_list, is_object

MANIFEST = Path(".claude-plugin") / "plugin.json"
_LIMIT = 100 * 1024
COMPONENTS = ("commands", "agents", "skills", "hooks", "mcpServers", "lspServers", "outputStyles")

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
_KEBAB = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")

_TYPES: dict[str, tuple[type, ...]] = {
    "name": (str,),
    "version": (str,),
    "description": (str,),
    "commands": (str, list, dict),
    "agents": (str, list),
    "skills": (str, list),
    "hooks": (str, list, dict),
    "mcpServers": (str, list, dict),
    "lspServers": (str, list, dict),
    "outputStyles": (str, list),
    "userConfig": (dict,),
    "defaultEnabled": (bool,),
    "dependencies": (list,),
    "channels": (list,),
}
"""Keys that decide something: of another type, the plugin does not load."""

_OTHERS = frozenset(
    """$schema author displayName homepage repository license keywords metadata experimental themes monitors workflows
    category tags strict source relevance settings""".split()
)
_WORDS = {str: "text", list: "a list", dict: "an object", bool: "true or false"}


@dataclass(slots=True)
class Manifest:
    """What defines a plugin. `fatal` is why it cannot load; `exact` means that `skills` are exactly those listed."""

    data: JsonObject = field(default_factory=dict[str, Any])
    path: str = ""
    document: Document | None = None
    fatal: str = ""
    exact: bool = False
    problems: list[Notice] = field(default_factory=list[Notice])

    def source(self, *pointer: str | int) -> Source:
        """Where a value is written."""
        line = self.document.line(*pointer) if self.document is not None else 0
        return Source(layer="plugin", path=self.path, line=line)

    def tell(self, text: str, *pointer: str | int, level: str = "warning", hint: str = "", code: str) -> None:
        """Report a problem with its place."""
        kind = "error" if level == "error" else "info" if level == "info" else "warning"
        self.problems.append(
            Notice(text=text, level=kind, where=str(self.source(*pointer)) if self.path else "", hint=hint, code=code)
        )

    def fail(self, text: str, *pointer: str | int) -> None:
        """Report why the plugin cannot load; the first reason is kept."""
        self.fatal = self.fatal or text
        self.tell(text, *pointer, level="error", code="plugin_not_loaded")


def read_manifest(root: Path, entry: JsonObject | None = None, name: str = "") -> Manifest:
    """The manifest of a plugin's folder, joined with its marketplace entry. Never raises.

    A folder without a manifest is a plugin called like the folder. `strict: false` makes the entry everything.
    """
    manifest = _read(root)
    entry = entry or {}
    if entry.get("strict", True) is False:
        _take_entry(manifest, entry)
    else:
        manifest.data = {key: value for key, value in entry.items() if key != "source"} | manifest.data
    if name:
        manifest.data["name"] = name
    elif not manifest.path and "name" not in manifest.data:
        manifest.data["name"] = root.name
    _check(manifest)
    return manifest


def _read(root: Path) -> Manifest:
    path = root / MANIFEST
    try:
        document = read_json(path, _LIMIT)
    except ConfigError as problem:
        manifest = Manifest(path=str(path), fatal=f"{path.name} {problem.message}")
        manifest.problems.append(
            Notice(text=manifest.fatal, level="error", where=problem.where, code="plugin_not_loaded")
        )
        return manifest
    if document is None:
        return Manifest()
    if not is_object(document.data):
        manifest = Manifest(path=str(path), document=document)
        manifest.fail("plugin.json must be an object")
        return manifest
    return Manifest(dict(document.data), str(path), document)


def _take_entry(manifest: Manifest, entry: JsonObject) -> None:
    declared = [key for key in COMPONENTS if key in manifest.data]
    if declared:
        manifest.fail(
            f"plugin.json declares {', '.join(declared)}, but the marketplace entry (strict: false) is everything",
            declared[0],
        )
    manifest.data = manifest.data | {key: value for key, value in entry.items() if key != "source"}
    manifest.exact = "skills" in entry


def _check(manifest: Manifest) -> None:
    if manifest.fatal:
        return
    data = manifest.data
    for key, value in data.items():
        wanted = _TYPES.get(key)
        if wanted and not isinstance(value, wanted):
            words = " or ".join(_WORDS[kind] for kind in wanted)
            manifest.fail(f"`{key}` must be {words}", key)
        elif wanted is None and key not in _OTHERS:
            near = difflib.get_close_matches(key, [*_TYPES, *_OTHERS], n=1)
            hint = f"Did you mean {near[0]}?" if near else ""
            manifest.tell(f"unknown field `{key}`", key, hint=hint, code="unknown_field")
    name = data.get("name")
    if not name:
        manifest.fail("`name` is missing")
    elif isinstance(name, str) and not NAME.fullmatch(name):
        manifest.fail(f"the name {name!r} cannot be used in paths and tool names", "name")
    elif isinstance(name, str) and not _KEBAB.fullmatch(name):
        manifest.tell(f"the name {name!r} is not kebab-case", "name", code="not_kebab_case")


def paths_of(manifest: Manifest, key: str) -> list[tuple[str, tuple[str | int, ...]]]:
    """The paths that a component key lists, each with its place in the manifest."""
    value = manifest.data.get(key)
    if isinstance(value, str):
        return [(value, (key,))]
    if is_list(value):
        return [(item, (key, index)) for index, item in enumerate(value) if isinstance(item, str)]
    return []
