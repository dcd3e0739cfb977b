"""The state machines at their borders: broken protocols, half answers, and the liberties that servers take."""

import itertools
import json
from collections.abc import Sequence
from typing import Any

import pytest

from rein_tui.harness.protocol.errors import ProviderError
from rein_tui.harness.protocol.messages import Message, TextBlock, ThinkingBlock, ToolUseBlock
from rein_tui.harness.protocol.models import Completed, ProviderEvent, ProviderNotice
from rein_tui.harness.providers.anthropic_stream import MessageAccumulator
from rein_tui.harness.providers.failures import Origin, cut_error
from rein_tui.harness.providers.openai_stream import ChatAccumulator
from rein_tui.harness.providers.sse import Frame

ORIGIN = Origin("http://test")
START = {"type": "message_start", "message": {"id": "msg_1"}}
STOP = [{"type": "message_delta", "delta": {"stop_reason": "end_turn"}}, {"type": "message_stop"}]


def block(index: int, kind: str = "text", **fields: Any) -> dict[str, Any]:
    return {"type": "content_block_start", "index": index, "content_block": {"type": kind, **fields}}


def delta(index: int, kind: str, value: str) -> dict[str, Any]:
    key = {"text_delta": "text", "input_json_delta": "partial_json", "thinking_delta": "thinking"}[kind]
    return {"type": "content_block_delta", "index": index, "delta": {"type": kind, key: value}}


def end(index: int) -> dict[str, Any]:
    return {"type": "content_block_stop", "index": index}


NOTHING: dict[str, Any] = {}
TEXT = [block(0), delta(0, "text_delta", "hi"), end(0)]
CALL = [
    block(1, "tool_use", id="toolu_1", name="Bash"),
    delta(1, "input_json_delta", '{"command":"ls"}'),
    end(1),
]


def claude(*events: dict[str, Any], problem: ProviderError | None = None) -> list[ProviderEvent]:
    """Events told, the way that the driver does it: a broken protocol ends in `finish`."""
    accumulator = MessageAccumulator(ORIGIN, set(), lambda: "new")
    told: list[ProviderEvent] = []
    try:
        for event in events:
            if not accumulator.done:
                told.extend(accumulator.feed(Frame("", json.dumps(event).encode())))
    except ProviderError as error:
        problem = error
    return told + list(accumulator.finish(problem))


def last(events: Sequence[ProviderEvent]) -> Completed:
    done = events[-1]
    assert isinstance(done, Completed)
    return done


@pytest.mark.parametrize(
    "broken",
    [
        [delta(0, "text_delta", "x")],
        [end(0)],
        [block(1)],
        [block(0), block(0)],
        [block(0), delta(0, "input_json_delta", "{}")],
        [block(0, "tool_use"), delta(0, "text_delta", "x")],
        [block(0), delta(7, "text_delta", "x")],
        [
            {"type": "message_start", "message": {"id": "msg_2"}},
            {"type": "message_start", "message": {"id": "msg_3"}},
            block(0),
            {"type": "message_start", "message": {"id": "msg_4"}},
        ],
        [{"type": "error", "error": {"type": "api_error", "message": "no"}}],
    ],
)
def test_a_broken_protocol_before_anything_is_complete_is_an_error(broken: list[dict[str, Any]]) -> None:
    with pytest.raises(ProviderError) as caught:
        claude(START, *broken, *STOP)
    assert caught.value.retryable


@pytest.mark.parametrize("broken", [[end(1)], [end(0)], [delta(0, "text_delta", "again")], [block(0)]])
def test_a_broken_protocol_after_a_call_keeps_the_call_once(broken: list[dict[str, Any]]) -> None:
    events = claude(START, *TEXT, *CALL, *broken, *STOP)
    done = last(events)
    assert done.stop_reason == "incomplete"
    assert [call.id for call in done.message.tool_uses] == ["toolu_1"]
    assert [event.code for event in events if isinstance(event, ProviderNotice)] == ["incomplete"]


def test_a_call_that_is_not_complete_is_not_kept() -> None:
    done = last(claude(START, *TEXT, *CALL[:2], problem=cut_error(ORIGIN)))
    assert (done.stop_reason, done.message.blocks) == ("incomplete", (TextBlock(text="hi"),))


REDACTED = {"type": "content_block_start", "index": 0, "content_block": {"type": "redacted_thinking", "data": "x"}}


@pytest.mark.parametrize(
    "thinking", [[block(0, "thinking"), delta(0, "thinking_delta", "hm"), end(0)], [REDACTED, end(0)]]
)
@pytest.mark.parametrize("begun", [[], [block(1, "tool_use")], [block(1), delta(1, "text_delta", "As far")]])
@pytest.mark.parametrize("broken", [True, False])
def test_nothing_is_asked_again_after_complete_thinking(
    thinking: list[dict[str, Any]], begun: list[dict[str, Any]], broken: bool
) -> None:
    """Prose that was begun after it has been read: it is kept as far as it came."""
    error = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}
    events = (
        claude(START, *thinking, *begun, error)
        if broken
        else claude(START, *thinking, *begun, problem=cut_error(ORIGIN))
    )
    done = last(events)
    kept = [type(part).__name__ for part in done.message.blocks]
    assert (done.stop_reason, kept[1:]) == ("incomplete", ["TextBlock"] if begun[1:] else [])
    assert "Thinking" in kept[0]
    assert done.message.text == ("As far" if begun[1:] else "")
    assert [event.code for event in events if isinstance(event, ProviderNotice)] == ["incomplete"]


