"""Stories for the chat's tests: event lists that keep the ordering laws, written by hand and drawn at random."""

from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st

from rein_tui.harness.protocol import events as ev
from rein_tui.harness.protocol.decisions import Decision, PermissionReply, PermissionRequest, Rule, Source
from rein_tui.harness.protocol.displays import CommandDisplay, DiffDisplay, Display, Hunk, Todo
from rein_tui.harness.protocol.errors import Failure
from rein_tui.harness.protocol.hooks import HookRun, HookSpec
from rein_tui.harness.protocol.messages import Message, TextBlock, ThinkingBlock

DIFF = DiffDisplay(
    path="/w/src/auth.py",
    added=1,
    removed=1,
    hunks=(
        Hunk(old_start=1, old_lines=2, new_start=1, new_lines=2, lines=(" def f():", "-    return 1", "+    return 2")),
    ),
)
COMMAND = CommandDisplay(command="pytest -q", output="\x1b[31m1 failed\x1b[0m\n", exit_code=1)
PROSE = (
    "Plain words.",
    "# Head\n\nsome `code`\n\n- a\n- b\n\n",
    "```python\nx = 1\n```\n",
    "| a | b |\n|---|---|\n| 1 | 2 |\n",
    "漢字 \x1b]0;t\x07 <b>x</b> [/x]",
)


def message(*blocks: TextBlock | ThinkingBlock, turn: int = 1, parent: str = "", step: int = 1) -> ev.MessageFinished:
    """What the model said."""
    said = Message(role="assistant", blocks=blocks)
    return ev.MessageFinished(step=step, message=said, stop_reason="end_turn", turn=turn, parent=parent)


def hook(call_id: str, result: str, turn: int = 1) -> ev.HookFired:
    """A hook that ran."""
    source = Source(layer="project", path=".claude/settings.json", line=3)
    spec = HookSpec(id="h", point="PreToolUse", handler="command", config={"command": "./lint.sh --fix"}, source=source)
    updated = {"file_path": "/w/a.py"} if result == "rewrote" else None
    run = HookRun(id="r", hook=spec, started=0.0, duration=0.041, result=result, updated_input=updated)  # pyright: ignore[reportArgumentType]
    return ev.HookFired(run=run, call_id=call_id, turn=turn)


def call(
    call_id: str,
    outcome: str = "ok",
    *,
    display: Display | None = None,
    ask: str = "",
    inside: list[ev.Event] | None = None,
    turn: int = 1,
    parent: str = "",
    edited_by: tuple[str, ...] = (),
    name: str = "Bash",
) -> list[ev.Event]:
    """One call from request to answer."""
    common: dict[str, Any] = {"turn": turn, "parent": parent}
    rule = Rule(
        text="Bash(rm *)", behavior="deny", source=Source(layer="project", path=".claude/settings.json", line=4)
    )
    decision = Decision(outcome="ask" if ask else "allow", reason="why", decided_by="default")
    if outcome == "denied" and not ask:
        decision = Decision(outcome="deny", reason="why", decided_by="rule", rule=rule)
    story: list[ev.Event] = [ev.ToolCallRequested(call_id=call_id, name=name, summary=f"{name} do {call_id}", **common)]
    if outcome != "invalid":
        story.append(ev.PermissionDecided(call_id=call_id, decision=decision, **common))
    if ask:
        request = PermissionRequest(
            id=f"q{call_id}", call_id=call_id, tool=name, input={}, summary="s", decision=decision
        )
        reply = PermissionReply(answer=ask)  # pyright: ignore[reportArgumentType]
        story.append(ev.PermissionRequested(request=request, **common))
        story.append(ev.PermissionResolved(request_id=request.id, call_id=call_id, reply=reply, **common))
    if outcome in {"ok", "error", "interrupted"}:
        story.append(ev.ToolCallStarted(call_id=call_id, name=name, edited_by=edited_by, **common))
        story.append(ev.ToolOutputDelta(call_id=call_id, text="live \x1b[32mout\x1b[0m\nput\n", **common))
    story += inside or []
    finished = ev.ToolCallFinished(
        call_id=call_id,
        name=name,
        outcome=outcome,  # pyright: ignore[reportArgumentType]
        content=f"result of {call_id}",
        display=display,
        duration=0.012,
        **common,
    )
    return [*story, finished]


