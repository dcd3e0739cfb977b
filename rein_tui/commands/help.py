"""Commands that explain: help, keys, palette, status."""

from typing import TYPE_CHECKING

from textual.binding import Binding
from textual.content import Content

from rein_tui import __version__

from .registry import Command

if TYPE_CHECKING:
    from rein_tui.app import ReinApp

_INPUT = [
    ("@file", "mention a file; its content goes along"),
    ("/command", "run a command"),
    ("!command", "run a shell line; the output joins the conversation"),
    ("!!command", "run a shell line privately"),
    ("\\ then Enter", "a new line, in any terminal"),
]


async def _help(app: "ReinApp", _: str) -> None:
    from rein_tui.widgets.sheet import Sheet, heading, table

    from . import builtin_commands

    families: dict[str, list[tuple[str, str]]] = {}
    for command in app.registry.all():
        usage = f"/{command.name} {command.argument}".rstrip()
        words = command.summary + (f"  ({app.get_key_display(Binding(command.key, ''))})" if command.key else "")
        families.setdefault(command.family, []).append((usage, words))
    ours = {command.family for command in builtin_commands()}
    parts = [heading("In the prompt"), table(_INPUT, width=22)]
    for family, rows in families.items():
        named = family.capitalize() if family in ours else f"From {family}"
        parts += [Content(""), heading(named), table(rows, width=22)]
    await app.ask(Sheet("Help", Content("\n").join(parts)))


async def _palette(app: "ReinApp", _: str) -> None:
    from rein_tui.widgets.picker import Item, Picker

    items = [
        Item(c.name, f"/{c.name}", c.summary, app.get_key_display(Binding(c.key, "")) if c.key else "")
        for c in app.registry.all()
        if c.in_palette
    ]
    chosen = await app.ask(Picker("Commands", items))
    if chosen is None:
        return
    command = app.registry.get(chosen)
    if command is not None and command.argument.startswith("<"):
        app.main.composer.text = f"/{chosen} "
    else:
        app.run_command(chosen)


async def _status(app: "ReinApp", _: str) -> None:
    from rein_tui.widgets.sheet import Sheet, table

    choice, turns = app.workbench.choice, app.desk.current
    rows = [("version", __version__)]
    if choice is not None:
        rows += [("provider", choice.kind), ("model", choice.model or "default"), ("server", choice.url or choice.path)]
    if turns is not None:
        info = turns.harness.info
        rows += [
            ("session", info.id),
            ("title", info.title),
            ("folder", info.cwd),
            ("branch", info.branch),
            ("mode", turns.harness.mode),
            ("turns", str(info.turns)),
        ]
    await app.ask(Sheet("Status", table([(term, words or "–") for term, words in rows], width=8)))


COMMANDS = (
    Command("help", "What can be done here", _help, family="help"),
    Command("palette", "Find a command", _palette, key="ctrl+p", family="help", in_palette=False),
    Command("status", "Version, model, session", _status, family="help"),
)
