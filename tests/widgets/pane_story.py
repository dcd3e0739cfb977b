"""A story for the dock panes: a call rewritten, asked about, edited and run; a slow hook; one that denies."""

from typing import Any

import msgspec

from rein_tui.harness.protocol.decisions import (
    Decision,
    HookVerdict,
    PartDecision,
    PermissionReply,
    Rule,
    RuleTrial,
    Source,
)
from rein_tui.harness.protocol.displays import DiffDisplay, Hunk
from rein_tui.harness.protocol.events import (
    DELTAS,
    ContextPrepared,
    Event,
    Fact,
    HookFired,
    HooksSkipped,
    MessageFinished,
    PermissionDecided,
    PermissionRequested,
    PermissionResolved,
    PromptAdded,
    RequestRetried,
    SessionStarted,
    StepFinished,
    StepStarted,
    ToolCallFinished,
    ToolCallRequested,
    ToolCallStarted,
    TurnFinished,
    TurnStarted,
)
from rein_tui.harness.protocol.hooks import HookRun, HookSkip, HookSpec
from rein_tui.harness.protocol.messages import Message as Words
from rein_tui.harness.protocol.messages import ParseTrace, TextBlock, ToolSpec, ToolUseBlock, Usage

T0 = 1_790_000_000.0
PROJECT = Source(layer="project", path="/w/shop/.claude/settings.json", line=18)
USER = Source(layer="user", path="/home/ann/.claude/settings.json", line=4)


def hook_run(run_id: str, script: str, **changes: Any) -> HookRun:
    """A run of a command hook."""
    point = changes.pop("point", "PreToolUse")
    spec = HookSpec(
        id=f"spec-{script}",
        point=point,
        handler="command",
        config={"type": "command", "command": f'python3 "$CLAUDE_PROJECT_DIR/.claude/hooks/{script}"'},
        source=PROJECT,
        matcher="Bash",
        on_error=changes.pop("on_error", ""),
    )
    given: dict[str, Any] = {"started": T0 + 3, "duration": 0.2, "result": "nothing", "exit_code": 0}
    return HookRun(id=run_id, hook=spec, **(given | changes))


def at(seconds: float, *events: Event, turn: int = 1, parent: str = "") -> list[Event]:
    """These events, at that time of the story."""
    return [
        msgspec.structs.replace(event, time=T0 + seconds, turn=turn, parent=event.parent or parent) for event in events
    ]


def _answer(
    step: int, text: str, *calls: ToolUseBlock, usage: Usage, parse: ParseTrace | None = None
) -> MessageFinished:
    message = Words(role="assistant", blocks=(TextBlock(text=text), *calls))
    return MessageFinished(
        step=step,
        message=message,
        stop_reason="tool_use" if calls else "end_turn",
        usage=usage,
        first_token=0.5,
        duration=2.0,
        model="claude-sonnet",
        request_id=f"req_{step}",
        parse=parse,
    )


BASH = ToolUseBlock(id="c1", name="Bash", input={"command": "rm -rf build && make", "description": "Build anew"})
EDIT = ToolUseBlock(id="c2", name="Edit", input={"file_path": "/w/shop/cart.py", "old_string": "a", "new_string": "b"})
REWRITTEN = {"command": "rm -r build && make", "description": "Build anew"}
EDITED = {"command": "make clean && make", "description": "Build anew"}
TRACE = ParseTrace(
    raw='<tool_call>{"name": "Bash", "arguments": {"command": "rm -rf build && make",}}</tool_call>',
    dialect="hermes",
    repairs=("removed a trailing comma", "closed the outer brace"),
    call_ids=("c1",),
)
DIFF = DiffDisplay(
    path="/w/shop/cart.py",
    hunks=(Hunk(old_start=6, old_lines=1, new_start=6, new_lines=1, lines=("-return a", "+return b")),),
    added=1,
    removed=1,
)
ASKED = Decision(
    outcome="ask",
    reason="`rm -rf build` asks because a rule says so",
    decided_by="rule",
    rule=Rule(text="Bash(rm *)", behavior="ask", source=PROJECT),
    trials=(
        RuleTrial(
            rule=Rule(text="Bash(rm *)", behavior="ask", source=PROJECT),
            matched=True,
            decided=True,
            reason="the pattern covers the command",
            part="rm -rf build",
        ),
        RuleTrial(rule=Rule(text="Bash(ls:*)", behavior="allow", source=USER), matched=False, reason="other program"),
    ),
    parts=(
        PartDecision(text="rm -rf build", outcome="ask", reason="Bash(rm *) asks"),
        PartDecision(text="make", outcome="allow", reason="Bash(make) allows"),
    ),
    hook_verdicts=(HookVerdict(outcome="allow", reason="inside the project", source=PROJECT),),
)
ALLOWED = Decision(outcome="allow", reason="it works inside the project", decided_by="working_directory")
PAYLOAD = msgspec.json.encode({"hook_event_name": "PreToolUse", "tool_name": "Bash", "tool_input": BASH.input}).decode()
REWROTE = hook_run(
    "r1",
    "soften.py",
    result="rewrote",
    stdin=PAYLOAD,
    stdout='{"hookSpecificOutput": {"updatedInput": {}}}',
    parsed={"hookSpecificOutput": {"updatedInput": REWRITTEN}},
    updated_input=REWRITTEN,
    environment={"CLAUDE_PROJECT_DIR": "/w/shop"},
)
DENIED = hook_run(
    "r2",
    "guard.py",
    started=T0 + 62.7,
    result="deny",
    exit_code=2,
    stderr="no edits on Fridays\n",
    reason="no edits on Fridays",
)
BROKEN = hook_run(
    "r3", "flaky.py", result="timeout", exit_code=None, duration=38.0, started=T0 + 12, point="PostToolUse"
)


