"""Compaction makes room, keeps what it must, and never goes round in circles."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rein_tui.harness.context.compaction import (
    CompactionGuard,
    accept_summary,
    limit_of,
    plan_compaction,
    question,
    summary_messages,
)
from rein_tui.harness.context.tokens import TokenGauge
from rein_tui.harness.protocol.messages import Message, TextBlock, ToolResultBlock, ToolUseBlock
from rein_tui.harness.turn.conversation import valid_messages

GAUGE = TokenGauge()


def user(text: str) -> Message:
    return Message(role="user", blocks=(TextBlock(text=text),))


def answer(text: str) -> Message:
    return Message(role="assistant", blocks=(TextBlock(text=text),))


def call(name: str, size: int) -> tuple[Message, Message]:
    use = ToolUseBlock(id=name, name="Bash", input={"command": name})
    result = ToolResultBlock(tool_use_id=name, content="r" * size)
    return Message(role="assistant", blocks=(use,)), Message(role="user", blocks=(result,))


@pytest.mark.parametrize(
    ("window", "output", "share", "limit"),
    [
        (0, 0, 0.0, 0),
        (200_000, 64_000, 0.0, 150_000),
        (200_000, 8000, 0.0, 187_000),
        (8000, 0, 0.0, 6400),
        (100_000, 0, 0.5, 50_000),
    ],
)
def test_limits(window: int, output: int, share: float, limit: int) -> None:
    assert limit_of(window, output, share) == limit


@given(st.integers(1, 10_000), st.lists(st.tuples(st.integers(0, 3000), st.integers(0, 20_000)), max_size=40))
def test_never_a_loop(limit: int, story: list[tuple[int, int]]) -> None:
    guard, tokens, settled = CompactionGuard(limit), 0, None
    for grown, after in story:
        tokens += grown
        if guard.is_due(tokens):
            assert tokens > limit
            assert settled is None or tokens > settled
            assert not guard.is_hopeless(tokens)
            tokens = settled = min(after, tokens)
            guard.done(tokens)
            assert not guard.is_due(tokens)
            assert guard.is_hopeless(tokens) == (tokens > limit)


def test_an_unknown_window_is_never_due() -> None:
    assert not CompactionGuard(limit_of(0)).is_due(10**9)


def test_the_last_messages_stay() -> None:
    messages = (
        user("first " * 2000),
        answer("x " * 4000),
        *call("c1", 20_000),
        answer("nearly"),
        user("last"),
        answer("ok"),
    )
    plan = plan_compaction(messages, GAUGE, 10_000)
    assert plan is not None
    assert plan.kept == messages[4:]
    assert plan.summarised + plan.kept == messages


def test_a_kept_part_never_begins_with_results() -> None:
    messages = (user("a " * 9000), *call("c1", 50_000), *call("c2", 10))
    plan = plan_compaction(messages, GAUGE, 10_000)
    assert plan is not None
    assert plan.kept == messages[3:]


def test_nothing_to_cut() -> None:
    assert plan_compaction((), GAUGE, 10_000) is None
    assert plan_compaction((user("x" * 99_999),), GAUGE, 10_000) is None


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.sampled_from(["user", "answer", "call"]), min_size=1, max_size=12),
    st.lists(st.integers(1, 30_000), min_size=12, max_size=12),
    st.integers(2000, 50_000),
)
def test_any_plan_is_valid_and_fits(kinds: list[str], sizes: list[int], window: int) -> None:
    made: list[Message] = []
    for number, (kind, size) in enumerate(zip(kinds, sizes, strict=False)):
        made += (
            call(f"c{number}", size) if kind == "call" else [user("u" * size) if kind == "user" else answer("a" * size)]
        )
    messages = valid_messages(made)
    plan = plan_compaction(messages, GAUGE, window)
    if plan is None:
        return
    assert plan.summarised + plan.kept == messages
    assert GAUGE.messages(plan.kept) <= window * 0.15 + 1
    after = (user("summary"), *plan.kept)
    results = [b.tool_use_id for m in valid_messages(after) for b in m.blocks if isinstance(b, ToolResultBlock)]
    kept = [b.tool_use_id for m in plan.kept for b in m.blocks if isinstance(b, ToolResultBlock)]
    assert results == kept
    room = window - 1000
    asked = summary_messages(plan, GAUGE, room, focus="the tests")
    assert GAUGE.messages(asked) <= room
    assert "the tests" in asked[-1].text
    assert valid_messages(asked) == asked


def test_a_summary_must_be_worth_it() -> None:
    plan = plan_compaction((user("x" * 40_000), answer("y" * 4000), user("z")), GAUGE, 10_000)
    assert plan is not None
    accepted = accept_summary(plan, "<analysis>hm</analysis><summary>short</summary>", GAUGE)
    assert accepted is not None
    assert accepted[0] == "short"
    assert accepted[1] < 1200
    assert accept_summary(plan, "  <think>only thoughts", GAUGE) is None
    assert accept_summary(plan, "s" * 40_000, GAUGE) is None


def test_the_question_names_the_focus() -> None:
    assert question("the API").endswith("Above all keep: the API")
    assert len(question()) < 1600
