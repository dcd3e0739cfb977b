"""One server's entry: read leniently, checked, its variables replaced. A bad entry is told and takes nothing along."""

import hashlib
import json
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from ...protocol.base import JsonObject
from ...protocol.decisions import Source
from ...protocol.events import Notice
from ...protocol.mcp import McpScope
from ...settings.shapes import is_list, is_object
from .expand import Expansion
from .names import RESERVED

Transport: TypeAlias = Literal["stdio", "http", "sse"]

_TRANSPORTS: dict[str, Transport] = {"stdio": "stdio", "http": "http", "streamable-http": "http", "sse": "sse"}
_SHORTEST_CALL = 1.0


@dataclass(frozen=True, slots=True)
class OAuthWish:
    """What an entry says about logging in."""

    client_id: str = ""
    callback_port: int = 0
    scopes: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerConfig:
    """A server as it would be started. `environment` is what its process gets beside the harmless names.

    `call_timeout` is in seconds, 0 for the default. Tools of an `always_load` server are never held back.
    `written` is what the digest of an approval is taken of.
    """

    name: str
    scope: McpScope
    source: Source
    transport: Transport = "stdio"
    command: str = ""
    args: tuple[str, ...] = ()
    environment: dict[str, str] = field(default_factory=dict[str, str])
    url: str = ""
    headers: dict[str, str] = field(default_factory=dict[str, str], repr=False)
    headers_helper: str = ""
    oauth: OAuthWish = OAuthWish()
    call_timeout: float = 0.0
    always_load: bool = False
    plugin_id: str = ""
    written: JsonObject = field(default_factory=dict[str, Any], repr=False)

    @property
    def summary(self) -> str:
        """Its command line or address, for people."""
        return shlex.join([self.command, *self.args]) if self.transport == "stdio" else self.url

    @property
    def endpoint(self) -> str:
        """What makes two entries the same server: a plugin's gives way to one that a person configured."""
        parts = [self.command, *self.args] if self.transport == "stdio" else [self.url]
        return json.dumps([self.transport, *parts])

    @property
    def approved(self) -> JsonObject:
        """What a person approves: command, arguments, variables, address, its helpers and the names of its headers.

        As it is written; values of variables, which may be secrets, only by what stands for them.
        """
        entry = self.written
        approved = {key: entry.get(key) for key in ("type", "command", "args", "url", "headersHelper", "oauth")}
        environment: Any = entry.get("env")
        if is_object(environment):
            approved["env"] = {name: _stand_in(value) for name, value in environment.items()}
        headers: Any = entry.get("headers")
        if is_object(headers):
            approved["headers"] = sorted(headers)
        return {key: value for key, value in approved.items() if value is not None}

    @property
    def digest(self) -> str:
        """Stands for what a person approves."""
        return hashlib.sha256(json.dumps(self.approved, sort_keys=True, default=str).encode()).hexdigest()


def _stand_in(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True, default=str).encode()).hexdigest()[:12]


def differences(before: JsonObject, now: JsonObject) -> str:
    """What is another between two `ServerConfig.approved`, for a person; empty when nothing is."""
    told: list[str] = []
    for key in dict.fromkeys((*before, *now)):
        old, new = before.get(key), now.get(key)
        if old != new and key == "env":
            told.append(f"variables: {', '.join(_changed(old, new))}")
        elif old != new:
            told.append(f"{_LABELS.get(key, key)}: {_as_words(old)} → {_as_words(new)}")
    return "; ".join(told)


def _changed(old: Any, new: Any) -> list[str]:
    before, now = (value if is_object(value) else {} for value in (old, new))
    return [name for name in dict.fromkeys((*before, *now)) if before.get(name) != now.get(name)]


_LABELS = {"args": "arguments", "url": "address"}


def _as_words(value: Any) -> str:
    if value is None:
        return "not there"
    if is_list(value):
        return f"`{shlex.join(map(str, value))}`" if value else "none"
    return f"`{value}`" if isinstance(value, str) else json.dumps(value, sort_keys=True, default=str)


@dataclass(slots=True)
class Entry:
    """An entry as found, before it is checked."""

    name: str
    value: Any
    scope: McpScope
    source: Source
    plugin_id: str = ""
    environment: Mapping[str, str] = field(default_factory=dict[str, str])


class _BadEntry(ValueError):
    """The entry cannot be used; the text says why."""


