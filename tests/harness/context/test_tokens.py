"""Token estimates learn; titles are short and clean."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rein_tui.harness.context.titles import clean_title, first_words, title_request
from rein_tui.harness.context.tokens import IMAGE_TOKENS, TokenGauge
from rein_tui.harness.protocol.messages import (
    ImageBlock,
    Message,
    RedactedThinkingBlock,
    TextBlock,
    ThinkingBlock,
    ToolResultBlock,
    ToolSpec,
    ToolUseBlock,
    Usage,
)

MESSAGES = (
    Message(role="user", blocks=(TextBlock(text="x" * 3600), ImageBlock(media_type="image/png", data="A" * 9999))),
    Message(
        role="assistant",
        blocks=(
            ThinkingBlock(thinking="t" * 360, signature="s"),
            RedactedThinkingBlock(data="d" * 36),
            ToolUseBlock(id="1", name="Bash", input={"command": "ls", "odd": "\ud800"}),
        ),
    ),
    Message(role="user", blocks=(ToolResultBlock(tool_use_id="1", content=(TextBlock(text="y" * 360),)),)),
)


def test_every_block_counts() -> None:
    gauge = TokenGauge()
    whole = gauge.messages(MESSAGES)
    assert IMAGE_TOKENS + 1200 < whole < IMAGE_TOKENS + 1700
    tool = ToolSpec(name="Bash", description="d" * 360, input_schema={"type": "object"})
    assert gauge.request("s" * 360, [tool], MESSAGES) == pytest.approx(whole + 216, abs=10)


def test_it_follows_the_server() -> None:
    gauge = TokenGauge()
    for _ in range(20):
        estimated = gauge.text(10_000)
        gauge.correct(estimated, Usage(input_tokens=1000, cache_read_tokens=3000, cache_write_tokens=1000))
    assert gauge.text(10_000) == pytest.approx(5000, rel=0.01)


@given(st.lists(st.tuples(st.integers(0, 10**7), st.integers(0, 10**7)), max_size=30))
def test_no_usage_makes_it_absurd(reports: list[tuple[int, int]]) -> None:
    gauge = TokenGauge()
    for estimated, counted in reports:
        gauge.correct(estimated, Usage(input_tokens=counted))
    assert 1000 <= gauge.text(8000) <= 8000


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("fix it", "fix it"),
        ("\n\n  fix \t it \nand more", "fix it"),
        ("<system-reminder>\nx\n</system-reminder>\nhello", "hello"),
        ("a" * 100, "a" * 59 + "…"),
        ("word " * 30, "word word word word word word word word word word word…"),
        ("", ""),
    ],
)
def test_first_words(text: str, title: str) -> None:
    assert first_words(text) == title


@given(st.text(max_size=200))
def test_titles_are_one_short_line(text: str) -> None:
    for title in (first_words(text), clean_title(text)):
        assert len(title) <= 60
        assert len(title.splitlines()) <= 1


@pytest.mark.parametrize(
    ("answer", "title"),
    [
        ('"Fix the login test."', "Fix the login test"),
        ("Title: **Add a cache**\nBecause …", "Add a cache"),
        ("<think>hm\nhm</think>\n\nRefactor parser", "Refactor parser"),
        ("<think>endless", ""),
        ("...", ""),
    ],
)
def test_model_titles_are_cleaned(answer: str, title: str) -> None:
    assert clean_title(answer) == title


def test_the_question_is_short() -> None:
    assert len(title_request("x" * 100_000)) < 2500
