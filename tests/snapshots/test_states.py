"""What a chat shows when things go wrong, run or are looked for, and the pages that commands open, as text."""

import pytest

from rein_tui.harness.protocol.decisions import Decision, Rule
from rein_tui.harness.protocol.displays import CommandDisplay, DiffDisplay, Hunk
from rein_tui.harness.protocol.errors import Failure
from rein_tui.harness.protocol.events import (
    Compacted,
    MessageFinished,
    Notice,
    PermissionDecided,
    RequestRetried,
    StepFinished,
    StepStarted,
    ThinkingDelta,
    ToolCallFinished,
    ToolCallStarted,
    TurnFailed,
)
from rein_tui.harness.protocol.messages import Message, TextBlock, ThinkingBlock
from tests import stories
from tests.app.driving import Stage, on_stage
from tests.app.fake_harness import SESSIONS
from tests.snapshots.goldens import check_golden
from tests.snapshots.test_shell import SIZES
from tests.stories import Story

WIDE = """Cells of every width:

| name | 値 | note |
|:-----|---:|:----:|
| cache | 12 | ok 👍 |
| 日本語の名前 | 3.14 | **bold** and `code` |
| é combining | 1,000 | שלום עולם |
| flags 🇩🇪 | 0 | a longer note that must wrap where the room is small, because it has many words in it |

1. A first item that is long enough to wrap at sixty columns, and then goes on a little more
   - nested `code`, **bold** and *italic*

> A quotation.

```python
def long_line(argument_one: int, argument_two: str, argument_three: float) -> dict[str, list[tuple[int, str]]]:
    return {}  # 日本語
```

A last paragraph that is rather long, so that on a wide screen one sees how far its lines go before they break, and that
it is not as far as the screen is wide.
"""
THOUGHT = "The person wants to know about the cache."
RULE = Rule(text="Bash(rm *)", behavior="deny", source=stories.SETTINGS)
DENIED = Decision(
    outcome="deny", reason=f"Denied by the rule Bash(rm *) ({stories.SETTINGS})", decided_by="rule", rule=RULE
)
DIFFS = (
    DiffDisplay(
        path="src/日本語.py",
        added=2,
        removed=1,
        hunks=(
            Hunk(
                old_start=98,
                old_lines=3,
                new_start=98,
                new_lines=4,
                lines=(" # 見出し", "-print('日本語です')", "+print('日本語です。')", "+print('👍 é')", " # עברית"),
            ),
        ),
    ),
    DiffDisplay(
        path="new.py",
        added=1,
        removed=0,
        old_exists=False,
        hunks=(Hunk(old_start=0, old_lines=0, new_start=1, new_lines=1, lines=("+import os",)),),
    ),
    DiffDisplay(
        path="gone.txt",
        added=0,
        removed=1,
        hunks=(Hunk(old_start=1, old_lines=1, new_start=0, new_lines=0, lines=("-last\r",)),),
        note="the end of the file has no line break",
    ),
)


def thinking() -> Story:
    """A thought, held in the middle, and a long answer."""
    message = Message(role="assistant", blocks=(ThinkingBlock(thinking=THOUGHT), TextBlock(text=WIDE)))
    return [
        StepStarted(step=1, model=stories.MODEL, thinking=True),
        ThinkingDelta(text=THOUGHT),
        stories.Hold(),
        MessageFinished(step=1, message=message, stop_reason="end_turn"),
        StepFinished(step=1),
    ]


