"""The Timing page: the phases of a call or a request, one under the other on a common scale."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from textual.content import Content

from .block import Block
from .figures import short_duration
from .inspector_records import CallRecord, StepRecord
from .lines import Piece, joined
from .passages import Passage, facts_table, heading, muted, prose
from .rows import fit
from .safe import safe_content

PHASE_STYLES = {
    "queue": "$text-disabled",
    "hook": "$text-secondary",
    "check": "$text-muted",
    "you": "$text-accent",
    "run": "$text-success",
    "model": "$text-primary",
}


@dataclass(frozen=True, slots=True)
class Phase:
    """What took time: when it began, in seconds from the start of all, and how long it took."""

    kind: str
    words: str
    start: float
    duration: float


def call_timing(call: CallRecord) -> Iterator[Block]:
    """From asked for to answered."""
    phases = call_phases(call)
    if call.finished is None and not phases:
        yield muted("It has just been asked for.")
        return
    yield waterfall(phases)
    if call.finished is not None:
        whole = call.finished.time - call.requested.time
        yield prose(f"{short_duration(whole)} from asked for to answered", "$text-muted")


def call_phases(call: CallRecord) -> list[Phase]:
    """The phases of a call in the order of their beginning; times come from its facts."""
    origin = call.requested.time
    phases: list[Phase] = []
    for fired in call.hooks:
        run = fired.run
        phases.append(Phase("hook", f"{run.hook.point} {run.hook.name}", run.started - origin, run.duration))
    for decided in call.decisions:
        phases.append(Phase("check", "permission", decided.time - origin - decided.duration, decided.duration))
    if call.asked is not None and call.resolved is not None:
        phases.append(Phase("you", "waiting for you", call.asked.time - origin, call.resolved.waited))
    if call.started is not None and call.finished is not None:
        phases.append(Phase("run", call.requested.name, call.started.time - origin, call.finished.duration))
    phases.sort(key=lambda phase: phase.start)
    if phases and phases[0].start > 0.001:
        phases.insert(0, Phase("queue", "earlier calls", 0.0, phases[0].start))
    return [Phase(p.kind, p.words, max(0.0, p.start), p.duration) for p in phases]


def step_timing(step: StepRecord) -> Iterator[Block]:
    """From the request to the last token."""
    finished = step.finished
    if finished is None:
        yield muted("No answer came." if step.is_over else "The answer is still coming.")
        return
    phases = [
        Phase("queue", "to the first token", 0.0, finished.first_token),
        Phase("model", "streaming", finished.first_token, max(0.0, finished.duration - finished.first_token)),
    ]
    yield waterfall(phases)
    waited = sum(retry.delay for retry in step.retries)
    yield heading("together")
    yield facts_table(
        [
            ("whole", short_duration(finished.duration)),
            ("retries", f"{len(step.retries)}, {short_duration(waited)} of waiting" if step.retries else ""),
        ]
    )


def waterfall(phases: Sequence[Phase]) -> Block:
    """One line a phase: words, its bar on the common scale, how long."""
    whole = max((phase.start + phase.duration for phase in phases), default=0.0)

    def make(width: int) -> list[Piece]:
        words = max(10, min(28, width // 3))
        room = max(6, width - words - 10)
        return [_bar_line(phase, whole, words, room) for phase in phases]

    return Passage(make, "\n".join(f"{phase.words}: {short_duration(phase.duration)}" for phase in phases))


def _bar_line(phase: Phase, whole: float, words: int, room: int) -> Piece:
    label = fit(safe_content(phase.words, "label", "$text-muted"), words)
    bar = span_bar(phase.start, phase.start + phase.duration, whole, room, PHASE_STYLES[phase.kind])
    return Piece(
        joined([label, Content(" "), bar, fit(Content(short_duration(phase.duration)), 8, "right")]), wrap="crop"
    )


def span_bar(start: float, end: float, whole: float, cells: int, style: str) -> Content:
    """A bar from `start` to `end` on a scale of `whole`; a thin mark for what is too short to see."""
    scale = cells / whole if whole > 0 else 0.0
    first = min(cells - 1, int(start * scale))
    size = min(cells - first, max(1, round((end - start) * scale)))
    mark = "▏" if (end - start) * scale < 0.4 else "█" * size
    return joined([Content(" " * first), Content.styled(mark, style), Content(" " * (cells - first - len(mark)))])
