"""What a permission question stands among: the session that asks, its rules, the other calls of the same message.

Answers given to calls that still wait are kept here until their question comes. They count only for exactly the call
that the person saw: another input, another reason or a hook's word asks again.
"""

from collections.abc import AsyncGenerator, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial

from rein_tui.harness.protocol.decisions import Decision, PermissionQuery, PermissionReply, PermissionRequest
from rein_tui.harness.protocol.events import (
    Fact,
    PermissionRequested,
    PermissionResolved,
    QuestionAsked,
    StepStarted,
    ToolCallFinished,
    ToolCallRequested,
    ToolCallStarted,
    TurnStarted,
)
from rein_tui.harness.protocol.ports import Harness, Permissions
from rein_tui.widgets.permission_modal_parts import Docket, Proposal, Waiting

MOST_WAITING = 50
"""Calls of one message that are looked at; more are asked about one by one."""


@dataclass(slots=True)
class Asking:
    """Answers given ahead of their questions, by call id."""

    _ahead: dict[str, tuple[Waiting, PermissionReply]] = field(
        default_factory=dict[str, tuple[Waiting, PermissionReply]]
    )

    def settle(self, waiting: Waiting, reply: PermissionReply) -> None:
        """The person answered a call that waits."""
        self._ahead[waiting.call_id] = (waiting, reply)

    def answered(self, request: PermissionRequest) -> PermissionReply | None:
        """The answer that was given ahead to this question, if it is still about the same."""
        waiting, reply = self._ahead.pop(request.call_id, (None, None))
        if waiting is None or reply is None:
            return None
        is_no = reply.answer in ("deny", "stop")
        return reply if is_no or _is_same(waiting.proposal, request) else None

    async def docket(
        self, request: PermissionRequest, harnesses: Sequence[Harness], show: Callable[[str], None]
    ) -> Docket:
        """What this question stands among; `harnesses` are the open sessions, the one on the screen first.

        `show` brings another one onto the screen, by its id.
        """
        asking = who_asks(request.id, harnesses)
        if asking is None:
            return Docket()
        is_elsewhere = asking is not harnesses[0]
        mates, answered = _mates(asking.history(), request.call_id)
        permissions = asking.permissions
        waiting = [w async for w in _waiting(mates, request, permissions)] if permissions is not None else []
        left = [one for one in waiting if one.call_id not in self._ahead]
        return Docket(
            permissions=permissions,
            folder=asking.info.cwd,
            session=asking.info.title or asking.info.id if is_elsewhere else "",
            waiting=tuple(left),
            number=answered + 1,
            total=answered + 1 + len(left),
            settle=self.settle,
            show=partial(show, asking.info.id) if is_elsewhere else None,
        )


def who_asks(request_id: str, harnesses: Sequence[Harness]) -> Harness | None:
    """The session whose running turn put this question."""
    return next((harness for harness in harnesses if _asks(harness.history(), request_id)), None)


def _is_same(seen: Proposal, request: PermissionRequest) -> bool:
    now = request.decision
    return (
        seen.tool == request.tool
        and seen.input == request.input
        and not now.hook_verdicts
        and _ground(seen.decision) == _ground(now)
    )


def _ground(decision: Decision) -> tuple[object, ...]:
    return (decision.outcome, decision.reason, decision.decided_by, decision.warnings)


def _asks(facts: Sequence[Fact], request_id: str) -> bool:
    """Whether this question was put in this session, in its running turn."""
    for fact in reversed(facts):
        if isinstance(fact, PermissionRequested | QuestionAsked) and fact.request.id == request_id:
            return True
        if isinstance(fact, TurnStarted):
            return False
    return False


def _mates(facts: Sequence[Fact], call_id: str) -> tuple[list[ToolCallRequested], int]:
    """The other calls of the same message that nothing was decided about for good, and how many were asked about."""
    message = list(_message_of(facts, call_id))
    settled = {fact.call_id for fact in message if isinstance(fact, ToolCallStarted | ToolCallFinished)}
    resolved = {fact.call_id for fact in message if isinstance(fact, PermissionResolved)} - {call_id}
    calls = [fact for fact in message if isinstance(fact, ToolCallRequested)]
    ids = {call.call_id for call in calls}
    return [c for c in calls if c.call_id not in settled | resolved | {call_id}], len(resolved & ids)


def _message_of(facts: Sequence[Fact], call_id: str) -> Iterator[Fact]:
    """The facts since the message that holds this call, newest first, of the same agent."""
    asked = next((f for f in reversed(facts) if isinstance(f, ToolCallRequested) and f.call_id == call_id), None)
    parent = asked.parent if asked is not None else ""
    for fact in reversed(facts):
        if isinstance(fact, StepStarted | TurnStarted) and fact.parent == parent:
            return
        if fact.parent == parent:
            yield fact


async def _waiting(
    calls: Iterable[ToolCallRequested], request: PermissionRequest, permissions: Permissions
) -> AsyncGenerator[Waiting]:
    """Those that will ask, in the order of the message."""
    for call in list(reversed(list(calls)))[:MOST_WAITING]:
        query = PermissionQuery(tool=call.name, input=call.input, cwd="", mode=request.decision.mode)
        check = await permissions.check(query)
        decision = check.decision
        if decision is not None and decision.outcome == "ask":
            yield Waiting(call.call_id, Proposal(check.tool, check.input, check.summary, decision, check.preview))
