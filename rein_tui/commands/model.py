"""Commands about who answers and how much it may do: model, mode, welcome."""

import os
from typing import TYPE_CHECKING

import msgspec

from rein_tui.harness.protocol.decisions import Mode
from rein_tui.harness.protocol.errors import ReinError
from rein_tui.harness.protocol.models import ModelInfo
from rein_tui.harness.protocol.workbench import KeepsKey, ModelChoice
from rein_tui.widgets.figures import short_bytes, short_count
from rein_tui.widgets.status_figures import MODE_LABELS

from .registry import Command

if TYPE_CHECKING:
    from rein_tui.app import ReinApp

_ELSEWHERE = " elsewhere"

KEY_VARIABLES = ("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN", "LOCAL_LLM_API_KEY")

CYCLE: tuple[Mode, ...] = ("default", "acceptEdits", "plan")
"""What shift+tab goes through; the modes that ask less are chosen by name only."""


async def _model(app: "ReinApp", argument: str) -> None:
    choice = app.workbench.choice
    if choice is None or (choice.kind == "demo" and not argument):
        app.run_command("welcome")
        return
    wanted = argument
    if not wanted:
        from rein_tui.widgets.picker import Item, Picker

        app.hint("asking the server for its models")
        title = "Model"
        try:
            items = [Item(m.id, m.title or m.id, _about(m)) for m in await app.workbench.models()]
        except ReinError as error:  # gateways may have no list; a name can be typed all the same
            title = f"Model · there is no list: {error.message}"
            items = [Item(choice.model, choice.model, "answers now")]
        items.append(Item(_ELSEWHERE, "Another server, key or file …", "what answers on this machine, or Claude's API"))
        wanted = await app.ask(Picker(title, items, current=choice.model, open_ended=True)) or ""
    if wanted == _ELSEWHERE:
        app.run_command("welcome")
    elif wanted:
        await app.workbench.choose(msgspec.structs.replace(choice, model=wanted))
        app.hint(f"model {wanted}")


def _about(model: ModelInfo) -> str:
    parts = [model.id] if model.title and model.title != model.id else []
    if model.context_window:
        parts.append(f"{short_count(model.context_window)} tokens")
    if model.size_bytes:
        parts.append(short_bytes(model.size_bytes))
    if model.input_price is not None and model.output_price is not None:
        parts.append(f"${model.input_price:g} / ${model.output_price:g} per million")
    parts += model.abilities
    return " · ".join(parts)


async def _mode(app: "ReinApp", argument: str) -> None:
    turns = app.desk.current
    if turns is None:
        return
    current = turns.harness.mode
    wanted: Mode | None = next((mode for mode in MODE_LABELS if mode.lower() == argument.lower()), None)
    if argument and wanted is None:
        app.hint(f"modes: {', '.join(MODE_LABELS)}")
        return
    if wanted is None:
        following: Mode = CYCLE[(CYCLE.index(current) + 1) % len(CYCLE)] if current in CYCLE else CYCLE[0]
        wanted = following
    await turns.harness.set_mode(wanted)
    app.main.status.show_mode(turns.harness.mode)


async def _plan(app: "ReinApp", _: str) -> None:
    await _mode(app, "plan")


async def _welcome(app: "ReinApp", _: str) -> None:
    from rein_tui.widgets.welcome import Welcome

    app.main.add_class("-welcome")
    if not app.main.query(Welcome):
        await app.main.query_one("#main").mount(
            Welcome(app.workbench.find_servers, may_leave=app.desk.current is not None)
        )


async def _logout(app: "ReinApp", _: str) -> None:
    bench = app.workbench
    if not isinstance(bench, KeepsKey):
        app.hint("keys are kept where the session runs")
        return
    forgotten = bench.forget_key()
    named = next((name for name in KEY_VARIABLES if os.environ.get(name)), "")
    still = f" · {named} is still set" if named else ""
    app.hint(("the key that was typed is forgotten" if forgotten else "no key was typed here") + still)


async def choose_model(app: "ReinApp", choice: ModelChoice, api_key: str) -> None:
    """What the welcome screen ends in: use this model, then begin."""
    from rein_tui.widgets.welcome import Welcome

    before = app.workbench.choice
    try:
        await app.workbench.choose(choice, api_key)
    except ReinError as error:
        app.main.query_one(Welcome).tell(str(error), is_error=True)
        return
    await leave_welcome(app)
    if app.desk.current is None or (before is not None and before.kind == "demo") or choice.kind == "demo":
        await app.begin_session()


async def leave_welcome(app: "ReinApp") -> None:
    """Show the conversation again."""
    from rein_tui.widgets.welcome import Welcome

    await app.main.query(Welcome).remove()
    app.main.remove_class("-welcome")
    app.main.composer.area.focus()


COMMANDS = (
    Command("model", "Choose the model", _model, argument="[name]", family="model"),
    Command("mode", "Next permission mode, or one by name", _mode, argument="[mode]", key="shift+tab", family="model"),
    Command("logout", "Forget the key that was typed here", _logout, family="model"),
    Command("plan", "Plan mode: look, but change nothing", _plan, family="model"),
    Command(
        "welcome", "Choose a server, a model file, a key or the demo", _welcome, aliases=("login",), family="model"
    ),
)
