"""`rein-tui plugin …`: install, switch, list and check plugins; add and update marketplaces.

Exit codes: 0 done (or in order), 1 validation found something or it could not be done, 2 a bad command line.
"""

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from rein_tui.cli.marketplaces import add_marketplace_parser, run_marketplace
from rein_tui.cli.options import Subparsers
from rein_tui.cli.saying import PluginScreen, report
from rein_tui.harness.places import Places
from rein_tui.harness.plugins.house import PluginHouse
from rein_tui.harness.plugins.preview import PluginPreview, context_cost, counted, preview_of
from rein_tui.harness.plugins.switching import SCOPES
from rein_tui.harness.plugins.validate import validate
from rein_tui.harness.plugins.words import Plugin
from rein_tui.harness.protocol.errors import ConfigError, ReinError
from rein_tui.harness.protocol.events import Notice
from rein_tui.harness.settings.load import load_settings
from rein_tui.harness.settings.trust import read_trust

_FAILED = 1


def add_plugin_parser(subparsers: Subparsers) -> None:
    """Add `plugin …` to the command line."""
    plugin = subparsers.add_parser("plugin", help="install, switch, list and check plugins")
    actions = plugin.add_subparsers(dest="plugin_action", required=True, metavar="ACTION")
    for name, text in (
        ("install", "show what a plugin brings, then install and enable it"),
        ("uninstall", "take a plugin away; its data stays"),
        ("enable", "turn a plugin on"),
        ("disable", "turn a plugin off"),
        ("update", "install the newest version"),
    ):
        action = actions.add_parser(name, help=text)
        action.add_argument("plugin", metavar="NAME[@MARKETPLACE]")
        if name != "update":
            action.add_argument("--scope", choices=SCOPES, default="user", help="whose settings (default: user)")
        if name in ("install", "update"):
            action.add_argument("-y", "--yes", action="store_true", help="do not ask")
        action.add_argument("--json", action="store_true", help="print JSON")
    show = actions.add_parser("show", help="what a plugin brings, installed or not")
    show.add_argument("plugin", metavar="NAME[@MARKETPLACE]")
    show.add_argument("--json", action="store_true", help="print JSON")
    listed = actions.add_parser("list", help="all plugins here, with what they bring")
    listed.add_argument("--plugin-dir", type=Path, action="append", default=[], metavar="DIR", help="this one too")
    listed.add_argument("--json", action="store_true", help="print JSON")
    check = actions.add_parser("validate", help="find what is wrong with a plugin or marketplace")
    check.add_argument("folder", type=Path, metavar="DIR")
    check.add_argument("--strict", action="store_true", help="warnings count as errors")
    check.add_argument("--json", action="store_true", help="print JSON")
    add_marketplace_parser(actions)


async def run_plugin(
    args: argparse.Namespace, places: Places, environment: Mapping[str, str], screen: PluginScreen
) -> int:
    """Carry `rein-tui plugin …` out and give the exit code; what a person can act on is printed."""
    try:
        return await _run(args, places, environment, screen)
    except ReinError as problem:
        screen.stderr.write(f"{problem}\n")
        return _FAILED


async def _run(args: argparse.Namespace, places: Places, environment: Mapping[str, str], screen: PluginScreen) -> int:
    if args.plugin_action == "validate":
        return _validate(args, places, screen)
    root = Path.cwd()
    settings = load_settings(places, root, trusted=read_trust(places, root).trusted)
    house = PluginHouse(places, environment, settings, root)
    match args.plugin_action:
        case "list":
            return _list(args, house, screen)
        case "marketplace":
            return await run_marketplace(args, house, screen)
        case "install" | "show":
            return await _install(args, house, screen)
        case "update":
            return await _update(args, house, screen)
        case "uninstall":
            gone = house.uninstall(args.plugin, args.scope)
            report(args, screen, {"id": gone.id}, f"{gone.id} is uninstalled; its data stays")
        case _:
            enabled = args.plugin_action == "enable"
            plugin_id, path = house.enable(args.plugin, args.scope, enabled)
            state = "on" if enabled else "off"
            said = f"{plugin_id} is {state} ({path})"
            notes = _in_force(args, house, plugin_id, on=enabled)
            report(args, screen, {"id": plugin_id, "enabled": enabled}, said, *notes)
    return 0


def _in_force(args: argparse.Namespace, house: PluginHouse, plugin_id: str, *, on: bool) -> tuple[str, ...]:
    """What to know where what was written does not hold: the folder is not trusted yet, or another file goes first."""
    settings = load_settings(house.places, house.root, trusted=read_trust(house.places, house.root).trusted)
    if args.scope == "user" or settings.trusted:
        switches: dict[str, object] = settings.merged("enabledPlugins") or {}
        said = switches.get(plugin_id, on)
        where = settings.origin("enabledPlugins", plugin_id)
        return () if said == on else (f"It stays {'on' if said else 'off'} here: {where} says so and goes first.",)
    return ("This folder is not trusted yet: what its settings say counts once you start rein-tui here and trust it.",)


