"""What a folder would run or open up once it is trusted: for the trust dialog, and for noticing changes.

Reads files of the folder as data, strictly and bounded; runs nothing.
"""

import hashlib
import json
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from rein_tui.harness.places import Places
from rein_tui.harness.protocol.base import JsonObject
from rein_tui.harness.protocol.errors import ConfigError
from rein_tui.harness.protocol.policy import TrustKind

from .load import build_layer
from .locations import locations
from .reader import read_bytes, read_json
from .repository import folders_up
from .shapes import is_list, is_object

_HELPERS = ("apiKeyHelper", "statusLine", "fileSuggestion", "subagentStatusLine", "awsAuthRefresh", "otelHeadersHelper")
_PLUGINS = ("enabledPlugins", "extraKnownMarketplaces", "additionalMarketplaces", "pluginConfigs")
_POWERFUL = (b"hooks:", b"mcpServers:", b"allowed-tools:", b"permissionMode:")
_FRONTMATTER_LIMIT = 256 * 1024
_FRONTMATTER_FILES = 2000
_PLUGIN_FILES = 2000


@dataclass(frozen=True, slots=True)
class TrustItem:
    """One thing that trust would enable: `title` is what a person reads (a command line, a rule), `where` file:line."""

    kind: TrustKind
    title: str
    where: str = ""
    detail: str = ""


def inspect(places: Places, root: Path) -> tuple[tuple[TrustItem, ...], str]:
    """Everything that trusting the start folder `root` would enable, and a digest of it (empty: nothing).

    The digest depends on contents and not on places, so that a worktree of the same content has the same.
    """
    items: list[TrustItem] = []
    contents: list[Any] = []
    for place in locations(places, root, ("project", "local")):
        if place.layer in ("project", "local"):
            _settings(place.path, str(place.base), place.layer, items, contents)
    _servers(root / ".mcp.json", items, contents)
    for folder in folders_up(root):
        for path in _markdown(folder / ".claude"):
            _frontmatter(path, root, items, contents)
        _plugins(folder / ".claude" / "skills", root, items, contents)
    if not items:
        return (), ""
    encoded = json.dumps(contents, sort_keys=True, separators=(",", ":")).encode()
    return tuple(items), hashlib.sha256(encoded).hexdigest()


def _settings(
    path: Path, base: str, layer: Literal["project", "local"], items: list[TrustItem], contents: list[Any]
) -> None:
    try:
        document = read_json(path)
        if document is None:
            return
        built, _, _ = build_layer(layer, str(path), document, base, trusted=False)
    except ConfigError as problem:
        items.append(TrustItem("broken", f"{path.name} {problem.message}", problem.where))
        contents.append([layer, "broken", problem.message])
        return
    if built.held:
        contents.append([layer, built.held])

    def where(*pointer: str | int) -> str:
        return f"{path}:{document.line(*pointer)}"

    for key, value in built.held.items():
        items.extend(_described(key, value, where(key), path))


def _described(key: str, value: Any, where: str, path: Path) -> Iterable[TrustItem]:
    if key == "hooks":
        yield from _hooks(value, where)
    elif key == "env" and is_object(value):
        yield from (TrustItem("environment", f"{name}={text}", where) for name, text in value.items())
    elif key == "permissions" and is_object(value):
        yield from _permissions(value, where)
    elif key in _HELPERS:
        yield TrustItem("helper", _command(value), where, key)
    elif key in _PLUGINS:
        yield TrustItem("plugin", f"{key}: {', '.join(value) if is_object(value) else value}", where)
    else:
        yield TrustItem("setting", f"{key}: {json.dumps(value, ensure_ascii=False)}", where, path.name)


def _hooks(value: Any, where: str) -> Iterable[TrustItem]:
    for event, groups in value.items() if is_object(value) else ():
        for group in groups if is_list(groups) else ():
            handlers = group.get("hooks") if is_object(group) else None
            for handler in handlers if is_list(handlers) else ():
                yield TrustItem("hook", _command(handler), where, event)


def _permissions(value: JsonObject, where: str) -> Iterable[TrustItem]:
    for rule in value.get("allow") or ():
        yield TrustItem("allow", rule, where)
    for folder in value.get("additionalDirectories") or ():
        yield TrustItem("directory", folder, where)
    if value.get("defaultMode"):
        yield TrustItem("mode", value["defaultMode"], where)


def _command(value: Any) -> str:
    if isinstance(value, str):
        return value
    if is_object(value):
        for key in ("command", "url", "prompt"):
            found = value.get(key)
            if isinstance(found, str):
                arguments = value.get("args")
                extra = [str(part) for part in arguments] if is_list(arguments) else []
                return " ".join([found, *extra])
    return json.dumps(value, ensure_ascii=False)


def _servers(path: Path, items: list[TrustItem], contents: list[Any]) -> None:
    try:
        document = read_json(path)
    except ConfigError as problem:
        items.append(TrustItem("broken", f"{path.name} {problem.message}", problem.where))
        contents.append(["mcp", "broken"])
        return
    if document is None or not is_object(document.data):
        return
    wrapped = document.data.get("mcpServers")
    servers = wrapped if is_object(wrapped) else document.data
    contents.append(["mcp", servers])
    for name, entry in servers.items():
        items.append(TrustItem("mcp", _command(entry), str(path), name))


def _markdown(folder: Path) -> Iterable[Path]:
    count = 0
    for kind in ("agents", "commands", "skills"):
        for path in sorted((folder / kind).rglob("*.md")):
            count += 1
            if count > _FRONTMATTER_FILES:
                return
            yield path


def _frontmatter(path: Path, root: Path, items: list[TrustItem], contents: list[Any]) -> None:
    try:
        content = read_bytes(path, _FRONTMATTER_LIMIT)
    except ConfigError:
        return
    if content is None or not content.lstrip(b"\xef\xbb\xbf").startswith(b"---"):
        return
    block = content.split(b"\n---", 1)[0]
    found = [word.decode().rstrip(":") for word in _POWERFUL if word in block]
    if not found:
        return
    name = os.path.relpath(path, os.path.realpath(root))
    contents.append(["frontmatter", name, hashlib.sha256(block).hexdigest()])
    items.append(TrustItem("frontmatter", f"{name} ({', '.join(found)})", str(path)))


def _plugins(skills: Path, root: Path, items: list[TrustItem], contents: list[Any]) -> None:
    """Plugins that lie among the skills: any of their files may be run."""
    for manifest in sorted(skills.glob("*/.claude-plugin/plugin.json")):
        folder = manifest.parent.parent
        name = os.path.relpath(folder, os.path.realpath(root))
        total = hashlib.sha256()
        for path in sorted(folder.rglob("*"))[:_PLUGIN_FILES]:
            total.update(os.path.relpath(path, folder).encode("utf-8", "surrogateescape") + b"\0")
            total.update(_content(path) + b"\0")
        contents.append(["plugin", name, total.hexdigest()])
        items.append(TrustItem("plugin", f"{name}: a plugin, with all that it runs", str(manifest)))


def _content(path: Path) -> bytes:
    """What tells that a file changed: its digest, of a large one its size and time, of a link where it leads."""
    try:
        if path.is_symlink():
            return os.fsencode(path.readlink())
        if path.stat().st_size > _FRONTMATTER_LIMIT:
            return f"{path.stat().st_size} {path.stat().st_mtime_ns}".encode()
        return hashlib.sha256(read_bytes(path, _FRONTMATTER_LIMIT) or b"").digest() if path.is_file() else b""
    except (ConfigError, OSError):
        return b"unreadable"