def story() -> list[Fact]:
    """Two turns: a call that was rewritten, asked about, edited and ran; one that a hook denied; a slow hook."""
    first, second = (
        Usage(input_tokens=1800, output_tokens=60, cost_usd=0.01),
        Usage(input_tokens=100, output_tokens=40, cache_read_tokens=1700, cache_write_tokens=200, cost_usd=0.004),
    )
    request = PermissionRequested(request=_request())
    reply = PermissionReply(answer="once", input=EDITED, words="clean is enough")
    result = "\n".join(["cc -O2 main.c", *(f"line {number}" for number in range(300)), "needle at the end"])
    events: list[Event] = [
        *at(0, SessionStarted(session_id="s", cwd="/w/shop", model="claude-sonnet"), turn=0),
        *at(
            0,
            TurnStarted(text="build it"),
            ContextPrepared(system="x" * 3600, tools=TOOLS, sources={"instructions": 3600}),
        ),
        *at(0, PromptAdded(message=_user("a" * 400), origin="memory", source="/w/shop/CLAUDE.md")),
        *at(0, PromptAdded(message=_user("build it"))),
        *at(0, StepStarted(step=1, model="claude-sonnet", provider="anthropic", message_count=2)),
        *at(1, RequestRetried(attempt=1, delay=0.5, reason="overloaded", status=529)),
        *at(2, _answer(1, "I *build* it.", BASH, usage=first, parse=TRACE)),
        *at(2, ToolCallRequested(call_id="c1", name="Bash", input=BASH.input, step=1, summary="rm -rf build && make")),
        *at(3.2, HookFired(run=REWROTE, call_id="c1"), _skipped("c1")),
        *at(3.3, PermissionDecided(call_id="c1", decision=ASKED, duration=0.002), request),
        *at(9.3, PermissionResolved(request_id="ask-c1", call_id="c1", reply=reply, waited=6.0)),
        *at(9.4, PermissionDecided(call_id="c1", decision=ALLOWED)),
        *at(9.5, ToolCallStarted(call_id="c1", name="Bash", input=EDITED, edited_by=("hook soften.py", "you"))),
        *at(50, HookFired(run=BROKEN, call_id="c1")),
        *at(50, ToolCallFinished(call_id="c1", name="Bash", outcome="ok", content=result, duration=2.5)),
        *at(50, StepFinished(step=1), StepStarted(step=2, model="claude-sonnet")),
        *at(
            52, _answer(2, "Done.", usage=second), StepFinished(step=2), TurnFinished(usage=first + second, duration=52)
        ),
        *at(60, TurnStarted(text="now edit"), PromptAdded(message=_user("now edit")), turn=2),
        *at(60, StepStarted(step=1, model="claude-sonnet"), turn=2),
        *at(62, _answer(1, "Editing.", EDIT, usage=second), turn=2),
        *at(
            62,
            ToolCallRequested(call_id="c2", name="Edit", input=EDIT.input, step=1, summary="/w/shop/cart.py"),
            turn=2,
        ),
        *at(63, HookFired(run=DENIED, call_id="c2"), turn=2),
        *at(
            63,
            PermissionDecided(call_id="c2", decision=Decision(outcome="deny", reason="denied", decided_by="hook")),
            turn=2,
        ),
        *at(63, ToolCallFinished(call_id="c2", name="Edit", outcome="denied", content="denied", display=DIFF), turn=2),
        *at(63, StepFinished(step=1), TurnFinished(reason="denied", duration=3), turn=2),
    ]
    return [event for event in events if not isinstance(event, DELTAS)]


TOOLS = (
    ToolSpec(name="Bash", description="runs " * 100, input_schema={"type": "object"}),
    ToolSpec(name="query", description="asks " * 20, input_schema={"type": "object"}, source="mcp:db"),
)


def _user(text: str) -> Words:
    return Words(role="user", blocks=(TextBlock(text=text),))


def _request() -> Any:
    from rein_tui.harness.protocol.decisions import PermissionRequest

    return PermissionRequest(
        id="ask-c1", call_id="c1", tool="Bash", input=REWRITTEN, summary="rm -r build && make", decision=ASKED
    )


def _skipped(call_id: str) -> HooksSkipped:
    other = hook_run("", "format.py").hook
    return HooksSkipped(
        point="PreToolUse",
        skipped=(HookSkip(hook=other, reason="matcher 'Edit' does not match 'Bash'"),),
        call_id=call_id,
    )
