"""What an administrator says about marketplaces and plugins."""

import re
from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Any
from urllib.parse import urlsplit

from ..protocol.base import JsonObject
from ..protocol.errors import ConfigError
from ..settings.layers import Settings
from ..settings.shapes import is_list, is_object


def check_marketplace(settings: Settings, source: JsonObject) -> None:
    """Raises ConfigError when policy does not let this source be used."""
    blocked = _listed(settings, "blockedMarketplaces")
    if blocked and any(_fits(pattern, source) for pattern in blocked):
        raise ConfigError("policy blocks this marketplace", where=_place(settings, "blockedMarketplaces"))
    allowed = _listed(settings, "strictKnownMarketplaces")
    if allowed is not None and not any(_fits(pattern, source) for pattern in allowed):
        where = _place(settings, "strictKnownMarketplaces")
        raise ConfigError("policy does not list this marketplace", where=where)


def check_plugin(settings: Settings, plugin_id: str) -> None:
    """Raises ConfigError when policy keeps this plugin from being installed."""
    managed = settings.managed("enabledPlugins")
    if is_object(managed) and managed.get(plugin_id) is False:
        raise ConfigError(f"policy blocks {plugin_id}", where=_place(settings, "enabledPlugins"))


def check_plugin_source(settings: Settings, source: Any) -> None:
    """Raises ConfigError for a plugin that a command of its marketplace would make, where policy forbids such ones."""
    if is_object(source) and source.get("source") == "command" and forbids_commands(settings):
        raise ConfigError("policy lets no command bring a plugin", where=commands_forbidden_at(settings))


def forbids_commands(settings: Settings) -> bool:
    """Whether plugins out of commands are forbidden: by their own lock, and by the one on hooks unless it says no."""
    said = settings.managed("disableCommandPluginSources")
    return bool(settings.managed("allowManagedHooksOnly")) if said is None else bool(said)


def commands_forbidden_at(settings: Settings) -> str:
    """Where policy says so: file and line."""
    return _place(settings, "disableCommandPluginSources") or _place(settings, "allowManagedHooksOnly")


def _listed(settings: Settings, *keys: str) -> list[Any] | None:
    found = [value for key in keys if is_list(value := settings.managed(key))]
    return [item for value in found for item in value] if found else None


def _place(settings: Settings, *keys: str) -> str:
    for layer in settings.layers_of("managed"):
        for key in keys:
            if layer.value(key) is not None:
                return str(layer.source(key))
    return ""


def _fits(pattern: Any, source: JsonObject) -> bool:
    """Whether a source is the one a policy entry means; ref and path count where the entry names them."""
    if not is_object(pattern):
        return False
    kind = pattern.get("source")
    if kind == "hostPattern":
        return _matches(pattern.get("hostPattern"), _host(source))
    if kind == "pathPattern":
        return _matches(pattern.get("pathPattern"), str(source.get("path") or ""))
    if kind != source.get("source"):
        return False
    if kind == "github" and str(pattern.get("repo", "")).endswith("/*"):
        return fnmatchcase(str(source.get("repo", "")), str(pattern["repo"]))
    return _plain(pattern) == _plain(source)


def _plain(source: Mapping[str, Any]) -> dict[str, str]:
    return {key: str(source[key]) for key in ("source", "repo", "url", "ref", "path", "package") if source.get(key)}


def _host(source: JsonObject) -> str:
    if source.get("source") == "github":
        return "github.com"
    url = str(source.get("url") or "")
    scp = re.match(r"[\w.-]+@([\w.-]+):", url)
    return scp[1] if scp else urlsplit(url).hostname or ""


def _matches(pattern: Any, text: str) -> bool:
    from ..hooks.pattern import PatternError, search

    if not isinstance(pattern, str) or not text:
        return False
    try:
        return search(pattern, text)
    except PatternError:
        return False
