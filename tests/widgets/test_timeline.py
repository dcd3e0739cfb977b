"""The timeline: lanes that add up, a verdict at a glance, zoom, turns."""

import re
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from rein_tui.harness.protocol.events import StepStarted, TurnStarted
from rein_tui.widgets.dock import Dock
from rein_tui.widgets.timeline import Timeline
from rein_tui.widgets.timeline_spans import Spans, covered, density
from tests.widgets.pane_stage import on_pane
from tests.widgets.pane_story import T0, at, story

STRETCHES = st.lists(
    st.tuples(st.integers(0, 1000), st.integers(0, 300)).map(lambda p: (p[0] / 10, (p[0] + p[1]) / 10)), max_size=20
)


@given(STRETCHES, st.integers(1, 60))
def test_density_adds_up_to_what_is_covered(places: list[tuple[float, float]], cells: int):
    whole = 130.0
    shares = density(places, whole, cells)
    assert all(0 <= share <= 1 for share in shares)
    assert abs(sum(shares) * whole / cells - covered(places)) < 0.01 + len(places) * whole / cells * 1e-5


@given(STRETCHES)
def test_covered_counts_every_moment_once(places: list[tuple[float, float]]):
    marked = {tick for start, end in places for tick in range(round(start * 10), round(end * 10))}
    assert abs(covered(places) - len(marked) / 10) < 1e-6


async def test_one_sees_at_a_glance_that_it_was_a_hook():
    async with on_pane(Timeline(), story()) as stage:
        text = await stage.press("left")
        assert "turn 1 of 2" in text
        assert re.search(r"38 s of 52 s went to hooks: PostToolUse flaky\.py", text)
        assert re.search(r"^ ?hooks .*38 s +73 %", text, re.MULTILINE)
        assert re.search(r"^ ?you .*6\.0 s +12 %", text, re.MULTILINE)


async def test_turns_by_arrow_and_the_session_by_z():
    async with on_pane(Timeline(), story()) as stage:
        assert "turn 2 of 2" in stage.text()
        assert "turn 1 of 2" in await stage.press("left")
        assert "turn 1 of 2" in await stage.press("left_square_bracket")
        assert "turn 2 of 2" in await stage.press("right")
        text = await stage.press("z")
        assert "session  2 turns" in text
        assert "55 s" in text, "the pause between the turns takes no place"
        assert "turn 2 of 2" in await stage.press("z")


async def test_rows_say_what_each_bar_is_and_enter_goes_there():
    async with on_pane(Timeline(), story(), (100, 30)) as stage:
        text = await stage.press("left")
        for words in ("step 1  claude-sonnet", "PreToolUse soften.py", "Bash: may it run?  once", "Bash rm -rf build"):
            assert words in text, words
        await stage.press("home", "down", "down", "enter")
        asked = stage.last
        assert isinstance(asked, Dock.CallRequested)
        assert (asked.call_id, asked.turn) == ("c1", 1)
        await stage.press("y")
        assert stage.last.text == "you: Bash: may it run? 6.0 s"


async def test_open_bars_grow_while_a_turn_runs_and_time_stands_still_at_rest():
    async with on_pane(Timeline(clock=lambda: T0 + 8)) as stage:
        pane: Any = stage.app.pane
        assert "Where the time goes" in stage.text()
        for event in at(0, TurnStarted(text="go"), StepStarted(step=1, model="m")):
            await pane.apply(event)
        await stage.until(lambda: re.search(r"step 1.* 8\.0 s …", stage.text()))


async def test_live_and_replayed_show_the_same():
    facts = story()
    async with on_pane(Timeline(), facts) as stage:
        replayed = await stage.press("z")
    async with on_pane(Timeline()) as stage:
        for fact in facts:
            await stage.apply(fact)
        await stage.settled()
        assert await stage.press("z") == replayed


def test_a_denied_call_takes_no_time_on_the_tools_lane():
    spans = Spans()
    for fact in story():
        spans.apply(fact)
    assert [span.call_id for turn in spans.spans.values() for span in turn if span.lane == "tool"] == ["c1"]
    assert all(span.end for turn in spans.spans.values() for span in turn)
