"""How app tests drive the screen: an app over fakes, and waiting for what must happen instead of for time."""

import time
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from textual.events import Key
from textual.keys import key_to_character
from textual.pilot import Pilot

from rein_tui.app import ReinApp
from rein_tui.harness.places import Places
from rein_tui.leaving import Leaving
from rein_tui.modal_prompter import ModalPrompter
from tests.app.fake_harness import NOW, FakeHarness, FakeWorkbench
from tests.stories import Beat

PATIENCE = 20.0
"""Seconds that a condition may take."""

STILL = 5
"""Rounds of the message loop without a change that make rest."""


@dataclass
class Stage:
    """One app under test."""

    app: ReinApp
    pilot: Pilot[Any]
    workbench: FakeWorkbench

    @property
    def harness(self) -> FakeHarness:
        """The session opened last."""
        return self.workbench.opened[-1]

    async def until(self, condition: Callable[[], object]) -> None:
        """Let the app work until this holds."""
        end = time.monotonic() + PATIENCE
        while not condition():
            assert time.monotonic() < end, f"it never came true:\n{self.text()}"
            await self.pilot.pause(0)

    async def settled(self) -> None:
        """Let the app work until nothing moves any more: turns rest, or wait for a hold or the person."""
        before: tuple[object, ...] = ()
        while before != (now := self._moving()):
            before = now
            await self.pilot.pause()
            await self.pilot.pause()

    async def still(self) -> None:
        """Let the app work for some rounds without a change: for keys that start nothing outside the message loop."""
        before: tuple[object, ...] = ()
        rounds = 0
        while rounds < STILL:
            now = self._moving()
            before, rounds = now, rounds + 1 if now == before else 0
            await self.pilot.pause(0.001)

    def _moving(self) -> tuple[object, ...]:
        turns = self.app.desk.current
        facts = len(self.harness.history()) if self.workbench.opened else 0
        composer = self.app.main.composer
        return (facts, turns and turns.state, len(self.app.screen_stack), composer.text, composer.is_searching)

    async def press(self, *keys: str) -> None:
        """Press these, each when what the one before set in motion is done. The pilot's own waits 50 ms for each."""
        for key in keys:
            self.app.post_message(Key(key, "/" if key == "slash" else key_to_character(key)))
            await self.pilot.pause(0)
            await self.pilot.pause(0)

    async def type(self, text: str) -> None:
        """Type into whatever has the focus."""
        names = {" ": "space", "/": "slash", "!": "exclamation_mark", "@": "at", "\\": "backslash", ".": "full_stop"}
        await self.press(*(names.get(c, c) for c in text))

    async def say(self, text: str) -> None:
        """Put a prompt into the composer and send it."""
        self.app.main.composer.text = text
        await self.pilot.pause(0)
        await self.press("enter")
        await self.settled()

    def text(self) -> str:
        """What is on the screen, as text."""
        return screen_text(self.app)


def screen_text(app: ReinApp) -> str:
    """The screen as lines of text, trailing blanks removed."""
    compositor = app.screen._compositor  # pyright: ignore[reportPrivateUsage]  there is no public way to the strips
    lines = ("".join(segment.text for segment in strip).rstrip() for strip in compositor.render_strips())
    return "\n".join(lines)


@asynccontextmanager
async def on_stage(
    tell: Callable[[], Sequence[list[Beat]]] = lambda: [],
    *,
    size: tuple[int, int] = (120, 36),
    places: Places | None = None,
    project: Path | None = None,
    grace: float = 0.0,
    typing_pause: float = 0.0,
    initial_prompt: str = "",
    **workbench: Any,
) -> AsyncGenerator[Stage]:
    """An app over a fake workbench, first session open, everything at rest."""
    prompter = ModalPrompter(typing_pause=typing_pause, grace=grace)
    bench = FakeWorkbench(tell, prompter=prompter, **workbench)
    app = ReinApp(
        bench, prompter=prompter, places=places, project=project, initial_prompt=initial_prompt, clock=lambda: NOW
    )
    app.leaving = Leaving(app, clock=lambda: 0.0)  # two presses are two quick ones, however busy the machine
    async with app.run_test(size=size, notifications=True) as pilot:
        stage = Stage(app, pilot, bench)
        await stage.until(lambda: bench.opened or app.main.has_class("-welcome"))
        await stage.settled()
        yield stage
        app.exit()
