"""Commands that show panes: inspector, hooks, timeline, context, sessions."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from rein_tui.harness.protocol.errors import ReinError
from rein_tui.harness.protocol.events import SourceKind
from rein_tui.harness.protocol.hooks import HookRun

from .registry import Command
from .session import adjustments_of

if TYPE_CHECKING:
    from rein_tui.app import ReinApp


def _toggle(tab: str) -> "Callable[[ReinApp, str], Awaitable[None]]":
    async def run(app: "ReinApp", _: str) -> None:
        await app.main.toggle_dock(tab)

    return run


async def read_in_editor(app: "ReinApp", text: str, suffix: str) -> None:
    """Show a text of a pane in the person's editor; what they change there goes nowhere."""
    from .prompt import lend_to_editor

    try:
        await lend_to_editor(app, text, f"rein{suffix}", hint="y copies it instead")
    except ReinError as error:
        await app.report(error)


async def _sessions(app: "ReinApp", _: str) -> None:
    app.main.toggle_sidebar()


async def rerun_hook(app: "ReinApp", run: HookRun) -> None:
    """Run the hooks of a recorded run's moment again, dry, and show the hook log what they did."""
    from rein_tui.widgets.hook_log import HookLog

    insight, pane = app.desk.insight, app.main.dock.panes.get("hooks")
    told = await insight.rehearse(run) if insight is not None else None
    if told is None:
        app.hint("this hook cannot be run again here")
    elif isinstance(pane, HookLog):
        pane.show_dry(*told)


async def switch_source(app: "ReinApp", kind: SourceKind, name: str, on: bool) -> None:
    """Take a source out of the window of the session on the screen, or put it back."""
    adjustments = adjustments_of(app)
    if adjustments is None:
        return
    try:
        await adjustments.switch_source(kind, name, on)
    except ReinError as error:
        await app.report(error)


COMMANDS = (
    Command("inspector", "Every request and call, in full", _toggle("inspector"), key="f2", family="panes"),
    Command("hooks", "Every hook that ran, or did not", _toggle("hooks"), key="f3", family="panes"),
    Command("timeline", "Where the time went", _toggle("timeline"), key="f4", family="panes"),
    Command("context", "What fills the window", _toggle("context"), key="f5", family="panes"),
    Command("sessions", "Go to the session list; there, hide it", _sessions, key="f6", family="panes"),
)
