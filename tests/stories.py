"""Stories: what a harness tells, as events. Pilot tests, snapshots and screenshots are fed by the same ones.

A story is a list of beats: events, and holds at which a test looks around before it lets the story go on.
"""

from dataclasses import dataclass
from typing import TypeAlias

from rein_tui.harness.protocol.decisions import (
    Decision,
    Option,
    PermissionRequest,
    Question,
    QuestionRequest,
    Rule,
    RuleTrial,
    Source,
    Suggestion,
)
from rein_tui.harness.protocol.displays import CommandDisplay, DiffDisplay, Display, FileDisplay, Hunk
from rein_tui.harness.protocol.errors import Failure
from rein_tui.harness.protocol.events import (
    Event,
    FileChanged,
    HookFired,
    MessageFinished,
    Notice,
    PermissionDecided,
    PermissionRequested,
    QuestionAsked,
    StepFinished,
    StepStarted,
    TextDelta,
    ToolCallFinished,
    ToolCallRequested,
    ToolCallStarted,
    ToolOutputDelta,
    TurnFailed,
)
from rein_tui.harness.protocol.hooks import HookRun, HookSpec
from rein_tui.harness.protocol.messages import Message, TextBlock, ToolUseBlock, Usage


@dataclass(frozen=True, slots=True)
class Hold:
    """The story waits here until the test lets it go on, or the person interrupts."""


Beat: TypeAlias = Event | Hold
Story: TypeAlias = list[Beat]

MODEL = "claude-sonnet-4-5"
ALLOWED = Decision(outcome="allow", reason="reading inside the working directory", decided_by="read_only")
SETTINGS = Source(layer="project", path=".claude/settings.json", line=7)


def step(number: int, text: str, *calls: ToolUseBlock, tokens: int = 12_400, cost: float = 0.012) -> Story:
    """One model message, streamed in words, with the calls that it makes."""
    words = text.split(" ")
    deltas: Story = [TextDelta(text=word if at == 0 else f" {word}") for at, word in enumerate(words)] if text else []
    blocks = (TextBlock(text=text),) if text else ()
    usage = Usage(input_tokens=tokens, output_tokens=len(words), cache_read_tokens=4_000, cost_usd=cost)
    return [
        StepStarted(step=number, model=MODEL, provider="anthropic", message_count=2 * number),
        *deltas,
        MessageFinished(
            step=number,
            message=Message(role="assistant", blocks=(*blocks, *calls)),
            stop_reason="tool_use" if calls else "end_turn",
            usage=usage,
            first_token=0.42,
            duration=2.1,
            model=MODEL,
        ),
    ]


def call(call_id: str, name: str, **arguments: object) -> ToolUseBlock:
    """A tool use."""
    return ToolUseBlock(id=call_id, name=name, input=dict(arguments))


def requested(use: ToolUseBlock, summary: str, *, read_only: bool = False) -> ToolCallRequested:
    """The model asked for it."""
    return ToolCallRequested(
        call_id=use.id, name=use.name, input=use.input, step=1, summary=summary, read_only=read_only
    )


def ran(use: ToolUseBlock, content: str, display: Display | None = None, duration: float = 0.012) -> Story:
    """It ran and was answered."""
    return [
        ToolCallStarted(call_id=use.id, name=use.name, input=use.input),
        ToolCallFinished(
            call_id=use.id, name=use.name, outcome="ok", content=content, display=display, duration=duration
        ),
    ]


def hook(call_id: str, command: str, result: str = "rewrote", source: Source = SETTINGS) -> HookFired:
    """A hook that did something."""
    spec = HookSpec(
        id=f"hook-{command}",
        point="PreToolUse",
        handler="command",
        config={"type": "command", "command": command},
        source=source,
        matcher="Edit|Write",
    )
    run = HookRun(
        id=f"run-{command}",
        hook=spec,
        started=1_790_000_000.0,
        duration=0.041,
        result=result,  # pyright: ignore[reportArgumentType]  stories name results by hand
        exit_code=0,
        stdin='{"hook_event_name": "PreToolUse"}',
        stdout='{"hookSpecificOutput": {}}',
        reason="formatted the new text",
    )
    return HookFired(run=run, call_id=call_id)


def asking(use: ToolUseBlock, summary: str, preview: Display, rule: str) -> PermissionRequest:
    """The question whether it may run, with its reasons."""
    decision = Decision(
        outcome="ask",
        reason=f"{use.name} changes something and no rule allows it",
        decided_by="default",
        source=SETTINGS,
        trials=(
            RuleTrial(
                rule=Rule(text="Bash(git status)", behavior="allow", source=SETTINGS),
                matched=False,
                reason="other command",
            ),
        ),
        suggestions=(Suggestion(rules=(rule,), label=f"every {rule}"),),
    )
    return PermissionRequest(
        id=f"ask-{use.id}",
        call_id=use.id,
        tool=use.name,
        input=use.input,
        summary=summary,
        decision=decision,
        preview=preview,
    )