def deltas(text: str, cuts: list[int], turn: int, parent: str = "", thinking: bool = False) -> list[ev.Event]:
    """The text as it would come."""
    kind = ev.ThinkingDelta if thinking else ev.TextDelta
    places = sorted(cut % (len(text) + 1) for cut in cuts)
    parts = [text[a:b] for a, b in zip([0, *places], [*places, len(text)], strict=True)]
    return [kind(text=part, turn=turn, parent=parent) for part in parts if part]


@st.composite
def steps(draw: st.DrawFn, turn: int, number: int, parent: str = "") -> list[ev.Event]:
    """One step: deltas, perhaps a retry or a notice among them, the message, calls."""
    story: list[ev.Event] = [ev.StepStarted(step=number, turn=turn, parent=parent)]
    blocks: list[TextBlock | ThinkingBlock] = []
    for kind in draw(st.lists(st.sampled_from(["text", "thinking"]), max_size=3)):
        text = draw(st.sampled_from(PROSE))
        cuts = draw(st.lists(st.integers(0, 50), max_size=4))
        blocks.append(TextBlock(text=text) if kind == "text" else ThinkingBlock(thinking=text))
        story += deltas(text, cuts, turn, parent, kind == "thinking")
        if draw(st.booleans()):
            story.append(
                draw(
                    st.sampled_from(
                        [
                            ev.RequestRetried(attempt=2, delay=1.0, reason="overloaded", turn=turn, parent=parent),
                            ev.Notice(text="look", level="warning", turn=turn, parent=parent),
                        ]
                    )
                )
            )
    if draw(st.integers(0, 9)) == 0:
        return [*story, ev.StepFinished(step=number, turn=turn, parent=parent)]
    story.append(message(*blocks, turn=turn, parent=parent, step=number))
    for index in range(draw(st.integers(0, 3))):
        story += draw(calls(f"{parent}{turn}.{number}.{index}", turn, parent))
    return [*story, ev.StepFinished(step=number, turn=turn, parent=parent)]


@st.composite
def calls(draw: st.DrawFn, call_id: str, turn: int, parent: str) -> list[ev.Event]:
    """One call, perhaps a subagent with steps of its own."""
    inside: list[ev.Event] = []
    if not parent and draw(st.integers(0, 4)) == 0:
        inside = draw(steps(turn, 1, call_id))
    elif draw(st.booleans()):
        inside = [hook(call_id, draw(st.sampled_from(["nothing", "rewrote", "deny", "failed"])), turn)]
    return call(
        call_id,
        draw(st.sampled_from(["ok", "ok", "ok", "error", "denied", "interrupted", "invalid"])),
        display=draw(st.sampled_from([None, DIFF, COMMAND])),
        ask=draw(st.sampled_from(["", "", "once", "session"])),
        inside=inside,
        turn=turn,
        parent=parent,
        edited_by=draw(st.sampled_from([(), (), ("you",)])),
    )


@st.composite
def stories(draw: st.DrawFn) -> list[ev.Event]:
    """A session of a few turns."""
    story: list[ev.Event] = [ev.SessionStarted(session_id="s", cwd="/w")]
    for turn in range(1, draw(st.integers(1, 3)) + 1):
        story.append(ev.TurnStarted(text=f"do {turn}\nplease", turn=turn))
        for number in range(1, draw(st.integers(0, 3)) + 1):
            story += draw(steps(turn, number))
        if draw(st.booleans()):
            todos = (Todo(content="a", status="completed"), Todo(content="b", status="pending"))
            story.append(ev.TodosChanged(todos=todos, turn=turn))
        ends: list[Callable[[], ev.Event]] = [
            lambda turn=turn: ev.TurnFinished(turn=turn),
            lambda turn=turn: ev.TurnInterrupted(turn=turn),
            lambda turn=turn: ev.TurnFailed(failure=Failure(message="gone", hint="try again"), turn=turn),
        ]
        story.append(draw(st.sampled_from(ends))())
        if draw(st.integers(0, 4)) == 0:
            story.append(ev.Compacted(summary="short", tokens_before=900, tokens_after=90, turn=turn))
        if draw(st.integers(0, 4)) == 0:
            story.append(ev.Rewound(to_turn=turn - 1, turn=turn))
    return story