def read_entry(entry: Entry, environment: Mapping[str, str]) -> tuple[ServerConfig | None, list[Notice]]:
    """The server that an entry means, or None; and what is wrong with it."""
    expansion = Expansion({**environment, **entry.environment})
    try:
        config = _config(entry, expansion)
    except _BadEntry as problem:
        return None, [_notice(f"MCP server {entry.name!r} is left out: {problem}", entry.source)]
    notices = [
        _notice(f"MCP server {entry.name!r}: the variable {name} is not set and has no default", entry.source)
        for name in expansion.missing
    ]
    if is_object(entry.value) and is_object(oauth := entry.value.get("oauth")) and "authServerMetadataUrl" in oauth:
        text = f"MCP server {entry.name!r}: authServerMetadataUrl is not supported; its server is asked for the way"
        notices.append(_notice(text, entry.source))
    return config, notices


def _notice(text: str, source: Source) -> Notice:
    return Notice(text=text, level="warning", where=str(source), code="mcp.config")


def _config(entry: Entry, expansion: Expansion) -> ServerConfig | None:
    value = entry.value
    if not is_object(value):
        raise _BadEntry("it is not an object")
    if entry.name in RESERVED or not entry.name.strip():
        raise _BadEntry("this name is reserved")
    transport = _transport(value)
    if transport != "stdio" and value.get("url") == "":
        return None  # written down, not configured yet
    if transport == "stdio":
        command = expansion.text(_text(value, "command"))
        if not command:
            raise _BadEntry("it has no command")
        return ServerConfig(
            **_common(entry, value),
            command=command,
            args=expansion.texts(_texts(value, "args")),
            environment={**entry.environment, **expansion.members(_members(value, "env"))},
        )
    url = expansion.text(_text(value, "url"))
    if not url.startswith(("http://", "https://")):
        raise _BadEntry(f"{url!r} is no http address" if url else "it has no url")
    return ServerConfig(
        **_common(entry, value),
        transport=transport,
        url=url,
        headers=expansion.members(_members(value, "headers")),
        headers_helper=expansion.text(_text(value, "headersHelper")),
        oauth=_oauth(value.get("oauth")),
        environment=dict(entry.environment),
    )


def _common(entry: Entry, value: JsonObject) -> JsonObject:
    return {
        "name": entry.name,
        "scope": entry.scope,
        "source": entry.source,
        "plugin_id": entry.plugin_id,
        "call_timeout": _timeout(value),
        "always_load": value.get("alwaysLoad") is True,
        "written": value,
    }


def _transport(value: JsonObject) -> Transport:
    word = value.get("type")
    if word is None:
        if "url" in value and "command" not in value:
            raise _BadEntry('it has a url but no type; say "type": "http" or "sse"')
        return "stdio"
    if word == "ws":
        raise _BadEntry("WebSocket servers are not supported; ask for its http address")
    if not isinstance(word, str) or word not in _TRANSPORTS:
        raise _BadEntry(f"its type {word!r} is none of {', '.join(_TRANSPORTS)}")
    return _TRANSPORTS[word]


def _text(value: JsonObject, key: str) -> str:
    found = value.get(key, "")
    if not isinstance(found, str) or "\0" in found:
        raise _BadEntry(f"its {key} is not a text")
    return found


def _texts(value: JsonObject, key: str) -> list[str]:
    found = value.get(key, [])
    if not is_list(found) or not all(isinstance(item, str | int | float) and "\0" not in str(item) for item in found):
        raise _BadEntry(f"its {key} is not a list of texts")
    return [str(item) for item in found]


def _members(value: JsonObject, key: str) -> dict[str, str]:
    found = value.get(key, {})
    if not is_object(found) or not all(
        isinstance(item, str | int | float | bool) and "\0" not in str(item) for item in found.values()
    ):
        raise _BadEntry(f"its {key} is not an object of texts")
    return {name: item if isinstance(item, str) else json.dumps(item) for name, item in found.items()}


def _timeout(value: JsonObject) -> float:
    found = value.get("timeout", 0)
    if isinstance(found, bool) or not isinstance(found, int | float) or found < 0:
        raise _BadEntry("its timeout is not a number of milliseconds")
    return max(found / 1000, _SHORTEST_CALL) if found else 0.0


def _oauth(value: Any) -> OAuthWish:
    if value is None:
        return OAuthWish()
    if not is_object(value):
        raise _BadEntry("its oauth is not an object")
    scopes = value.get("scopes", "")
    port = value.get("callbackPort", 0)
    if not isinstance(port, int) or not 0 <= port < 65536:
        raise _BadEntry("its oauth.callbackPort is no port")
    return OAuthWish(
        client_id=_text(value, "clientId"),
        callback_port=port,
        scopes=" ".join(map(str, scopes)) if is_list(scopes) else str(scopes or ""),
    )
