"""Which servers may run: what a person approved, by digest; what settings say; what the administrator allows.

A project's server that changes after it was approved asks again. A no always wins.
"""

import fnmatch
import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeAlias
from urllib.parse import urlsplit

from ...places import Places
from ...protocol.base import JsonObject
from ...protocol.errors import ConfigError
from ...protocol.mcp import McpCondition
from ...settings.layers import Settings
from ...settings.reader import read_json
from ...settings.repository import trust_root
from ...settings.shapes import is_list, is_object
from ...store.files import private_folder, write_private
from .config import ServerConfig, differences
from .sources import switched_off

Said: TypeAlias = Literal["approved", "denied"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a server may start: `state` empty means yes."""

    state: McpCondition | Literal[""] = ""
    reason: str = ""
    hint: str = ""


@dataclass(frozen=True, slots=True)
class ToolWords:
    """What a tool says of itself."""

    name: str
    description: str
    schema: JsonObject = field(default_factory=dict[str, Any])

    @property
    def digest(self) -> str:
        """Stands for all of it."""
        said = json.dumps([self.description, self.schema], sort_keys=True, default=str)
        return hashlib.sha256(said.encode()).hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class _Pin:
    """A tool as it was: its digest, and the beginning of what it said."""

    digest: str
    said: str = ""

    @classmethod
    def of(cls, tool: ToolWords) -> "_Pin":
        return cls(tool.digest, tool.description[:_REMEMBERED])

    @classmethod
    def read(cls, written: Any) -> "_Pin":
        parts: list[Any] = written if is_list(written) else [written]
        return cls(str(parts[0]) if parts else "", str(parts[1]) if len(parts) > 1 else "")

    @property
    def written(self) -> list[str]:
        """As it stands in the file."""
        return [self.digest, self.said]


_YES = Verdict()
_REMEMBERED = 400
"""Characters of a tool's description that are kept, to show what it said before it changed."""
_URL = re.compile(r"^([^:/]*)://([^/]*)(/.*)?$", re.DOTALL)


@dataclass(slots=True)
class Approvals:
    """What persons said about the servers of one project, kept in our own data folder.

    `interactive` false: a trusted project's servers that nobody judged yet are connected without asking.
    """

    places: Places
    root: Path
    settings: Settings
    interactive: bool = True
    _known: JsonObject = field(default_factory=dict[str, Any])

    def __post_init__(self) -> None:
        self._known = self._read()

    # --- judging --------------------------------------------------------------------------------------------

    def judge(self, config: ServerConfig) -> Verdict:
        """Whether this server may start as it is written now."""
        if reason := forbidden(config, self.settings):
            return Verdict("blocked", reason)
        if config.name in self._list("disabled") or (
            config.name in switched_off(self.places, self.root) and config.name not in self._list("enabled")
        ):
            return Verdict("disabled", "It is switched off in this project.", f"rein-tui: /mcp, or {config.source}")
        return self._judge_project(config) if config.scope == "project" else _YES

    def _judge_project(self, config: ServerConfig) -> Verdict:
        if config.name in (self.settings.merged("disabledMcpjsonServers") or ()):
            return Verdict("denied", "disabledMcpjsonServers of the settings names it.")
        said = self._said().get(config.name)
        verdict, digest = (said.get("said"), said.get("digest")) if is_object(said) else (None, None)
        if verdict == "denied":
            return Verdict("denied", "You said no to it.")
        if not self.settings.trusted:
            return Verdict("unapproved", "This folder is not trusted.", "Trust the folder first.")
        if digest == config.digest:
            return _YES
        if digest is not None:
            was = said.get("was") if is_object(said) else None
            what = differences(was, config.approved) if is_object(was) else ""
            return Verdict("unapproved", f"It is not what you approved: {what or 'its entry has changed'}.")
        if self._approved_elsewhere(config.name):
            self._remember(config, "approved")
            return _YES
        return Verdict("unapproved", "A project's server runs once you approve it.") if self.interactive else _YES

    def _approved_elsewhere(self, name: str) -> bool:
        if self.settings.get("enableAllProjectMcpServers", default=False) is True:
            return True
        return name in (self.settings.merged("enabledMcpjsonServers") or ())

    # --- what a person says ---------------------------------------------------------------------------------

    def approve(self, config: ServerConfig) -> None:
        """Yes to this server as it is written now. Raises ConfigError."""
        if not self.settings.trusted:
            raise ConfigError("This folder is not trusted.", where=config.name, hint="Trust the folder first.")
        self._write(config, "approved")

    def deny(self, config: ServerConfig) -> None:
        """No to this server, whatever it becomes. Raises ConfigError."""
        self._write(config, "denied")

    def switch(self, name: str, on: bool) -> None:
        """Switch a server off in this project, or on again. Raises ConfigError."""
        project = self._project()
        for key, has in (("disabled", not on), ("enabled", on)):
            names = [other for other in self._list(key) if other != name]
            project[key] = [*names, name] if has else names
        self._save()

    def forget(self) -> None:
        """Ask again about every server of this project. Raises ConfigError."""
        self._project().pop("said", None)
        self._save()

    # --- tools that change --------------------------------------------------------------------------------

    def changed_tools(self, server: str, tools: Sequence[ToolWords]) -> dict[str, str]:
        """What tools of a server that have changed since they were pinned said of themselves then, by name.

        New servers and tools are pinned.
        """
        pins = self._pins(server)
        known = {tool.name: _Pin.read(pins[tool.name]) for tool in tools if tool.name in pins}
        fresh = {tool.name: _Pin.of(tool) for tool in tools if tool.name not in pins}
        if fresh:
            pins.update((name, pin.written) for name, pin in fresh.items())
            self._save_quietly()
        return {tool.name: pin.said for tool in tools if (pin := known.get(tool.name)) and pin.digest != tool.digest}

    def accept_tool(self, server: str, tool: ToolWords) -> None:
        """A person used the tool as it is now."""
        self._pins(server)[tool.name] = _Pin.of(tool).written
        self._save_quietly()

    def _pins(self, server: str) -> JsonObject:
        tools = self._project().setdefault("tools", {})
        return tools.setdefault(server, {})

    # --- the file -------------------------------------------------------------------------------------------

    @property
    def _path(self) -> Path:
        return self.places.data / "mcp.json"

    @property
    def _key(self) -> str:
        return str(trust_root(self.root))

    def _read(self) -> JsonObject:
        try:
            document = read_json(self._path)
        except ConfigError:
            return {}  # nothing is approved then; the next answer writes it anew
        projects = document.data.get("projects") if document is not None and is_object(document.data) else None
        return projects if is_object(projects) else {}

    def _project(self) -> JsonObject:
        return self._known.setdefault(self._key, {})

    def _said(self) -> JsonObject:
        said = self._project().get("said")
        return said if is_object(said) else {}

    def _list(self, key: str) -> list[str]:
        names = self._project().get(key)
        return [str(name) for name in names] if is_list(names) else []

    def _remember(self, config: ServerConfig, said: Said) -> None:
        self._note(config, said)
        self._save_quietly()

    def _write(self, config: ServerConfig, said: Said) -> None:
        self._note(config, said)
        self._save()

    def _note(self, config: ServerConfig, said: Said) -> None:
        noted = {"said": said, "digest": config.digest, "was": config.approved}
        self._project().setdefault("said", {})[config.name] = noted

    def _save_quietly(self) -> None:
        try:
            self._save()
        except ConfigError:
            return  # it holds for this session

    def _save(self) -> None:
        """Write, keeping what others wrote about other projects meanwhile. Raises ConfigError."""
        known = {**self._read(), self._key: self._project()}
        content = json.dumps({"version": 1, "projects": known}, indent=1, ensure_ascii=False)
        try:
            private_folder(self.places.data)
            write_private(self._path, content.encode())
        except OSError as problem:
            reason = problem.strerror or str(problem)
            raise ConfigError(f"cannot be written: {reason}", where=str(self._path)) from problem


# --- the administrator's lists ------------------------------------------------------------------------------


def forbidden(config: ServerConfig, settings: Settings) -> str:
    """Why policy forbids this server; empty when it does not."""
    denied: Any = settings.merged("deniedMcpServers") or ()
    if any(_matches(entry, config) for entry in denied if is_object(entry)):
        return "deniedMcpServers of the settings names it."
    managed_only = settings.get("allowManagedMcpServersOnly", default=False)
    allowed: Any = settings.managed("allowedMcpServers") if managed_only else settings.merged("allowedMcpServers")
    if allowed is None or config.scope == "managed":
        return ""
    entries: list[JsonObject] = [entry for entry in allowed if is_object(entry)]
    kind = "serverCommand" if config.transport == "stdio" else "serverUrl"
    of_kind = [entry for entry in entries if kind in entry]
    judged = of_kind or [entry for entry in entries if "serverName" in entry]
    return "" if any(_matches(entry, config) for entry in judged) else "allowedMcpServers of the settings omits it."


def _matches(entry: JsonObject, config: ServerConfig) -> bool:
    if "serverName" in entry:
        return entry["serverName"] == config.name
    if "serverCommand" in entry:
        return config.transport == "stdio" and entry["serverCommand"] == [config.command, *config.args]
    pattern = entry.get("serverUrl")
    return isinstance(pattern, str) and config.transport != "stdio" and _fits(config.url, pattern)


def _fits(url: str, pattern: str) -> bool:
    """`*` stands for anything within its part: scheme, host and port, path. Nothing else is special."""
    parts, wanted = urlsplit(url), _URL.match(pattern)
    if wanted is None:
        return False
    host = parts.netloc.rpartition("@")[2].lower()
    rest = url.split("://", 1)[-1][len(parts.netloc) :]
    pairs = ((parts.scheme, wanted[1]), (host, wanted[2].lower()), (rest or "/", wanted[3] or "/"))
    return all(fnmatch.fnmatchcase(value, _escaped(part)) for value, part in pairs)


def _escaped(pattern: str) -> str:
    return pattern.replace("[", "[[]").replace("?", "[?]")