HUNK = Hunk(
    old_start=41,
    old_lines=5,
    new_start=41,
    new_lines=6,
    lines=(
        " def is_expired(token: Token, now: datetime) -> bool:",
        '     """Whether the token may no longer be used."""',
        "-    return token.expires < now",
        "+    if token.expires is None:",
        "+        return False",
        "+    return token.expires <= now",
        " ",
    ),
)
DIFF = DiffDisplay(path="src/auth/tokens.py", hunks=(HUNK,), added=3, removed=1)


def greeting() -> Story:
    """The shortest turn."""
    return [*step(1, "Hello. What shall we work on?"), StepFinished(step=1)]


def fix() -> Story:
    """Read, an edit that asks and that a hook rewrote, a test run, an answer in markdown."""
    read = call("c1", "Read", file_path="src/auth/tokens.py")
    edit = call("c2", "Edit", file_path="src/auth/tokens.py", old_string="a", new_string="b")
    test = call("c3", "Bash", command="pytest -q tests/auth", description="Run the auth tests")
    asked = asking(edit, "Edit src/auth/tokens.py  +3 −1", DIFF, "Edit(src/auth/**)")
    question = asking(
        test, "pytest -q tests/auth", CommandDisplay(command="pytest -q tests/auth", cwd="/w/shop"), "Bash(pytest *)"
    )
    output = "....................................                     [100%]\n36 passed in 1.94s\n"
    return [
        *step(1, "I'll read the code before I change anything.", read),
        requested(read, "src/auth/tokens.py", read_only=True),
        PermissionDecided(call_id="c1", decision=ALLOWED),
        *ran(
            read,
            "class Token: ...",
            FileDisplay(path="src/auth/tokens.py", text="class Token:\n    expires: datetime\n"),
        ),
        StepFinished(step=1),
        *step(2, "A token that expires *exactly now* still counts as valid, and one without a date crashes.", edit),
        requested(edit, "src/auth/tokens.py"),
        hook("c2", "lint.sh"),
        PermissionDecided(call_id="c2", decision=asked.decision),
        PermissionRequested(request=asked),
        *ran(edit, "edited", DIFF, 0.008),
        FileChanged(call_id="c2", path="src/auth/tokens.py", added=3, removed=1),
        StepFinished(step=2),
        *step(3, "Now the tests.", test),
        requested(test, "pytest -q tests/auth"),
        PermissionDecided(call_id="c3", decision=question.decision),
        PermissionRequested(request=question),
        ToolCallStarted(call_id="c3", name="Bash", input=test.input),
        ToolOutputDelta(call_id="c3", text=output),
        ToolCallFinished(
            call_id="c3",
            name="Bash",
            outcome="ok",
            content=output,
            display=CommandDisplay(command="pytest -q tests/auth", output=output, exit_code=0),
            duration=2.2,
        ),
        StepFinished(step=3),
        *step(4, ANSWER),
        StepFinished(step=4),
    ]


ANSWER = """Fixed: `is_expired` now treats a token **without a date** as valid and one that expires *now* as expired.

```python
def is_expired(token: Token, now: datetime) -> bool:
    if token.expires is None:
        return False
    return token.expires <= now
```

- 36 tests pass
- nothing else calls the old comparison
"""


def streaming() -> Story:
    """A long answer, held in the middle."""
    text = "The cache has three layers, and each one hides the next."
    beats = step(1, text)
    return [*beats[:6], Hold(), *beats[6:], StepFinished(step=1)]


def commanding() -> Story:
    """A command that runs, held while it prints."""
    use = call("b1", "Bash", command="make build")
    return [
        *step(1, "Building.", use),
        requested(use, "make build"),
        PermissionDecided(call_id="b1", decision=ALLOWED),
        ToolCallStarted(call_id="b1", name="Bash", input=use.input),
        ToolOutputDelta(call_id="b1", text="cc -O2 main.c\n"),
        Hold(),
        ToolCallFinished(call_id="b1", name="Bash", outcome="ok", content="cc -O2 main.c\n", duration=9.0),
        StepFinished(step=1),
    ]


def failing() -> Story:
    """A turn that ends with an error that a person can act on."""
    failure = Failure(
        message="the server refused the key",
        where="https://api.anthropic.com",
        hint="/welcome takes another key",
        kind="auth",
        status=401,
    )
    return [StepStarted(step=1, model=MODEL), StepFinished(step=1), TurnFailed(failure=failure)]


def questioning(*, several: bool = False) -> Story:
    """A tool that asks the person."""
    question = Question(
        question="Which database should the example use?",
        header="Database",
        options=(
            Option(label="SQLite", description="one file, nothing to run"),
            Option(label="PostgreSQL", description="what production uses"),
        ),
        multi_select=several,
    )
    use = call("q1", "AskUserQuestion", questions=[])
    request = QuestionRequest(id="q", questions=(question,), call_id="q1")
    return [
        *step(1, "One question first.", use),
        requested(use, "Which database should the example use?"),
        QuestionAsked(request=request),
        *ran(use, "answered"),
        StepFinished(step=1),
    ]


def noticing() -> Story:
    """Warnings with foreign text in them."""
    text = "hook said [red]stop[/red] \x1b]0;owned\x07 \u202e[/tmp/a]"
    return [Notice(text=text, level="warning", where="[/x]", hint="[@click=app.quit]no[/]"), *greeting()]
