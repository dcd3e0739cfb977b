"""Commands about look and feel: theme, mouse, motion, vim, bell."""

from typing import TYPE_CHECKING

from .registry import Command

if TYPE_CHECKING:
    from rein_tui.app import ReinApp

SWITCHES = {
    "vim": "vim keys in the prompt",
    "mouse": "mouse; off lets the terminal select text as it is used to",
    "motion": "animations",
    "bell": "ring when a session needs you and nobody looks",
}
"""Choices of the screen that are on or off."""


async def _theme(app: "ReinApp", argument: str) -> None:
    names = sorted(app.available_themes, key=lambda name: (not name.startswith("rein-"), name))
    before = app.theme

    def try_on(name: str) -> None:
        app.theme = name

    if argument not in names:
        from rein_tui.widgets.picker import Item, Picker

        items = [Item(n, n, "dark" if app.available_themes[n].dark else "light") for n in names]
        argument = await app.ask(Picker("Theme", items, current=before, on_highlight=try_on)) or before
    app.theme = argument
    if argument != before:
        app.choose(theme=argument)


def switch(app: "ReinApp", name: str, on: bool) -> None:
    """Turn a choice of the screen on or off, and keep it."""
    app.choose(**{name: on})
    if name == "mouse":
        app.set_mouse(on)
    elif name == "motion":
        app.animation_level = "full" if on else "none"
    elif name == "vim":
        app.main.composer.set_vim(on)
    app.hint(f"{name} {'on' if on else 'off'}")


async def _open(app: "ReinApp", argument: str) -> None:
    """Open a link of the chat, after showing where it really goes; the person chooses from several."""
    from rein_tui.harness.processes.browser import open_in_browser
    from rein_tui.widgets.picker import Item, Picker
    from rein_tui.widgets.safe import safe_link

    targets = [target for word in argument.split() if (target := safe_link(word))]
    target = targets[0] if targets else ""
    if len(targets) > 1:
        target = await app.ask(Picker("Which link?", [Item(target, target) for target in targets])) or ""
        if not target:
            return
    if not target:
        app.hint("not a link that may be opened")
        return
    items = [Item("open", "open in the browser", target), Item("copy", "copy the address")]
    chosen = await app.ask(Picker(f"Open {target}?", items))
    if chosen == "open":
        if not await open_in_browser(target):
            app.hint(f"no browser opened here: {target}")
    elif chosen == "copy":
        app.copy(target)


async def _density(app: "ReinApp", _: str) -> None:
    app.main.chat.action_density()
    app.choose(density=app.main.chat.density)


async def _mouse(app: "ReinApp", _: str) -> None:
    switch(app, "mouse", not app.preferences.mouse)


async def _vim(app: "ReinApp", _: str) -> None:
    switch(app, "vim", not app.preferences.vim)


COMMANDS = (
    Command("theme", "Choose colours", _theme, argument="[name]", family="look"),
    Command("density", "Tool activity: grouped, one line each, full", _density, family="look"),
    Command("open", "Open a link", _open, argument="<link>", family="look", in_palette=False),
    Command("mouse", "Leave the mouse to the terminal, or take it back", _mouse, family="look"),
    Command("vim", "Vim keys in the prompt, on or off", _vim, family="look"),
)
