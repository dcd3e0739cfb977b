"""The fold that makes one row of the session list from a session's facts."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

from ..context.titles import TITLE_RANKS, first_words
from ..protocol.events import (
    TURN_ENDS,
    Fact,
    MessageFinished,
    ModelChanged,
    PermissionRequested,
    PermissionResolved,
    PromptAdded,
    QuestionAnswered,
    QuestionAsked,
    SessionEnded,
    SessionStarted,
    SideAnswered,
    TitleChanged,
    TurnStarted,
)
from ..protocol.ports import SessionInfo

LATEST = 253_402_300_000.0
"""Seconds since 1970 that a calendar can show: a recording of someone else may claim any time."""


@dataclass(slots=True)
class SessionSummary:
    """What the session list shows, kept up to date fact by fact."""

    id: str
    title: str = ""
    title_rank: int = 0
    cwd: str = ""
    branch: str = ""
    created: float = 0.0
    updated: float = 0.0
    turns: int = 0
    cost_usd: float | None = None
    state: Literal["running", "waiting", "idle", "done"] = "idle"
    model: str = ""
    headless: bool = False
    forked_from: str = ""
    forked_turn: int = 0
    origin: str = ""
    """Which other program recorded the session; empty for our own."""
    _open_questions: set[str] = field(default_factory=set[str])

    @property
    def info(self) -> SessionInfo:
        """The row as a word."""
        return SessionInfo(
            id=self.id,
            title=self.title,
            cwd=self.cwd,
            branch=self.branch,
            created=self.created,
            updated=self.updated,
            turns=self.turns,
            cost_usd=self.cost_usd,
            state=self.state,
            model=self.model,
            headless=self.headless,
            read_only=f"This session was recorded by {self.origin}." if self.origin else "",
        )

    def apply(self, fact: Fact) -> None:
        """Take one more fact into account."""
        if 0 < fact.time < LATEST:
            self.created = self.created or fact.time
            self.updated = max(self.updated, fact.time)
        match fact:
            case SessionStarted():
                self._started(fact)
            case SessionEnded():
                self.state = "done"
            case TurnStarted() if not fact.parent:
                self.turns += 1
                self.state = "running"
            case PromptAdded(origin="prompt") if not fact.parent:
                self._entitle(first_words(fact.message.text), "first_words")
            case MessageFinished() | SideAnswered():
                if fact.usage.cost_usd is not None:
                    self.cost_usd = (self.cost_usd or 0.0) + fact.usage.cost_usd
                if isinstance(fact, MessageFinished) and not fact.parent:
                    self.model = fact.model or self.model
            case TitleChanged():
                self._entitle(fact.title, fact.by)
            case ModelChanged():
                self.model = fact.model
            case PermissionRequested() | QuestionAsked():
                self._open_questions.add(fact.request.id)
                self.state = "waiting"
            case PermissionResolved() | QuestionAnswered():
                self._open_questions.discard(fact.request_id)
                if not self._open_questions and self.state == "waiting":
                    self.state = "running"
            case _ if isinstance(fact, TURN_ENDS) and not fact.parent:
                self._open_questions.clear()
                self.state = "idle"
            case _:
                pass

    def apply_all(self, facts: Iterable[Fact]) -> None:
        """Take many facts into account."""
        for fact in facts:
            self.apply(fact)

    def _started(self, fact: SessionStarted) -> None:
        self.cwd = self.cwd or fact.cwd
        self.branch = fact.branch or self.branch
        self.model = fact.model or self.model
        self.forked_from = fact.forked_from or self.forked_from
        self.forked_turn = fact.forked_turn or self.forked_turn
        self._open_questions.clear()
        self.state = "idle"

    def _entitle(self, title: str, by: str) -> None:
        rank = TITLE_RANKS.get(by, 0)
        if title and (rank > self.title_rank or (rank == self.title_rank and by != "first_words")):
            self.title, self.title_rank = title, rank
