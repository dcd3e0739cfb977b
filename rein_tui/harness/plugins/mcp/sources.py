"""Where servers are configured, in order: the highest entry of a name counts, whole; nothing is merged field by field.

managed (alone, where there is one) > --mcp-config > local > project > user > the leading agent's > plugins.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ...places import Places
from ...protocol.agents import AgentServer
from ...protocol.decisions import Layer, Source
from ...protocol.errors import ConfigError
from ...protocol.events import Notice
from ...protocol.mcp import McpScope
from ...settings.locations import ALL_SOURCES, SourceName, check_managed_owner
from ...settings.reader import BadJson, Document, parse_json, read_json
from ...settings.shapes import is_list, is_object
from ..words import ServerDefinition
from .config import Entry, ServerConfig, read_entry
from .names import safe_server

STATE_LIMIT = 64 * 1024 * 1024
"""Bytes of `~/.claude.json` that are read: it grows with the ecosystem's own history."""

ROOT_ONLY = (0,)


@dataclass(frozen=True, slots=True)
class ServerScene:
    """Where to look. `given` is what --mcp-config said: files or JSON; `strict`: nothing but these.

    `lead` are those of the agent that leads the session.
    """

    places: Places
    root: Path
    environment: Mapping[str, str]
    given: tuple[str, ...] = ()
    strict: bool = False
    sources: tuple[SourceName, ...] = tuple(sorted(ALL_SOURCES))
    plugins: Sequence[ServerDefinition] = ()
    lead: Sequence[AgentServer] = ()
    owners: tuple[int, ...] = ROOT_ONLY


@dataclass(slots=True)
class FoundServers:
    """The servers of a session, highest scope first, and what is wrong with entries.

    `closed` says why others may not join them, where that is so.
    """

    configs: dict[str, ServerConfig] = field(default_factory=dict[str, ServerConfig])
    closed: str = ""
    notices: list[Notice] = field(default_factory=list[Notice])


def find_servers(scene: ServerScene) -> FoundServers:
    """All configured servers. Reads files and starts nothing. Raises ConfigError for what --mcp-config names.

    Raises StartError for an administrator's file that others could have written.
    """
    found = FoundServers()
    managed = scene.places.managed / "managed-mcp.json"
    if managed.is_file():
        check_managed_owner(managed, scene.places, scene.owners)
        found.closed = f"the administrator's {managed.name} says which there are."
        _take(found, scene, _file_entries(managed, "managed", found))
        return found
    for text in scene.given:
        _take(found, scene, _given(text, scene.root))
    if scene.strict:
        found.closed = "with --strict-mcp-config only those of --mcp-config count."
        return found
    state = _state(scene.places, found)
    if "local" in scene.sources:
        _take(found, scene, _local_entries(state, scene))
    if "project" in scene.sources:
        _take(found, scene, _file_entries(scene.root / ".mcp.json", "project", found))
    if "user" in scene.sources:
        _take(found, scene, _state_entries(state, scene))
    _take(found, scene, (agent_entry(server) for server in scene.lead if server.entry is not None))
    _take(found, scene, (_plugin_entry(server) for server in scene.plugins))
    return found


def _take(found: FoundServers, scene: ServerScene, entries: Iterable[Entry]) -> None:
    for entry in entries:
        config, notices = read_entry(entry, scene.environment)
        found.notices += notices
        if config is None or entry.name in found.configs:
            continue
        rival = next((c for c in found.configs.values() if safe_server(c.name) == safe_server(entry.name)), None)
        if rival is not None:
            text = f"MCP server {entry.name!r} is left out: its tools would have the names of those of {rival.name!r}"
            found.notices.append(Notice(text=text, level="warning", where=str(entry.source), code="mcp.config"))
        elif not config.plugin_id or all(c.endpoint != config.endpoint for c in found.configs.values()):
            found.configs[config.name] = config


def servers_in(data: Any) -> tuple[tuple[str | int, ...], dict[str, Any]]:
    """The entries of a document, wrapped in `mcpServers` or flat, and the way to them. Raises ConfigError."""
    if not is_object(data):
        raise ConfigError("is not an object of servers")
    if "mcpServers" not in data:
        return (), data
    wrapped = data["mcpServers"]
    if not is_object(wrapped):
        raise ConfigError("mcpServers is not an object")
    return ("mcpServers",), wrapped


