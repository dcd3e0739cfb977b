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

    families: dict[str, list[tuple[str, str]]] = {}
    for command in app.registry.all():
        usage = f"/{command.name} {command.argument}".rstrip()
        words = command.summary + (f"  ({app.get_key_display(Binding(command.key, ''))})" if command.key else "")
        families.setdefault(command.family, []).append((usage, words))
    parts = [heading("In the prompt"), table(_INPUT, width=22)]
    for family, rows in families.items():
        parts += [Content(""), heading(family.capitalize()), table(rows, width=22)]
    await app.ask(Sheet("Help", Content("\n").join(parts)))


async def _keys(app: "ReinApp", _: str) -> None:
    """The keys that are valid now: ours by place, then the plain editing and moving keys."""
    from rein_tui.widgets.sheet import Sheet, heading, table

    groups: dict[str, dict[str, tuple[list[str], str]]] = {name: {} for name in ("Everywhere", "In the prompt")}
    plain: dict[str, tuple[list[str], str]] = {}
    for node, binding, enabled, _tooltip in app.screen.active_bindings.values():
        if not enabled or not binding.description or binding.system:
            continue
        group = groups.setdefault(_place(type(node).__name__), {}) if binding.id else plain
        keys, _words = group.setdefault(binding.action, ([], binding.description))
        keys.append(app.get_key_display(binding))
    groups["Moving and editing"] = plain
    parts: list[Content] = []
    for name, actions in groups.items():
        if actions:
            rows = sorted(((" ".join(dict.fromkeys(keys)), words) for keys, words in actions.values()), key=_order)
            parts += [heading(name), table(rows), Content("")]
    await app.ask(Sheet("Keys valid now", Content("\n").join(parts[:-1])))


def _order(row: tuple[str, str]) -> tuple[bool, bool, str]:
    return (not row[0].startswith("F"), row[0].startswith(("ctrl", "shift", "alt")), row[0])


def _place(kind: str) -> str:
    names = {
        "ReinApp": "Everywhere",
        "MainScreen": "Everywhere",
        "PromptArea": "In the prompt",
        "ReplayScreen": "In a replay",
    }
    return names.get(kind, f"In the {kind}")


def bound_actions() -> set[str]:
    """The names by which a keybindings file may rebind keys. Loads every pane: ask only where there is such a file."""
    from rein_tui.app import ReinApp
    from rein_tui.replay_questions import PLAYER
    from rein_tui.widgets.chat import Chat
    from rein_tui.widgets.composer.area import PromptArea
    from rein_tui.widgets.context_pane import ContextPane
    from rein_tui.widgets.hook_log import HookLog
    from rein_tui.widgets.inspector import Inspector
    from rein_tui.widgets.list_pane import ListPane
    from rein_tui.widgets.page import Page
    from rein_tui.widgets.sidebar import SessionList
    from rein_tui.widgets.surface import Surface
    from rein_tui.widgets.timeline import Timeline

    panes = (ListPane, Page, Inspector, HookLog, Timeline, ContextPane)
    owners = (ReinApp, PromptArea, SessionList, Surface, Chat, *panes)
    bindings = [*PLAYER, *(binding for owner in owners for binding in owner.BINDINGS)]
    return {b.id for b in bindings if isinstance(b, Binding) and b.id}


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
    await app.ask(Sheet("Status", table([(term, words or "–") for term, words in rows])))


COMMANDS = (
    Command("help", "What can be done here", _help, family="help"),
    Command("keys", "The keys valid now", _keys, key="f1", family="help", aliases=("keybindings",)),
    Command("palette", "Find a command", _palette, key="ctrl+p", family="help", in_palette=False),
    Command("status", "Version, model, session", _status, family="help"),
)
