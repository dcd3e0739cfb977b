"""The screen at every size: what folds, what covers, what stays reachable."""

import pytest
from textual.events import AppBlur, AppFocus

from rein_tui.harness.protocol.events import Notice
from rein_tui.widgets.sidebar_list import SessionList
from tests import stories
from tests.app.driving import on_stage
from tests.app.fake_harness import SESSIONS


@pytest.mark.parametrize(("key", "tab"), [("f2", "inspector"), ("f3", "hooks")])
async def test_a_key_shows_its_tab_and_folds_it(key: str, tab: str):
    async with on_stage(lambda: [stories.greeting()]) as stage:
        await stage.say("hello")
        await stage.press(key)
        await stage.until(lambda: stage.app.main.dock.shown == tab)
        await stage.settled()
        assert stage.app.main.chat.region.width > 0
        await stage.press(key)
        await stage.until(lambda: not stage.app.main.dock.shown)
        await stage.settled()
        assert stage.app.focused is stage.app.main.composer.area


async def test_a_pane_shown_late_knows_the_story_from_its_beginning():
    async with on_stage(lambda: [stories.fix()]) as stage:
        await stage.say("fix it")
        await stage.until(lambda: len(stage.app.screen_stack) > 1)
        await stage.press("n")
        await stage.settled()
        await stage.press("f3")
        await stage.until(lambda: "lint.sh" in stage.text())
        await stage.press("f2")
        await stage.until(lambda: stage.app.main.dock.shown == "inspector")


@pytest.mark.parametrize("width", [60, 80, 99])
async def test_below_a_hundred_columns_the_dock_takes_the_screen_and_esc_gives_it_back(width: int):
    async with on_stage(size=(width, 30)) as stage:
        await stage.press("f2")
        await stage.until(lambda: stage.app.main.dock.shown)
        await stage.settled()
        assert stage.app.main.dock.region.width == width
        assert stage.app.main.chat.region.width == 0
        await stage.press("escape")
        await stage.settled()
        assert stage.app.main.chat.region.width > 0
        assert stage.app.focused is stage.app.main.composer.area


async def test_below_eighty_columns_the_sidebar_lies_over_the_chat():
    async with on_stage(size=(60, 20), stored=SESSIONS) as stage:
        screen = stage.app.main
        assert not screen.sidebar.display
        wide = screen.chat.region.width
        await stage.press("f6")
        await stage.until(lambda: isinstance(stage.app.focused, SessionList))
        await stage.settled()
        assert screen.sidebar.display
        assert screen.chat.region.width == wide == 60
        await stage.press("escape")
        await stage.settled()
        assert not screen.sidebar.display


async def test_f6_goes_to_the_sidebar_and_from_there_hides_it():
    async with on_stage(size=(120, 36)) as stage:
        assert stage.app.main.sidebar.display
        await stage.press("f6")
        await stage.settled()
        assert stage.app.main.sidebar.has_focus_within
        await stage.press("f6")
        await stage.settled()
        assert not stage.app.main.sidebar.display
        assert stage.app.main.composer.area.has_focus
    async with on_stage(size=(100, 30)) as stage:
        assert not stage.app.main.sidebar.display
        await stage.press("f6")
        await stage.settled()
        assert stage.app.main.sidebar.display


async def test_resizing_in_mid_stream_loses_nothing():
    async with on_stage(lambda: [stories.streaming()], size=(120, 36)) as stage:
        await stage.say("tell me")
        for width, height in ((60, 20), (200, 60), (81, 24), (100, 30)):
            await stage.pilot.resize_terminal(width, height)
            await stage.settled()
            assert stage.app.main.composer.region.right <= width
            assert stage.app.main.status.region.bottom == height
        stage.harness.go_on()
        await stage.until(lambda: "hides the next" in stage.text())


async def test_typing_goes_to_the_prompt_wherever_the_focus_is():
    async with on_stage() as stage:
        stage.app.set_focus(None)
        await stage.type("hi")
        await stage.settled()
        assert stage.app.main.composer.text == "hi"


async def test_so_does_a_key_that_is_not_written():
    async with on_stage(lambda: [stories.greeting()]) as stage:
        for key in ("h", "ctrl+j", "i"):
            stage.app.set_focus(None)
            await stage.press(key)
        assert stage.app.main.composer.text == "h\ni"
        stage.app.set_focus(None)
        await stage.press("enter")
        await stage.until(lambda: stage.harness.prompts)


async def test_a_screen_that_came_up_unseen_has_a_focus_when_someone_looks():
    async with on_stage() as stage:
        app = stage.app
        app.set_focus(None)
        app.post_message(AppBlur())
        await stage.until(lambda: not app.app_focus)
        app.post_message(AppFocus())
        await stage.until(lambda: app.main.composer.area.has_focus)


async def test_the_first_block_shows_also_where_something_is_painted_meanwhile():
    async with on_stage(size=(100, 30)) as stage:
        main = stage.app.main
        await main.apply(Notice(text="the first words"))
        assert main.chat.surface.display
        # A paint before the layout makes Textual's map anew, so that the layout finds nothing that it did not know.
        main._compositor._full_map_invalidated = True  # pyright: ignore[reportPrivateUsage]  as a race leaves it
        assert main.status.region
        await stage.until(lambda: "the first words" in stage.text())


async def test_but_not_a_key_that_the_focused_pane_takes():
    async with on_stage(lambda: [stories.greeting()], stored=SESSIONS) as stage:
        await stage.say("hello")
        stage.app.main.sidebar.focus_list()
        await stage.settled()
        await stage.press("down", "d")
        await stage.settled()
        assert stage.app.main.composer.text == ""
        assert "d again deletes it" in stage.text()
        stage.app.main.chat.surface.focus()
        await stage.settled()
        await stage.press("g")
        await stage.settled()
        assert stage.app.main.composer.text == ""


async def test_a_search_that_takes_its_time_holds_up_nothing_and_the_last_letter_counts():
    async with on_stage(stored=SESSIONS) as stage:
        bench, desk, sidebar = stage.workbench, stage.app.desk, stage.app.main.sidebar
        sidebar.focus_list()
        bench.may_find.clear()
        desk.search("f")
        await stage.until(lambda: bench.searched == ["f"])
        desk.search("fi")
        desk.search("cache")
        assert [info.id for info in desk.sessions() if info.id != "s1"][:3] == ["a1", "a2", "a3"]
        bench.may_find.set()
        await stage.until(lambda: [info.id for info in desk.sessions()] == ["a2"])
        assert bench.searched == ["f", "cache"]


async def test_the_status_line_always_fits():
    async with on_stage(lambda: [stories.streaming()], size=(60, 20)) as stage:
        await stage.say("go")
        last = stage.text().splitlines()[-1]
        assert "F1 keys" in last
        assert "writing" in last
        assert len(last) <= 60


async def test_a_click_on_a_tab_and_on_the_status_line():
    async with on_stage() as stage:
        await stage.press("f2")
        await stage.until(lambda: stage.app.main.dock.shown == "inspector")
        await stage.settled()
        await stage.pilot.click("TabRow", offset=(17, 0))
        await stage.until(lambda: stage.app.main.dock.shown == "hooks")
        await stage.pilot.click("Status", offset=(118, 0))
        await stage.until(lambda: len(stage.app.screen_stack) > 1)
