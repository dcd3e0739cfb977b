"""The main job end to end: the real screen over the real harness and real tools; only the model is scripted."""

import asyncio
import json
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from textual.pilot import Pilot

from rein_tui.app import ReinApp
from rein_tui.harness.places import Places
from rein_tui.harness.protocol.events import (
    Fact,
    HookFired,
    PermissionResolved,
    ToolCallFinished,
    ToolCallStarted,
    TurnFinished,
    TurnInterrupted,
)
from rein_tui.harness.protocol.workbench import ModelChoice
from rein_tui.harness.wiring.build import LocalWorkbench, open_workbench
from rein_tui.harness.wiring.wishes import Wishes
from rein_tui.modal_prompter import ModalPrompter
from rein_tui.widgets.permission_modal import PermissionModal
from tests.app.driving import screen_text
from tests.laws import check_turn

PATIENCE = 20.0
"""Seconds that a real process may take on a busy machine before the test gives up."""


def _joined(text: str) -> str:
    return "".join(text.replace("│", "").split())


@dataclass
class Theatre:
    """One app over one real workbench."""

    app: ReinApp
    pilot: Pilot[Any]
    bench: LocalWorkbench

    async def until(self, condition: Callable[[], object]) -> None:
        try:
            async with asyncio.timeout(PATIENCE):
                while not condition():
                    await self.pilot.pause()
        except TimeoutError:
            raise AssertionError(f"it never came; the screen shows:\n{screen_text(self.app)}") from None

    def facts(self) -> list[Fact]:
        turns = self.app.desk.current
        return list(turns.harness.history()) if turns is not None else []

    def outcomes(self) -> list[str]:
        return [f"{f.name} {f.outcome}" for f in self.facts() if isinstance(f, ToolCallFinished)]

    async def say(self, text: str) -> None:
        self.app.main.composer.text = text
        await self.pilot.press("enter")

    async def question(self, *texts: str) -> None:
        """Wait for a modal that shows all of these, wherever its lines wrap."""

        def is_shown() -> bool:
            shown = _joined(screen_text(self.app))
            return isinstance(self.app.screen, PermissionModal) and all(_joined(text) in shown for text in texts)

        await self.until(is_shown)

    async def rest(self, ends: int) -> None:
        """Wait for that many ended turns."""
        await self.until(lambda: sum(isinstance(f, TurnFinished | TurnInterrupted) for f in self.facts()) >= ends)
        await self.pilot.pause()


@asynccontextmanager
async def theatre(
    places: Places, project: Path, steps: Sequence[dict[str, Any]], *, open_id: str = "", pace: float = 0.0
) -> AsyncGenerator[Theatre]:
    script = project.parent / "script.json"
    script.write_text(json.dumps({"steps": steps, "model": "scripted", "pace": pace}))
    prompter = ModalPrompter(typing_pause=0, grace=0)
    wishes = Wishes(root=project, version="0")
    environment = {"HOME": str(places.home), "PATH": "/usr/bin:/bin"}
    bench = open_workbench(
        places, environment, wishes, prompter, ModelChoice(kind="demo", model="scripted", path=str(script))
    )
    bench.places.data.mkdir(parents=True, exist_ok=True)
    app = ReinApp(bench, prompter=prompter, places=places, project=project, open_id=open_id)
    try:
        async with app.run_test(size=(120, 36), notifications=True) as pilot:
            stage = Theatre(app, pilot, bench)
            await stage.until(lambda: app.desk.current is not None)
            yield stage
    finally:
        await bench.close()


def call(name: str, **tool_input: Any) -> dict[str, Any]:
    return {"name": name, "input": tool_input}


def make_project(tmp_path: Path) -> Path:
    project = tmp_path / "project"
    (project / ".claude").mkdir(parents=True)
    (project / "app.py").write_text("def add(a, b):\n    return a - b\n")
    return project


