"""The session list: keys, the second press of delete, undo, search, rename."""

from typing import Any

import msgspec
import pytest
from textual import on
from textual.app import App, ComposeResult
from textual.pilot import Pilot
from textual.widgets import Input

from rein_tui.harness.protocol.ports import SessionInfo
from rein_tui.widgets.sidebar import Sidebar
from rein_tui.widgets.sidebar_list import SessionList

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
        title = event.path if isinstance(event, Sidebar.ExportRequested) else title
        self.wishes.append((type(event).__name__, event.session_id + title))

    @on(Sidebar.Left)
    def left(self) -> None:
        self.wishes.append(("Left", ""))

    @on(Sidebar.MoreRequested)
    def more(self) -> None:
        self.wishes.append(("More", ""))

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


async def test_a_list_goes_on_where_its_end_comes_near():
    app = Bench()
    many = [SessionInfo(id=f"s{number}", title=f"session {number}", turns=1) for number in range(60)]
    async with app.run_test(size=(40, 20)) as pilot:
        app.sidebar.show(many[:40], "s0", has_more=True)
        await pilot.pause()
        assert "40+" in screen_text(app)
        assert await after(pilot, app, "pagedown") == []
        assert await after(pilot, app, "end") == [("More", "")]
        kept = app.sidebar.rows.options[:40]
        app.sidebar.show(many, "s0")
        await pilot.pause()
        assert app.sidebar.rows.highlighted == 39
        assert all(old is new for old, new in zip(kept, app.sidebar.rows.options, strict=False))
        assert await after(pilot, app, "end", "enter") == [("OpenRequested", "s59")]


async def test_a_search_shows_where_its_words_stand():
    app = Bench()
    async with app.run_test(size=(40, 20)) as pilot:
        found = "a result that is long before it comes to «zebrafish», and [/after] it"
        app.sidebar.show([msgspec.structs.replace(SESSIONS[2], found=found)], "a")
        await pilot.pause()
        assert "…es to zebrafish, and […" in screen_text(app)


async def test_the_keys_of_the_list_can_be_clicked_where_there_is_room():
    app = Bench()
    async with app.run_test(size=(40, 24)) as pilot:
        await pilot.pause()
        assert "e export" in screen_text(app)
        rows = app.sidebar.rows
        await pilot.click(rows, offset=(8, 2), button=3)
        await pilot.pause()
        assert (rows.highlighted, app.wishes) == (1, [])
    app = Bench()
    async with app.run_test(size=(40, 12)) as pilot:
        await pilot.pause()
        assert "e export" not in screen_text(app)


async def test_exporting_asks_for_a_file():
    app = Bench()
    async with app.run_test() as pilot:
        await after(pilot, app, "down", "e")
        assert app.query_one(Input).value == "rein-b.md"
        assert await after(pilot, app, "enter") == [("ExportRequested", "brein-b.md")]


def screen_text(app: Bench) -> str:
    compositor = app.screen._compositor  # pyright: ignore[reportPrivateUsage]  no public way to the strips
    return "\n".join("".join(segment.text for segment in strip) for strip in compositor.render_strips())


async def test_a_row_that_changes_is_made_alone_and_the_highlight_stays():
    app = Bench()
    async with app.run_test(size=(40, 20)) as pilot:
        await after(pilot, app, "down")
        rows = app.query_one(SessionList)
        before = [option.prompt for option in rows.options]
        changed = msgspec.structs.replace(SESSIONS[2], title="another", turns=9)
        app.sidebar.show((*SESSIONS[:2], changed), "a")
        await pilot.pause()
        after_it = [option.prompt for option in rows.options]
        assert [old is new for old, new in zip(before, after_it, strict=True)] == [True, True, False]
        assert rows.highlighted == 1
        assert "9 turns" in screen_text(app)
        assert "2 turns" not in screen_text(app)
        app.sidebar.show((changed, *SESSIONS[:2]), "a")
        await pilot.pause()
        assert screen_text(app).index("another") < screen_text(app).index("fix [/login]")


async def test_rows_say_state_age_branch_turns_and_cost_and_no_more():
    app = Bench()
    async with app.run_test(size=(40, 20)) as pilot:
        await pilot.pause()
        text = screen_text(app)
        assert "fix [/login]" in text
        assert "waits for you" in text
        assert "cache · 1 turn" in text
        assert "\x1b" not in text


async def test_a_search_that_was_kept_is_named_and_escape_ends_it_before_it_leaves():
    app = Bench()
    async with app.run_test(size=(40, 20)) as pilot:
        await after(pilot, app, "slash", "c", "a")
        field = app.query_one(Input)
        assert field.size.height == 1  # a border of its own would leave no line for the words
        await after(pilot, app, "enter")
        app.sidebar.show(SESSIONS[1:2], "a")
        await pilot.pause()
        assert "/ca" in screen_text(app)
        assert await after(pilot, app, "escape") == [("Search", "")]
        assert await after(pilot, app, "escape") == [("Left", "")]
