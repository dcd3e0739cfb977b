"""Every word that is drawn can be read in each of our themes: WCAG 4.5 for text, 3 for what is muted on purpose."""

from collections.abc import Iterator

import pytest
from rich.segment import Segment
from textual.color import Color

from rein_tui.widgets.permission_modal import PermissionModal
from rein_tui.widgets.policy_screen import PolicyScreen
from rein_tui.widgets.theme import THEMES
from tests import stories
from tests.app.driving import Stage, on_stage
from tests.app.fake_harness import NOW, SESSIONS
from tests.app.fake_permissions import FixedPermissions
from tests.snapshots.test_states import wrong

TEXT, MUTED = 4.5, 3.0


def words(stage: Stage) -> Iterator[Segment]:
    """The drawn segments with letters or digits; below a question, which fades on purpose, only the question's."""
    screen = stage.app.screen
    strips = screen._compositor.render_strips()  # pyright: ignore[reportPrivateUsage]  there is no public way to them
    areas = [child.region for child in screen.children] if screen.is_modal else [screen.region]
    for area in areas:
        for strip in strips[area.y : area.bottom]:
            for segment in strip.crop(area.x, area.right):
                if any(map(str.isalnum, segment.text)):
                    yield segment


def colours(segment: Segment) -> tuple[Color, Color]:
    """The colours of its letters and of what is behind them."""
    style = segment.style
    assert style is not None and style.color is not None and style.bgcolor is not None, segment
    front, back = Color.from_rich_color(style.color), Color.from_rich_color(style.bgcolor)
    return (back, front) if style.reverse else (front, back)


def illegible(stage: Stage, where: str) -> set[str]:
    """What is too faint, in the theme of the moment."""
    quiet = {Color.parse(stage.app.theme_variables[name]) for name in ("text-muted", "text-disabled")}
    found: set[str] = set()
    for segment in words(stage):
        front, back = colours(segment)
        ratio = contrast(front, back)
        if ratio < (MUTED if front in quiet else TEXT):
            found.add(f"{stage.app.theme}, {where}: {segment.text.strip()!r} {front.hex} on {back.hex}: {ratio:.2f}")
    return found


def contrast(one: Color, other: Color) -> float:
    """WCAG's ratio: 1 for the same colour, 21 for black on white."""
    low, high = sorted(_luminance(colour) for colour in (one, other))
    return (high + 0.05) / (low + 0.05)


def _luminance(colour: Color) -> float:
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in colour.normalized
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


async def in_each_theme(stage: Stage, where: str) -> set[str]:
    """What is too faint in any of our themes."""
    found: set[str] = set()
    for theme in THEMES:
        stage.app.theme = theme.name
        await stage.pilot.pause()
        found |= illegible(stage, where)
    return found


def test_the_ratio_is_that_of_wcag():
    white = Color.parse("#ffffff")
    assert contrast(white, Color.parse("#000000")) == pytest.approx(21)
    assert contrast(Color.parse("#777777"), white) == pytest.approx(4.48, abs=0.01)


async def test_every_word_can_be_read():
    faint: set[str] = set()
    async with on_stage(lambda: [stories.fix(), stories.failing(), wrong()], size=(140, 36), stored=SESSIONS) as stage:
        faint |= await in_each_theme(stage, "empty")
        await stage.say("fix it")
        await stage.until(lambda: isinstance(stage.app.screen, PermissionModal))
        faint |= await in_each_theme(stage, "question")
        while isinstance(stage.app.screen, PermissionModal):
            await stage.press("y")
            await stage.settled()
        await stage.say("again")
        for key, where in (("f2", "inspector"), ("f3", "hooks"), ("f4", "timeline"), ("f5", "context")):
            await stage.press(key)
            await stage.settled()
            faint |= await in_each_theme(stage, where)
        for key, where in (("f1", "keys"), ("ctrl+p", "palette")):
            await stage.press(key)
            await stage.settled()
            faint |= await in_each_theme(stage, where)
            await stage.press("escape")
        stage.app.main.fold_dock()
        stage.app.main.chat.density = "full"
        await stage.say("and once more")
        faint |= await in_each_theme(stage, "failures, diffs, a table")
        stage.app.start_work(stage.app.ask(PolicyScreen(FixedPermissions(), trying="Edit x", clock=lambda: NOW)))
        await stage.until(lambda: "decided by" in stage.text() and "broad" in stage.text())
        faint |= await in_each_theme(stage, "rules")
        await stage.press("escape")
        stage.app.main.sidebar.focus_list()
        faint |= await in_each_theme(stage, "sessions")
    assert not faint, "too faint:\n" + "\n".join(sorted(faint))
