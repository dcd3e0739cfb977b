"""Every grant ever given, and the calls that it let pass since: folded from the stored facts of many sessions."""

from collections.abc import Iterable
from typing import TypeAlias

from msgspec import structs

from rein_tui.harness.protocol.decisions import Grant, Rule
from rein_tui.harness.protocol.events import Event, GrantAdded, GrantRevoked, PermissionDecided
from rein_tui.harness.protocol.policy import PastGrant

Told: TypeAlias = tuple[str, str, Event]
"""A session's id, its title, and one of its facts."""

_Key: TypeAlias = tuple[str, str, str]


def audit(story: Iterable[Told]) -> list[PastGrant]:
    """All grants in the order given, with their matches. A rule given again, or taken back, ends the grant before.

    A grant of a file holds in every session, one of a session in its own only.
    """
    grants: list[PastGrant] = []
    current: dict[_Key, int] = {}
    counted: set[tuple[str, str]] = set()
    for session, title, fact in story:
        match fact:
            case GrantAdded():
                current[_key(session, fact.grant)] = len(grants)
                grants.append(PastGrant(grant=fact.grant, session_id=session, title=title))
            case GrantRevoked():
                index = current.pop(_key(session, fact.grant), None)
                if index is not None:
                    grants[index] = _changed(grants[index], revoked=True)
            case PermissionDecided() if fact.decision.outcome == "allow" and fact.decision.rule is not None:
                index = current.get(_place(session, fact.decision.rule))
                if index is not None and (session, fact.call_id) not in counted:
                    counted.add((session, fact.call_id))
                    grants[index] = _changed(grants[index], matched=grants[index].grant.matched + 1)
            case _:
                pass
    return grants


def _changed(past: PastGrant, **changes: int) -> PastGrant:
    return structs.replace(past, grant=structs.replace(past.grant, **changes))


def _key(session: str, grant: Grant) -> _Key:
    return (grant.rule, grant.path, "" if grant.path else session)


def _place(session: str, rule: Rule) -> _Key:
    path = rule.source.path
    return (rule.text, path, "" if path else session)
