"""The mouse: it answers, looks, folds, selects and scrolls; whatever a key does, a click on its name does."""

from rein_tui.harness.protocol.decisions import PermissionReply
from rein_tui.harness.protocol.events import PermissionResolved
from rein_tui.widgets.permission_modal import PermissionModal
from rein_tui.widgets.picker import Picker
from rein_tui.widgets.question_modal import QuestionModal
from rein_tui.widgets.sheet import Sheet
from tests import stories

from .driving import Stage, on_stage


async def click(stage: Stage, words: str, times: int = 1, beyond: int = 0) -> None:
    """Click where these words begin, the lowest of them right of a column."""
    await stage.pilot.click(offset=spot(stage, words, beyond), times=times)
    await stage.settled()


def spot(stage: Stage, words: str, beyond: int = 0) -> tuple[int, int]:
    """Column and row where these words begin."""
    lines = stage.text().split("\n")
    found = [(line.index(words, beyond), y) for y, line in enumerate(lines) if words in line[beyond:]]
    assert found, f"{words!r} is not on the screen:\n{stage.text()}"
    return found[-1]


async def drag(stage: Stage, start: tuple[int, int], end: tuple[int, int]) -> None:
    """Press, move, let go."""
    await stage.pilot.mouse_down(offset=start)
    await stage.pilot.hover(offset=end)
    await stage.pilot.mouse_up(offset=end)
    await stage.settled()


async def test_a_question_is_answered_looked_at_and_left_with_the_mouse_alone():
    async with on_stage(lambda: [stories.fix()], size=(120, 46)) as stage:
        await stage.say("fix it")
        await stage.until(lambda: isinstance(stage.app.screen, PermissionModal))
        await click(stage, "? reasons")
        assert "rules tried" in stage.text()
        await click(stage, "esc fold the reasons")
        await click(stage, "f full screen")
        assert stage.app.screen.has_class("-full")
        await click(stage, "esc leave full screen")
        await click(stage, "tab add words")
        await stage.type("why not")
        await click(stage, "n No")
        answers = [f.reply for f in stage.harness.history() if isinstance(f, PermissionResolved)]
        assert answers == [PermissionReply(answer="deny", words="why not")]


async def test_a_click_has_the_same_grace_as_a_key():
    async with on_stage(lambda: [stories.fix()], grace=30) as stage:
        await stage.say("fix it")
        await stage.until(lambda: isinstance(stage.app.screen, PermissionModal))
        await click(stage, "y Yes, once")
        assert isinstance(stage.app.screen, PermissionModal)
        assert not [f for f in stage.harness.history() if isinstance(f, PermissionResolved)]


async def test_a_click_beside_a_page_closes_it_but_never_answers_a_question():
    async with on_stage(lambda: [stories.questioning()]) as stage:
        await stage.pilot.press("f1")
        await stage.until(lambda: isinstance(stage.app.screen, Sheet))
        await stage.pilot.click(offset=(0, 0))
        await stage.until(lambda: stage.app.screen is stage.app.main)
        await stage.say("ask me")
        await stage.until(lambda: isinstance(stage.app.screen, QuestionModal))
        await stage.pilot.click(offset=(0, 0))
        assert isinstance(stage.app.screen, QuestionModal)


async def test_every_key_of_the_f1_page_can_be_clicked():
    async with on_stage(size=(120, 60)) as stage:
        await click(stage, "F1 keys")
        await stage.until(lambda: isinstance(stage.app.screen, Sheet))
        await click(stage, "F4 ")
        await stage.until(lambda: stage.app.main.dock.shown == "timeline")
        assert stage.app.screen is stage.app.main
        await click(stage, "F1 keys")
        await stage.until(lambda: isinstance(stage.app.screen, Sheet))
        await click(stage, "z ")
        await stage.until(lambda: stage.app.screen is stage.app.main)
        await click(stage, "F1 keys")
        await stage.until(lambda: isinstance(stage.app.screen, Sheet))
        await click(stage, "ctrl+p ")
        await stage.until(lambda: isinstance(stage.app.screen, Picker))


async def test_a_click_on_a_card_unfolds_it_where_it_stands():
    async with on_stage(lambda: [stories.fix()], size=(100, 20)) as stage:
        await stage.say("fix it")
        for _ in range(2):
            await stage.until(lambda: isinstance(stage.app.screen, PermissionModal))
            await stage.pilot.press("y")
            await stage.settled()
        surface = stage.app.main.chat.surface
        assert surface.following
        before = spot(stage, "▸ ")
        row = stage.text().split("\n")[before[1]]
        await click(stage, "▸ ")
        after = stage.text().split("\n")[before[1]]
        assert after == row.replace(" ▸", "▌▾")
        assert surface.has_focus


async def test_a_drag_selects_and_leaves_the_focus_in_the_prompt():
    async with on_stage(lambda: [stories.greeting()]) as stage:
        await stage.say("hello there")
        x, y = spot(stage, "hello there", 31)
        await drag(stage, (x, y), (x + 4, y))
        assert stage.app.screen.get_selected_text() == "hello"
        await stage.pilot.press("ctrl+c")
        assert stage.app.clipboard == "hello"
        await stage.type("d y n")
        assert stage.app.main.composer.text == "d y n"


async def test_the_wheel_scrolls_the_chat_wherever_the_focus_is_and_the_button_goes_back():
    async with on_stage(lambda: [stories.streaming()] * 12, size=(80, 20)) as stage:
        for number in range(6):
            await stage.say(f"prompt {number}")
            stage.harness.go_on()
            await stage.settled()
        surface = stage.app.main.chat.surface
        await stage.until(lambda: surface.scroll_y > 0)
        end = surface.scroll_y
        assert stage.app.main.composer.area.has_focus
        surface.action_scroll_up()
        await stage.settled()
        assert surface.scroll_y < end and not surface.following
        await stage.say("one more")
        await stage.until(lambda: " new · ctrl+end" in stage.text())
        await click(stage, " new · ctrl+end")
        assert surface.following


async def test_tabs_rows_and_details_open_with_the_mouse():
    async with on_stage(lambda: [stories.fix()], size=(140, 40)) as stage:
        await stage.say("fix it")
        await stage.until(lambda: isinstance(stage.app.screen, PermissionModal))
        await stage.pilot.press("n")
        await stage.until(lambda: isinstance(stage.app.screen, PermissionModal))
        await stage.pilot.press("n")
        await stage.settled()
        await stage.pilot.press("f4")
        await stage.until(lambda: stage.app.main.dock.shown == "timeline")
        await click(stage, "Inspector ")
        await stage.until(lambda: stage.app.main.dock.shown == "inspector")
        await click(stage, "Edit src", times=2, beyond=stage.app.main.dock.region.x)
        await stage.until(lambda: "7 Tokens" in stage.text() or "5 Why" in stage.text())
        await click(stage, "5 Why")
        assert "rules tried" in stage.text() or "decided by" in stage.text()
        await click(stage, "Inspector ")
        await stage.until(lambda: not stage.app.main.dock.shown)