def wrong() -> Story:
    """A command that fails, a call that is denied, changes, a retry, and an end that a person must act on."""
    build = stories.call("e1", "Bash", command="npm run build")
    remove = stories.call("e2", "Bash", command="rm -rf node_modules")
    edits = [stories.call(f"d{number}", "Edit", file_path=diff.path) for number, diff in enumerate(DIFFS)]
    output = "\x1b[31merror\x1b[0m during build:\nCould not resolve './cart' from src/main.ts\n"
    story: Story = [
        *stories.step(1, "Let me build it.", build, remove, *edits),
        stories.requested(build, "npm run build"),
        stories.requested(remove, "rm -rf node_modules"),
        *(stories.requested(edit, diff.path) for edit, diff in zip(edits, DIFFS, strict=True)),
        PermissionDecided(call_id="e1", decision=stories.ALLOWED),
        ToolCallStarted(call_id="e1", name="Bash", input=build.input),
        ToolCallFinished(
            call_id="e1",
            name="Bash",
            outcome="error",
            content=output,
            display=CommandDisplay(command="npm run build", output=output, exit_code=1),
            duration=3.4,
        ),
        PermissionDecided(call_id="e2", decision=DENIED),
        ToolCallFinished(call_id="e2", name="Bash", outcome="denied", content=DENIED.reason),
    ]
    for edit, diff in zip(edits, DIFFS, strict=True):
        story += [PermissionDecided(call_id=edit.id, decision=stories.ALLOWED), *stories.ran(edit, "edited", diff)]
    failure = Failure(
        message="The server answered 401: invalid x-api-key",
        where="https://api.anthropic.com/v1/messages",
        hint="/welcome takes another key",
        kind="auth",
        status=401,
    )
    return [
        *story,
        StepFinished(step=1),
        Compacted(summary="We fixed the login.", trigger="auto", tokens_before=168_000, tokens_after=6_000),
        Notice(text="The prompt cache has expired: 84k tokens are written again", level="warning", hint="/compact"),
        StepStarted(step=2, model=stories.MODEL),
        RequestRetried(attempt=2, delay=4.0, reason="overloaded", status=529, max_attempts=10),
        StepFinished(step=2),
        TurnFailed(failure=failure),
    ]


async def check(stage: Stage, name: str) -> None:
    """Compare with the golden."""
    await stage.settled()
    check_golden(f"{name}-{stage.app.size.width}x{stage.app.size.height}", stage.text())


async def check_light(stage: Stage, name: str) -> None:
    """The same in the light theme, which may not move a character."""
    await check(stage, name)
    stage.app.theme = "rein-light"
    await check(stage, name)
    stage.app.theme = "rein-dark"


@pytest.mark.parametrize("size", SIZES, ids=str)
async def test_a_chat_in_its_states(size: tuple[int, int]):
    async with on_stage(lambda: [thinking(), stories.commanding(), wrong()], size=size, stored=SESSIONS) as stage:
        surface = stage.app.main.chat.surface
        await stage.say("tell me about the cache")
        await check(stage, "chat-thinking")
        stage.harness.go_on()
        await stage.settled()
        await check(stage, "chat-wide")
        await stage.say("build it")
        await check(stage, "chat-running")
        stage.harness.go_on()
        await stage.settled()
        await stage.say("and clean up")
        await check(stage, "chat-wrong")
        stage.app.main.chat.density = "full"
        surface.scroll_to_end()
        await check_light(stage, "chat-full")
        await stage.press("ctrl+f", *"print")
        await stage.until(lambda: "of" in stage.text() and "earlier" in stage.text())
        await check(stage, "chat-search")


@pytest.mark.parametrize("size", SIZES, ids=str)
async def test_pages_and_pickers(size: tuple[int, int]):
    async with on_stage(lambda: [stories.greeting()], size=size, stored=SESSIONS) as stage:
        await stage.say("hello")
        for name, words in (
            ("help", "In the prompt"),
            ("status", "provider"),
            ("model", "Sonnet"),
        ):
            stage.app.run_command(name)
            await stage.until(lambda words=words: words in stage.text())
            await (check_light if name == "help" else check)(stage, f"page-{name}")
            await stage.press("escape")
            await stage.settled()
        await stage.press("ctrl+r", *"zzz")
        await stage.until(lambda: "nothing fits" in stage.text())
        await check(stage, "page-nothing")
