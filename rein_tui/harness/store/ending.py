"""The end of a stored story, for a first look: enough to fill a screen, read without the rest."""

from collections.abc import Sequence

from ..protocol.events import Fact, StepStarted, ToolCallRequested, TurnStarted
from .codec import decode_fact
from .database import Database
from .schema import key_range, seq_of

MOST = 300
"""Facts that fill any screen; a turn of one call and an answer has about ten."""

_ROWS = "SELECT key, body FROM facts WHERE key BETWEEN ? AND ? ORDER BY key"


def read_ending(database: Database, number: int, most: int = MOST) -> list[Fact]:
    """What the newest facts of a session show by themselves. Raises StoreError."""
    rows = database.read(f"{_ROWS} DESC LIMIT ?", (*key_range(number), most))
    last = [decode_fact(body, seq_of(key)) for key, body in reversed(rows)]
    opening = database.read(f"{_ROWS} LIMIT 1", key_range(number)) if len(rows) == most else []
    return [*(decode_fact(body) for _, body in opening), *whole_end(last)] if opening else last


def whole_end(facts: Sequence[Fact]) -> list[Fact]:
    """These facts from where a turn begins, or a step of one that is longer; without those of calls made before."""
    starts = (TurnStarted, StepStarted)
    start = next((i for i, fact in enumerate(facts) if isinstance(fact, starts) and not fact.parent), len(facts))
    calls = {fact.call_id for fact in facts[start:] if isinstance(fact, ToolCallRequested)}
    return [fact for fact in facts[start:] if not fact.parent or fact.parent in calls]
