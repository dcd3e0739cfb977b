"""No call runs that could not be stored, unless a person says so: else nobody could tell later what was done."""

import time
import uuid
from collections.abc import Callable

from ..processes.process import uninterrupted
from ..protocol.decisions import Option, Question, QuestionReply, QuestionRequest
from ..protocol.events import QuestionAnswered, QuestionAsked
from ..turn.underway import Refused, Underway

GO_ON = Option(label="Go on unstored", description="until the disk takes it again; lost if the program is killed")
STOP = Option(label="Stop here", description="nothing runs; make room, then prompt again")
_REFUSED = "Not run: the session cannot be stored, and no call runs that is not."


class Keeping:
    """Asks once for each time that the disk fails; `problem` says why facts do not reach it just now, or nothing."""

    def __init__(self, problem: Callable[[], str]) -> None:
        self._problem = problem
        self._is_allowed = False

    async def demand(self, call: Underway) -> None:
        """Come back when this call is stored, or may run without; raises Refused otherwise, and the turn ends."""
        if not self._is_wanting():
            return
        async with call.parts.asking:
            if not self._is_wanting():  # another call asked, or the disk took it meanwhile
                return
            self._is_allowed = call.parts.interactive and await self._ask(call)
        if not self._is_allowed:
            who = "" if call.parts.interactive else " Nobody can answer here; --no-session-persistence stores nothing."
            call.stop, call.stop_detail = "denied", f"{_REFUSED} {self._problem()}{who}"
            raise Refused(_REFUSED)

    def _is_wanting(self) -> bool:
        """Whether the disk fails and nobody said yet that calls may run all the same."""
        self._is_allowed = self._is_allowed and bool(self._problem())
        return bool(self._problem()) and not self._is_allowed

    async def _ask(self, call: Underway) -> bool:
        question = Question(
            question=f"{self._problem()} Run {call.tool.name} and what follows without storing it?",
            header="Not stored",
            options=(STOP, GO_ON),
        )
        request = QuestionRequest(
            id=f"store_{uuid.uuid4().hex[:8]}",
            title="This session is not being stored",
            questions=(question,),
            call_id=call.use.id,
            agent=call.parts.agent.id,
        )
        await call.tell(QuestionAsked(request=request))
        started = time.perf_counter()
        reply = QuestionReply(cancelled=True)
        try:
            reply = await call.parts.prompter.question(request)
        finally:
            told = QuestionAnswered(request_id=request.id, reply=reply, waited=time.perf_counter() - started)
            await uninterrupted(call.tell(told))
        return GO_ON.label in reply.answers.values()
