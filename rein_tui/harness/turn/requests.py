"""The request of any step, built again: what was sent is a function of the facts before it, so it is not stored."""

from collections.abc import Sequence

from ..protocol.events import ContextPrepared, Fact, StepStarted
from ..protocol.models import ModelRequest, Provider, WireRequest
from .conversation import Conversation


def request_of(facts: Sequence[Fact], turn: int, step: int, provider: Provider) -> WireRequest | None:
    """The request of a step of the session itself; None when no such step began or nothing was prepared for it."""
    conversation = Conversation()
    prepared: ContextPrepared | None = None
    for fact in facts:
        if fact.parent:
            continue
        match fact:
            case StepStarted() if (fact.turn, fact.step) == (turn, step):
                if prepared is None:
                    return None
                return provider.wire(
                    ModelRequest(
                        model=fact.model,
                        system=prepared.system,
                        messages=conversation.messages(),
                        tools=prepared.tools,
                        effort=fact.effort,
                        thinking=fact.thinking,
                    )
                )
            case ContextPrepared():
                prepared = fact
            case _:
                conversation.apply(fact)
    return None
