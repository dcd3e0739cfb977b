"""The ordering laws of harness/protocol/events.py, as a checker that every suite can run on a story."""

from collections.abc import Sequence

from rein_tui.harness.protocol.events import (
    DELTAS,
    TURN_ENDS,
    Event,
    HookFired,
    MessageFinished,
    PermissionDecided,
    PermissionRequested,
    PermissionResolved,
    StepFinished,
    StepStarted,
    TextDelta,
    ThinkingDelta,
    ToolCallFinished,
    ToolCallRequested,
    ToolCallStarted,
    ToolInputDelta,
    ToolOutputDelta,
    TurnStarted,
)

_CALL_FACTS = (
    ToolCallRequested,
    PermissionDecided,
    PermissionRequested,
    PermissionResolved,
    ToolCallStarted,
    ToolOutputDelta,
    ToolCallFinished,
)
_NEXT: dict[str, set[str]] = {
    "": {"ToolCallRequested"},
    "ToolCallRequested": {"PermissionDecided", "ToolCallFinished"},
    "PermissionDecided": {"PermissionDecided", "PermissionRequested", "ToolCallStarted", "ToolCallFinished"},
    "PermissionRequested": {"PermissionResolved", "ToolCallFinished"},
    "PermissionResolved": {"PermissionDecided", "ToolCallStarted", "ToolCallFinished"},
    "ToolCallStarted": {"ToolOutputDelta", "ToolCallFinished"},
    "ToolOutputDelta": {"ToolOutputDelta", "ToolCallFinished"},
    "ToolCallFinished": set(),
}


def check_turn(events: Sequence[Event]) -> None:
    """Raise AssertionError where one turn's story, from TurnStarted to its end, breaks a law."""
    assert isinstance(events[0], TurnStarted)
    assert isinstance(events[-1], TURN_ENDS)
    assert sum(isinstance(e, TURN_ENDS) for e in events) == 1
    in_step = False
    message_done = False
    calls: dict[str, str] = {}
    for event in events[1:-1]:
        match event:
            case StepStarted():
                assert not in_step
                in_step, message_done = True, False
            case MessageFinished():
                assert in_step
                assert not message_done
                message_done = True
            case StepFinished():
                assert in_step
                assert all(state == "ToolCallFinished" for state in calls.values()), "an unanswered call"
                in_step = False
            case TextDelta() | ThinkingDelta() | ToolInputDelta():
                assert in_step
                assert not message_done
            case HookFired(call_id=call_id) if call_id:
                assert calls.get(call_id, "") != "ToolCallFinished"
            case _ if isinstance(event, _CALL_FACTS):
                assert in_step
                assert message_done
                _advance(calls, event)
            case _:
                pass
    assert not in_step


def _advance(calls: dict[str, str], event: Event) -> None:
    call_id = event.request.call_id if isinstance(event, PermissionRequested) else getattr(event, "call_id", "")
    before, now = calls.get(call_id, ""), type(event).__name__
    assert now in _NEXT[before], f"{call_id}: {now} after {before or 'nothing'}"
    calls[call_id] = now


def without_deltas(events: Sequence[Event]) -> list[Event]:
    """The facts alone."""
    return [e for e in events if not isinstance(e, DELTAS)]
