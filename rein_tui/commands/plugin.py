"""Commands about what files and plugins bring: /plugin, /skills, /agents, /reload-plugins."""

import argparse
import asyncio
import io
import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, NoReturn

from rein_tui.harness.protocol.errors import ConfigError
from rein_tui.harness.protocol.workbench import Extensible, ExtensionRow

from .registry import Command

if TYPE_CHECKING:
    from rein_tui.app import ReinApp


async def _plugin(app: "ReinApp", argument: str) -> None:
    """`/plugin install NAME` is `rein-tui plugin install NAME`; without words, the list."""
    if app.elsewhere:
        await _look_there(app, argument)
        return
    if argument:
        await _manage(app, _words(argument))
        return
    from rein_tui.widgets.plugin_screen import PluginScreen

    while True:
        chosen = await app.ask(PluginScreen("Plugins", *await asyncio.to_thread(_plugins), plugins=True))
        if chosen is None or (chosen.action == "use" and chosen.row.state != "offered"):
            return
        verb = chosen.action
        if chosen.row.state == "offered":
            verb = "install"
        elif verb == "switch":
            verb = "disable" if chosen.row.state == "on" else "enable"
        await _manage(app, [verb, chosen.row.name])


async def _look_there(app: "ReinApp", argument: str) -> None:
    """The plugins of the machine where the session runs; they are changed there, in a terminal."""
    if argument:
        hint = f"rein-tui plugin {argument} in a terminal there, then /reload-plugins here"
        raise ConfigError("Plugins are managed where the session runs.", where=app.elsewhere, hint=hint)
    await _show(app, "Plugins where the session runs", ("plugin",))


def _plugins() -> tuple[list[ExtensionRow], list[str]]:
    """Every plugin on this machine, those that are off included, and those that marketplaces offer; what is wrong."""
    from pathlib import Path

    from rein_tui.harness.places import find_places
    from rein_tui.harness.plugins.house import PluginHouse
    from rein_tui.harness.plugins.rows import offer_row, plugin_row
    from rein_tui.harness.settings.load import load_settings
    from rein_tui.harness.settings.trust import read_trust

    places, root = find_places(), Path.cwd()
    settings = load_settings(places, root, trusted=read_trust(places, root).trusted)
    house = PluginHouse(places, os.environ, settings, root)
    offers, problems = house.offers()
    rows = [*map(plugin_row, house.plugins()), *(offer_row(*each) for each in offers)]
    return rows, [str(problem) for problem in problems]


def _words(argument: str) -> list[str]:
    import shlex

    try:
        return shlex.split(argument)
    except ValueError as problem:
        raise ConfigError(f"cannot be read: {problem}", where="/plugin") from problem


async def _manage(app: "ReinApp", words: Sequence[str]) -> None:
    """Run `rein-tui plugin …` here, show what it says, and let it hold at once."""
    from textual.content import Content

    from rein_tui.cli.plugin import PluginScreen, add_plugin_parser, run_plugin
    from rein_tui.harness.places import find_places
    from rein_tui.widgets.safe import safe_text
    from rein_tui.widgets.sheet import Sheet

    said = io.StringIO()
    parser = _Parser(prog="/", allow_abbrev=False)
    add_plugin_parser(parser.add_subparsers(dest="command"))
    args = parser.parse_args(["plugin", *words])
    asks = {"install": _agreed, "update": _agreed_to_more}.get(args.plugin_action)
    if asks is not None and not args.yes and not await asks(app, args.plugin):
        return
    await run_plugin(args, find_places(), os.environ, PluginScreen(io.StringIO(), said, said))
    await _reload(app)
    lines = (Content(safe_text(line, "label")) for line in said.getvalue().strip().splitlines())
    await app.ask(Sheet("Plugin", Content("\n").join(lines)))


class _Parser(argparse.ArgumentParser):
    """Says what is wrong as an error of ours, and never ends the program."""

    def error(self, message: str) -> NoReturn:
        """A command line that does not parse."""
        raise ConfigError(message, where="/plugin", hint=self.format_usage().strip())

    def print_help(self, file: object = None) -> NoReturn:
        """`--help`."""
        raise ConfigError(self.format_usage().strip(), where="/plugin")


async def _agreed(app: "ReinApp", name: str) -> bool:
    """Show what a plugin brings, and ask."""
    from rein_tui.cli.plugin import staged_preview
    from rein_tui.harness.places import find_places
    from rein_tui.widgets.picker import Item, Picker

    preview = await staged_preview(name, find_places(), os.environ)
    facts = [Item("no", line.strip()) for line in preview.lines()[1:]]
    items = [Item("no", "Do not install"), Item("yes", f"Install {preview.id}"), *facts]
    return await app.ask(Picker(f"Install {preview.id} {preview.version}?", items)) == "yes"


async def _agreed_to_more(app: "ReinApp", name: str) -> bool:
    """Show what a new version would run that the old one does not, and ask; nothing to ask without it."""
    from rein_tui.cli.plugin import staged_gains
    from rein_tui.harness.places import find_places
    from rein_tui.widgets.picker import Item, Picker

    plugin_id, gains = await staged_gains(name, find_places(), os.environ)
    if not gains:
        return True
    facts = [Item("no", line.strip()) for line in gains]
    items = [Item("no", "Keep what is installed"), Item("yes", f"Update {plugin_id}"), *facts]
    return await app.ask(Picker(f"Update {plugin_id}? It would do more than it does", items)) == "yes"


async def _reload(app: "ReinApp") -> Sequence[ExtensionRow]:
    bench = app.workbench
    if not isinstance(bench, Extensible):
        return ()
    rows = await bench.reload_extensions()
    app.register_file_commands()
    return rows


async def _reload_plugins(app: "ReinApp", _: str) -> None:
    rows = await _reload(app)
    from rein_tui.harness.plugins.preview import counted

    kinds = ("plugin", "command", "skill", "agent")
    app.hint(", ".join(counted(sum(row.kind == kind for row in rows), kind) for kind in kinds))


async def _show(app: "ReinApp", title: str, kinds: tuple[str, ...]) -> None:
    from rein_tui.widgets.plugin_screen import PluginScreen

    bench = app.workbench
    rows = bench.extensions() if isinstance(bench, Extensible) else ()
    chosen = await app.ask(PluginScreen(title, [row for row in rows if row.kind in kinds]))
    if chosen is not None and chosen.row.kind in ("command", "skill"):
        app.main.composer.text = f"/{chosen.row.name} "


async def _skills(app: "ReinApp", _: str) -> None:
    await _show(app, "Skills and commands", ("skill", "command"))


async def _agents(app: "ReinApp", _: str) -> None:
    await _show(app, "Agents", ("agent",))


COMMANDS = (
    Command("plugin", "Plugins: what they bring, on and off", _plugin, argument="[words]", family="plugins"),
    Command("skills", "Skills and commands, and where they are from", _skills, family="plugins"),
    Command("agents", "Kinds of subagents, and their limits", _agents, family="plugins"),
    Command(
        "reload-plugins",
        "Look at plugins, skills and agents again",
        _reload_plugins,
        aliases=("reload-skills",),
        family="plugins",
    ),
)
