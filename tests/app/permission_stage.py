"""The real house below the screen: settings files, rules, tools and gate; only the model is a script."""

import json
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from textual.pilot import Pilot

from rein_tui.app import ReinApp
from rein_tui.harness.places import Places
from rein_tui.harness.protocol.base import JsonObject
from rein_tui.harness.protocol.events import Fact, PermissionResolved, SessionStarted, ToolCallFinished
from rein_tui.harness.protocol.ports import Harness, Prompt
from rein_tui.harness.protocol.workbench import ModelChoice
from rein_tui.harness.providers.scripted import ScriptedCall, ScriptedProvider, Step
from rein_tui.harness.store.store import Store
from rein_tui.harness.wiring.build import LocalWorkbench
from rein_tui.harness.wiring.model_desk import ModelDesk
from rein_tui.harness.wiring.wishes import Wishes
from rein_tui.modal_prompter import ModalPrompter
from tests.app.driving import screen_text

PATIENCE = 3000


def calling(*calls: tuple[str, JsonObject]) -> Step:
    """One model message with these calls, numbered c1, c2 …"""
    return Step(
        text="On it.",
        calls=tuple(ScriptedCall(name=name, input=value, id=f"c{at}") for at, (name, value) in enumerate(calls, 1)),
    )


@dataclass
class House:
    """One app over one real workbench."""

    app: ReinApp
    pilot: Pilot[Any]
    bench: LocalWorkbench
    root: Path
    places: Places

    @property
    def harness(self) -> Harness:
        """The session on the screen."""
        turns = self.app.desk.current
        assert turns is not None
        return turns.harness

    async def until(self, condition: Callable[[], object]) -> None:
        """Let everything work until this holds."""
        for _ in range(PATIENCE):
            if condition():
                return
            await self.pilot.pause(0.005)
        raise AssertionError(f"it never came true:\n{self.text()}")

    async def shows(self, text: str) -> None:
        """Wait until this stands on the screen."""
        await self.until(lambda: text in self.text())

    async def gone(self, text: str) -> None:
        """Wait until this stands nowhere on the screen."""
        await self.until(lambda: text not in self.text())

    async def press(self, *keys: str) -> None:
        """Press keys."""
        await self.pilot.press(*keys)

    async def write(self, text: str) -> None:
        """Type into whatever has the focus."""
        names = {" ": "space", "(": "left_parenthesis", ")": "right_parenthesis", "*": "asterisk", "/": "slash"}
        await self.pilot.press(*(names.get(c, c) for c in text))

    async def say(self, text: str) -> None:
        """Send a prompt."""
        turns = self.app.desk.current
        assert turns is not None
        turns.submit(Prompt(text=text), text)
        await self.pilot.pause()

    def text(self) -> str:
        """What is on the screen."""
        return screen_text(self.app)

    def told(self, kind: type[Fact]) -> list[Any]:
        """The facts of one kind so far."""
        return [fact for fact in self.harness.history() if isinstance(fact, kind)]

    @property
    def reply(self) -> Any:
        """The last answer."""
        return self.told(PermissionResolved)[-1].reply

    def outcome(self, call_id: str = "c1") -> str:
        """How a call ended; empty while it did not."""
        return next((fact.outcome for fact in self.told(ToolCallFinished) if fact.call_id == call_id), "")


def write_settings(path: Path, **permissions: list[str]) -> None:
    """A settings file with these rules."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"permissions": permissions}, indent=2))


@asynccontextmanager
async def at_home(
    places: Places,
    *steps: Step,
    size: tuple[int, int] = (120, 36),
    grace: float = 0.0,
    trust: bool = True,
    files: dict[str, str] | None = None,
) -> AsyncGenerator[House]:
    """A project folder with these files, opened."""
    root = places.home.parent / "shop"
    root.mkdir(exist_ok=True)
    for name, content in (files or {}).items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    prompter = ModalPrompter(typing_pause=0.0, grace=grace)
    choice = ModelChoice(kind="local", model="scripted", url="http://127.0.0.1:9/v1")
    provider = ScriptedProvider([*steps, Step(text="Done.")])
    wishes = Wishes(root=root, trust=trust)
    store = Store.open(places)
    desk = ModelDesk(places, {}, [], store.protect, choice, provider=provider)
    bench = LocalWorkbench(places, {}, wishes, prompter, store, desk)
    app = ReinApp(bench, prompter=prompter, places=places, project=root)
    async with app.run_test(size=size) as pilot:
        house = House(app, pilot, bench, root, places)
        await house.until(lambda: app.desk.current is not None or len(app.screen_stack) > 1)
        yield house
        await house.until(lambda: app.desk.current is not None and house.told(SessionStarted))
        app.exit()
    await bench.close()
