"""The keys that are valid now, by place; a click on one presses it. And the names by which all of them are rebound."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.dom import DOMNode

from rein_tui.keymap import EVERYWHERE, PROMPT, Action

from .registry import Command

if TYPE_CHECKING:
    from rein_tui.app import ReinApp

_PLACES = {
    "ReinApp": "Everywhere",
    "ReplayApp": "Everywhere",
    "MainScreen": "Everywhere",
    "PromptArea": "In the prompt",
    "Composer": "In the prompt",
    "Surface": "In the chat",
    "Chat": "In the chat",
    "RowList": "In the list",
    "ListPane": "In the list",
    "Page": "In the details",
    "Details": "In the details",
    "Inspector": "In the inspector",
    "Timeline": "In the timeline",
    "SpanList": "In the timeline",
    "SourceList": "In the context pane",
    "ContextPane": "In the context pane",
    "HookLog": "In the hook log",
    "SessionList": "In the session list",
    "Welcome": "Here",
    "ReplayScreen": "In the replay",
    "Scrubber": "In the replay",
}
_COLUMN = 18
"""Cells of most keys; what is longer moves its words along."""
_EVERYWHERE, _PLAIN = "Everywhere", "Moving and editing"

Row = tuple[list[str], str]
"""Keys as Textual names them, and what they do."""


async def _keys(app: "ReinApp", _: str) -> None:
    """Ours by place, the place of the focus first, then the plain editing and moving keys."""
    from rein_tui.widgets.hints import pressing
    from rein_tui.widgets.sheet import Sheet, heading, table

    parts: list[Content] = []
    groups = _valid_now(app)
    for name, rows in groups.items():
        parts.append(heading(name))
        for keys, words in rows:
            parts.append(pressing(table([(_shown(app, keys), words)], width=_COLUMN), keys[0]))
        parts.append(Content(""))
    await app.ask(Sheet("Keys valid now", Content("\n").join(parts[:-1]), more=(("click", "press"),)))


def _valid_now(app: "ReinApp") -> dict[str, list[Row]]:
    groups: dict[str, dict[str, Row]] = {}
    valid = sorted(app.screen.active_bindings.values(), key=lambda active: _rank(active.node, active.binding))
    for node, binding, enabled, _tooltip in valid:
        if enabled and binding.description and not binding.system:
            group = groups.setdefault(_place(node, binding), {})
            group.setdefault(binding.description, ([], binding.description))[0].append(binding.key)
    last = {_EVERYWHERE: 1, _PLAIN: 2}
    return {name: list(groups[name].values()) for name in sorted(groups, key=lambda name: last.get(name, 0))}


def _place(node: DOMNode, binding: Binding) -> str:
    ours = [kind for kind in type(node).__mro__ if kind.__module__.startswith("rein_tui.")]
    is_ours = bool(binding.id) or any(binding.action in _actions(kind) for kind in ours)
    return _PLACES.get(type(node).__name__, "Here") if is_ours else _PLAIN


def _rank(node: DOMNode, binding: Binding) -> tuple[bool, int, int]:
    """The order in which a class lists its keys, the app's before those of its screen: what matters most is first."""
    for depth, kind in enumerate(type(node).__mro__):
        actions = list(_actions(kind)) if kind.__module__.startswith("rein_tui.") else []
        if binding.action in actions:
            return node.parent is not None, depth, actions.index(binding.action)
    return True, 99, 0


def _actions(kind: type) -> dict[str, None]:
    given: Iterable[BindingType] = vars(kind).get("BINDINGS", ())
    return dict.fromkeys(each.action if isinstance(each, Binding) else each[1] for each in given)


def _shown(app: "ReinApp", keys: list[str]) -> str:
    return "  ".join(dict.fromkeys(app.get_key_display(Binding(key, "")) for key in keys))


def bound_actions() -> dict[str, Action]:
    """What a keybindings file may rebind, by name. Loads every pane: ask only where there is such a file."""
    from rein_tui.app import ReinApp
    from rein_tui.replay.questions import PLAYER
    from rein_tui.screen import MainScreen
    from rein_tui.widgets.chat import Chat
    from rein_tui.widgets.composer.area import PromptArea
    from rein_tui.widgets.context_pane import ContextPane
    from rein_tui.widgets.hook_log import HookLog
    from rein_tui.widgets.inspector import Inspector
    from rein_tui.widgets.list_pane import ListPane
    from rein_tui.widgets.page import Page
    from rein_tui.widgets.rows import RowList
    from rein_tui.widgets.sidebar_list import SessionList
    from rein_tui.widgets.surface import Surface
    from rein_tui.widgets.timeline import SpanList, Timeline

    panes = (ListPane, RowList, Page, Inspector, HookLog, Timeline, SpanList, ContextPane)
    places: dict[type, str] = {ReinApp: EVERYWHERE, MainScreen: EVERYWHERE, PromptArea: PROMPT}
    owners = (ReinApp, MainScreen, PromptArea, SessionList, Surface, Chat, *panes)
    bound = [(places.get(owner, owner.__name__), binding) for owner in owners for binding in owner.BINDINGS]
    actions: dict[str, Action] = {}
    for place, binding in [*bound, *(("replay", binding) for binding in PLAYER)]:
        if isinstance(binding, Binding) and binding.id:
            keys = frozenset(each.key for each in Binding.make_bindings([binding]))
            before = actions.get(binding.id)
            actions[binding.id] = Action(keys | before.keys if before else keys, place)
    return actions


COMMANDS = (Command("keys", "The keys valid now", _keys, key="f1", family="help", aliases=("keybindings",)),)
