"""The corpus of stream faults over the real session: right retries, no call run twice, a history that any next request
may carry, and on the screen what happened and what to do.
"""

import asyncio
import json
import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, cast

import pytest

from rein_tui.harness.places import Places
from rein_tui.harness.protocol import events as ev
from tests.fakes.model_server import ModelServer, answer, model_server, sse

from .fault_stage import KEY, Story, play

ROOT = Path(__file__).parents[3]
RESPONSIVE = 1.0
"""Seconds that nothing may keep the event loop; generous, for machines that do other things as well."""

ERRORS = {
    "auth": ("auth", "TEST_KEY"),
    "context_length": ("too_long", "/compact"),
    "request_too_large": ("too_long", "too large"),
    "server": ("server", "Send the message again"),
    "bad_response": ("malformed", "text/html"),
    "redirect": ("invalid_request", "redirect"),
    "quota": ("billing", "balance"),
}
"""What the person is told: the kind of failure, and words that the screen shows."""


def problems(case: dict[str, Any], story: Story, fake: ModelServer) -> Iterator[str]:
    """What the story did otherwise than the case expects; those that must never happen begin with "unsafe"."""
    expect = case["expect"]
    if not _in_range(expect.get("requests"), fake.connections):
        yield f"{fake.connections} requests, expected {expect['requests']}"
    yield from _call_problems(expect, story)
    yield from _text_problems(expect, story)
    if "notice" in expect and expect["notice"] not in {notice.code for notice in story.all(ev.Notice)}:
        yield f"no notice {expect['notice']}"
    if sum(retry.delay for retry in story.all(ev.RequestRetried)) < expect.get("min_wait_s", 0):
        yield "waited too little"
    if KEY in story.screen or KEY in repr(story.events):
        yield "unsafe: the key is in what is shown or stored"
    if expect.get("first_request_not_repeated") and fake.requests[0].body == fake.requests[1].body:
        yield "unsafe: the first request came twice"
    if "cancel_latency_s" in expect and not 0 < story.stop_latency < expect["cancel_latency_s"]:
        yield f"Esc took {story.stop_latency} s"
    if expect.get("ui_responsive") and story.longest_silence > RESPONSIVE:
        yield f"the screen stood still for {story.longest_silence:.1f} s"
    yield from _error_problems(expect, story)
    yield from (f"unsafe: next request: {fault}" for body in story.bodies for fault in invalid(body))


def _call_problems(expect: dict[str, Any], story: Story) -> Iterator[str]:
    if "tool_runs" in expect and story.runs != expect["tool_runs"]:
        yield f"unsafe: ran {story.runs}, expected {expect['tool_runs']}"
    refused = [event.call_id for event in story.all(ev.ToolCallFinished) if event.is_error]
    if "tool_result_is_error" in expect and refused != expect["tool_result_is_error"]:
        yield f"refused {refused}"
    inputs = {event.call_id: event.input.get("command") for event in story.all(ev.ToolCallRequested)}
    for call_id, command in expect.get("inputs", {}).items():
        if inputs.get(call_id) != command:
            yield f"unsafe: {call_id} ran {inputs.get(call_id)!r}"


def _text_problems(expect: dict[str, Any], story: Story) -> Iterator[str]:
    if "final_text" in expect and story.final != expect["final_text"]:
        yield f"final text {story.final!r}, {story.failure}"
    if story.final and story.streamed.count(story.final) != 1:
        yield f"shown {story.streamed!r}"
    if story.final and story.screen.count(story.final) != 1:
        yield f"on screen {story.screen!r}"
    if (gone := expect.get("text_not_contains")) and gone in story.screen + story.streamed:
        yield f"unsafe: {gone!r} stayed"
    if expect.get("text_kept", "") not in story.screen:
        yield f"lost {expect['text_kept']!r}"
    if expect.get("html_not_rendered") and "<html" in story.screen:
        yield "a web page is on the screen"


