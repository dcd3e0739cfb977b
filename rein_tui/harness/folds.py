"""Small folds of a session's facts: who it is, and what closes a story that was broken off."""

from collections.abc import Iterable, Sequence

from msgspec import structs

from .context.titles import TITLE_RANKS
from .protocol.events import (
    TURN_ENDS,
    Fact,
    MessageFinished,
    ModelChanged,
    PermissionRequested,
    PermissionResolved,
    SessionStarted,
    SideAnswered,
    SourceSwitched,
    StepFinished,
    StepStarted,
    TitleChanged,
    ToolCallFinished,
    ToolCallRequested,
    TurnInterrupted,
    TurnStarted,
)
from .protocol.ports import SessionInfo

_BROKEN_OFF = "The program ended before this call was answered; it may have run partly. Check before you repeat it."


class SessionFold:
    """Keeps a SessionInfo up to date."""

    def __init__(self, info: SessionInfo, facts: Iterable[Fact] = ()) -> None:
        self._info = info
        self._updated = info.updated
        self._titled_by = ""
        for fact in facts:
            self.apply(fact)

    @property
    def info(self) -> SessionInfo:
        """The session as of the last fact."""
        if self._info.updated != self._updated:  # not with every fact: most change nothing else
            self._info = structs.replace(self._info, updated=self._updated)
        return self._info

    def apply(self, fact: Fact) -> None:
        """Fold one fact."""
        self._updated = max(self._updated, fact.time)
        info = self._info
        match fact:
            case SessionStarted():
                info = structs.replace(
                    info,
                    cwd=fact.cwd,
                    branch=fact.branch or info.branch,
                    created=info.created or fact.time,
                    model=fact.model or info.model,
                )
            case TitleChanged() if TITLE_RANKS[fact.by] >= TITLE_RANKS[self._titled_by]:
                self._titled_by = fact.by
                info = structs.replace(info, title=fact.title)
            case ModelChanged(model=model):
                info = structs.replace(info, model=model)
            case TurnStarted(parent=""):
                info = structs.replace(info, turns=info.turns + 1, state="running")
            case PermissionRequested():
                info = structs.replace(info, state="waiting")
            case PermissionResolved():
                info = structs.replace(info, state="running")
            case MessageFinished(usage=usage) | SideAnswered(usage=usage) if usage.cost_usd is not None:
                info = structs.replace(info, cost_usd=(info.cost_usd or 0.0) + usage.cost_usd)
            case _ if isinstance(fact, TURN_ENDS) and not fact.parent:
                info = structs.replace(info, state="idle")
            case _:
                pass
        self._info = info


def withheld_tools(facts: Iterable[Fact]) -> set[str]:
    """The tools that the person took out of the window and did not put back."""
    switched = {(f.kind, f.name): f.on for f in facts if isinstance(f, SourceSwitched)}
    return {name for (kind, name), on in switched.items() if kind in ("tool", "mcp") and not on}


def closing_facts(facts: Sequence[Fact]) -> list[Fact]:
    """What ends a turn that has no ending (the process was killed, the reader left); empty for a whole story."""
    start = next((i for i in range(len(facts) - 1, -1, -1) if isinstance(facts[i], TurnStarted)), None)
    if start is None or any(isinstance(f, TURN_ENDS) and not f.parent for f in facts[start:]):
        return []
    turn, last = facts[start].turn, facts[-1].time
    open_calls: dict[str, ToolCallRequested] = {}
    open_step: int | None = None
    for fact in facts[start:]:
        match fact:
            case ToolCallRequested():
                open_calls[fact.call_id] = fact
            case ToolCallFinished():
                open_calls.pop(fact.call_id, None)
            case StepStarted(parent=""):
                open_step = fact.step
            case StepFinished(parent=""):
                open_step = None
            case _:
                pass
    closing: list[Fact] = [
        ToolCallFinished(
            time=last,
            turn=turn,
            parent=call.parent,
            call_id=call.call_id,
            name=call.name,
            outcome="interrupted",
            content=_BROKEN_OFF,
        )
        for call in reversed(open_calls.values())
    ]
    if open_step is not None:
        closing.append(StepFinished(time=last, turn=turn, step=open_step))
    closing.append(TurnInterrupted(time=last, turn=turn, reason="broken off"))
    return closing
