"""What the pictures show: the demo through the real harness and its real tools, and a few stories beside it."""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from rein_tui.app import ReinApp
from rein_tui.harness.places import Places
from rein_tui.harness.protocol.events import (
    DELTAS,
    Fact,
    PermissionRequested,
    SessionStarted,
    ToolCallFinished,
    ToolCallRequested,
    TurnStarted,
)
from rein_tui.harness.protocol.models import ModelInfo
from rein_tui.harness.protocol.ports import SessionInfo
from rein_tui.harness.protocol.workbench import FoundServer, ModelChoice
from rein_tui.harness.store.store import Store
from rein_tui.harness.wiring.build import open_workbench
from rein_tui.harness.wiring.wishes import Wishes
from rein_tui.modal_prompter import ModalPrompter
from rein_tui.replay.app import ReplayApp
from rein_tui.replay.recording import ReplayHarness
from rein_tui.replay.tape import Tape
from rein_tui.widgets.inspector import Inspector
from rein_tui.widgets.inspector_pages import WHY
from rein_tui.widgets.list_pane import ListPane
from rein_tui.widgets.permission_modal import PermissionModal
from rein_tui.widgets.question_modal import QuestionModal
from tests import stories
from tests.app.driving import on_stage, screen_text
from tests.app.test_whole_story import Theatre

SERVERS = (
    FoundServer(
        url="http://localhost:11434/v1",
        flavour="ollama",
        version="0.12.6",
        models=(
            ModelInfo(id="qwen2.5-coder:7b", size_bytes=4_700_000_000, context_window=32_768),
            ModelInfo(id="llama3.1:8b", size_bytes=4_900_000_000, context_window=131_072),
        ),
    ),
)
EARLIER = (
    ("fix the login", "main", 7_000),
    ("add a cache for products", "cache", 90_000),
    ("refactor the parser", "main", 260_000),
)

SIZE = (132, 38)


@dataclass
class Album:
    """Where pictures go; `take` keeps the screen as SVG under a name."""

    svgs: dict[str, str] = field(default_factory=dict[str, str])

    def take(self, name: str, app: ReinApp) -> None:
        """Take this screen."""
        self.svgs[name] = app.export_screenshot(title="rein-tui")


async def take_all(folder: Path, size: tuple[int, int] = SIZE) -> dict[str, str]:
    """All pictures as SVG, by name; `folder` is for scratch files."""
    album = Album()
    async with on_stage(choice=None, servers=SERVERS, size=size) as stage:
        await stage.until(lambda: "qwen2.5" in stage.text())
        await stage.settled()
        album.take("welcome", stage.app)
    places = Places(home=folder, config=folder / ".claude", managed=folder / "etc", data=folder / "data", cache=folder)
    project = folder / "shop"
    project.mkdir()
    _fill(places, project)
    facts = await _the_demo(album, places, project, size)
    await _replayed(album, facts, size)
    return album.svgs


def _fill(places: Places, project: Path) -> None:
    """A few earlier sessions."""
    store = Store.open(places)
    now = time.time()
    for number, (title, branch, ago) in enumerate(EARLIER):
        session_id = f"0000000{number}"
        facts: list[Fact] = [
            SessionStarted(session_id=session_id, cwd=str(project), branch=branch, model=stories.MODEL),
            TurnStarted(text=title, turn=1),
            *(beat for beat in stories.fix() if not isinstance(beat, (stories.Hold, *DELTAS))),  # pyright: ignore[reportArgumentType]  facts only
        ]
        at = [msgspec.structs.replace(fact, time=now - ago) for fact in facts]
        store.take_in(SessionInfo(id=session_id, title=title), at)
        store.rename(session_id, title)
    store.close()


@asynccontextmanager
async def _demo(places: Places, project: Path, size: tuple[int, int], open_id: str = "") -> AsyncGenerator[Theatre]:
    prompter = ModalPrompter(typing_pause=0, grace=0)
    environment = {"HOME": str(places.home), "PATH": "/usr/local/bin:/usr/bin:/bin"}
    wishes = Wishes(root=project, version="0")
    bench = open_workbench(places, environment, wishes, prompter, ModelChoice(kind="demo", model="demo"))
    app = ReinApp(bench, prompter=prompter, places=places, project=project, open_id=open_id)
    try:
        async with app.run_test(size=size) as pilot:
            stage = Theatre(app, pilot, bench)
            await stage.until(lambda: app.desk.current is not None)
            yield stage
    finally:
        await bench.close()


