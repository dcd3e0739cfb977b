"""/config: choices of the screen and settings of the harness, with what holds and where it is written."""

from typing import TYPE_CHECKING

from rein_tui.harness.protocol.errors import ConfigError
from rein_tui.harness.protocol.events import Notice
from rein_tui.harness.protocol.workbench import SWITCH_WORDS, HasSettings, SettingRow, SettingsDesk
from rein_tui.widgets.chat import DENSITIES

from .look import SWITCHES, switch
from .registry import Command

if TYPE_CHECKING:
    from rein_tui.app import ReinApp
    from rein_tui.widgets.picker import Item

_ELSEWHERE = {"theme": "theme", "density": "density"}
"""Choices of the screen that have commands of their own."""


def _desk_of(app: "ReinApp") -> SettingsDesk | None:
    harness = app.desk.current.harness if app.desk.current is not None else None
    return harness.settings_desk if isinstance(harness, HasSettings) else None


async def _config(app: "ReinApp", argument: str) -> None:
    """`/config vim=on`, `/config effortLevel=high`; a name alone, or nothing, leads to a choice."""
    name, equals, value = (part.strip() for part in argument.partition("="))
    if equals:
        await _put(app, name, value)
        return
    name = name or await _chosen(app)
    if name:
        await _ask_value(app, name)


async def _chosen(app: "ReinApp") -> str:
    from rein_tui.widgets.picker import Item, Picker

    preferences, desk = app.preferences, _desk_of(app)
    items = [
        *(Item(key, key, words, "on" if getattr(preferences, key) else "off") for key, words in SWITCHES.items()),
        Item("theme", "theme", "colours", app.theme),
        Item("density", "density", "how much of the tool activity the chat shows", preferences.density),
        *(_item(row) for row in (desk.rows() if desk is not None else ())),
    ]
    return await app.ask(Picker("Settings", items)) or ""


def _item(row: SettingRow) -> "Item":
    from rein_tui.widgets.picker import Item

    whose = f" · {row.source.layer}" if row.source is not None else ""
    return Item(row.key, row.key, row.summary, f"{row.value}{whose}" if row.value else "not set")


async def _ask_value(app: "ReinApp", name: str) -> None:
    """The next value of a switch, one of few, or a line in the prompt to write any into."""
    if name in SWITCHES:
        switch(app, name, not getattr(app.preferences, name))
        return
    if name in _ELSEWHERE:
        app.run_command(_ELSEWHERE[name])
        return
    desk = _desk_of(app)
    row = next((row for row in (desk.rows() if desk is not None else ()) if row.key == name), None)
    if row is None or not row.choices:
        app.main.composer.text = f"/config {name}={row.value if row is not None else ''}"
        return
    from rein_tui.widgets.picker import Item, Picker

    title = f"{name}, now {row.value} ({row.source})" if row.source is not None else name
    value = await app.ask(Picker(title, [Item(choice, choice) for choice in row.choices], current=row.value))
    if value:
        await _put(app, name, value)


async def _put(app: "ReinApp", name: str, value: str) -> None:
    desk = _desk_of(app)
    if name in SWITCHES:
        if value.lower() not in SWITCH_WORDS:
            raise ConfigError(f"{name} is on or off, not {value!r}.", hint=f"/config {name}=on")
        switch(app, name, SWITCH_WORDS[value.lower()])
    elif name == "theme":
        app.run_command("theme", value)
    elif name == "density":
        if value not in DENSITIES:
            raise ConfigError(f"density is {', '.join(DENSITIES)}, not {value!r}.")
        app.main.chat.density = DENSITIES[DENSITIES.index(value)]
        app.choose(density=value)
    elif desk is None:
        app.hint("settings are changed where the session runs")
    else:
        await app.tell(Notice(text=desk.put(name, value)))


COMMANDS = (
    Command("config", "Settings: what holds, and changing it", _config, "[name=value]", ("settings",), family="look"),
)
