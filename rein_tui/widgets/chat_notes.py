"""The small blocks between messages and calls: receipts of hooks, notices, retries, boundaries, how a turn ended."""

from collections.abc import Sequence

from textual.content import Content

from rein_tui.harness.protocol import events as ev
from rein_tui.harness.protocol.decisions import Decision, PermissionReply

from .chat_blocks import BoundaryBlock, ChatBlock, Look, NoteBlock
from .figures import short_count, short_duration
from .hook_words import did
from .safe import safe_content, safe_text

_ALARMING = frozenset({"deny", "block", "stopped", "timeout", "failed", "bad_output", "killed"})
_LEVELS = {
    "info": ("·", "$text-muted"),
    "warning": ("!", "$text-warning"),
    "error": ("✗", "$text-error"),
}
_ENDINGS = {
    "max_turns": "stopped: the limit of steps is reached",
    "max_tokens": "stopped: the answer hit the limit of tokens",
    "refusal": "the model declined to go on",
    "hook": "stopped by a hook",
    "denied": "stopped: you said no",
    "budget": "stopped: the budget is used up",
    "context_full": "stopped: the context window is full",
}
_AFTER = {
    "max_tokens": "Say “go on” for the rest of the answer.",
    "context_full": "/compact makes room, /rewind goes back.",
}
"""What to do next, where the end does not say it."""


def blocks_for(event: ev.Event, look: Look, tasks: dict[str, str]) -> Sequence[ChatBlock]:
    """The notes that an event leaves in the chat; most leave none."""
    match event:
        case ev.Notice(code="hook_message" | "wake" | "woken"):
            return ()  # the hook's receipt says it, or the turn that it starts
        case ev.Notice():
            glyph, style = _LEVELS[event.level]
            return [_note(event, look, glyph, event.text, style, event.where, event.hint)]
        case ev.RequestRetried():
            of = f" of {event.max_attempts}" if event.max_attempts else ""
            wait = f" in {short_duration(event.delay)}" if event.delay else ""
            return [_note(event, look, "↻", f"try {event.attempt}{of}{wait}: {event.reason}", "$text-warning")]
        case ev.HookFired():
            return hook_receipt(event, look)
        case ev.Compacted():
            return [compaction_boundary(event, look)]
        case ev.TurnFinished() | ev.TurnInterrupted() | ev.TurnFailed():
            return turn_end(event, look)
        case _:
            return _changes(event, look, tasks)


def _changes(event: ev.Event, look: Look, tasks: dict[str, str]) -> Sequence[ChatBlock]:
    match event:
        case ev.ModeChanged():
            return [_note(event, look, "·", f"mode: {event.mode}")]
        case ev.ModelChanged():
            note = f" ({event.note})" if event.note else ""
            return [_note(event, look, "·", f"model: {event.model}{note}")]
        case ev.BackgroundStarted():
            return [_note(event, look, "◇", f"in the background: {event.title}")]
        case ev.BackgroundFinished():
            title = tasks.get(event.task_id, event.task_id)
            code = f" (exit {event.exit_code})" if event.exit_code else ""
            style = "$text-muted" if event.status == "completed" else "$text-error"
            glyph = "◆" if event.status == "completed" else "✗"
            return [_note(event, look, glyph, f"background {event.status}: {title}{code}", style)]
        case ev.QuestionAnswered():
            answers = [f"{question} → {answer}" for question, answer in event.reply.answers.items()]
            unanswered = "declined" if event.reply.declined else "question left unanswered"
            text = "\n".join(answers) if answers and not event.reply.cancelled else unanswered
            return [_note(event, look, "?", text)]
        case _:
            return ()