async def test_read_edit_run_deny_interrupt_and_go_on(places: Places, tmp_path: Path) -> None:
    project = make_project(tmp_path)
    source = str(project / "app.py")
    hook = {"type": "command", "command": "cat >/dev/null; echo checked"}
    (places.config).mkdir(parents=True)
    places.user_settings.write_text(json.dumps({"hooks": {"PostToolUse": [{"matcher": "Edit", "hooks": [hook]}]}}))
    edit = call("Edit", file_path=source, old_string="a - b", new_string="a + b")
    steps = [
        {"text": "Reading.", "calls": [call("Read", file_path=source)]},
        {"text": "There is the bug.", "calls": [edit]},
        {"text": "Now I run it.", "calls": [call("Bash", command="touch ran-once")]},
        {"text": "Once more.", "calls": [call("Bash", command="touch ran-once")]},
        {"text": "And away with it.", "calls": [call("Bash", command="rm app.py")]},
        {"text": "As you wish. The work is done."},
        {"text": "a very long answer " * 20, "hang": True},
        {"text": "Sleeping.", "calls": [call("Bash", command="sleep 600; touch never")]},
    ]
    async with theatre(places, project, steps, pace=0.001) as stage:
        await stage.say("fix the bug")
        await stage.question("a - b", "a + b")
        await stage.pilot.press("y")
        await stage.question("touch ran-once")
        await stage.pilot.press("s")
        await stage.question("rm app.py")
        await stage.pilot.press("n")
        await stage.rest(1)
        assert stage.outcomes() == ["Read ok", "Edit ok", "Bash ok", "Bash ok", "Bash denied"]
        assert "a + b" in (project / "app.py").read_text()
        assert (project / "ran-once").exists()
        replies = [f.reply.answer for f in stage.facts() if isinstance(f, PermissionResolved)]
        assert replies == ["once", "session", "deny"]
        assert any(isinstance(f, HookFired) for f in stage.facts())

        await stage.say("now talk")
        await stage.until(lambda: "a very long answer" in screen_text(stage.app))
        await stage.pilot.press("escape")
        await stage.rest(2)
        assert isinstance(stage.facts()[-1], TurnInterrupted)

        await stage.say("now sleep")
        await stage.question("sleep 600")
        await stage.pilot.press("y")
        await stage.until(lambda: isinstance(stage.facts()[-1], ToolCallStarted))
        await stage.pilot.press("escape")
        await stage.rest(3)
        assert stage.outcomes()[-1] == "Bash interrupted"
        assert not (project / "never").exists()
        told = stage.facts()
        session_id = stage.bench.sessions()[0].id
    for turn in (1, 2, 3):
        check_turn([f for f in told if f.turn == turn])

    async with theatre(places, project, [{"text": "I am back."}], open_id=session_id) as stage:
        shown = screen_text(stage.app)
        assert "now sleep" in shown
        await stage.say("and?")
        await stage.rest(4)
        assert "I am back." in screen_text(stage.app)


async def test_the_demo_shows_a_newcomer_around(places: Places, tmp_path: Path) -> None:
    prompter = ModalPrompter(typing_pause=0, grace=0)
    environment = {"HOME": str(places.home), "PATH": "/usr/bin:/bin:/usr/local/bin"}
    wishes = Wishes(root=tmp_path, version="0")
    bench = open_workbench(places, environment, wishes, prompter, ModelChoice(kind="demo"))
    app = ReinApp(bench, prompter=prompter, places=places, project=tmp_path)
    try:
        async with app.run_test(size=(120, 36)) as pilot:
            stage = Theatre(app, pilot, bench)
            await stage.until(lambda: app.desk.current is not None)
            await stage.say("go")
            await stage.question()
            await pilot.press("y")
            await stage.question("check_cart.py", "settings.json:")  # the rule that asks, down to its line
            await pilot.press("y")
            await stage.rest(1)
            assert "All checks pass" in str([f for f in stage.facts() if type(f).__name__ == "MessageFinished"][-1])
            assert stage.outcomes()[-2:] == ["Edit ok", "Bash ok"]
            await stage.say("clean up")
            await stage.until(lambda: "Bash denied" in stage.outcomes() and "Read denied" in stage.outcomes())
    finally:
        await bench.close()
    assert not list(places.cache.glob("demo-*")), "the scratch folder is gone"
