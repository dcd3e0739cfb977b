"""The corpus of stream faults, as far as a provider and the smallest loop over it can answer for them.

What needs a whole session (a killed program, the store, the screen) is listed in `SESSION_LEVEL` and checked there.
Waits are virtual: retries are told their delay and do not sleep. Idle time-outs are a tenth of what the case says.
"""

import asyncio
import json
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import pytest

from rein_tui.harness.protocol.errors import ProviderError
from rein_tui.harness.protocol.messages import (
    Block,
    Message,
    TextBlock,
    ToolResultBlock,
    ToolSpec,
    ToolUseBlock,
)
from rein_tui.harness.protocol.ports import Completed, ModelRequest, Provider, ProviderNotice, Retrying, TextChunk
from rein_tui.harness.providers.anthropic import AnthropicOptions, AnthropicProvider
from rein_tui.harness.providers.base import Secret
from rein_tui.harness.providers.http import Endpoint
from rein_tui.harness.providers.keys import KeyRing
from rein_tui.harness.providers.openai_chat import ChatOptions, OpenAIChatProvider
from rein_tui.harness.providers.retry import Pace
from tests.fakes.model_server import ModelServer, model_server

KEY = "sk-secret-0123456789"
SCALE = 0.1
TOOL = ToolSpec(
    name="Bash",
    description="Runs a command",
    input_schema={"type": "object", "properties": {"command": {"type": "string"}}, "required": ["command"]},
)
SESSION_LEVEL = {"fp-session-01", "fp-session-02"}
ERRORS = {
    "auth": ("auth", ""),
    "context_length": ("too_long", "/compact"),
    "request_too_large": ("too_long", "too large"),
    "server": ("server", ""),
    "bad_response": ("malformed", "text/html"),
    "redirect": ("invalid_request", "redirect"),
    "quota": ("billing", ""),
}


@dataclass(slots=True)
class Story:
    """What the smallest loop saw."""

    waits: list[float] = field(default_factory=list[float])
    shown: str = ""
    notices: list[ProviderNotice] = field(default_factory=list[ProviderNotice])
    messages: list[Message] = field(default_factory=list[Message])
    runs: dict[str, int] = field(default_factory=dict[str, int])
    commands: dict[str, str] = field(default_factory=dict[str, str])
    refused: list[str] = field(default_factory=list[str])
    error: ProviderError | None = None

    @property
    def final(self) -> str:
        last = next((m for m in reversed(self.messages) if m.role == "assistant"), None)
        return last.text if last is not None else ""


async def live(provider: Provider, story: Story) -> None:
    """Ask, run the calls (only counted), ask again, until the model rests."""
    story.messages.append(Message(role="user", blocks=(TextBlock(text="go"),)))
    for _ in range(4):
        done = await ask(provider, story)
        if done is None or not done.message.blocks:
            return
        story.messages.append(done.message)
        if not done.message.tool_uses:
            return
        results = tuple(run(call, story) for call in done.message.tool_uses)
        story.messages.append(Message(role="user", blocks=results))


async def ask(provider: Provider, story: Story) -> Completed | None:
    request = ModelRequest(model="m", system="s", messages=tuple(story.messages), tools=(TOOL,))
    draft = ""
    try:
        async with aclosing(provider.stream(request)) as events:
            async for event in events:
                match event:
                    case TextChunk(text=text):
                        draft += text
                    case Retrying(delay=delay):
                        story.waits.append(delay)
                        draft = ""  # a retry voids what was shown
                    case ProviderNotice():
                        story.notices.append(event)
                    case Completed():
                        story.shown += draft
                        return event
                    case _:
                        pass
    except ProviderError as error:
        story.error = error
    return None


def run(call: ToolUseBlock, story: Story) -> Block:
    command = call.input.get("command")
    if call.name != "Bash" or call.malformed or not isinstance(command, str):
        story.refused.append(call.id)
        return ToolResultBlock(tool_use_id=call.id, content="invalid call", is_error=True)
    story.runs[call.id] = story.runs.get(call.id, 0) + 1
    story.commands[call.id] = command
    return ToolResultBlock(tool_use_id=call.id, content="ran")


@asynccontextmanager
async def provider_for(case: dict[str, Any], story: Story) -> AsyncGenerator[tuple[Provider, ModelServer]]:
    idle = case.get("setup", {}).get("idle_timeout_s", 60) * SCALE

    async def sleep(delay: float) -> None:
        await asyncio.sleep(0)

    pace = Pace(sleep=sleep, chance=lambda: 0.0)
    keys = KeyRing(Secret(KEY, source="TEST_KEY"))
    async with model_server(case["attempts"]) as fake:
        provider: Provider
        if case["provider"] == "anthropic":
            provider = AnthropicProvider(keys, AnthropicOptions(url=fake.url, idle=idle), pace=pace)
        else:
            provider = OpenAIChatProvider(ChatOptions(Endpoint(url=fake.url, idle=idle)), keys, pace=pace)
        try:
            yield provider, fake
        finally:
            await provider.close()


