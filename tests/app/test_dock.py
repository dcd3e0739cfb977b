"""The dock in the whole screen: every tab by its key, from a pane to the chat, copying."""

import pytest

from rein_tui.harness.protocol.events import StepFinished
from tests import stories
from tests.app.driving import Stage, on_stage


def reading() -> stories.Story:
    """One call that needs no question."""
    read = stories.call("c1", "Read", file_path="src/auth/tokens.py")
    return [
        *stories.step(1, "Reading.", read),
        stories.requested(read, "src/auth/tokens.py", read_only=True),
        *stories.ran(read, "class Token: ..."),
        StepFinished(step=1),
    ]


async def inspect(stage: Stage) -> None:
    """One turn, then the details of its call."""
    await stage.say("read it")
    await stage.press("f2")
    await stage.until(lambda: stage.app.main.dock.shown == "inspector")
    await stage.settled()
    await stage.press("home", "down", "enter")
    await stage.settled()


@pytest.mark.parametrize(("key", "tab"), [("f2", "inspector"), ("f3", "hooks"), ("f4", "timeline"), ("f5", "context")])
async def test_each_tab_by_its_key(key: str, tab: str):
    async with on_stage(lambda: [stories.greeting()]) as stage:
        await stage.say("hello")
        await stage.press(key)
        await stage.until(lambda: stage.app.main.dock.shown == tab)
        await stage.press(key)
        await stage.until(lambda: not stage.app.main.dock.shown)


@pytest.mark.parametrize("width", [80, 120])
async def test_enter_in_the_details_goes_to_the_block_of_the_chat(width: int):
    async with on_stage(lambda: [reading()], size=(width, 36)) as stage:
        await inspect(stage)
        await stage.press("enter")
        await stage.until(lambda: stage.app.focused is stage.app.main.chat.surface)
        cursor = stage.app.main.chat.surface.cursor
        assert cursor is not None
        assert "src/auth/tokens.py" in cursor.block.source
        assert bool(stage.app.main.dock.shown) == (width > 100)


async def test_y_in_the_details_copies():
    async with on_stage(lambda: [reading()]) as stage:
        await inspect(stage)
        await stage.press("3", "y")
        await stage.until(lambda: '"file_path": "src/auth/tokens.py"' in stage.app.clipboard)
