"""The rows of the inspector: a rule for each turn, a line for each model step, an indented line for each call."""

from collections.abc import Sequence

from textual.content import Content

from rein_tui.harness.protocol import events as ev
from rein_tui.harness.protocol.messages import Usage

from .figures import short_count, short_duration
from .inspector_records import CallRecord, Record, StepRecord, TurnRecord
from .lines import BLANK, EMPTY, Piece
from .rows import ListRow, columns
from .safe import safe_content

GLYPHS = {
    "ok": ("✓", "$text-success"),
    "error": ("✗", "$text-error"),
    "denied": ("⊘", "$text-error"),
    "interrupted": ("■", "$text-warning"),
    "invalid": ("✗", "$text-error"),
}
_TIME_CELLS = 6
_PROVENANCE_CELLS = 14
ROOMY = 54
"""Cells from which a row says more than the least."""


class RecordRow(ListRow):
    """The row of one record."""

    def __init__(self, record: Record) -> None:
        self.record = record

    @property
    def selectable(self) -> bool:  # pyright: ignore[reportIncompatibleVariableOverride]  # a turn's rule is no row
        """The cursor passes over the rule of a turn."""
        return not isinstance(self.record, TurnRecord)

    @property
    def source(self) -> str:
        return title(self.record).plain

    def pieces(self, width: int) -> Sequence[Piece]:
        pieces = super().pieces(width)
        return (BLANK, *pieces) if isinstance(self.record, TurnRecord) and self.record.turn > 1 else pieces

    def draw(self, width: int) -> Content:
        record = self.record
        indent = "  " * record.depth
        match record:
            case TurnRecord():
                return _turn(record, width)
            case StepRecord():
                left = Content.assemble(indent, _state(record), " ", title(record))
                return columns(width, left, _step_figures(record, width), gap=2 if width >= ROOMY else 1)
            case CallRecord():
                left = Content.assemble(f"{indent}  ", _state(record), " ", title(record))
                return columns(width, left, _call_figures(record, width), gap=2 if width >= ROOMY else 1)
            case _:
                return EMPTY


def title(record: Record) -> Content:
    """What a record is called, in one line."""
    match record:
        case TurnRecord():
            return safe_content(record.text, "label")
        case StepRecord():
            model = record.finished.model if record.finished else record.started.model if record.started else ""
            return Content.assemble(
                (f"step {record.step}", "$text-primary"), "  ", safe_content(model, "label", "$text-muted")
            )
        case CallRecord(requested=requested):
            name = safe_content(requested.name, "label", "bold")
            words = record.summary.removeprefix(requested.name).strip()
            return Content.assemble(name, " ", safe_content(words, "label")).rstrip()
        case _:
            return EMPTY


def provenance(call: CallRecord, *, short: bool = False) -> Content:
    """How the call came to run or not: `ask→once`, `allow rule` (in short: `rule`), `deny hook`."""
    decision, resolved = call.decision, call.resolved
    if resolved is not None:
        answer = resolved.reply.answer
        style = "$text-error" if answer in {"deny", "stop"} else "$text-accent"
        return Content.assemble(("ask→", "$text-muted"), (answer, style))
    if call.asked is not None and call.finished is None:
        return Content.styled("asks you", "bold $text-warning")
    if decision is None:
        return EMPTY
    by = {"read_only": "read", "working_directory": "folder", "settings_locked": "locked"}.get(
        decision.decided_by, decision.decided_by.replace("_path", "")
    )
    style = "$text-error" if decision.outcome == "deny" else "$text-muted"
    words = by if short and decision.outcome == "allow" else f"{decision.outcome} {by}"
    return Content.styled(words, style)


def _turn(record: TurnRecord, width: int) -> Content:
    end = record.end
    words = Content.assemble(
        (f"turn {record.turn}  ", "bold $text-muted"), safe_content(record.text, "label", "$text-muted")
    )
    if isinstance(end, ev.TurnFailed):
        figures = Content.styled("failed", "$text-error")
    elif isinstance(end, ev.TurnInterrupted):
        figures = Content.styled("stopped", "$text-warning")
    else:
        figures = Content.styled(short_duration(end.duration) if end else "", "$text-muted")
    return columns(width, words, [(figures, 8)])


def _state(record: StepRecord | CallRecord) -> Content:
    if isinstance(record, StepRecord):
        if record.finished is None:
            return Content.styled("○" if record.is_over else "●", "$text-error" if record.is_over else "$text-primary")
        cut = record.finished.stop_reason in {"incomplete", "refusal", "context_full"}
        return Content.styled("◆", "$text-warning" if cut else "$text-primary")
    if record.finished is not None:
        return Content.styled(*GLYPHS[record.finished.outcome])
    if record.started is not None:
        return Content.styled("●", "$text-primary")
    if record.asked is not None and record.resolved is None:
        return Content.styled("?", "bold $text-warning")
    return Content.styled("○", "$text-muted")


def _call_figures(call: CallRecord, width: int) -> list[tuple[Content, int]]:
    duration = call.finished.duration if call.finished is not None and call.started is not None else -1.0
    words = Content.styled(short_duration(duration), "$text-muted") if duration >= 0 else EMPTY
    if call.finished is None and call.started is not None:
        words = Content.styled("runs", "$text-primary")
    marks = Content.styled("✎" if call.started is not None and call.started.edited_by else "", "$text-accent")
    hooks = sum(fired.run.result != "nothing" for fired in call.hooks)
    anchor = Content.styled("⚓" if hooks else "", "$text-secondary")
    if width < ROOMY:
        return [(anchor or marks, 2), (provenance(call, short=True), 9), (words, _TIME_CELLS)]
    return [(anchor + marks, 3), (provenance(call), _PROVENANCE_CELLS), (words, _TIME_CELLS)]


def _step_figures(step: StepRecord, width: int) -> list[tuple[Content, int]]:
    finished = step.finished
    if finished is None:
        words = "retrying" if step.retries and not step.is_over else "" if step.is_over else "writing"
        return [(Content.styled(words, "$text-warning" if step.retries else "$text-primary"), 8)]
    time = Content.styled(short_duration(finished.duration), "$text-muted")
    return [(_tokens(finished.usage), _PROVENANCE_CELLS if width >= ROOMY else 11), (time, _TIME_CELLS)]


def _tokens(usage: Usage) -> Content:
    sent = usage.input_tokens + usage.cache_read_tokens + usage.cache_write_tokens
    return Content.styled(f"{short_count(sent)} → {short_count(usage.output_tokens)}", "$text-muted")
