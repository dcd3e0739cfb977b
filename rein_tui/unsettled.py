"""What a running turn has shown beyond its facts: for when its session comes back onto the screen meanwhile."""

from collections import deque
from dataclasses import dataclass, field

from msgspec import structs

from rein_tui.harness.protocol.events import (
    TURN_ENDS,
    Delta,
    Event,
    MessageFinished,
    RequestRetried,
    StepFinished,
    TextDelta,
    ThinkingDelta,
    ToolCallFinished,
    ToolInputDelta,
    ToolOutputDelta,
)

_PIECES = 200
"""Pieces of a tool's live output that are kept; only its end is shown."""


@dataclass(slots=True)
class _Run:
    """Neighbouring deltas of one kind: the first of them, and the texts of all."""

    first: TextDelta | ThinkingDelta | ToolOutputDelta
    texts: list[str] | deque[str]

    def whole(self) -> Delta:
        return structs.replace(self.first, text="".join(self.texts))


@dataclass(slots=True)
class Unsettled:
    """Follows events; what a fact has settled is forgotten."""

    _open: dict[str, list[_Run]] = field(default_factory=dict[str, list[_Run]])
    _calls: dict[str, ToolInputDelta] = field(default_factory=dict[str, ToolInputDelta])
    _outputs: dict[str, _Run] = field(default_factory=dict[str, _Run])

    def note(self, event: Event) -> None:
        """Take one event into account."""
        match event:
            case TextDelta() | ThinkingDelta():
                runs = self._open.setdefault(event.parent, [])
                if runs and type(runs[-1].first) is type(event):
                    runs[-1].texts.append(event.text)
                else:
                    runs.append(_Run(event, [event.text]))
            case ToolInputDelta():
                self._calls.setdefault(event.call_id, event)
            case ToolOutputDelta():
                self._outputs.setdefault(event.call_id, _Run(event, deque(maxlen=_PIECES))).texts.append(event.text)
            case MessageFinished() | StepFinished() | RequestRetried():
                self._open.pop(event.parent, None)
                self._calls = {name: each for name, each in self._calls.items() if each.parent != event.parent}
            case ToolCallFinished():
                self._outputs.pop(event.call_id, None)
            case _ if isinstance(event, TURN_ENDS) and not event.parent:
                self._open, self._calls, self._outputs = {}, {}, {}
            case _:
                pass

    def deltas(self) -> list[Delta]:
        """As few deltas as show the same."""
        runs = [run for each in self._open.values() for run in each]
        return [*(run.whole() for run in runs), *self._calls.values(), *(run.whole() for run in self._outputs.values())]