def _error_problems(expect: dict[str, Any], story: Story) -> Iterator[str]:
    failure, wanted = story.failure, expect.get("error_shown", "")
    if wanted is None and failure is not None:
        yield f"failed: {failure}"
    if not wanted:
        return
    kind, words = ERRORS[wanted]
    if failure is None or failure.kind != kind or words not in story.screen:
        yield f"told {failure}, expected {wanted} with {words!r}"
    if expect.get("offers_compaction") and "/compact" not in story.screen:
        yield "no word of /compact"


def _in_range(wanted: Any, count: int) -> bool:
    if isinstance(wanted, dict):
        limits = cast(dict[str, int], wanted)
        return limits.get("min", 0) <= count <= limits.get("max", count)
    return wanted is None or count == wanted


# --- what an API refuses ------------------------------------------------------------------------------------


def invalid(body: Mapping[str, Any]) -> Iterator[str]:
    """Faults of a request's messages, in the words of either API."""
    messages = [message for message in body["messages"] if message["role"] != "system"]
    open_calls: list[str] = []
    role, was_tool = "assistant", False
    for message in messages:
        is_tool = message["role"] == "tool"
        if message["role"] == role and not (is_tool or was_tool):
            yield f"two messages of the {role}"
        role = "user" if is_tool else message["role"]
        was_tool = is_tool
        yield from _blank(message)
        answered = _answered(message)
        if is_tool or message["role"] == "user":
            if len(answered) != len(set(answered)) or not set(answered) <= set(open_calls):
                yield f"{answered} answer {open_calls}"
            open_calls = [call for call in open_calls if call not in answered]
            if message["role"] == "user" and open_calls:
                yield f"{open_calls} stay unanswered"
        open_calls += _asked(message)


def _blank(message: Mapping[str, Any]) -> Iterator[str]:
    content = message.get("content")
    texts = [content] if isinstance(content, str) else [p["text"] for p in content or () if p["type"] == "text"]
    if any(not text.strip() for text in texts if not message.get("tool_calls")) or not (content or texts):
        yield "an empty message or block"


def _parts(message: Mapping[str, Any], kind: str) -> list[dict[str, Any]]:
    content = message.get("content")
    return [part for part in cast(list[Any], content) if part["type"] == kind] if isinstance(content, list) else []


def _answered(message: Mapping[str, Any]) -> list[str]:
    if message["role"] == "tool":
        return [message["tool_call_id"]]
    return [part["tool_use_id"] for part in _parts(message, "tool_result")]


def _asked(message: Mapping[str, Any]) -> list[str]:
    calls = cast(list[dict[str, Any]], message.get("tool_calls") or [])
    return [part["id"] for part in (*_parts(message, "tool_use"), *calls)]


# --- the cases ----------------------------------------------------------------------------------------------


@pytest.mark.corpus
async def test_the_corpus_of_stream_faults(
    corpus_folder: Path, places: Places, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = (corpus_folder / "stream_faults.jsonl").read_text().splitlines()
    cases = [json.loads(line) for line in lines]
    unsafe, friction, misses = list[str](), list[str](), list[str]()
    for case in cases:
        if "kill9_when" in case.get("setup", {}):
            found = await killed(case, tmp_path / case["id"])
        else:
            story, fake = await play(case, places, tmp_path / "project")
            found = list(problems(case, story, fake))
        for problem in found:
            line = f"{case['id']}: {problem}"
            kind = unsafe if problem.startswith("unsafe") else friction if "final text" in problem else misses
            kind.append(line)
    with capsys.disabled():
        print(
            f"\nstream_faults: {len(cases)} cases, {len(unsafe)} unsafe, {len(friction)} friction, {len(misses)} misses"
        )
        for line in (*unsafe, *friction, *misses):
            print(f"  {line}")
    assert not (unsafe or friction or misses)


THOUGHT: tuple[dict[str, Any], ...] = (
    {"type": "message_start", "message": {"id": "msg_1", "model": "m", "usage": {"input_tokens": 5}}},
    {"type": "content_block_start", "index": 0, "content_block": {"type": "thinking", "thinking": ""}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "thinking_delta", "thinking": "hm"}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "signature_delta", "signature": "sig"}},
    {"type": "content_block_stop", "index": 0},
    {"type": "content_block_start", "index": 1, "content_block": {"type": "text", "text": ""}},
    {"type": "content_block_delta", "index": 1, "delta": {"type": "text_delta", "text": "first words"}},
)


