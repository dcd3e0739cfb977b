"""What people brought: plugins, skills, commands, agents, MCP servers. Reads files; starts nothing."""

import importlib.util
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

from rein_tui.harness.places import Places
from rein_tui.harness.plugins.extensions import Extensions, load_extensions
from rein_tui.harness.plugins.finding import PluginScene
from rein_tui.harness.plugins.mcp.sources import ServerScene, find_servers
from rein_tui.harness.protocol.errors import ReinError
from rein_tui.harness.settings.layers import Settings

from .finding import Finding, bad, of_notice, ok


def brought(places: Places, environment: Mapping[str, str], settings: Settings, root: Path) -> Extensions:
    """Everything that a session in this folder would have."""
    return load_extensions(PluginScene(places, environment, settings, root))


def check_plugins(extensions: Extensions) -> Iterator[Finding]:
    """Plugins and what stands in files."""
    yield from (of_notice("plugins", notice) for notice in extensions.notices)
    names = ", ".join(plugin.id for plugin in extensions.active)
    yield ok("plugins", names or "none")


def check_servers(
    places: Places, environment: Mapping[str, str], settings: Settings, root: Path, extensions: Extensions
) -> Iterator[Finding]:
    """MCP servers: their entries, and whether their programs are there."""
    values: Mapping[str, object] = settings.merged("env") or {}
    own = {**environment, **{name: str(value) for name, value in values.items()}}
    try:
        found = find_servers(ServerScene(places, root, own, plugins=extensions.servers()))
    except ReinError as error:
        yield bad("mcp", error.message, error.hint or "correct the file", error.where)
        return
    yield from (of_notice("mcp", notice) for notice in found.notices)
    for config in found.configs.values():
        where = str(config.source)
        if config.transport == "stdio" and not _is_there(config.command, own, root):
            text = f"{config.name}: there is no program {config.command!r}"
            yield bad("mcp", text, "install it, or correct the entry", where)
    if found.configs and importlib.util.find_spec("mcp") is None:
        yield bad("mcp", "servers are configured, but the client is not installed", "pip install 'rein-tui[mcp]'")
    if found.configs:
        yield ok("mcp", f"{len(found.configs)} configured: {', '.join(found.configs)}")


def _is_there(command: str, environment: Mapping[str, str], root: Path) -> bool:
    if "/" in command:
        return (root / Path(command).expanduser()).is_file()
    return shutil.which(command, path=environment.get("PATH")) is not None