def _file_entries(path: Path, scope: McpScope, found: FoundServers) -> list[Entry]:
    try:
        document = read_json(path)
        return [] if document is None else _entries(document, scope, path)
    except ConfigError as problem:
        where = problem.where or str(path)
        text = f"The MCP servers of {path.name} are left out: it {problem.message}"
        found.notices.append(Notice(text=text, level="error", where=where, code="mcp.config"))
        return []


def _entries(document: Document, scope: McpScope, path: Path | str) -> list[Entry]:
    way, servers = servers_in(document.data)
    layer: Layer = "command_line" if scope == "command_line" else "managed" if scope == "managed" else "project"
    return [
        Entry(name, value, scope, Source(layer=layer, path=str(path), line=document.line(*way, name)))
        for name, value in servers.items()
    ]


def _given(text: str, root: Path) -> list[Entry]:
    """The servers of one --mcp-config. Raises ConfigError: what was asked for on purpose is not left out silently."""
    if text.lstrip().startswith("{"):
        try:
            return _entries(parse_json(text), "command_line", "--mcp-config")
        except BadJson as problem:
            raise ConfigError(f"is not valid JSON: {problem.reason}", where="--mcp-config") from problem
    path = root / Path(text).expanduser()
    document = read_json(path)
    if document is None:
        raise ConfigError("does not exist", where=f"--mcp-config {text}", hint="Give a file, or JSON in quotes.")
    return _entries(document, "command_line", path)


def _state(places: Places, found: FoundServers) -> Document | None:
    try:
        return read_json(places.global_state, STATE_LIMIT)
    except ConfigError as problem:
        text = f"Your MCP servers are left out: {places.global_state.name} {problem.message}"
        found.notices.append(Notice(text=text, level="error", where=problem.where, code="mcp.config"))
        return None


def project_state(document: Document | None, root: Path) -> tuple[str, dict[str, Any]]:
    """What `~/.claude.json` says about a project: its key there, and its object."""
    data = document.data if document is not None else None
    projects = data.get("projects") if is_object(data) else None
    if is_object(projects):
        for key in dict.fromkeys((str(root), str(root.resolve()))):
            if is_object(project := projects.get(key)):
                return key, project
    return str(root), {}


def _local_entries(document: Document | None, scene: ServerScene) -> list[Entry]:
    key, project = project_state(document, scene.root)
    servers = project.get("mcpServers")
    if document is None or not is_object(servers):
        return []
    path = str(scene.places.global_state)
    return [
        Entry(name, value, "local", Source(layer="local", path=path, line=_line(document, key, name)))
        for name, value in servers.items()
    ]


def _line(document: Document, key: str, name: str) -> int:
    return document.line("projects", key, "mcpServers", name)


def _state_entries(document: Document | None, scene: ServerScene) -> list[Entry]:
    servers = document.data.get("mcpServers") if document is not None and is_object(document.data) else None
    if document is None or not is_object(servers):
        return []
    path = str(scene.places.global_state)
    return [
        Entry(name, value, "user", Source(layer="user", path=path, line=document.line("mcpServers", name)))
        for name, value in servers.items()
    ]


def agent_entry(server: AgentServer) -> Entry:
    """The entry of a server that an agent's file brings: the person's, or the project's, which asks."""
    layer = server.source.layer
    scope: McpScope = "managed" if layer == "managed" else "user" if layer == "user" else "project"
    return Entry(server.name, server.entry, scope, server.source)


def _plugin_entry(server: ServerDefinition) -> Entry:
    return Entry(
        server.scoped,
        server.config,
        "plugin",
        server.source,
        plugin_id=server.plugin_id,
        environment=server.environment,
    )


def switched_off(places: Places, root: Path) -> frozenset[str]:
    """Servers that the ecosystem's own state switches off in this project."""
    try:
        document = read_json(places.global_state, STATE_LIMIT)
    except ConfigError:
        return frozenset()
    _, project = project_state(document, root)
    names = project.get("disabledMcpServers")
    return frozenset(map(str, names)) if is_list(names) else frozenset()


def as_json(config: ServerConfig) -> str:
    """An entry as it was written, for people."""
    return json.dumps(config.written, indent=2, ensure_ascii=False)
