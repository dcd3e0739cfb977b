"""From a plugin's folder to a `Plugin`: everything that it brings, and everything that is wrong with it.

Nothing is run. Bodies are not kept: they are read when they are used.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from ..hooks.config import parse_hooks
from ..hooks.points import NEVER_FIRING, POINTS
from ..places import Places
from ..protocol.agents import AgentSpec
from ..protocol.base import JsonObject
from ..protocol.decisions import Source
from ..protocol.errors import ConfigError
from ..protocol.events import Notice
from ..protocol.hooks import HookSpec
from ..settings.reader import Document, read_json
from ..settings.shapes import is_list, is_object
from .agent_files import read_agent
from .definitions import read_definition, read_style
from .layout import Layout
from .manifest import Manifest, read_manifest
from .substitute import fill_all, folder_values, option_values
from .words import Definition, Owner, Plugin, ServerDefinition, Style

DefinedT = TypeVar("DefinedT")

_UNUSED = {
    "lspServers": ".lsp.json",
    "monitors": "monitors/monitors.json",
    "themes": "themes",
    "workflows": "workflows",
}
"""Parts that have no meaning here, and where they are by default."""


@dataclass(frozen=True, slots=True)
class PluginPlace:
    """Where a plugin is found. `origin` is inline, skills-dir or a marketplace; `entry` the marketplace's."""

    root: Path
    origin: str
    name: str = ""
    entry: JsonObject = field(default_factory=dict[str, Any])
    options: JsonObject = field(default_factory=dict[str, Any])
    enabled: bool = True
    version: str = ""


def data_folder(places: Places, plugin_id: str) -> Path:
    """Where a plugin keeps its own files."""
    return places.config / "plugins" / "data" / re.sub(r"[^A-Za-z0-9_-]", "-", plugin_id)


def load_plugin(place: PluginPlace, places: Places, project: str = "") -> Plugin:
    """Everything that the plugin brings; never raises for what is in its folder."""
    manifest = read_manifest(place.root, place.entry, place.name)
    name = str(manifest.data.get("name") or place.root.name)
    plugin_id = f"{name}@{place.origin}"
    data = str(data_folder(places, plugin_id))
    if not place.root.is_dir():
        manifest.fail(f"{place.root} is not a folder")
    options = _options(manifest, place.options)
    owner = Owner(
        layer="plugin",
        label=plugin_id,
        plugin=name,
        plugin_id=plugin_id,
        root=str(place.root),
        data=data,
        options=options,
    )
    blank = Plugin(
        id=plugin_id,
        name=name,
        root=str(place.root),
        origin=place.origin,
        version=str(manifest.data.get("version") or place.version),
        description=str(manifest.data.get("description") or ""),
        enabled=place.enabled,
        default_enabled=manifest.data.get("defaultEnabled") is not False,
        data=data,
        options=options,
    )
    return _Loading(Layout.of(place.root, manifest), owner, project).plugin(blank)


