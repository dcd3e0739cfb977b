"""Looking back: what other rules would have decided, and which rules would have saved questions. Nothing runs."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from rein_tui.harness.protocol.decisions import Decision, PermissionQuery

from .policy import Policy
from .recorded import RecordedCall

OFFERED_RULES = 20


@dataclass(frozen=True, slots=True)
class Change:
    """One recorded call under other settings."""

    call: RecordedCall
    new: Decision

    @property
    def is_different(self) -> bool:
        """Whether the outcome changed."""
        return self.new.outcome != self.call.decision.outcome


@dataclass(frozen=True, slots=True)
class Offer:
    """A rule from use: the questions that it would have saved, and the refused calls that it would also let pass."""

    rule: str
    saves: tuple[RecordedCall, ...]
    risky: tuple[RecordedCall, ...]


def what_if(calls: Iterable[RecordedCall], policy: Policy) -> Iterator[Change]:
    """Every call decided anew by another policy, in its mode of then and as if a person could answer.

    What hooks said then is taken as said again; a call that they rewrote is judged as it was asked for.
    """
    for call in calls:
        query = PermissionQuery(
            tool=call.tool,
            input=call.input,
            cwd=call.cwd,
            mode=call.decision.mode,
            hook_verdicts=call.decision.hook_verdicts,
        )
        yield Change(call, policy.decide(query))


def offers(calls: Iterable[RecordedCall], policy: Policy) -> list[Offer]:
    """Rules that would have answered what a person approved, the most useful first; none that a rule forbids."""
    known = list(calls)
    asked = [call for call in known if call.decision.outcome == "ask" and call.approved]
    refused = [call for call in known if call.refused]
    rules = dict.fromkeys(
        rule
        for call in asked
        for suggestion in call.decision.suggestions
        if suggestion.lasting
        for rule in suggestion.rules
    )
    found: list[Offer] = []
    for rule in rules:
        saves = tuple(call for call in asked if policy.would_allow(rule, _query(call)))
        risky = tuple(call for call in refused if policy.would_allow(rule, _query(call)))
        if saves:
            found.append(Offer(rule, saves, risky))
    found.sort(key=lambda offer: (-len(offer.saves), len(offer.risky), offer.rule))
    return found[:OFFERED_RULES]


def _query(call: RecordedCall) -> PermissionQuery:
    return PermissionQuery(tool=call.tool, input=call.input, cwd=call.cwd, mode=call.decision.mode)
