"""What all sessions tell about grants: given, taken back, and the calls that a rule let pass."""

from collections.abc import Iterator

import msgspec

from ..protocol.decisions import Decision, Outcome, Rule
from ..protocol.events import Fact, PermissionDecided
from .codec import decode_fact
from .database import Database
from .schema import SEQ_BITS

_QUERY = """
SELECT s.id, s.title, f.type, f.body FROM facts f JOIN sessions s ON s.number = f.key >> ?
WHERE s.deleted = 0 AND (f.type IN ('grant_added', 'grant_revoked')
    OR (f.type = 'permission_decided' AND instr(f.body, '"decided_by":"rule"') AND instr(f.body, '"outcome":"allow"')))
ORDER BY f.time, f.key
"""


class _Ruled(msgspec.Struct):
    outcome: Outcome
    rule: Rule | None = None


class _Decided(msgspec.Struct):
    call_id: str
    decision: _Ruled


_decided = msgspec.json.Decoder(_Decided)


def grant_story(database: Database) -> Iterator[tuple[str, str, Fact]]:
    """Session id, title and fact, oldest first; of decisions only what they decided and by which rule.

    Raises StoreError.
    """
    for session_id, title, kind, body in database.read(_QUERY, (SEQ_BITS,)):
        if kind != "permission_decided":
            yield session_id, title, decode_fact(body)
            continue
        try:
            seen = _decided.decode(body)
        except msgspec.DecodeError:
            continue
        decision = Decision(outcome=seen.decision.outcome, reason="", decided_by="rule", rule=seen.decision.rule)
        yield session_id, title, PermissionDecided(call_id=seen.call_id, decision=decision)
