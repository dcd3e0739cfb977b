"""What the inspector knows: a fold of facts into turns, model steps and tool calls. Data only, no drawing.

Everything here comes from stored facts, so that a past session shows what the live one did.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from rein_tui.harness.protocol import events as ev
from rein_tui.harness.protocol.base import JsonObject
from rein_tui.harness.protocol.decisions import Decision
from rein_tui.harness.protocol.displays import Display
from rein_tui.harness.protocol.messages import ParseTrace


@dataclass(slots=True, eq=False)
class Record:
    """One row of the inspector. `parent` is the call of the subagent that it happened in, `depth` counts those."""

    turn: int
    parent: str
    time: float
    depth: int = 0
    above: "Record | None" = None
    children: list["Record"] = field(default_factory=list["Record"])

    def walk(self) -> Iterator["Record"]:
        """This record and all below it, in reading order."""
        yield self
        for child in self.children:
            yield from child.walk()

    @property
    def last(self) -> "Record":
        """The last record below this one, or itself."""
        record = self
        while record.children:
            record = record.children[-1]
        return record


@dataclass(slots=True, eq=False)
class TurnRecord(Record):
    """One prompt, until rest."""

    text: str = ""
    end: ev.TurnEnd | None = None


@dataclass(slots=True, eq=False)
class StepRecord(Record):
    """One request to the model."""

    step: int = 0
    started: ev.StepStarted | None = None
    retries: list[ev.RequestRetried] = field(default_factory=list[ev.RequestRetried])
    notices: list[ev.Notice] = field(default_factory=list[ev.Notice])
    finished: ev.MessageFinished | None = None
    is_over: bool = False


@dataclass(slots=True, eq=False)
class CallRecord(Record):
    """One tool call, with everything that happened to it."""

    summary: str = ""
    cwd: str = ""
    requested: ev.ToolCallRequested = field(default_factory=lambda: ev.ToolCallRequested(call_id="", name=""))
    step: StepRecord | None = None
    decisions: list[ev.PermissionDecided] = field(default_factory=list[ev.PermissionDecided])
    asked: ev.PermissionRequested | None = None
    resolved: ev.PermissionResolved | None = None
    hooks: list[ev.HookFired] = field(default_factory=list[ev.HookFired])
    skipped: list[ev.HooksSkipped] = field(default_factory=list[ev.HooksSkipped])
    started: ev.ToolCallStarted | None = None
    finished: ev.ToolCallFinished | None = None
    changed: list[ev.FileChanged] = field(default_factory=list[ev.FileChanged])
    lent: list[ev.SideAnswered] = field(default_factory=list[ev.SideAnswered])
    """What the model answered for the server that was called."""

    @property
    def decision(self) -> Decision | None:
        """The decision that counted, as it stood before a person answered."""
        return self.decisions[-1].decision if self.decisions else None

    @property
    def display(self) -> Display | None:
        """What there is to see of it: the result, or what was going to happen."""
        if self.finished is not None and self.finished.display is not None:
            return self.finished.display
        return self.asked.request.preview if self.asked is not None else None

    @property
    def parse(self) -> ParseTrace | None:
        """How the call was read from text, if it was."""
        message = self.step.finished if self.step is not None else None
        parse = message.parse if message is not None else None
        if parse is None or (parse.call_ids and self.requested.call_id not in parse.call_ids):
            return None
        return parse

    def stages(self) -> list[tuple[str, JsonObject]]:
        """The input as the model gave it, then each change with who made it."""
        stages: list[tuple[str, JsonObject]] = [("the model", self.requested.input)]
        for fired in self.hooks:
            if fired.run.updated_input is not None and fired.run.hook.point == "PreToolUse":
                stages.append((fired.run.hook.title, fired.run.updated_input))
        if self.resolved is not None and self.resolved.reply.input is not None:
            who = "you" if self.resolved.reply.answered_by == "person" else self.resolved.reply.answered_by
            stages.append((who, self.resolved.reply.input))
        if self.started is not None and self.started.input != stages[-1][1]:
            stages.append((", ".join(self.started.edited_by) or "the harness", self.started.input))
        return stages


class Records:
    """All records of a session. `apply` says which record an event added or changed."""

    def __init__(self) -> None:
        self.roots: list[Record] = []
        self.calls: dict[str, CallRecord] = {}
        self.steps: dict[tuple[int, str, int], StepRecord] = {}
        self._cwd = ""
        self._turn: TurnRecord | None = None
        self._open_steps: dict[str, StepRecord] = {}

    def walk(self) -> Iterator[Record]:
        """All records in reading order; what happened inside a call stands below it."""
        for root in self.roots:
            yield from root.walk()

    def apply(self, event: ev.Event) -> tuple[Record, bool] | None:
        """The record that this event is about, and whether it is new; None for events that are about none."""
        match event:
            case ev.SessionStarted():
                self._cwd = event.cwd
                return None
            case ev.TurnStarted():
                self._turn = TurnRecord(event.turn, event.parent, event.time, text=event.text)
                return self._placed(self._turn)
            case ev.TurnFinished() | ev.TurnInterrupted() | ev.TurnFailed() if self._turn and not event.parent:
                self._turn.end = event
                return self._turn, False
            case ev.StepStarted() | ev.RequestRetried() | ev.MessageFinished() | ev.StepFinished():
                return self._apply_step(event)
            case ev.Notice() if event.parent in self._open_steps and event.turn:
                step = self._open_steps[event.parent]
                step.notices.append(event)
                return step, False
            case ev.SideAnswered(purpose="server"):
                return self._lent(event)
            case ev.ToolCallRequested():
                call = CallRecord(event.turn, event.parent, event.time, requested=event)
                call.step = self._open_steps.get(event.parent)
                call.cwd = self._cwd
                call.summary = event.summary.replace(f"{self._cwd}/", "") if self._cwd else event.summary
                self.calls[event.call_id] = call
                return self._placed(call)
            case _:
                return self._apply_call(event)

    def _lent(self, event: ev.SideAnswered) -> tuple[Record, bool] | None:
        """The answer belongs to no turn; a server asks for it while it is called."""
        for call in reversed(self.calls.values()):
            if call.requested.name.startswith("mcp__") and call.started is not None and call.finished is None:
                call.lent.append(event)
                return call, False
        return None

    def _apply_step(
        self, event: ev.StepStarted | ev.RequestRetried | ev.MessageFinished | ev.StepFinished
    ) -> tuple[Record, bool] | None:
        if isinstance(event, ev.StepStarted):
            step = StepRecord(event.turn, event.parent, event.time, step=event.step, started=event)
            self._open_steps[event.parent] = step
            self.steps[event.turn, event.parent, event.step] = step
            return self._placed(step)
        step = self._open_steps.get(event.parent)
        if step is None:
            return None
        match event:
            case ev.RequestRetried():
                step.retries.append(event)
            case ev.MessageFinished():
                step.finished = event
            case ev.StepFinished():
                step.is_over = True
        return step, False

    def _apply_call(self, event: ev.Event) -> tuple[Record, bool] | None:
        call_id = event.request.call_id if isinstance(event, ev.PermissionRequested) else getattr(event, "call_id", "")
        call = self.calls.get(call_id) if call_id else None
        if call is None:
            return None
        match event:
            case ev.PermissionDecided():
                call.decisions.append(event)
            case ev.PermissionRequested():
                call.asked = event
            case ev.PermissionResolved():
                call.resolved = event
            case ev.HookFired():
                call.hooks.append(event)
            case ev.HooksSkipped():
                call.skipped.append(event)
            case ev.ToolCallStarted():
                call.started = event
            case ev.ToolCallFinished():
                call.finished = event
            case ev.FileChanged():
                call.changed.append(event)
            case _:
                return None
        return call, False

    def _placed(self, record: Record) -> tuple[Record, bool]:
        """Below the call that it happened in, else at the end; `above` is then the record just before it."""
        parent = self.calls.get(record.parent) if record.parent else None
        siblings = self.roots
        if parent is not None:
            siblings, record.depth, record.above = parent.children, parent.depth + 1, parent.last
        siblings.append(record)
        return record, True
