"""Stories inside calls: what a subagent has begun, so that an interrupt can end it in order."""

from ..protocol.events import (
    AgentFinished,
    AgentStarted,
    Event,
    StepFinished,
    StepStarted,
    ToolCallFinished,
    ToolCallRequested,
)

_INTERRUPTED = "Interrupted with the agent that asked for it; it may have run partly."


class NestedStories:
    """Folds events that carry a `parent`; `closing` gives what ends everything that is still open."""

    def __init__(self) -> None:
        self._calls: dict[str, ToolCallRequested] = {}
        self._steps: dict[str, StepStarted] = {}
        self._agents: dict[str, AgentStarted] = {}

    def note(self, event: Event) -> None:
        """Fold one event of a subagent."""
        match event:
            case ToolCallRequested():
                self._calls[event.call_id] = event
            case ToolCallFinished():
                self._calls.pop(event.call_id, None)
            case StepStarted():
                self._steps[event.parent] = event
            case StepFinished():
                self._steps.pop(event.parent, None)
            case AgentStarted():
                self._agents[event.parent] = event
            case AgentFinished():
                self._agents.pop(event.parent, None)
            case _:
                pass

    def closing(self) -> list[Event]:
        """The ends of all that is open, innermost first; afterwards nothing is."""
        events: list[Event] = []
        for parent, agent in reversed(self._agents.items()):
            events += [
                ToolCallFinished(
                    parent=parent, call_id=call.call_id, name=call.name, outcome="interrupted", content=_INTERRUPTED
                )
                for call in self._calls.values()
                if call.parent == parent
            ]
            if parent in self._steps:
                events.append(StepFinished(parent=parent, step=self._steps[parent].step))
            events.append(
                AgentFinished(
                    parent=parent, agent_id=agent.agent_id, agent_type=agent.agent_type, outcome="interrupted"
                )
            )
        self._calls.clear()
        self._steps.clear()
        self._agents.clear()
        return events