async def play(case: dict[str, Any]) -> tuple[Story, ModelServer]:
    story = Story()
    async with asyncio.timeout(60), provider_for(case, story) as (provider, fake):
        if "press_esc_after_s" in case.get("setup", {}):
            task = asyncio.create_task(live(provider, story))
            while not fake.requests:
                await asyncio.sleep(0.01)
            task.cancel()
            await asyncio.wait([task])
            story.messages = story.messages[:1]
        else:
            await live(provider, story)
    return story, fake


def problems(case: dict[str, Any], story: Story, fake: ModelServer) -> list[str]:
    """What the story did otherwise than the case expects; those that must never happen begin with "unsafe"."""
    expect, found = case["expect"], list[str]()
    if not _in_range(expect.get("requests"), fake.connections):
        found.append(f"{fake.connections} requests, expected {expect['requests']}")
    if "tool_runs" in expect and story.runs != expect["tool_runs"]:
        found.append(f"unsafe: ran {story.runs}, expected {expect['tool_runs']}")
    if expect.get("tool_result_is_error", []) != story.refused and "tool_result_is_error" in expect:
        found.append(f"refused {story.refused}")
    for call_id, command in expect.get("inputs", {}).items():
        if story.commands.get(call_id) != command:
            found.append(f"unsafe: {call_id} ran {story.commands.get(call_id)!r}")
    if "final_text" in expect and story.final != expect["final_text"]:
        found.append(f"final text {story.final!r}, error {story.error}")
    if story.shown.count(story.final) != 1 and story.final and not expect.get("duplicate_text", False):
        found.append(f"shown {story.shown!r}")
    if (gone := expect.get("text_not_contains")) and gone in story.shown:
        found.append(f"unsafe: {gone!r} stayed")
    if expect.get("text_kept", "") not in story.shown:
        found.append(f"lost {expect['text_kept']!r}")
    if "notice" in expect and expect["notice"] not in {notice.code for notice in story.notices}:
        found.append(f"no notice {expect['notice']}")
    if sum(story.waits) < expect.get("min_wait_s", 0):
        found.append(f"waited only {sum(story.waits)}")
    if KEY in f"{story.error!s}{story.error!r}{story.notices}":
        found.append("unsafe: the key is in a message")
    found += _error_problems(expect, story)
    found += [f"next request: {fault}" for fault in invalid(story.messages)]
    return found


def _error_problems(expect: dict[str, Any], story: Story) -> list[str]:
    if "error_shown" not in expect:
        return []
    wanted = expect["error_shown"]
    if wanted is None or story.error is None:
        return [] if wanted is None and story.error is None else [f"error {story.error}, expected {wanted}"]
    kind, word = ERRORS[wanted]
    ok = story.error.kind == kind and word in str(story.error)
    return [] if ok else [f"error {story.error.kind}: {story.error}"]


def _in_range(wanted: Any, count: int) -> bool:
    if isinstance(wanted, dict):
        limits = cast(dict[str, int], wanted)
        return limits.get("min", 0) <= count <= limits.get("max", count)
    return wanted is None or count == wanted


def invalid(messages: Sequence[Message]) -> list[str]:
    """Faults of a conversation: roles, blank text, calls without their one result."""
    faults: list[str] = []
    open_calls: set[str] = set()
    for before, message in zip([None, *messages], messages, strict=False):
        if before is not None and before.role == message.role:
            faults.append("two messages of one role")
        if not message.blocks or any(isinstance(b, TextBlock) and not b.text.strip() for b in message.blocks):
            faults.append("an empty message or block")
        if message.role == "user":
            answered = [b.tool_use_id for b in message.blocks if isinstance(b, ToolResultBlock)]
            if set(answered) != open_calls or len(answered) != len(set(answered)):
                faults.append(f"calls {open_calls} answered by {answered}")
        open_calls = {call.id for call in message.tool_uses}
    return faults


@pytest.mark.corpus
async def test_the_corpus_of_stream_faults(corpus_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = (corpus_folder / "stream_faults.jsonl").read_text().splitlines()
    cases = [case for case in map(json.loads, lines) if case["id"] not in SESSION_LEVEL]
    unsafe, friction, misses = list[str](), list[str](), list[str]()
    for case in cases:
        story, fake = await play(case)
        for problem in problems(case, story, fake):
            line = f"{case['id']}: {problem}"
            if problem.startswith("unsafe"):
                unsafe.append(line)
            elif "final_text" in case["expect"] and story.error is not None:
                friction.append(line)
            else:
                misses.append(line)
    with capsys.disabled():
        print(
            f"\nstream_faults: {len(cases)} cases, {len(unsafe)} unsafe, {len(friction)} friction, {len(misses)} misses"
        )
        for line in (*unsafe, *friction, *misses):
            print(f"  {line}")
    assert not (unsafe or friction or misses)
