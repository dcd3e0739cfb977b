"""The inspector: every tab from stored facts, every key, live as replayed."""

import json
import re
import subprocess
from typing import Any

import pytest

from rein_tui.harness.protocol.events import Fact, SideAnswered, ToolCallFinished, ToolCallRequested, ToolCallStarted
from rein_tui.harness.protocol.messages import Usage
from rein_tui.harness.protocol.models import WireRequest
from rein_tui.widgets.dock import Dock
from rein_tui.widgets.inspector import Inspector
from rein_tui.widgets.inspector_pages import as_curl
from tests.widgets.pane_stage import on_pane
from tests.widgets.pane_story import EDITED, at, story

BODY: dict[str, Any] = {"model": "claude-sonnet", "messages": [{"role": "user", "content": "it's $HOME `x`"}]}


def wire(turn: int, step: int) -> WireRequest | None:
    headers = {"x-api-key": "…", "anthropic-version": "2023-06-01"}
    return WireRequest(method="POST", url=f"https://api.test/{turn}/{step}", headers=headers, body=BODY)


async def test_rows_say_what_became_of_each_step_and_call():
    async with on_pane(Inspector(), story()) as stage:
        text = stage.text()
        assert re.search(r"turn 1 +build it +52 s", text)
        assert re.search(r"step 1 +claude-sonnet +1\.8k → 60 +2\.0 s", text)
        assert re.search(r"✓ Bash rm -rf build && make +⚓✎ +ask→once +2\.5 s", text)
        assert re.search(r"⊘ Edit cart\.py +⚓ +deny hook", text), "paths are named from the project"


async def test_live_and_replayed_show_the_same():
    facts = story()
    async with on_pane(Inspector(), facts) as stage:
        replayed = stage.text()
    async with on_pane(Inspector()) as stage:
        assert "Every request" in stage.text()
        for fact in facts:
            await stage.apply(fact)
        await stage.settled()
        assert stage.text() == replayed


async def test_why_names_rule_layer_line_parts_trials_hooks_mode_and_the_answer():
    async with on_pane(Inspector(), story(), (100, 70)) as stage:
        inspector = stage.app.pane
        assert isinstance(inspector, Inspector)
        assert inspector.show_call("c1")
        text = await stage.press("enter")
        for words in (
            "asks because a rule says so",
            "Bash(rm *)",
            ".claude/settings.json:18",
            "the strictest decides",
            "Bash(make) allows",
            "inside the project",
            "2, 1 matched",
            "other program",
            "/home/ann/.claude/settings.json:4",
            "decided again",
            "clean is enough",
            "6.0 s",
            "edited, see Input",
        ):
            assert words in text, words


async def test_every_tab_by_number_and_by_arrow():
    async with on_pane(Inspector(wire=wire), story(), (100, 60)) as stage:
        inspector = stage.app.pane
        assert isinstance(inspector, Inspector)
        inspector.show_call("c1")
        await stage.press("right")
        seen = {
            "1": "https://api.test/1/1",
            "2": "overloaded",
            "3": "changed by",
            "4": "what the model got",
            "5": "rules tried",
            "6": "waiting for you",
            "7": "sent uncached",
            "8": "removed a trailing comma",
        }
        for key, words in seen.items():
            assert words in await stage.press(key), key
        assert "sent uncached" in await stage.press("left")
        assert "hermes" in await stage.press("right")


@pytest.mark.parametrize("row", ["step", "call"])
async def test_parse_leads_from_the_models_words_to_the_call(row: str):
    async with on_pane(Inspector(wire=wire), story(), (100, 60)) as stage:
        inspector = stage.app.pane
        assert isinstance(inspector, Inspector)
        inspector.show_call("c1")
        text = await stage.press(*(["right"] if row == "call" else ["up", "right"]), "8")
        assert "step 1" in text if row == "step" else "Bash" in text
        order = ["hermes", "what the model wrote", "removed a trailing comma", "the call", '"command"']
        places = [text.rindex(words) for words in order]
        assert places == sorted(places)


async def test_input_shows_who_changed_what():
    async with on_pane(Inspector(), story(), (100, 60)) as stage:
        inspector = stage.app.pane
        assert isinstance(inspector, Inspector)
        inspector.show_call("c1")
        text = await stage.press("enter", "3")
        assert text.index("soften.py") < text.index("changed by you") < text.index("as it ran")
        assert '-   "command": "rm -rf build && make"' in text
        assert '+   "command": "make clean && make"' in text
        await stage.press("y")
        assert json.loads(stage.last.text) == EDITED


async def test_result_is_searched_and_copied_whole():
    async with on_pane(Inspector(), story(), (80, 30)) as stage:
        inspector = stage.app.pane
        assert isinstance(inspector, Inspector)
        inspector.show_call("c1")
        await stage.press("enter", "4", "slash", *"needle")
        text = stage.text()
        assert "needle at the end" in text
        assert "1 of 1" in text
        await stage.press("escape")
        assert "search" not in stage.text()
        await stage.press("y")
        assert stage.last.text.startswith("cc -O2 main.c")
        assert stage.last.text.endswith("needle at the end")


