"""The stream: any chunking gives the same message, prose flows, raw calls never flash."""

import itertools
from collections.abc import Iterable, Sequence

from hypothesis import given, settings
from hypothesis import strategies as st

from rein_tui.harness.protocol.messages import Block, ParseTrace, TextBlock, ToolUseBlock
from rein_tui.harness.protocol.models import ProviderEvent, TextChunk, ThinkingChunk
from rein_tui.harness.providers.text_mode.dialects import Openers
from rein_tui.harness.providers.text_mode.fitting import Tools
from rein_tui.harness.providers.text_mode.holdback import HoldBack
from tests.harness.providers.dialect_cases import CASES, NEVER, TOOLS

OPENERS = Openers(tool.name for tool in TOOLS)
KNOWN = Tools(TOOLS)
FRAGMENTS = [
    *(
        "<",
        "<tool",
        "<tool_call>",
        "</tool_call>",
        "[TOOL_CALLS]",
        "[TOOL",
        "`",
        "```",
        "```json\n",
        "{",
        "}",
        "[",
        "]",
    ),
    *("<think>", "</think>", "<|", "<|channel|>", "<|message|>", "<function=", "Action:", "Read(", "\n", " ", "Read"),
    *('{"name": "Read", "arguments": {"file_path": "a"}}', '"', "'", "text", "Tool result for ", "<tool_response>"),
    *("<parameter=", ">", "</function>", "to=functions.", "<tools>", "functools[", "“", '"""', "\\", ",", ":"),
]


def reader() -> HoldBack:
    numbers = itertools.count()
    return HoldBack(KNOWN, OPENERS, lambda: f"call_{next(numbers)}")


def heard(chunks: Iterable[str]) -> tuple[list[ProviderEvent], tuple[Block, ...], ParseTrace | None]:
    one = reader()
    events = [event for chunk in chunks for event in one.feed(chunk)]
    end = one.finish(())
    return [*events, *end.events], end.blocks, end.parse


def cut(text: str, places: Sequence[int]) -> list[str]:
    borders = [0, *sorted({place % (len(text) + 1) for place in places}), len(text)]
    return [text[a:b] for a, b in itertools.pairwise(borders)]


def joined(events: Iterable[ProviderEvent], kind: type[TextChunk] | type[ThinkingChunk]) -> str:
    return "".join(event.text for event in events if isinstance(event, kind))


def check(text: str, chunks: Sequence[str]) -> None:
    events, blocks, parse = heard([text])
    others, other_blocks, other_parse = heard(chunks)
    assert other_blocks == blocks
    assert other_parse == parse
    assert joined(others, TextChunk) == joined(events, TextChunk)
    prose = "".join(block.text for block in blocks if isinstance(block, TextBlock))
    if "</think>" not in text and prose:
        assert joined(others, TextChunk) == prose


TEXTS = [case.text for case in CASES] + NEVER


@settings(max_examples=250, deadline=None)
@given(
    st.lists(st.sampled_from(TEXTS), min_size=1, max_size=3), st.sampled_from(["", "\n", "\n\nAnd then. "]), st.data()
)
def test_chunks_do_not_matter(texts: list[str], between: str, data: st.DataObject) -> None:
    text = between.join(texts)
    check(text, cut(text, data.draw(st.lists(st.integers(0, 5000), max_size=30))))


@settings(max_examples=400, deadline=None)
@given(st.lists(st.sampled_from(FRAGMENTS), max_size=25), st.data())
def test_chunks_do_not_matter_for_anything_at_all(fragments: list[str], data: st.DataObject) -> None:
    text = "".join(fragments)
    check(text, cut(text, data.draw(st.lists(st.integers(0, 500), max_size=12))))


def test_every_case_letter_by_letter() -> None:
    for text in TEXTS:
        check(text, list(text))


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet="abc .,\n<>{}[]()`'\"=:_-#*é", max_size=300))
def test_prose_is_never_lost(text: str) -> None:
    events, _, parse = heard(list(text))
    assert parse is None
    assert joined(events, TextChunk) == text


def test_raw_calls_never_flash() -> None:
    for case in CASES:
        events, _, _ = heard(list(case.text))
        shown = joined(events, TextChunk)
        for mark in ("{", "<tool", "<function", "arguments", "TOOL_CALLS", "file_path", "<|", "｜"):
            assert mark not in shown, case


def test_prose_flows_while_it_cannot_be_a_call() -> None:
    one = reader()
    shown = [joined(one.feed(chunk), TextChunk) for chunk in ("I will ", "look at a < b, ", "{x} and `y`. ", "So")]
    assert "".join(shown) == "I will look at a < b, {x} and `y`. So"
    assert all(shown)
    code = reader()
    shown = [
        joined(code.feed(chunk), TextChunk) for chunk in ("```ru", "st\n", "def f():\n", "    {}\n", "``", "`\n", "x")
    ]
    assert "".join(shown) == "```rust\ndef f():\n    {}\n```\nx"
    assert shown[2] == "def f():\n"


def test_thinking_flows() -> None:
    one = reader()
    shown = [joined(one.feed(chunk), ThinkingChunk) for chunk in ("<thi", "nk>hm", ", well", "</thi", "nk>yes")]
    assert shown == ["", "hm", ", well", "", ""]


def test_native_calls_win_and_are_mended() -> None:
    text = '<tool_call>{"name": "Read", "arguments": {"file_path": "a"}}</tool_call>'
    one = reader()
    assert not list(one.feed(text))
    native = ToolUseBlock(id="n", name="Bash", input={"command": "ls"})
    end = one.finish((native,))
    assert end.blocks == (native,)
    mended = reader().finish(
        (
            ToolUseBlock(id="n", name="read_file", malformed='{"path": "a",}'),
            ToolUseBlock(id="m", name="Bash", malformed="{"),
        )
    )
    assert mended.blocks == (
        ToolUseBlock(id="n", name="Read", input={"file_path": "a"}),
        ToolUseBlock(id="m", name="Bash", malformed="{"),
    )
    assert mended.parse is not None
    assert (mended.parse.dialect, mended.parse.semantic) == ("native", True)
    untouched = ToolUseBlock(id="n", name="Bash", input={"command": "ls", "why": "x"})
    assert reader().finish((untouched,)) == reader().finish((untouched,))
    assert reader().finish((untouched,)).blocks == (untouched,)


def test_a_long_call_is_not_read_again_with_every_token() -> None:
    """The work grows with the length, not with its square."""
    body = "x = [1, 2]\\n" * 8000
    text = '<tool_call>{"name": "Write", "arguments": {"file_path": "a", "content": "' + body + '"}}</tool_call>'
    _, blocks, _ = heard(text[at : at + 4] for at in range(0, len(text), 4))
    (call,) = blocks
    assert isinstance(call, ToolUseBlock)
    assert len(call.input["content"]) == 8000 * 11