def hook_receipt(event: ev.HookFired, look: Look) -> Sequence[ChatBlock]:
    """One dim line for a hook that did something, with all that it says to the person; nothing for one that did not."""
    run = event.run
    if run.result == "nothing" or run.dry:
        return ()
    style = "$text-warning" if run.result in _ALARMING else "$text-muted"
    sends_on = run.context if run.result == "block" else ""
    said, message = _first_line(run.reason or run.message or sends_on), run.message.strip()
    # What a background hook says is for the model's next request, not for the person.
    below = "" if message == said or run.hook.is_async else message
    if said and below.startswith(said):
        said = ""
    words = f": {said.rstrip('.')}" if said else ""
    text = f"{run.hook.name} {did(run)}{words} · {short_duration(run.duration)}"
    receipt = _note(event, look, "⚓", text, style)
    if below:
        receipt.details.append(safe_content(below, "output", "$text"))
    receipt.nested = False
    return [receipt]


def compaction_boundary(event: ev.Compacted, look: Look) -> ChatBlock:
    """The rule where older messages gave way to a summary."""
    sizes = ""
    if event.tokens_before:
        sizes = f" · {short_count(event.tokens_before)} → {short_count(event.tokens_after)} tokens"
    trigger = "" if event.trigger == "manual" else " by itself"
    return BoundaryBlock(look, event.turn, f"compacted{trigger}{sizes}", event.summary)


def rewind_boundary(event: ev.Rewound, look: Look) -> BoundaryBlock:
    """The rule where the conversation went back; it folds what no longer counts."""
    where = f"the end of turn {event.to_turn}" if event.to_turn else "the start"
    what = [f"rewound to {where}"] if event.conversation else ["files put back, conversation kept"]
    if event.restored:
        count = len(event.restored)
        what.append(f"{count} file{'s' * (count > 1)} restored")
    detail = "\n".join(
        [*(f"restored {path}" for path in event.restored), *(f"left as it is: {path}" for path in event.kept_files)]
    )
    boundary = BoundaryBlock(look, event.to_turn, " · ".join(what), detail)
    boundary.foldable = True
    return boundary


def turn_end(event: ev.TurnEnd, look: Look) -> Sequence[ChatBlock]:
    """How a turn ended, where that was not simply well."""
    match event:
        case ev.TurnInterrupted():
            reason = f": {event.reason}" if event.reason else ""
            return [_end(_note(event, look, "■", f"interrupted{reason}", "$text-warning"))]
        case ev.TurnFailed():
            failure = event.failure
            return [_end(_note(event, look, "✗", failure.message, "$text-error", failure.where, failure.hint))]
        case ev.TurnFinished():
            words = _ENDINGS.get(event.reason, "")
            if not words:
                return ()
            # The receipt has said a hook's reason, but of a long one only the beginning.
            is_said = event.reason == "hook" and _first_line(event.detail) == event.detail.strip()
            detail = f": {event.detail}" if event.detail and not is_said else ""
            return [
                _end(_note(event, look, "■", f"{words}{detail}", "$text-warning", hint=_AFTER.get(event.reason, "")))
            ]


def _end(note: NoteBlock) -> NoteBlock:
    """A note that ends a turn stands by itself."""
    note.kind = "end"
    return note


def reason_in_short(decision: Decision) -> str:
    """Who decided, in a few words; that it was denied stands beside it."""
    said = "" if decision.outcome == "deny" else f"{decision.outcome}: "
    if decision.rule is not None:
        return f"{said}{decision.rule.text}"
    if decision.decided_by == "hook":
        return f"{said}hook"
    return decision.decided_by.replace("_", " ")


def answer_in_short(reply: PermissionReply) -> str:
    """The answer to a question as the card shows it: `ask → once`."""
    who = "" if reply.answered_by == "person" else f" ({reply.answered_by})"
    scope = f" ({reply.scope})" if reply.answer == "always" else ""
    return f"ask → {reply.answer}{scope}{who}"


def _first_line(text: str) -> str:
    return safe_text(text.strip().partition("\n")[0], "label")[:200]


def _note(
    event: ev.BaseEvent, look: Look, glyph: str, text: str, style: str = "$text-muted", where: str = "", hint: str = ""
) -> NoteBlock:
    note = NoteBlock(look, event.turn, glyph, safe_content(text.strip(), "output"), style)
    if where:
        note.details.append(safe_content(where, "path"))
    if hint:
        note.details.append(Content("→ ") + safe_content(hint, "output"))
    return note
