"""The context pane: what fills the window adds up, by source, also after compaction and rewind."""

import re
from typing import Any

import pytest
from msgspec.structs import replace

from rein_tui.harness.protocol.events import (
    Compacted,
    ContextPrepared,
    Fact,
    ModelChanged,
    Rewound,
    SourceKind,
    SourceSwitched,
)
from rein_tui.harness.protocol.messages import Message, TextBlock
from rein_tui.widgets.context_pane import ContextPane
from rein_tui.widgets.context_pane_fold import Contents
from tests.widgets.pane_stage import on_pane
from tests.widgets.pane_story import at, story


def fold(facts: list[Fact]) -> Contents:
    contents = Contents()
    for fact in facts:
        contents.apply(fact)
    return contents


def test_items_add_up_to_what_the_server_counted():
    facts = story()
    until = next(n for n, f in enumerate(facts) if getattr(f, "stop_reason", "") == "end_turn")
    filling = fold(facts[: until + 1]).filling()
    assert filling.is_measured
    assert sum(item.tokens for item in filling.items) == pytest.approx(filling.tokens) == pytest.approx(2040)
    assert {item.kind for item in filling.items} >= {"tool", "mcp", "system", "memory", "prompt", "answer", "result"}


def test_the_beginning_is_cached_and_the_end_is_not():
    filling = fold(story()).filling()
    cached = {(item.kind, item.name): item.cached for item in filling.items}
    assert cached["tool", "Bash"] == pytest.approx(1)
    assert cached["system", "instructions"] == pytest.approx(1)
    assert cached["call", "Edit"] < 1
    assert sum(item.cached_tokens for item in filling.items) == pytest.approx(1900)


def test_compaction_replaces_what_was_said_and_rewind_takes_that_back():
    contents = fold(story())
    before = {(item.kind, item.name) for item in contents.filling().items}
    kept = Message(role="user", blocks=(TextBlock(text="go on"),))
    for event in at(70, Compacted(summary="s" * 720, kept=(kept,)), turn=3):
        contents.apply(event)
    after = contents.filling()
    assert {item.kind for item in after.items} == {"tool", "mcp", "system", "summary", "prompt"}
    assert not after.is_measured
    for event in at(71, Rewound(to_turn=2), turn=3):
        contents.apply(event)
    assert {(item.kind, item.name) for item in contents.filling().items} == before
    for event in at(72, Rewound(to_turn=0), turn=3):
        contents.apply(event)
    assert {item.kind for item in contents.filling().items} == {"tool", "mcp", "system"}


async def test_groups_shares_cost_and_the_window():
    async with on_pane(ContextPane(), [*story(), ModelChanged(model="m", context_window=8000)]) as stage:
        text = stage.text()
        assert re.search(r"\d+ % full  .* of 8\.0k tokens", text)
        assert "came from the cache" in text
        assert re.search(r"Memory +.*%", text)
        assert re.search(r"CLAUDE\.md", text)
        assert re.search(r"Tools of servers .*%", text)
        assert "● cached" in text


async def test_tools_of_servers_stand_beside_their_budget():
    facts = [replace(f, tool_budget=8000, held_back=188) if isinstance(f, ContextPrepared) else f for f in story()]
    async with on_pane(ContextPane(), facts) as stage:
        assert re.search(r"tools of servers: \d+ of 8\.0k tokens · 188 wait for a search", stage.text())


async def test_space_and_enter_fold_groups():
    async with on_pane(ContextPane(), story()) as stage:
        pane = stage.app.pane
        assert isinstance(pane, ContextPane)
        assert "instructions" in stage.text()
        await stage.press("home", "down", "down", "down", "down")
        assert "instructions" not in await stage.press("space") or "instructions" not in await stage.press(
            "up", "enter"
        )


async def test_switching_is_offered_only_where_it_is_supported():
    async with on_pane(ContextPane(), story()) as stage:
        await stage.press("home", "down", "d")
        assert not stage.app.posted
    async with on_pane(ContextPane(switchable=frozenset({"tool"})), story()) as stage:
        pane: Any = stage.app.pane
        text = await stage.press("home", "down")
        assert "d takes it out" in text
        await stage.press("d")
        assert (stage.last.kind, stage.last.name, stage.last.on) == ("tool", "Bash", False)
        await stage.apply(*at(80, SourceSwitched(kind="tool", name="Bash", on=False)))
        await stage.pilot.pause()
        assert "Bash off" in stage.text()
        pane._list.set_cursor(next(entry for entry in pane._list.stack if "Bash" in entry.block.source))
        await stage.press("d")
        assert stage.last.on is True


@pytest.mark.parametrize(("kind", "end"), [("tool", "Bash"), ("memory", "CLAUDE.md"), ("mcp", "")])
def test_what_is_switched_off_no_longer_counts_and_comes_back_as_it_was(kind: SourceKind, end: str):
    contents = fold(story())
    before = contents.filling()
    item = next(item for item in before.items if item.kind == kind and item.name.endswith(end))
    for fact in at(80, SourceSwitched(kind=kind, name=item.name, on=False)):
        contents.apply(fact)
    filling = contents.filling()
    assert (kind, item.name) not in {(one.kind, one.name) for one in filling.items}
    assert filling.tokens == pytest.approx(before.tokens - item.tokens)
    assert filling.off == [item]
    for fact in at(81, SourceSwitched(kind=kind, name=item.name, on=True)):
        contents.apply(fact)
    assert contents.filling() == before


async def test_it_says_what_will_appear_and_then_follows_the_story():
    async with on_pane(ContextPane()) as stage:
        assert "What fills the model's window" in stage.text()
        for fact in story():
            await stage.apply(fact)
        await stage.pilot.pause()
        live = stage.text()
    async with on_pane(ContextPane(), story()) as stage:
        assert stage.text() == live
