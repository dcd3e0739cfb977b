"""Every dialect from what models really write: the calls that come of it, and what never becomes a call."""

from collections import Counter

import pytest

from rein_tui.harness.protocol.messages import TextBlock, ThinkingBlock, ToolUseBlock
from rein_tui.harness.providers.text_mode.forms import FORMS, Form
from rein_tui.harness.providers.text_mode.mode import read_text
from tests.harness.providers.dialect_cases import CASES, NEVER, TOOLS, Case


def calls_of(text: str) -> list[tuple[str, object]]:
    return [(b.name, b.malformed or b.input) for b in read_text(text, TOOLS).blocks if isinstance(b, ToolUseBlock)]


@pytest.mark.parametrize("case", CASES, ids=[f"{case.dialect}: {case.source}" for case in CASES])
def test_what_models_write_becomes_the_call_that_they_meant(case: Case) -> None:
    end = read_text(case.text, TOOLS)
    assert calls_of(case.text) == list(case.calls)
    assert end.parse is not None
    assert (end.parse.dialect, bool(end.parse.repairs)) == (case.dialect, case.repaired)
    assert end.parse.raw == case.text
    assert end.parse.call_ids == tuple(b.id for b in end.blocks if isinstance(b, ToolUseBlock))
    prose = "".join(b.text for b in end.blocks if isinstance(b, TextBlock))
    if case.prose:
        assert prose == case.prose
    assert "<|" not in prose
    assert "tool_call" not in prose


def test_every_family_has_at_least_five_outputs() -> None:
    families = Counter(case.dialect for case in CASES)
    for name in (
        "hermes",
        "tools tag",
        "fence",
        "bare json",
        "qwen3-coder",
        "llama",
        "pythonic",
        "mistral",
        "deepseek",
        "kimi",
        "harmony",
    ):
        assert families[name] >= 5, name


@pytest.mark.parametrize("text", NEVER)
def test_what_only_looks_like_a_call_stays_prose(text: str) -> None:
    end = read_text(text, TOOLS)
    assert calls_of(text) == []
    assert end.parse is None
    said = "".join(b.text for b in end.blocks if isinstance(b, TextBlock))
    if "<think>" not in text:
        assert said == text


@pytest.mark.parametrize("form", FORMS, ids=[form.name for form in FORMS])
def test_what_we_prompt_in_is_what_we_read(form: Form) -> None:
    one = ("Write", {"file_path": "x y.md", "content": 'a "b"\n```\n</p> {c}'})
    two = ("Read", {"file_path": "b.py", "limit": 5})
    written = form.write([one, two])
    assert calls_of(written) == [one, two]


def test_a_form_at_its_stop_sequence_is_read_all_the_same() -> None:
    for form in FORMS:
        written = form.write([("Read", {"file_path": "b.py"})])
        for stop in form.stops:
            assert calls_of(written.partition(stop)[0]) == [("Read", {"file_path": "b.py"})], form.name


def test_the_same_call_twice_is_one_call() -> None:
    call = '<tool_call>{"name": "Read", "arguments": {"file_path": "a"}}</tool_call>'
    end = read_text(f"{call}\n{call}", TOOLS)
    assert calls_of(f"{call}\n{call}") == [("Read", {"file_path": "a"})]
    assert end.parse is not None
    assert "left out" in end.parse.note


def test_thinking_is_kept_apart() -> None:
    end = read_text("<think>\nhm\n</think>\n\nYes.", TOOLS)
    assert end.blocks == (ThinkingBlock(thinking="hm"), TextBlock(text="\n\nYes."))
    end = read_text("hm, thought without its opening\n</think>\nYes.", TOOLS)
    assert end.blocks == (ThinkingBlock(thinking="hm, thought without its opening"), TextBlock(text="\nYes."))


def test_a_result_that_the_model_makes_up_goes() -> None:
    text = '<tool_call>{"name": "Read", "arguments": {"file_path": "a"}}</tool_call>\nTool result for Read:\n# Fancy\n'
    text += '<tool_call>{"name": "Bash", "arguments": {"command": "rm -rf /"}}</tool_call>'
    end = read_text(text, TOOLS)
    assert calls_of(text) == [("Read", {"file_path": "a"})]
    assert not [b for b in end.blocks if isinstance(b, TextBlock) and b.text.strip()]
    assert end.parse is not None
    assert "made up" in end.parse.note


@pytest.mark.parametrize(
    "inside",
    [
        '{"name": "Bash", "name": "Bash", "arguments": {"command": "x"}}',
        '{"name": "Bash", "arguments": "ls"}',
        '{"name": "Bash", "arguments": ["ls"]}',
        '{"name": 7}',
    ],
)
def test_what_cannot_be_read_is_never_run(inside: str) -> None:
    end = read_text(f"<tool_call>{inside}</tool_call>", TOOLS)
    calls = [b for b in end.blocks if isinstance(b, ToolUseBlock)]
    assert len(calls) == 1
    assert calls[0].malformed


def test_a_guess_is_marked_as_one() -> None:
    end = read_text('<tool_call>{"name": "Bash", "arguments": {"command": rm -rf x}}</tool_call>', TOOLS)
    assert end.parse is not None
    assert end.parse.semantic
