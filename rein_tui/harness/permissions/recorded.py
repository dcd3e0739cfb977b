"""Calls of past sessions, as far as permissions are concerned: folded from stored facts."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from rein_tui.harness.protocol.base import JsonObject
from rein_tui.harness.protocol.decisions import Answer, Decision
from rein_tui.harness.protocol.events import (
    CwdChanged,
    Event,
    PermissionDecided,
    PermissionResolved,
    SessionStarted,
    ToolCallRequested,
)


@dataclass(frozen=True, slots=True)
class RecordedCall:
    """One call that was decided: what was asked for, where, the first decision, and the person's answer if any."""

    session: str
    call_id: str
    tool: str
    input: JsonObject
    cwd: str
    decision: Decision
    answer: Answer | None = None

    @property
    def approved(self) -> bool:
        """Whether a person let it pass."""
        return self.answer in ("once", "session", "always")

    @property
    def refused(self) -> bool:
        """Whether a person or a rule stopped it."""
        return self.answer in ("deny", "stop") or self.decision.outcome == "deny"


def recorded_calls(session: str, facts: Iterable[Event]) -> Iterator[RecordedCall]:
    """The decided calls of one session, in the order in which they were asked for."""
    cwd = ""
    requested: dict[str, tuple[ToolCallRequested, str]] = {}
    decided: dict[str, Decision] = {}
    answers: dict[str, Answer] = {}
    for fact in facts:
        if isinstance(fact, SessionStarted):
            cwd = fact.cwd
        elif isinstance(fact, CwdChanged):
            cwd = fact.new
        elif isinstance(fact, ToolCallRequested):
            requested[fact.call_id] = (fact, cwd)
        elif isinstance(fact, PermissionDecided):
            decided.setdefault(fact.call_id, fact.decision)
        elif isinstance(fact, PermissionResolved):
            answers[fact.call_id] = fact.reply.answer
    for call_id, (call, where) in requested.items():
        decision = decided.get(call_id)
        if decision is not None:
            yield RecordedCall(session, call_id, call.name, call.input, where, decision, answers.get(call_id))
