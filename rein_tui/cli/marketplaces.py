"""`rein-tui plugin marketplace …`: add, list, update and remove marketplaces."""

import argparse
from pathlib import Path
from typing import Any

from rein_tui.cli.options import Subparsers
from rein_tui.cli.saying import PluginScreen, report
from rein_tui.harness.plugins.house import PluginHouse
from rein_tui.harness.plugins.marketplace import Marketplace
from rein_tui.harness.plugins.preview import counted
from rein_tui.harness.plugins.sources import source_of


def add_marketplace_parser(actions: Subparsers) -> None:
    """Add `plugin marketplace …` to the command line."""
    marketplace = actions.add_parser("marketplace", help="add, list, update and remove marketplaces")
    verbs = marketplace.add_subparsers(dest="marketplace_action", required=True, metavar="add|list|update|remove")
    add = verbs.add_parser("add", help="a folder, a marketplace.json, owner/repo, a git URL or npm:PACKAGE")
    add.add_argument("source", metavar="SOURCE")
    update = verbs.add_parser("update", help="fetch again; without a name, all")
    update.add_argument("name", nargs="?", default="", metavar="NAME")
    remove = verbs.add_parser("remove", help="forget it, and what was installed from it")
    remove.add_argument("name", metavar="NAME")
    for verb in (add, update, remove, verbs.add_parser("list", help="those that are known")):
        verb.add_argument("--json", action="store_true", help="print JSON")


async def run_marketplace(args: argparse.Namespace, house: PluginHouse, screen: PluginScreen) -> int:
    """Carry it out and give the exit code. Raises ConfigError."""
    match args.marketplace_action:
        case "add":
            _added(args, screen, [await house.add_marketplace(source_of(args.source, Path.cwd()))])
        case "update":
            names = [args.name] if args.name else list(house.known())
            _added(args, screen, [await house.update_marketplace(name) for name in names])
        case "remove":
            gone = house.remove_marketplace(args.name)
            note = f"; with it went {', '.join(gone)}" if gone else ""
            report(args, screen, {"name": args.name, "uninstalled": gone}, f"{args.name} is forgotten{note}")
        case _:
            known = house.known()
            rows = [{"name": k.name, "source": k.source, "path": str(k.path)} for k in known.values()]
            if args.json:
                screen.say_json(rows)
            else:
                none = ("No marketplace is known. Add one: rein-tui plugin marketplace add FOLDER-OR-REPOSITORY",)
                screen.say(*([f"{k.name}  {_where(k.source)}" for k in known.values()] or none))
    return 0


def _where(source: dict[str, Any]) -> str:
    return str(next((source[key] for key in ("repo", "url", "path", "package") if source.get(key)), "settings"))


def _added(args: argparse.Namespace, screen: PluginScreen, marketplaces: list[Marketplace]) -> None:
    if args.json:
        screen.say_json(
            [{"name": m.name, "plugins": [o.name for o in m.offers], "path": str(m.root)} for m in marketplaces]
        )
        return
    for marketplace in marketplaces:
        screen.say(f"{marketplace.name}: {counted(len(marketplace.offers), 'plugin')}")
        screen.say(*(f"  problem: {notice.text} [{notice.where}]" for notice in marketplace.problems))
