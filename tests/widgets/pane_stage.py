"""One dock pane in a bare app, over facts; what it posts upward is kept."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

from textual.app import App, ComposeResult
from textual.message import Message
from textual.pilot import Pilot
from textual.widget import Widget

from rein_tui.harness.protocol.events import (
    Event,
    Fact,
)
from rein_tui.widgets.dock import Dock
from rein_tui.widgets.hook_log import HookLog
from rein_tui.widgets.line_view import LineView
from rein_tui.widgets.theme import THEMES
from rein_tui.widgets.wishes import Copied


class PaneApp(App[None]):
    """One pane, and what it posted."""

    def __init__(self, pane: Widget) -> None:
        super().__init__()
        self.pane = pane
        self.posted: list[Message] = []

    def compose(self) -> ComposeResult:
        yield self.pane

    def on_mount(self) -> None:
        for theme in THEMES:
            self.register_theme(theme)
        self.theme = "rein-dark"

    def on_copied(self, message: Copied) -> None:
        self.posted.append(message)

    def on_dock_editor_requested(self, message: Dock.EditorRequested) -> None:
        self.posted.append(message)

    def on_dock_call_requested(self, message: Dock.CallRequested) -> None:
        self.posted.append(message)

    def on_hook_log_rerun_requested(self, message: HookLog.RerunRequested) -> None:
        self.posted.append(message)

    def on_context_pane_toggled(self, message: Message) -> None:
        self.posted.append(message)


class PaneStage:
    """A pane under test: press keys, read the screen."""

    def __init__(self, app: PaneApp, pilot: Pilot[Any]) -> None:
        self.app = app
        self.pilot = pilot

    @property
    def last(self) -> Any:
        """The last message posted upward."""
        return self.app.posted[-1]

    async def apply(self, event: Event) -> None:
        """One live event."""
        pane: Any = self.app.pane
        await pane.apply(event)

    async def press(self, *keys: str) -> str:
        """Press keys one after the other; the screen as text."""
        for key in keys:
            await self.pilot.press(key)
            await self.pilot.pause()
        return self.text()

    async def settled(self) -> None:
        """Everything that came is on the screen."""
        await self.pilot.pause()
        for view in self.app.query(LineView):
            view.flush()
        await self.pilot.pause()

    async def until(self, condition: Callable[[], object]) -> None:
        """Let the app work until this holds."""
        async with asyncio.timeout(20):
            while not condition():
                await asyncio.sleep(0.02)
                await self.pilot.pause()

    def text(self) -> str:
        """What is on the screen."""
        compositor = self.app.screen._compositor  # pyright: ignore[reportPrivateUsage]  no public way to the strips
        return "\n".join("".join(s.text for s in strip).rstrip() for strip in compositor.render_strips())


@asynccontextmanager
async def on_pane(pane: Any, facts: Sequence[Fact] = (), size: tuple[int, int] = (80, 40)) -> AsyncGenerator[PaneStage]:
    """The pane in an app of its own, loaded and focused."""
    app = PaneApp(pane)
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        pane.load(facts)
        await pilot.pause()
        next(widget for widget in pane.query("*") if widget.can_focus and widget.display).focus()
        await pilot.pause()
        yield PaneStage(app, pilot)