async def staged_preview(name: str, places: Places, environment: Mapping[str, str]) -> PluginPreview:
    """What a plugin would bring; nothing is installed. Raises ConfigError."""
    root = Path.cwd()
    settings = load_settings(places, root, trusted=read_trust(places, root).trusted)
    staged = await PluginHouse(places, environment, settings, root).stage(name)
    staged.discard()
    return preview_of(staged.plugin)


async def staged_gains(name: str, places: Places, environment: Mapping[str, str]) -> tuple[str, list[str]]:
    """What an update of this plugin would run anew: its id, and lines; nothing is installed. Raises ConfigError."""
    root = Path.cwd()
    settings = load_settings(places, root, trusted=read_trust(places, root).trusted)
    house = PluginHouse(places, environment, settings, root)
    old, staged = await house.stage_update(name)
    staged.discard()
    return old.id, house.gains(old, staged)


# --- install ----------------------------------------------------------------------------------------------


async def _install(args: argparse.Namespace, house: PluginHouse, screen: PluginScreen) -> int:
    staged = await house.stage(args.plugin)
    try:
        preview = preview_of(staged.plugin)
        if args.plugin_action == "show":
            report(args, screen, msgspec.to_builtins(preview), *preview.lines())
            return 0
        if not args.json:
            screen.say(*preview.lines())
        if not (args.yes or args.json or screen.agrees("Install it?")):
            screen.say("Nothing was installed.")
            return _FAILED
        installed, notes = await house.install(staged, args.scope)
    finally:
        staged.discard()
    value = {"id": installed.id, "version": installed.version, "path": str(installed.path), "notes": notes}
    said = f"{installed.id} {installed.version} is installed and on"
    report(args, screen, value, said, *notes, *_in_force(args, house, installed.id, on=True))
    return 0


async def _update(args: argparse.Namespace, house: PluginHouse, screen: PluginScreen) -> int:
    """The newest version in place of the old; what it runs anew is shown and asked about."""
    old, staged = await house.stage_update(args.plugin)
    try:
        gains = house.gains(old, staged)
        if gains and not args.json:
            screen.say(f"{old.id} would do more than it does:", *gains)
        if gains and not (args.yes or args.json or screen.agrees("Update it?")):
            screen.say("Nothing was updated.")
            return _FAILED
        new, notes = await house.update(old, staged)
    finally:
        staged.discard()
    said = "is up to date" if old.path == new.path else f"{old.version} → {new.version}"
    report(args, screen, {"id": new.id, "version": new.version}, f"{new.id} {said}", *notes)
    return 0


# --- list -------------------------------------------------------------------------------------------------


def listed(plugin: Plugin) -> dict[str, Any]:
    """A plugin as `plugin list --json` shows it."""
    return {
        "id": plugin.id,
        "name": plugin.name,
        "version": plugin.version,
        "source": plugin.origin,
        "enabled": plugin.enabled and plugin.loaded,
        "commands": [each.name for each in plugin.commands],
        "agents": [each.name for each in plugin.agents],
        "skills": [each.name for each in plugin.skills],
        "hooks": [
            {"event": each.point, "matcher": each.matcher, "type": each.handler, "run": each.title}
            for each in plugin.hooks
        ],
        "mcp": [each.scoped for each in plugin.mcp],
        "problems": [_problem(notice) for notice in plugin.problems],
    }


def _problem(notice: Notice) -> dict[str, str]:
    return {"level": notice.level, "where": notice.where, "text": notice.text, "code": notice.code}


def _list(args: argparse.Namespace, house: PluginHouse, screen: PluginScreen) -> int:
    for folder in args.plugin_dir:
        if not folder.exists():
            raise ConfigError("no such folder", where=str(folder))
    plugins = house.plugins(tuple(args.plugin_dir))
    if args.json:
        screen.say_json([listed(plugin) for plugin in plugins])
        return 0
    if not plugins:
        screen.say("There are no plugins here. Add a marketplace: rein-tui plugin marketplace add OWNER/REPO")
    for plugin in plugins:
        state = "broken" if not plugin.loaded else "on" if plugin.enabled else "off"
        parts = (
            ("command", plugin.commands),
            ("skill", plugin.skills),
            ("agent", plugin.agents),
            ("hook", plugin.hooks),
            ("server", plugin.mcp),
        )
        brought = ", ".join(counted(len(part), name) for name, part in parts if part) or "nothing"
        screen.say(f"{plugin.id} {plugin.version}  {state}  {brought}  ~{context_cost(plugin)} tokens")
        for notice in plugin.problems:
            if notice.level != "info":
                screen.say(f"  {notice.level}: {notice.text} [{notice.where}]")
    return 0


# --- validate ---------------------------------------------------------------------------------------------


def _validate(args: argparse.Namespace, places: Places, screen: PluginScreen) -> int:
    found = validate(args.folder.absolute(), places)
    bad = [n for n in found if n.level == "error" or (args.strict and n.level == "warning")]
    if args.json:
        screen.say_json({"valid": not bad, "problems": [_problem(notice) for notice in found]})
        return _FAILED if bad else 0
    for notice in found:
        screen.say(f"{notice.level}: {notice.text}" + (f" [{notice.where}]" if notice.where else ""))
        if notice.hint:
            screen.say(f"  {notice.hint}")
    screen.say("in order" if not bad else f"{len(bad)} to mend")
    return _FAILED if bad else 0
