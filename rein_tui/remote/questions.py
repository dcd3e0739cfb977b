"""Questions to whoever owns a session: the answer's future lives here, at the edge, keyed by the question's id.

The harness asks its prompter and knows no sessions of ours; which session asks is known by the task that asks.
"""

import asyncio
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Protocol, TypeVar

from rein_tui.harness.protocol.decisions import PermissionReply, PermissionRequest, QuestionReply, QuestionRequest
from rein_tui.harness.protocol.policy import TrustReply, TrustRequest

from .wire import AskPermission, AskQuestion, AskTrust, OwnerGone, Question, RoleChanged, ServerFrame, Withdrawn

ReplyT = TypeVar("ReplyT", PermissionReply, QuestionReply, TrustReply)
Answer = PermissionReply | QuestionReply | TrustReply

UNANSWERED = "Nobody was there to answer."


class Party(Protocol):
    """Somebody at the other end of a connection. `client` stays the same when they connect again."""

    @property
    def client(self) -> str:
        """Who it is."""
        ...

    def post(self, frame: ServerFrame) -> None:
        """Send a frame when there is room. Never blocks."""
        ...


@dataclass(frozen=True, slots=True)
class Patience:
    """How long questions wait, in seconds: for an owner who is there, and for one who left to come back."""

    answer: float = 3600.0
    empty: float = 60.0


class Seat:
    """Who owns a session.

    The seat of an owner whose connection broke is kept for them for a while: those who watch do not get it meanwhile.
    One who left on purpose leaves it to whoever wished for it. Anybody may claim it, or take an empty one on coming.
    The `audience` is told when nobody has it any more.
    """

    def __init__(self, session: str, patience: Patience) -> None:
        self._session = session
        self._patience = patience
        self._kept_for = ""
        self._empty_since = float("-inf")
        self._moved = asyncio.Event()
        self._candidates: list[Party] = []
        self.audience: set[Party] = set()
        self.owner: Party | None = None

    def wish(self, party: Party, *, comes_back: bool = False) -> bool:
        """Take the seat, or be the next to get it when it is free; whether it was taken.

        One who only comes back does not take a seat that is kept for somebody else.
        """
        if party not in self._candidates:
            self._candidates.append(party)
        if not comes_back and self.owner is None:
            self._kept_for = ""
        return self.sit(party)

    def fill(self) -> bool:
        """Give a seat that is free for good to whoever wished for it first; they are told."""
        if self.owner is None and self.left() <= 0 and self._candidates:
            self.claim(self._candidates[0])
        return self.owner is not None

    def sit(self, party: Party) -> bool:
        """Take the seat if it is free, kept for this client, or its own; false when somebody else has it."""
        former = self.owner
        if former is None and self.left() > 0 and self._kept_for not in ("", party.client):
            return False
        if former is not None and former is not party:
            if former.client != party.client:
                return False
            former.post(RoleChanged(session=self._session, role="observer"))
        self._take(party)
        return True

    def claim(self, party: Party) -> None:
        """Take the seat from whoever has it; they are told."""
        former = self.owner
        if former is not None and former is not party:
            former.post(RoleChanged(session=self._session, role="observer"))
        self._take(party)
        party.post(RoleChanged(session=self._session, role="owner"))

    def leave(self, party: Party, *, keep: bool = False) -> None:
        """Give the seat up, if it is theirs, and any wish for it; `keep` it for them for a while."""
        if party in self._candidates:
            self._candidates.remove(party)
        if self.owner is not party:
            return
        self.owner, self._kept_for = None, party.client if keep else ""
        self._empty_since = asyncio.get_running_loop().time()
        if self._candidates and not keep:
            self.claim(self._candidates[0])
        for listener in self.audience - {party} if self.owner is None else ():
            listener.post(OwnerGone(session=self._session, kept=self._patience.empty if keep else 0.0))
        self._stir()

    def left(self) -> float:
        """Seconds that an empty seat is still kept; 0 when it was never taken, or too long ago."""
        return max(0.0, self._empty_since + self._patience.empty - asyncio.get_running_loop().time())

    async def moved(self, within: float, *others: "asyncio.Future[Answer]") -> None:
        """Wait until the owner changed, one of the futures is done, or the time is over."""
        stirred = asyncio.ensure_future(self._moved.wait())
        try:
            await asyncio.wait({stirred, *others}, timeout=within, return_when=asyncio.FIRST_COMPLETED)
        finally:
            stirred.cancel()

    def _take(self, party: Party) -> None:
        self.owner = party
        self._stir()

    def _stir(self) -> None:
        self._moved.set()
        self._moved = asyncio.Event()


class Questions:
    """The questions of one session, one at a time."""

    def __init__(self, seat: Seat, session: str, patience: Patience) -> None:
        self._seat = seat
        self._session = session
        self._patience = patience
        self._lock = asyncio.Lock()
        self._open: tuple[Question, asyncio.Future[Answer]] | None = None

    @property
    def session(self) -> str:
        """Whose questions these are; empty for those before a session."""
        return self._session

    async def put(self, question: Question, fallback: ReplyT) -> ReplyT:
        """The owner's answer; `fallback` when nobody answers in time. Cancelling withdraws the question."""
        async with self._lock:
            future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
            self._open = (question, future)
            try:
                answer = await self._answer(question, future)
            finally:
                self._open = None
                if self._seat.owner is not None:
                    self._seat.owner.post(Withdrawn(session=self._session, id=question.request.id))
            return answer if isinstance(answer, type(fallback)) else fallback

    def answer(self, question_id: str, answer: Answer) -> bool:
        """Answer the open question; false when it is another one, or answered already."""
        if self._open is None:
            return False
        question, future = self._open
        if question.request.id != question_id or future.done():
            return False
        future.set_result(answer)
        return True

    async def _answer(self, question: Question, future: "asyncio.Future[Answer]") -> Answer | None:
        """Put the question to the owner, and to each who becomes it or comes back, until one of them answers."""
        clock = asyncio.get_running_loop().time
        deadline = clock() + self._patience.answer
        asked: Party | None = None
        while not future.done():
            left = deadline - clock()
            if not self._seat.fill():
                left = min(left, self._seat.left())
            if left <= 0:
                return None
            if self._seat.owner is not None and self._seat.owner is not asked:
                self._seat.owner.post(question)
            asked = self._seat.owner
            await self._seat.moved(left, future)
        return future.result()


asking: ContextVar[Questions | None] = ContextVar("asking", default=None)
"""Whose questions the running task asks; tasks that it starts inherit it."""


class EdgePrompter:
    """ports.Prompter of a harness that is driven from elsewhere: every question goes to whoever owns the session."""

    async def ask(self, request: PermissionRequest) -> PermissionReply:
        """Ask whether a call may run; nobody there means no."""
        fallback = PermissionReply(answer="deny", answered_by="policy", words=UNANSWERED)
        questions = asking.get()
        if questions is None:
            return fallback
        return await questions.put(AskPermission(session=questions.session, request=request), fallback)

    async def question(self, request: QuestionRequest) -> QuestionReply:
        """Ask something else; nobody there means no answer."""
        questions = asking.get()
        if questions is None:
            return QuestionReply(cancelled=True)
        return await questions.put(
            AskQuestion(session=questions.session, request=request), QuestionReply(cancelled=True)
        )

    async def trust(self, request: TrustRequest) -> TrustReply:
        """Ask whoever opens the session; nobody there means no trust."""
        questions = asking.get()
        if questions is None:
            return TrustReply(unanswered=True)
        return await questions.put(AskTrust(session=questions.session, request=request), TrustReply(unanswered=True))
