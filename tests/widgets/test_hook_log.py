"""The hook log: a row a run, why others did not run, filters, details, dry runs."""

import re
from typing import Any

import pytest

from rein_tui.harness.protocol.events import HookFired, HookStarted
from rein_tui.harness.protocol.hooks import HookOutcome
from rein_tui.widgets.dock import Dock
from rein_tui.widgets.hook_log import HookLog
from tests.widgets.pane_stage import on_pane
from tests.widgets.pane_story import DENIED, REWROTE, at, hook_run, story


async def test_rows_tell_event_name_time_and_outcome():
    async with on_pane(HookLog(), story()) as stage:
        text = stage.text()
        assert "3 runs" in text
        assert re.search(r"PreToolUse +soften\.py +exit 0 +200 ms +rewrote", text)
        assert re.search(r"PostToolUse +flaky\.py +38 s +timeout$", text, re.MULTILINE)
        assert re.search(r"PreToolUse +guard\.py +exit 2 +200 ms +deny", text)
        assert re.search(r"PreToolUse +format\.py: matcher 'Edit' does not match.* not run", text)


@pytest.mark.parametrize("width", [44, 60, 80, 100, 140])
async def test_rows_fit_every_width(width: int):
    async with on_pane(HookLog(), story(), (width, 20)) as stage:
        rows = [line for line in stage.text().splitlines() if "soften" in line or "guard" in line]
        assert len(rows) == 2
        assert all(line.endswith(("rewrote", "deny")) for line in rows)
        assert ("settings.json:18" in stage.text()) == (width >= 100)


async def test_filters_by_key_and_by_words():
    async with on_pane(HookLog(), story()) as stage:
        assert "guard.py" not in await stage.press("e")  # PostToolUse comes first
        assert "flaky.py" not in await stage.press("e")
        text = await stage.press("e")
        assert "flaky.py" in text
        assert "guard.py" in text
        text = await stage.press("r")
        assert "guard.py" in text
        assert "soften.py" not in text
        assert "outcome: deny" in text
        assert "soften.py" in await stage.press("x")
        assert "format.py" not in await stage.press("m")
        assert "format.py" in await stage.press("m")
        assert "settings.json:18" in await stage.press("s")
        await stage.press("x", "slash", *"flaky time")
        rows = [line for line in stage.text().splitlines() if "ToolUse" in line]
        assert len(rows) == 1
        assert "soften.py" in await stage.press("escape")
        assert stage.app.focused is stage.app.pane.query_one("RowList")


async def test_filters_are_whole_in_a_narrow_pane():
    async with on_pane(HookLog(), story(), (44, 30)) as stage:
        text = await stage.press("e", "r", "s")
        for words in ("event: PostToolUse", "outcome: deny", "source: settings.json:18", "x clears"):
            assert words in " ".join(text.split()), text


async def test_typed_words_stay_after_enter_and_x_clears_them():
    async with on_pane(HookLog(), story()) as stage:
        text = await stage.press("slash", *"guard", "enter")
        assert "words: guard" in text
        assert stage.app.focused is stage.app.pane.query_one("RowList")
        assert "flaky.py" in await stage.press("x")


async def test_details_tell_the_whole_story():
    async with on_pane(HookLog(), story(), (100, 90)) as stage:
        text = await stage.press("home", "enter")
        for words in (
            "It rewrote the command.",
            ".claude/hooks/soften.py",
            "/w/shop/.claude/settings.json:18",
            "what it changed",
            '-   "command": "rm -rf build && make"',
            "its answer",
            "what it was told",
            '"tool_name": "Bash"',
            "CLAUDE_PROJECT_DIR",
        ):
            assert words in text, words
        await stage.press("2", "y")
        assert '"hook_event_name": "PreToolUse"' in stage.last.text
        await stage.press("o")
        asked = stage.last
        assert isinstance(asked, Dock.EditorRequested)
        await stage.press("enter")
        assert stage.last.call_id == "c1"


async def test_a_broken_hook_says_what_that_meant():
    async with on_pane(HookLog(), story(), (100, 60)) as stage:
        await stage.press("end", "up", "enter")
        assert "went on as if it were not there" in stage.text()
    gate = [HookFired(run=hook_run("g", "gate.py", result="failed", exit_code=1))]
    async with on_pane(HookLog(), gate, (100, 60)) as stage:
        assert "failed → ask" in stage.text()


async def test_hooks_that_did_not_run_give_their_reasons():
    async with on_pane(HookLog(), story(), (100, 60)) as stage:
        text = await stage.press("home", "down", "enter")
        assert "why not" in text
        assert "matcher 'Edit' does not match 'Bash'" in text


async def test_a_running_hook_shows_until_its_fact_comes():
    async with on_pane(HookLog()) as stage:
        pane: Any = stage.app.pane
        assert "Every hook that runs" in stage.text()
        for event in at(1, HookStarted(run_id="r2", point="PreToolUse", title="guard.py", call_id="c2")):
            await pane.apply(event)
        await stage.settled()
        assert "running" in stage.text()
        await pane.apply(HookFired(run=DENIED, call_id="c2"))
        await stage.settled()
        assert "running" not in stage.text()
        assert stage.text().count("guard.py") == 1


async def test_t_asks_for_a_dry_run_and_shows_it():
    async with on_pane(HookLog(), story(), (100, 60)) as stage:
        pane = stage.app.pane
        assert isinstance(pane, HookLog)
        await stage.press("home", "t")
        assert stage.last.run == REWROTE
        again = hook_run("dry", "soften.py", result="allow", stdout="fine now", dry=True)
        pane.show_dry([again], HookOutcome(verdict="allow", reason="all is well", runs=(again,)))
        await stage.pilot.pause()
        text = stage.text()
        assert "Nothing of this took effect" in text
        assert "all is well" in text
        assert "fine now" in text
        await stage.press("t")
        assert len([m for m in stage.app.posted if isinstance(m, HookLog.RerunRequested)]) == 2


async def test_live_and_replayed_show_the_same():
    facts = story()
    async with on_pane(HookLog(), facts) as stage:
        replayed = stage.text()
    async with on_pane(HookLog()) as stage:
        for fact in facts:
            await stage.apply(fact)
        await stage.settled()
        assert stage.text() == replayed