@pytest.mark.parametrize("seen", [5, 7])
async def test_nothing_is_sent_again_after_complete_thinking(seen: int, places: Places, tmp_path: Path) -> None:
    """An overload in mid-stream: what came is kept, and the next request is one that the API takes."""
    overload = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}
    kept = "first words" if seen == 7 else ""
    case = {
        "provider": "anthropic",
        "attempts": [answer(sse(*THOUGHT[:seen], overload))],
        "expect": {"requests": 1, "notice": "incomplete", "text_kept": kept, "final_text": kept},
    }
    story, fake = await play(case, places, tmp_path / "project")
    assert list(problems(case, story, fake)) == []
    assert story.failure is not None and "Overloaded" in story.screen


# --- programs that are killed -------------------------------------------------------------------------------

KILLER = {"hooks": {"PostToolUse": [{"hooks": [{"type": "command", "command": "kill -9 $PPID"}]}]}}
"""Ends the program when the call has run and its result is not stored yet."""


async def killed(case: dict[str, Any], folder: Path) -> list[str]:
    """What is wrong with the request that goes on after `kill -9` of the program in the middle of a case."""
    folder.mkdir()
    expect, found = case["expect"]["on_resume"], list[str]()
    in_tool = case["setup"]["kill9_when"] == "tool_started"
    async with asyncio.timeout(60), model_server(case["attempts"]) as fake:
        first = await _program(folder, fake, "first wish", *(["--settings", json.dumps(KILLER)] if in_tool else []))
        assert first.stdout is not None
        if not in_tool:
            while b"long answer" not in await first.stdout.readline():
                pass
            first.kill()
        await first.wait()
        before = len(fake.requests)
        second = await _program(folder, fake, "go on", "--continue")
        while len(fake.requests) == before:
            await asyncio.sleep(0.02)
        body = fake.requests[before].json()
        if not in_tool:
            second.kill()
        out, _ = await second.communicate()
    found += [f"unsafe: next request: {fault}" for fault in invalid(body)]
    if expect.get("user_message_kept") and "first wish" not in json.dumps(body["messages"]):
        found.append("the person's message is lost")
    if call_id := expect.get("tool_result_for"):
        results = [p for m in body["messages"] for p in m["content"] if p["type"] == "tool_result"]
        if [(p["tool_use_id"], p.get("is_error", False)) for p in results] != [
            (call_id, expect["tool_result_is_error"])
        ]:
            found.append(f"results {results}")
        if b"tool_call_started" in out or b"hi\\n" in out:
            found.append("unsafe: the call ran again")
    return found


async def _program(folder: Path, fake: ModelServer, prompt: str, *options: str) -> asyncio.subprocess.Process:
    keep = {name: value for name, value in os.environ.items() if name in {"PATH", "LANG", "LC_ALL"}}
    told = ["--output-format", "stream-json", "--include-partial-messages", "--verbose"]
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "rein_tui", "-p", prompt, "--dangerously-skip-permissions", *told, *options),
        cwd=folder,
        env={
            **keep,
            "HOME": str(folder),
            "PYTHONPATH": str(ROOT),
            "ANTHROPIC_BASE_URL": fake.url,
            "ANTHROPIC_API_KEY": KEY,
            "IS_SANDBOX": "1",
        },
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
