"""/effort and /thinking: how hard the model tries, and whether it thinks before it answers."""

from typing import TYPE_CHECKING

from rein_tui.harness.protocol.workbench import Thinks

from .registry import Command

if TYPE_CHECKING:
    from rein_tui.app import ReinApp

_LEVELS = ("low", "medium", "high", "xhigh", "max")
_AUTO = "auto"


def _harness(app: "ReinApp") -> Thinks | None:
    harness = app.desk.current.harness if app.desk.current is not None else None
    if isinstance(harness, Thinks):
        return harness
    app.hint("only a session on this machine can change this")
    return None


async def _effort(app: "ReinApp", argument: str) -> None:
    harness = _harness(app)
    if harness is None:
        return
    level = argument.lower()
    if not level:
        from rein_tui.widgets.picker import Item, Picker

        items = [Item(_AUTO, _AUTO, "what the model does by itself"), *(Item(name, name) for name in _LEVELS)]
        level = await app.ask(Picker("Effort", items, current=harness.effort or _AUTO)) or ""
    if level in (*_LEVELS, _AUTO):
        harness.set_thinking(effort="" if level == _AUTO else level)
        app.hint(f"effort {level}, from the next request on; models without it ignore it")
    elif level:
        app.hint(f"efforts: {', '.join((_AUTO, *_LEVELS))}")


async def _thinking(app: "ReinApp", argument: str) -> None:
    harness = _harness(app)
    if harness is None:
        return
    wanted = {"on": True, "off": False, "": not harness.thinking}.get(argument.lower())
    if wanted is None:
        app.hint("/thinking on or /thinking off")
        return
    harness.set_thinking(thinking=wanted)
    app.hint(f"thinking {'on' if wanted else 'off'}, from the next request on")


COMMANDS = (
    Command("effort", "How hard the model tries", _effort, argument="[level]", family="model"),
    Command("thinking", "Let the model think first, or not", _thinking, argument="[on|off]", family="model"),
)
