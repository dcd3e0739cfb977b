"""Where in a story a turn ends."""

from collections.abc import Sequence

from ..protocol.errors import StoreError
from ..protocol.events import TURN_ENDS, Fact, TurnStarted


def end_of_turn(facts: Sequence[Fact], turn: int) -> int:
    """How many facts there are up to the end of the last turn of this number; 0 means before the first turn.

    Raises StoreError when there is no such turn.
    """
    starts = [i for i, fact in enumerate(facts) if isinstance(fact, TurnStarted) and not fact.parent]
    if turn == 0:
        return starts[0] if starts else len(facts)
    begun = next((i for i in reversed(starts) if facts[i].turn == turn), None)
    if begun is None:
        raise StoreError(f"The session has no turn {turn}.")
    limit = next((i for i in starts if i > begun), len(facts))
    for i in range(begun, limit):
        if isinstance(facts[i], TURN_ENDS) and not facts[i].parent:
            return i + 1
    return limit