def test_thinking_alone_may_be_all() -> None:
    thinking = [block(0, "thinking"), delta(0, "thinking_delta", "hm"), end(0)]
    assert last(claude(START, *thinking, *STOP)).message.blocks == (ThinkingBlock(thinking="hm"),)


def test_a_stop_reason_with_an_open_block_is_not_an_end() -> None:
    with pytest.raises(ProviderError):
        claude(START, *TEXT[:2], *STOP)


@pytest.mark.parametrize(
    ("reason", "stop"),
    [
        ("model_context_window_exceeded", "context_full"),
        ("refusal", "refusal"),
        ("pause_turn", "pause_turn"),
        ("incomplete", "end_turn"),
        ("something_new", "end_turn"),
    ],
)
def test_stop_reasons(reason: str, stop: str) -> None:
    done = last(claude(START, *TEXT, {"type": "message_delta", "delta": {"stop_reason": reason}}))
    assert done.stop_reason == stop


@pytest.mark.parametrize("raw", ['{"a":1,"a":2}', '{"a":1}}', "[1]", '{"a"', "null", '{"a":NaN}'])
def test_doubtful_input_is_marked_and_kept_as_it_came(raw: str) -> None:
    call = [block(0, "tool_use", id="t", name="Bash"), delta(0, "input_json_delta", raw), end(0)]
    (use,) = last(claude(START, *call, *STOP)).message.tool_uses
    assert use == ToolUseBlock(id="t", name="Bash", malformed=raw)


def test_input_may_stand_in_the_start_of_its_block() -> None:
    call = [block(0, "tool_use", id="t", name="Bash", input={"command": "ls"}), end(0)]
    assert last(claude(START, *call, *STOP)).message.tool_uses[0].input == {"command": "ls"}


def chat(*chunks: Any, done: bool = True) -> Message:
    numbers = itertools.count(1)
    accumulator = ChatAccumulator(ORIGIN, {"taken"}, None, lambda: f"new_{next(numbers)}")
    for chunk in chunks:
        list(accumulator.feed(Frame("", json.dumps(chunk).encode())))
    if done:
        list(accumulator.feed(Frame("", b"[DONE]")))
    return last(list(accumulator.finish(None))).message


def parts(*calls: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"choices": [{"index": 0, "delta": {"tool_calls": list(calls), **more}}]}


def part(arguments: Any, name: str = "", **fields: Any) -> dict[str, Any]:
    return {**fields, "function": {"arguments": arguments, **({"name": name} if name else {})}}


@pytest.mark.parametrize(
    ("chunks", "inputs"),
    [
        ([parts(part('{"a":1}', "A", id="x"), part('{"b":2}', "B", id="y"))], [{"a": 1}, {"b": 2}]),
        (
            [parts(part('{"a":1}', "A", index=0, id="x")), parts(part('{"b":2}', "B", index=0, id="y"))],
            [{"a": 1}, {"b": 2}],
        ),
        ([parts(part('{"a"', "A", index=0, id="x")), parts(part(":1}", "A", index=0, id="x"))], [{"a": 1}]),
        ([parts(part('{"a"', "A", index=0, id="x")), parts(part(":1}", index=0, id="other"))], [{"a": 1}]),
        ([parts(part({"a": 1}, "A")), parts(part({"b": 2}, "B"))], [{"a": 1}, {"b": 2}]),
        ([parts(part('{"a":1}', "A")), parts(part('{"a":1}', "A"))], [{"a": 1}, {"a": 1}]),
        ([parts(part("", "A", index=0)), parts(part('{"a":1}', index=0))], [{"a": 1}]),
        ([parts(part(None, "A", id="x"))], [NOTHING]),
        ([parts({"name": "A", "arguments": '{"a":1}', "id": "x"})], [{"a": 1}]),
        ([{"choices": [{"delta": {"function_call": {"name": "A", "arguments": '{"a":1}'}}}]}], [{"a": 1}]),
        (
            [{"choices": [{"message": {"tool_calls": [part('{"a":1}', "A", id="x")]}, "finish_reason": "stop"}]}],
            [{"a": 1}],
        ),
    ],
)
def test_calls_in_every_dress(chunks: list[Any], inputs: list[dict[str, Any]]) -> None:
    calls = chat(*chunks).tool_uses
    assert [call.input for call in calls] == inputs
    assert not any(call.malformed for call in calls)
    assert len({call.id for call in calls}) == len(calls)


def test_ids_that_are_taken_or_missing_are_given_anew() -> None:
    calls = chat(parts(part("{}", "A", index=0, id="taken"), part("{}", "B", index=1))).tool_uses
    assert [call.id for call in calls] == ["new_1", "new_2"]


def test_content_in_parts_and_reasoning_by_its_names() -> None:
    content = {"choices": [{"delta": {"content": [{"type": "text", "text": "a"}, {"type": "odd"}], "reasoning": "r"}}]}
    assert chat(content).blocks == (ThinkingBlock(thinking="r"), TextBlock(text="a"))


def test_without_a_word_of_completion_it_was_cut() -> None:
    with pytest.raises(ProviderError) as caught:
        chat(parts(part('{"a":1}', "A", index=0, id="x")), done=False)
    assert caught.value.kind == "cut"
