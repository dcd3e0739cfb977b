"""The session list: keys, the second press of delete, undo, search, rename."""

from typing import Any

import pytest
from textual import on
from textual.app import App, ComposeResult
from textual.pilot import Pilot
from textual.widgets import Input

from rein_tui.harness.protocol.ports import SessionInfo
from rein_tui.widgets.sidebar import Sidebar

NOW = 1_790_000_000.0
SESSIONS = (
    SessionInfo(
        id="a", title="fix [/login]", branch="main", turns=4, cost_usd=0.31, updated=NOW - 120, state="waiting"
    ),
    SessionInfo(id="b", title="cache", branch="cache", turns=1, updated=NOW - 7300, state="running"),
    SessionInfo(id="c", title="old \x1b]0;x\x07one", turns=2, updated=NOW - 90_000),
)


class Bench(App[None]):
    def __init__(self) -> None:
        super().__init__()
        self.sidebar = Sidebar(clock=lambda: NOW)
        self.wishes: list[tuple[str, str]] = []

    def compose(self) -> ComposeResult:
        yield self.sidebar

    def on_mount(self) -> None:
        self.sidebar.show(SESSIONS, "a")
        self.sidebar.focus_list()

    @on(Sidebar.OpenRequested)
    def wished(self, event: Sidebar.OpenRequested) -> None:
        title = event.title if isinstance(event, Sidebar.RenameRequested) else ""
        self.wishes.append((type(event).__name__, event.session_id + title))

    @on(Sidebar.SearchChanged)
    def searched(self, event: Sidebar.SearchChanged) -> None:
        self.wishes.append(("Search", event.text))


async def after(pilot: Pilot[Any], app: Bench, *keys: str) -> list[tuple[str, str]]:
    await pilot.press(*keys)
    await pilot.pause()
    wishes, app.wishes = app.wishes, []
    return wishes


@pytest.mark.parametrize(
    ("keys", "wish"),
    [
        ("enter", ("OpenRequested", "a")),
        ("down enter", ("OpenRequested", "b")),
        ("3", ("OpenRequested", "c")),
        ("n", ("OpenRequested", "")),
        ("space", ("PreviewRequested", "a")),
        ("f", ("ForkRequested", "a")),
        ("d d", ("DeleteRequested", "a")),
    ],
)
async def test_keys(keys: str, wish: tuple[str, str]):
    app = Bench()
    async with app.run_test() as pilot:
        assert await after(pilot, app, *keys.split()) == [wish]


async def test_one_press_of_delete_deletes_nothing():
    app = Bench()
    async with app.run_test() as pilot:
        assert await after(pilot, app, "d", "down", "d", "escape", "d") == []
        assert await after(pilot, app, "d") == [("DeleteRequested", "b")]
        assert await after(pilot, app, "u", "u") == [("UndeleteRequested", "b")]


async def test_rename_and_search():
    app = Bench()
    async with app.run_test() as pilot:
        await after(pilot, app, "r")
        assert app.query_one(Input).value == "fix [/login]"
        app.query_one(Input).value = "better"
        assert await after(pilot, app, "enter") == [("RenameRequested", "abetter")]
        wishes = await after(pilot, app, "slash", "c", "a")
        assert wishes[-1] == ("Search", "ca")
        assert await after(pilot, app, "escape") == [("Search", "")]


async def test_rows_say_state_age_branch_turns_and_cost_and_no_more():
    app = Bench()
    async with app.run_test(size=(40, 20)) as pilot:
        await pilot.pause()
        compositor = app.screen._compositor  # pyright: ignore[reportPrivateUsage]  no public way to the strips
        text = "\n".join("".join(segment.text for segment in strip) for strip in compositor.render_strips())
        assert "fix [/login]" in text
        assert "waits for you" in text
        assert "cache · 1 turn" in text
        assert "\x1b" not in text
