"""The dock's panes over one story at four sizes, as text; themes may not move a character."""

import time
from collections.abc import Callable

import pytest
from textual.widget import Widget

from rein_tui.widgets.context_pane import ContextPane
from rein_tui.widgets.hook_log import HookLog
from rein_tui.widgets.inspector import Inspector
from rein_tui.widgets.timeline import Timeline
from tests.snapshots.goldens import check_golden
from tests.widgets.pane_stage import PaneStage, on_pane
from tests.widgets.pane_story import story

SIZES = [(60, 20), (100, 30), (120, 36), (200, 60)]
STATES: list[tuple[str, Callable[[], Widget], list[str]]] = [
    ("inspector", Inspector, []),
    ("inspector-why", Inspector, ["home", "down", "enter", "5"]),
    ("inspector-input", Inspector, ["home", "down", "enter", "3"]),
    ("inspector-timing", Inspector, ["home", "down", "enter", "6"]),
    ("hooks", HookLog, []),
    ("hooks-story", HookLog, ["home", "enter"]),
    ("timeline", Timeline, ["left", "up", "up"]),
    ("timeline-session", Timeline, ["z"]),
    ("context", ContextPane, []),
]


@pytest.fixture(autouse=True)
def universal_time(monkeypatch: pytest.MonkeyPatch):
    """Rows show local time: the same everywhere."""
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "UTC")
        time.tzset()
        yield
    time.tzset()


async def check(stage: PaneStage, name: str) -> None:
    """The same text in three themes."""
    for theme in ("rein-dark", "rein-light", "textual-light"):
        stage.app.theme = theme
        await stage.settled()
        check_golden(name, stage.text())


@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize(("name", "make", "keys"), STATES, ids=[name for name, _, _ in STATES])
async def test_panes(name: str, make: Callable[[], Widget], keys: list[str], size: tuple[int, int]):
    async with on_pane(make(), story(), size) as stage:
        await stage.press(*keys)
        await check(stage, f"dock-{name}-{size[0]}x{size[1]}")


@pytest.mark.parametrize("make", [Inspector, HookLog, Timeline, ContextPane], ids=lambda make: make.__name__)
async def test_empty_panes_say_what_will_appear(make: Callable[[], Widget]):
    async with on_pane(make(), size=(60, 12)) as stage:
        await check(stage, f"dock-empty-{make.__name__.lower()}")