async def test_a_servers_call_shows_what_the_model_answered_for_it():
    used = Usage(input_tokens=120, output_tokens=30, cost_usd=0.02)
    name = "mcp__s__ask"
    facts: list[Fact] = [
        *story(),
        ToolCallRequested(call_id="m1", name=name, summary=name),
        SideAnswered(purpose="server", model="early", usage=used),  # before it runs: about something else
        ToolCallStarted(call_id="m1", name=name, input={}),
        SideAnswered(purpose="server", model="claude-small", usage=used),
        SideAnswered(purpose="title", model="claude-title", usage=used),
        ToolCallFinished(call_id="m1", name=name, outcome="ok", content="fine"),
    ]
    async with on_pane(Inspector(), facts, (100, 60)) as stage:
        inspector = stage.app.pane
        assert isinstance(inspector, Inspector)
        assert inspector.show_call("m1")
        await stage.press("enter")
        text = await stage.press("4")
        for words in ("your model answered for the server", "claude-small", "120 → 30", "$0.02"):
            assert words in text, text
        assert "early" not in text and "claude-title" not in text


async def test_a_denied_edit_shows_what_it_would_have_done():
    async with on_pane(Inspector(), story(), (80, 40)) as stage:
        text = await stage.press("end", "enter", "4")
        assert "what it would have done" in text
        assert "return b" in text


async def test_enter_jumps_o_opens_the_editor_and_esc_goes_back():
    async with on_pane(Inspector(wire=wire), story()) as stage:
        await stage.press("end", "enter", "enter")
        assert isinstance(stage.last, Dock.CallRequested)
        assert (stage.last.call_id, stage.last.turn) == ("c2", 2)
        await stage.press("1", "o")
        assert isinstance(stage.last, Dock.EditorRequested)
        assert json.loads(stage.last.text) == BODY
        assert stage.last.suffix == ".json"
        inspector = stage.app.pane
        assert isinstance(inspector, Inspector)
        await stage.press("alt+up")
        assert "step 1" in stage.text()
        await stage.press("right_square_bracket", "escape")
        assert not inspector.is_detailed
        assert stage.app.focused is inspector.rows


@pytest.mark.parametrize("keys", [["end", "c"], ["end", "enter", "c"]])
async def test_c_copies_the_request_as_curl(keys: list[str]):
    async with on_pane(Inspector(wire=wire), story()) as stage:
        await stage.press(*keys)
        assert '-H "x-api-key: $ANTHROPIC_API_KEY"' in stage.last.text


def test_a_shell_reads_the_curl_line_as_it_is_meant():
    request = wire(1, 1)
    assert request is not None
    line = as_curl(request).replace("curl -sS", "printf '%s\\n'", 1)
    done = subprocess.run(
        ["sh", "-c", line], capture_output=True, text=True, check=True, env={"ANTHROPIC_API_KEY": "k"}
    )
    words = done.stdout.splitlines()
    assert "x-api-key: k" in words
    assert json.loads(words[-1]) == BODY


async def test_without_a_wire_the_request_says_so():
    async with on_pane(Inspector(), story(), (80, 40)) as stage:
        text = await stage.press("home", "enter", "1")
        assert "cannot be rebuilt" in text
        assert "anthropic" in text


async def test_calls_of_a_subagent_stand_below_the_call_that_started_it():
    facts = story()
    agent = ToolCallRequested(call_id="a1", name="Agent", summary="look around")
    inner = ToolCallRequested(call_id="i1", name="Read", summary="a.py")
    late = ToolCallRequested(call_id="c9", name="Glob", summary="*.py")
    async with on_pane(Inspector(), facts) as stage:
        pane: Any = stage.app.pane
        for event in at(70, agent, late, turn=2) + at(71, inner, turn=2, parent="a1"):
            await pane.apply(event)
        for event in at(72, ToolCallStarted(call_id="i1", name="Read"), turn=2, parent="a1"):
            await pane.apply(event)
        await stage.settled()
        lines = [line for line in stage.text().splitlines() if re.search("Agent|Read|Glob", line)]
        assert [re.findall("Agent|Read|Glob", line)[0] for line in lines] == ["Agent", "Read", "Glob"]
        assert lines[1].index("Read") > lines[0].index("Agent")


async def test_details_show_news_and_keep_the_readers_place():
    async with on_pane(Inspector(), story(), (80, 30)) as stage:
        pane: Any = stage.app.pane
        for event in at(70, ToolCallRequested(call_id="c9", name="Bash", summary="make"), turn=2):
            await pane.apply(event)
        await stage.press("end", "enter", "4")
        assert "has not run yet" in stage.text()
        done = ToolCallFinished(call_id="c9", name="Bash", outcome="ok", content="built", duration=1.0)
        for event in at(71, ToolCallStarted(call_id="c9", name="Bash"), done, turn=2):
            await pane.apply(event)
        await stage.settled()
        assert "built" in stage.text()


async def test_foreign_text_is_harmless():
    evil = "\x1b]0;owned\x07[red]x[/red]\u202e[/tmp/a]"
    facts = at(0, ToolCallRequested(call_id="e", name=f"B{evil}", input={"command": evil}, summary=evil))
    facts += at(1, ToolCallFinished(call_id="e", name="B", outcome="error", content=evil))
    async with on_pane(Inspector(), [f for f in facts if isinstance(f, ToolCallRequested | ToolCallFinished)]) as stage:
        for key in ("enter", "3", "4", "5", "6"):
            text = await stage.press(key)
            assert "\x1b" not in text
            assert "\u202e" not in text
        assert "[red]" in text


async def test_a_megabyte_in_one_line_is_laid_out_where_it_is_seen():
    content = "x" * 1_000_000 + "needle"
    facts = at(0, ToolCallRequested(call_id="m", name="Bash", summary="cat"))
    facts += at(1, ToolCallFinished(call_id="m", name="Bash", outcome="ok", content=content))
    async with on_pane(Inspector(), [f for f in facts if isinstance(f, ToolCallRequested | ToolCallFinished)]) as stage:
        await stage.press("enter", "4", "slash", *"needle")
        assert "needle" in stage.text().split("search")[0]
        assert "1 of 1" in stage.text()