class _Loading:
    """One plugin being loaded."""

    def __init__(self, layout: Layout, owner: Owner, project: str) -> None:
        self._layout = layout
        self._manifest = layout.manifest
        self._owner = owner
        self._project = project

    def plugin(self, blank: Plugin) -> Plugin:
        """The plugin with its parts; without any when something in it must not be missed. All problems are told."""
        from msgspec import structs

        manifest, problems = self._manifest, self._manifest.problems
        if manifest.fatal:
            return structs.replace(blank, loaded=False, problems=tuple(problems))
        bin_folder = self._layout.root / "bin"
        has_bin = self._layout.has("bin") and bin_folder.is_dir() and self._layout.inside(bin_folder)
        loaded = structs.replace(
            blank,
            commands=tuple(self._commands()),
            skills=tuple(self._skills()),
            agents=tuple(self._agents()),
            hooks=tuple(self._hooks()),
            mcp=tuple(self._servers()),
            styles=tuple(self._styles()),
            bin=str(bin_folder) if has_bin else "",
            needs=tuple(self._needs()),
            unused=tuple(self._unused()),
        )
        loaded = structs.replace(blank, loaded=False) if manifest.fatal else loaded
        return structs.replace(loaded, problems=tuple(problems))

    def _each(self, paths: list[Path], read: Callable[[Path], DefinedT]) -> Iterator[DefinedT]:
        for path in paths:
            try:
                yield read(path)
            except ConfigError as problem:
                self._manifest.problems.append(
                    Notice(text=f"{path.name} {problem.message}", level="error", where=problem.where, code="unreadable")
                )

    def _commands(self) -> Iterator[Definition]:
        files = dict(self._layout.markdown("commands", "commands"))
        for defined in self._each([path for path in files if path.name != "SKILL.md"], partial(self._command, files)):
            self._manifest.problems += defined.problems
            yield defined

    def _command(self, scopes: dict[Path, str], path: Path) -> Definition:
        name = ":".join(part for part in (scopes[path], path.stem) if part)
        return read_definition(path, self._owner, name=name, is_skill=False)

    def _skills(self) -> Iterator[Definition]:
        def read(path: Path) -> Definition:
            name = self._owner.plugin if path.parent == self._layout.root else path.parent.name
            return read_definition(path, self._owner, name=name, is_skill=True)

        for defined in self._each(self._layout.skills(), read):
            self._manifest.problems += defined.problems
            yield defined

    def _agents(self) -> Iterator[AgentSpec]:
        files = dict(self._layout.markdown("agents", "agents"))

        def read(path: Path) -> tuple[AgentSpec | None, tuple[Notice, ...]]:
            return read_agent(path, self._owner, files[path])

        for spec, notices in self._each(list(files), read):
            self._manifest.problems += notices
            if spec is not None:
                yield spec

    def _styles(self) -> Iterator[Style]:
        paths = [path for path, _ in self._layout.markdown("outputStyles", "output-styles")]
        yield from self._each(paths, lambda path: read_style(path, self._owner))

    # --- hooks and servers ----------------------------------------------------------------------------------

    def _documents(self, key: str, default: str) -> Iterator[tuple[JsonObject, Document, Path]]:
        for path in self._layout.files(key, default):
            try:
                document = read_json(path)
            except ConfigError as problem:
                self._unreadable(key, f"{path.name} {problem.message}", problem.where)
                continue
            if document is not None and is_object(document.data):
                yield document.data, document, path
            elif document is not None:
                self._unreadable(key, f"{path.name} must be an object", str(path))

    def _unreadable(self, key: str, text: str, where: str) -> None:
        """Servers that cannot be read are not there. Hooks might have said no: the plugin stays off."""
        code = "servers_unreadable"
        if key == "hooks":
            self._manifest.fatal, code = text, "plugin_not_loaded"
        self._manifest.problems.append(Notice(text=text, level="error", where=where, code=code))

    def _hooks(self) -> Iterator[HookSpec]:
        found: list[HookSpec] = []
        for data, document, path in self._documents("hooks", "hooks/hooks.json"):
            prefix: tuple[str, ...] = ("hooks",) if is_object(data.get("hooks")) else ()
            found += self._parsed(data, prefix, partial(_file_source, path, document, prefix))
        inline = self._manifest.data.get("hooks")
        for index, part in enumerate(inline if is_list(inline) else [inline]):
            if is_object(part):
                lead: tuple[str | int, ...] = ("hooks", index) if is_list(inline) else ("hooks",)
                prefix = ("hooks",) if is_object(part.get("hooks")) else ()
                found += self._parsed(part, prefix, partial(_manifest_source, self._manifest, (*lead, *prefix)))
        return iter(found)

    def _parsed(
        self, data: JsonObject, prefix: tuple[str, ...], locate: Callable[[tuple[str | int, ...]], Source]
    ) -> list[HookSpec]:
        events = data["hooks"] if prefix else {k: v for k, v in data.items() if k in POINTS or k in NEVER_FIRING}
        owner = self._owner
        specs, notices = parse_hooks(
            events,
            locate,
            plugin_id=owner.plugin_id,
            plugin_root=owner.root,
            plugin_data=owner.data,
            options=owner.options,
        )
        self._manifest.problems += notices
        return specs

    def _servers(self) -> list[ServerDefinition]:
        servers: dict[str, ServerDefinition] = {}
        for data, document, path in self._documents("mcpServers", ".mcp.json"):
            wrapped = data.get("mcpServers")
            entries = wrapped if is_object(wrapped) else data
            lead: tuple[str, ...] = ("mcpServers",) if is_object(wrapped) else ()
            for name, entry in entries.items():
                source = Source(layer="plugin", path=str(path), line=document.line(*lead, name))
                self._add_server(servers, name, entry, source, flat=not lead)
        inline = self._manifest.data.get("mcpServers")
        for part in inline if is_list(inline) else [inline]:
            for name, entry in part.items() if is_object(part) else ():
                self._add_server(servers, name, entry, self._manifest.source("mcpServers", name), flat=False)
        return list(servers.values())

    def _add_server(
        self, servers: dict[str, ServerDefinition], name: str, entry: object, source: Source, *, flat: bool
    ) -> None:
        if not is_object(entry) or (flat and not {"command", "url", "type"} & set(entry)):
            if not flat or not name.startswith(("$", "_")):
                text = f"the MCP server {name!r} must be an object with `command` or `url`"
                self._manifest.problems.append(
                    Notice(text=text, level="warning", where=str(source), code="server_not_started")
                )
            return
        folders = folder_values(self._owner, self._project)
        servers[name] = ServerDefinition(
            name=name,
            scoped=f"plugin:{self._owner.plugin}:{name}",
            config=fill_all(entry, folders | option_values(self._owner)),
            source=source,
            plugin_id=self._owner.plugin_id,
            environment=folders,
        )

    def _needs(self) -> Iterator[str]:
        """The plugins that it depends on: `name`, or `{"name", "marketplace"}`; versions are not compared."""
        listed = self._manifest.data.get("dependencies")
        for index, entry in enumerate(listed if is_list(listed) else ()):
            name = entry.get("name") if is_object(entry) else entry
            market = entry.get("marketplace") if is_object(entry) else None
            if isinstance(name, str) and name:
                yield f"{name}@{market}" if isinstance(market, str) and "@" not in name else name
            else:
                text = "a dependency must be a name, or an object with a name"
                self._manifest.tell(text, "dependencies", index, code="bad_dependency")

    def _unused(self) -> Iterator[str]:
        experimental = self._manifest.data.get("experimental")
        declared = set(self._manifest.data) | (set(experimental) if is_object(experimental) else set[str]())
        for key, default in _UNUSED.items():
            if key in declared or (self._layout.has(default) and (self._layout.root / default).exists()):
                yield key


def _file_source(path: Path, document: Document, prefix: tuple[str, ...], pointer: tuple[str | int, ...]) -> Source:
    return Source(layer="plugin", path=str(path), line=document.line(*prefix, *pointer))


def _manifest_source(manifest: Manifest, lead: tuple[str | int, ...], pointer: tuple[str | int, ...]) -> Source:
    return manifest.source(*lead, *pointer)


def _options(manifest: Manifest, given: JsonObject) -> JsonObject:
    """The plugin's option values: those given, else the defaults that `userConfig` declares."""
    declared = manifest.data.get("userConfig")
    options: JsonObject = {}
    for key, description in declared.items() if is_object(declared) else ():
        if not is_object(description):
            manifest.tell(f"the option {key!r} must be an object", "userConfig", key, code="bad_option")
        if is_object(description) and description.get("default") is not None:
            options[key] = description["default"]
        if is_object(description) and description.get("required") is True and key not in given | options:
            text = f"the plugin's option {key!r} is not set"
            hint = f'set pluginConfigs["…"].options.{key} in your settings'
            manifest.tell(text, "userConfig", key, hint=hint, code="option_missing")
    return options | given
