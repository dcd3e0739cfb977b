"""The small blocks of the chat: what a hook's receipt says, once."""

from typing import Any

import pytest
from msgspec import structs

from rein_tui.harness.protocol import events as ev
from rein_tui.harness.protocol.hooks import HookPoint, HookResult
from rein_tui.widgets.chat_blocks import Look, NoteBlock
from rein_tui.widgets.chat_notes import blocks_for
from tests import stories


def receipt(
    result: HookResult, message: str = "", reason: str = "", point: HookPoint = "PreToolUse", **fields: Any
) -> list[str]:
    """The lines of the receipt without its time."""
    fired = stories.hook("c1", "./lint.sh", result)
    spec = structs.replace(fired.run.hook, point=point, is_async=fields.pop("is_async", False))
    fields = {"updated_input": None} | fields
    run = structs.replace(fired.run, hook=spec, message=message, reason=reason, **fields)
    (note,) = blocks_for(structs.replace(fired, run=run), Look("line"), {})
    assert isinstance(note, NoteBlock)
    return note.source.replace(f" · {note.source.splitlines()[0].rpartition(' · ')[2]}", "").splitlines()


@pytest.mark.parametrize(
    ("result", "message", "reason", "lines"),
    [
        ("message", "Format it.", "", ["lint.sh says: Format it"]),
        ("message", "Two\nlines", "", ["lint.sh says", "Two", "lines"]),
        ("deny", "Too wild.", "Too wild.", ["lint.sh denied the call: Too wild"]),
        ("deny", "Have a look.", "Too wild.", ["lint.sh denied the call: Too wild", "Have a look."]),
        ("context", "Read it.", "", ["lint.sh added context: Read it"]),
        ("ask", "", "Not\nyet", ["lint.sh wants you to decide: Not"]),
    ],
)
def test_a_receipt_tells_all_that_a_hook_says_to_the_person(
    result: HookResult, message: str, reason: str, lines: list[str]
) -> None:
    assert receipt(result, message, reason) == lines


@pytest.mark.parametrize(
    ("result", "point", "fields", "line"),
    [
        ("block", "Stop", {"reason": "Run the tests."}, "sent the model on: Run the tests"),
        ("block", "Stop", {"context": "Run the tests."}, "sent the model on: Run the tests"),
        ("block", "UserPromptSubmit", {}, "blocked the prompt"),
        ("block", "PostToolUse", {"reason": "Tests fail."}, "objected: Tests fail"),
        ("rewrote", "PostToolUse", {}, "rewrote the output"),
        ("rewrote", "PreToolUse", {"updated_input": {"command": "ls"}}, "rewrote the command"),
        ("rewrote", "PreToolUse", {"updated_input": {"file_path": "/a"}}, "rewrote the input"),
        ("failed", "Stop", {"reason": "exit code 1: oh", "exit_code": 1}, "failed: exit code 1: oh"),
    ],
)
def test_a_receipt_names_what_was_done_at_its_moment(
    result: HookResult, point: HookPoint, fields: dict[str, Any], line: str
) -> None:
    assert receipt(result, point=point, **fields) == [f"lint.sh {line}"]


@pytest.mark.parametrize(("detail", "end"), [("no", "stopped by a hook"), ("no\nno", "stopped by a hook: no\nno")])
def test_the_end_of_a_turn_repeats_no_short_reason(detail: str, end: str) -> None:
    (note,) = blocks_for(ev.TurnFinished(reason="hook", detail=detail), Look("line"), {})
    assert note.source == end


def test_what_the_receipt_says_is_not_said_again() -> None:
    for code in ("hook_message", "wake", "woken"):
        assert blocks_for(ev.Notice(text="Format it.", code=code), Look("line"), {}) == ()
    assert len(blocks_for(ev.Notice(text="Format it."), Look("line"), {})) == 1


def test_a_background_hook_speaks_to_the_model() -> None:
    assert receipt("message", "Two\nlines", is_async=True) == ["lint.sh says: Two"]


@pytest.mark.parametrize(("reason", "words"), [("max_tokens", "go on"), ("context_full", "/compact")])
def test_an_answer_that_broke_off_at_a_limit_says_what_to_do(reason: ev.TurnEndReason, words: str) -> None:
    (note,) = blocks_for(ev.TurnFinished(reason=reason, detail="so it is"), Look("line"), {})
    assert isinstance(note, NoteBlock)
    assert words in note.details[-1].plain
