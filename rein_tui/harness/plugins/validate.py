"""`plugin validate`: everything that is wrong or odd about a plugin or marketplace, with file and line."""

import os
from pathlib import Path

from ..agents import builtin_agents
from ..places import Places
from ..protocol.errors import ConfigError
from ..protocol.events import Notice
from ..protocol.hooks import HookSpec
from .arguments import counts_from_one, split_arguments
from .loader import PluginPlace, load_plugin
from .marketplace import INDEX, Marketplace, read_marketplace
from .mcp.config import Entry, read_entry
from .rendering import read_file_body
from .words import Definition, Plugin, ServerDefinition


def validate(folder: Path, places: Places) -> list[Notice]:
    """The findings about a plugin's or marketplace's folder, errors first. Never raises."""
    found: list[Notice] = []
    index = folder / INDEX
    is_plugin = (folder / ".claude-plugin" / "plugin.json").is_file() or not index.is_file()
    if not folder.is_dir():
        return [Notice(text="is not a folder", level="error", where=str(folder), code="no_folder")]
    if index.is_file():
        found += _marketplace(folder, places)
    if is_plugin:
        found += _plugin(load_plugin(PluginPlace(folder, "inline"), places))
    ranks = {"error": 0, "warning": 1, "info": 2}
    return sorted(dict.fromkeys(found), key=lambda notice: ranks[notice.level])


def _marketplace(folder: Path, places: Places) -> list[Notice]:
    try:
        marketplace = read_marketplace(folder)
    except ConfigError as problem:
        return [Notice(text=problem.message, level="error", where=problem.where, code="bad_marketplace")]
    found = list(marketplace.problems)
    for offer in marketplace.offers:
        if isinstance(offer.source, str):
            found += _offered(marketplace, offer.name, folder / offer.source, places)
    return found


def _offered(marketplace: Marketplace, name: str, folder: Path, places: Places) -> list[Notice]:
    offer = marketplace.find(name)
    if offer is None or not folder.is_dir():
        where = offer.where if offer is not None else ""
        return [Notice(text=f"the folder of {name!r} is not there", level="error", where=where, code="path_missing")]
    return _plugin(load_plugin(PluginPlace(folder, marketplace.name, name, offer.entry), places))


def _plugin(plugin: Plugin) -> list[Notice]:
    found = list(plugin.problems)
    for key in plugin.unused:
        text = f"{plugin.name}: {key} have no meaning here and are left aside"
        found.append(Notice(text=text, where=plugin.root, code="not_used_here"))
    parts = (plugin.commands, plugin.skills, plugin.agents, plugin.hooks, plugin.mcp, plugin.styles, plugin.unused)
    if plugin.loaded and not any(parts):
        text = f"{plugin.name} brings nothing"
        found.append(Notice(text=text, level="warning", where=plugin.root, code="empty_plugin"))
    names: dict[str, Definition] = {}
    agents = {name.lower() for name in (*builtin_agents(), *(spec.name for spec in plugin.agents))}
    for defined in (*plugin.skills, *plugin.commands):
        first = names.setdefault(defined.name, defined)
        if first is not defined:
            text = (
                f"/{defined.name} is what {Path(first.path).relative_to(plugin.root)} is called, too: that one counts"
            )
            found.append(Notice(text=text, level="warning", where=str(defined.source), code="same_name"))
        if defined.agent and not agents & {defined.agent.lower(), f"{plugin.name}:{defined.agent}".lower()}:
            text = f"the agent {defined.agent!r} is neither a built-in one nor the plugin's"
            found.append(Notice(text=text, level="warning", where=str(defined.source), code="no_such_agent"))
        found += _body(defined)
    for thing in (*plugin.skills, *plugin.agents):
        if not thing.description:
            text = f"{thing.name} has no description: the model cannot know what it is for"
            found.append(Notice(text=text, level="warning", where=str(thing.source), code="no_description"))
    for hook in plugin.hooks:
        found += _program(hook, plugin)
    for server in plugin.mcp:
        found += _server(server)
    return found


def _program(hook: HookSpec, plugin: Plugin) -> list[Notice]:
    """A hook's own program that is not there, or that the shell may not start."""
    words = split_arguments(str(hook.config.get("command") or ""))
    name = words[0] if words else ""
    for root in ("${CLAUDE_PLUGIN_ROOT}/", "$CLAUDE_PLUGIN_ROOT/"):
        if name.startswith(root):
            path = Path(plugin.root) / name.removeprefix(root)
            problem = "does not exist" if not path.exists() else "" if os.access(path, os.X_OK) else "is not executable"
            if problem and "$" not in str(path):
                text = f"the hook for {hook.point} runs {name}, which {problem}"
                return [Notice(text=text, level="error", where=str(hook.source), code="hook_program")]
    return []


def _server(server: ServerDefinition) -> list[Notice]:
    """What keeps a server from being started. Variables are those of the person's machine, so they are not missed."""
    entry = Entry(server.scoped, server.config, "plugin", server.source, server.plugin_id, server.environment)
    config, notices = read_entry(entry, {})
    return notices if config is None else []


def _body(defined: Definition) -> list[Notice]:
    try:
        body = read_file_body(defined)
    except ConfigError:
        return []
    if defined.base == 0 and counts_from_one(body):
        text = f"/{defined.name} uses $1 but not $0: arguments count from 0, so $1 is the second"
        hint = "Write $0 for the first, or `positional-base: 1` in the frontmatter."
        return [Notice(text=text, where=defined.path, hint=hint, code="counts_from_one")]
    return []