async def _the_demo(album: Album, places: Places, project: Path, size: tuple[int, int]) -> list[Fact]:
    async with _demo(places, project, size) as stage:
        app, pilot = stage.app, stage.pilot
        await stage.say("Find out why check_cart.py fails, and fix it.")
        await stage.until(lambda: "multiplies by the" in screen_text(app))
        album.take("streaming", app)
        await stage.question("1 - discount")
        album.take("modal", app)
        await pilot.press("y")
        await stage.question("check_cart.py", "settings.json:")
        await pilot.press("question_mark")
        await _settle(stage)
        album.take("why", app)
        await pilot.press("y")
        await stage.rest(1)
        await stage.say("Now clean up, and look into .env for me.")
        await stage.until(lambda: isinstance(app.screen, QuestionModal | PermissionModal))
        while not isinstance(app.screen, QuestionModal):
            await pilot.press("end", "y")
            await _settle(stage)
        await _settle(stage)
        await pilot.press("1")
        await stage.rest(2)
        await _settle(stage)
        await _panes(album, stage)
        facts, session_id = stage.facts(), app.desk.current.harness.info.id if app.desk.current else ""
    async with _demo(places, project, (64, 24), session_id) as stage:
        await stage.until(lambda: "That was the tour" in screen_text(stage.app))
        album.take("narrow", stage.app)
    return facts


async def _panes(album: Album, stage: Theatre) -> None:
    app, pilot = stage.app, stage.pilot
    calls = [fact for fact in stage.facts() if isinstance(fact, ToolCallFinished)]
    asked = next(fact for fact in reversed(calls) if fact.name == "Bash" and fact.outcome == "ok")
    pane = await app.main.show_dock("inspector")
    assert isinstance(pane, Inspector)
    await _settle(stage)
    pane.show_call(asked.call_id)
    pane.open_details()
    pane.details.choose(WHY)
    app.main.chat.show_call(asked.call_id)
    await _settle(stage)
    album.take("inspector", app)
    pane = await app.main.show_dock("hooks")
    assert isinstance(pane, ListPane)
    await _settle(stage)
    await pilot.press("up", "enter")
    await _settle(stage)
    album.take("hooks", app)
    await app.main.show_dock("timeline")
    await pilot.press("left")
    await _settle(stage)
    album.take("timeline", app)
    await app.main.show_dock("context")
    await _settle(stage)
    album.take("context", app)
    app.theme = "rein-light"
    await app.main.show_dock("inspector")
    await _settle(stage)
    album.take("light", app)
    app.theme = "rein-dark"
    app.main.fold_dock()
    app.main.sidebar.focus_list()
    await _settle(stage)
    await pilot.press("down", "space")
    await _settle(stage)
    album.take("sessions", app)


async def _replayed(album: Album, facts: list[Fact], size: tuple[int, int]) -> None:
    edit = next(f.call_id for f in facts if isinstance(f, ToolCallRequested) and f.name == "Edit")
    at = next(n for n, f in enumerate(facts, 1) if isinstance(f, PermissionRequested) and f.request.call_id == edit)
    harness = ReplayHarness(Tape(tuple(facts)), SessionInfo(id="demo"), is_playing=False)
    app = ReplayApp(harness)
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        await app.main.show_dock("timeline")
        harness.go_to(at)
        await _until(lambda: "recorded" in screen_text(app), pilot.pause)
        await pilot.pause()
        album.take("replay", app)


async def _settle(stage: Theatre) -> None:
    """Let the screen come to rest: nothing changes any more for a few rounds."""
    before, same = "", 0
    while same < 5:
        await stage.pilot.pause(0.05)
        now = screen_text(stage.app)
        before, same = now, same + 1 if now == before else 0


async def _until(condition: Callable[[], object], pause: Callable[[], object]) -> None:
    async with asyncio.timeout(20):
        while not condition():
            await asyncio.sleep(0.01)
