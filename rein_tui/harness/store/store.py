"""The session store: making, opening, listing, searching, forking and deleting sessions."""

import sqlite3
import time
import uuid
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Literal, cast

from ..places import Places
from ..protocol.errors import StoreError
from ..protocol.events import TURN_ENDS, Fact, Notice, TitleChanged, TurnStarted
from ..protocol.ports import SessionInfo
from .database import Database
from .journal import DiskJournal, check_session_id, read_facts
from .lease import Lease, Owner, holder
from .redact import storage_redactor
from .schema import key_range
from .search import Hit, find, matching_sessions
from .summary import TITLE_RANKS, SessionSummary

_INFO = "id, title, cwd, branch, created, updated, turns, cost_usd, state, model, headless"
_SUMMARY = f"{_INFO}, title_rank, forked_from, forked_turn, number, last_seq"

KEPT_AFTER_DELETION = 24 * 3600.0
"""Seconds for which a deleted session can be had back."""


class Store:
    """All sessions of one person on this machine."""

    def __init__(self, places: Places, secrets: Iterable[str] = ()) -> None:
        self._database = Database(places.database)
        self._leases = places.data / "leases"
        self._redact = storage_redactor(secrets)
        self._live: dict[str, DiskJournal] = {}

    @classmethod
    def open(cls, places: Places, *, secrets: Iterable[str] = ()) -> "Store":
        """The store of these places. Never raises: where the disk does not take it, `problem` says why.

        `secrets` are values that never reach the disk: our own keys.
        """
        store = cls(places, secrets)
        if store._database.open():
            store.purge(before=time.time() - KEPT_AFTER_DELETION)
        return store

    @property
    def problem(self) -> str:
        """Why the store cannot be written just now, or empty."""
        return self._database.problem

    def take_notices(self) -> list[Notice]:
        """What happened to the store since the last call, such as a salvage."""
        notices, self._database.notices = self._database.notices, []
        return notices

    def close(self) -> None:
        """Close all journals and the file."""
        for journal in list(self._live.values()):
            journal.close()
        self._database.close()

    # --- writing --------------------------------------------------------------------------------------------

    def create(self, info: SessionInfo, headless: bool = False) -> DiskJournal:
        """A new session; without an id it gets one. Raises StoreError when the id is taken."""
        session_id = check_session_id(info.id or str(uuid.uuid4()))
        if self._number_of(session_id) is not None:
            raise StoreError(f"There is already a session {session_id}.", hint="Resume it, or choose another id.")
        summary = SessionSummary(
            id=session_id,
            title=info.title,
            title_rank=TITLE_RANKS["person"] if info.title else 0,
            cwd=info.cwd,
            branch=info.branch,
            created=info.created,
            model=info.model,
            headless=headless or info.headless,
        )
        return self._journal(summary, number=None, last=0)

    def open_session(self, session_id: str) -> DiskJournal:
        """Go on with a stored session. Raises StoreError when there is none, or another process has it open."""
        row = self._row(session_id)
        summary = _summary_of(row)
        number, last = int(row[-2]), int(row[-1])
        summary.state = "idle"
        return self._journal(summary, number=number, last=last)

    def fork(self, session_id: str, turn: int | None = None) -> DiskJournal:
        """A new session with the facts of this one up to the end of a turn; all of them when `turn` is None.

        Raises StoreError when there is no such session or turn.
        """
        facts = [fact for _, fact in self.read(session_id)]
        if turn is not None:
            facts = facts[: end_of_turn(facts, turn)]
        old = self.info(session_id)
        summary = SessionSummary(
            id=str(uuid.uuid4()), cwd=old.cwd, branch=old.branch, headless=old.headless, forked_from=session_id
        )
        journal = self._journal(summary, number=None, last=0)
        journal.extend(facts)
        summary.forked_from, summary.forked_turn = session_id, turn if turn is not None else old.turns
        summary.state = "idle"
        summary.cost_usd = None  # paid once, in the other session
        journal.flush()
        return journal

    def rename(self, session_id: str, title: str) -> None:
        """Give a session a title that nothing but a person overwrites. Raises StoreError."""
        fact = TitleChanged(title=title, by="person", time=time.time())
        if session_id in self._live:
            self._live[session_id].append(fact)
            return
        row = self._row(session_id)
        if holder(self._leases, session_id) is None:
            journal = self.open_session(session_id)
            journal.append(fact)
            journal.close()
        self._change(
            "UPDATE sessions SET title = ?, title_rank = ?, updated = ?, state = ? WHERE id = ?",
            (title, TITLE_RANKS["person"], row[5], row[8], session_id),
        )

    def delete(self, session_id: str) -> None:
        """Hide a session; it is gone for good a day later. Raises StoreError when it is open or unknown."""
        self._row(session_id)
        owner = holder(self._leases, session_id)
        if owner is not None or session_id in self._live:
            raise StoreError("The session is open and cannot be deleted.", hint="Close it first.", where=_name(owner))
        self._change("UPDATE sessions SET deleted = ? WHERE id = ?", (time.time(), session_id))

    def undelete(self, session_id: str) -> None:
        """Take a deletion back. Raises StoreError when it is too late."""
        if not self._database.read("SELECT 1 FROM sessions WHERE id = ?", (session_id,)):
            raise StoreError(f"There is no session {session_id} any more.")
        self._change("UPDATE sessions SET deleted = 0 WHERE id = ?", (session_id,))

    def prune(self, *, before: float, headless_only: bool = False, dry: bool = False) -> list[SessionInfo]:
        """Delete for good all sessions last used before this time (epoch seconds); returns them. Raises StoreError."""
        old = [
            info
            for info in self.sessions(limit=1_000_000)
            if info.updated < before
            and (info.headless or not headless_only)
            and info.id not in self._live
            and holder(self._leases, info.id) is None
        ]
        if not dry:
            for info in old:
                self.delete(info.id)
            self.purge(before=time.time() + 1)
        return old

    def purge(self, before: float) -> None:
        """Remove for good what was deleted before this time (epoch seconds)."""

        def work(connection: sqlite3.Connection) -> None:
            gone = connection.execute("SELECT number FROM sessions WHERE deleted > 0 AND deleted < ?", (before,))
            for (number,) in gone.fetchall():
                if self._database.has_words:
                    connection.execute("DELETE FROM words WHERE rowid BETWEEN ? AND ?", key_range(number))
                connection.execute("DELETE FROM facts WHERE key BETWEEN ? AND ?", key_range(number))
                connection.execute("DELETE FROM sessions WHERE number = ?", (number,))

        if self._has("SELECT 1 FROM sessions WHERE deleted > 0 AND deleted < ?", before):
            self._database.write(work)

    # --- reading --------------------------------------------------------------------------------------------

    def read(self, session_id: str, after: int = 0) -> Iterator[tuple[int, Fact]]:
        """A session's facts in order, whoever has it open. Raises StoreError."""
        if session_id in self._live:
            yield from self._live[session_id].read(after)
            return
        number = int(self._row(session_id)[-2])
        yield from read_facts(self._database, number, after)

    def info(self, session_id: str) -> SessionInfo:
        """One session's row. Raises StoreError when there is none."""
        if session_id in self._live:
            return self._live[session_id].info
        return self._info(self._row(session_id))

    def sessions(self, search: str = "", cwd: str | None = None, limit: int = 200) -> list[SessionInfo]:
        """Stored and open sessions, newest first; with `search`, those in which all its words occur.

        Raises StoreError when the file cannot be read and no session is open.
        """
        clause, parameters = "", []
        if search.strip():
            numbers = ", ".join(str(number) for number in matching_sessions(self._database, search))
            clause = f" AND number IN ({numbers})"
        if cwd is not None:
            clause, parameters = clause + " AND cwd = ?", [cwd]
        sql = f"SELECT {_SUMMARY} FROM sessions WHERE deleted = 0{clause} ORDER BY updated DESC LIMIT ?"  # noqa: S608
        try:
            rows = self._database.read(sql, (*parameters, limit))
        except StoreError:
            if not self._live:
                raise
            rows = []
        infos = {str(row[0]): self._info(row) for row in rows}
        for session_id, journal in self._live.items():
            info = journal.info
            if session_id in infos or (info.turns and not search and cwd in (None, info.cwd)):
                infos[session_id] = info
        return sorted(infos.values(), key=lambda info: -info.updated)[:limit]

    def search(self, words: str, limit: int = 50) -> list[Hit]:
        """Places where these words were said, newest first. Raises StoreError."""
        return find(self._database, words, limit)

    def latest(self, cwd: str, include_headless: bool = False) -> SessionInfo | None:
        """The session of this folder that was used last. Raises StoreError."""
        found = (info for info in self.sessions(cwd=cwd, limit=1000) if include_headless or not info.headless)
        return next(found, None)

    def resolve(self, name: str) -> SessionInfo:
        """The session with this id, this beginning of an id (at least four characters) or this title.

        Raises StoreError when there is none or more than one.
        """
        everything = self.sessions(limit=1_000_000)
        tests: tuple[Callable[[SessionInfo], bool], ...] = (
            lambda info: info.id == name,
            lambda info: len(name) >= 4 and info.id.startswith(name),
            lambda info: bool(name) and info.title.casefold() == name.casefold(),
        )
        for test in tests:
            found = [info for info in everything if test(info)]
            if len(found) == 1:
                return found[0]
            if found:
                names = ", ".join(info.id for info in found[:5])
                raise StoreError(f"{len(found)} sessions are called {name!r}.", hint=f"Give more of the id: {names}")
        raise StoreError(f"There is no session {name!r}.", hint="`rein-tui sessions list` shows those that there are.")

    # --- inside ---------------------------------------------------------------------------------------------

    def _journal(self, summary: SessionSummary, *, number: int | None, last: int) -> DiskJournal:
        try:
            lease = Lease.acquire(self._leases, summary.id)
        except OSError:
            lease = None  # a folder that cannot be written: nobody else can write there either
        if isinstance(lease, Owner):
            raise StoreError(
                f"The session is open in another process ({_name(lease)}).",
                where=summary.id,
                hint="Close it there, or fork it with --fork-session.",
            )
        journal = DiskJournal(self._database, summary, self._redact)
        journal.attach(number=number, last=last, lease=lease, closed=lambda gone: self._forget(gone, journal))
        self._live[summary.id] = journal
        return journal

    def _forget(self, session_id: str, journal: DiskJournal) -> None:
        if self._live.get(session_id) is journal:
            del self._live[session_id]

    def _row(self, session_id: str) -> tuple[Any, ...]:
        rows = self._database.read(f"SELECT {_SUMMARY} FROM sessions WHERE id = ? AND deleted = 0", (session_id,))  # noqa: S608
        if not rows:
            raise StoreError(f"There is no session {session_id}.", hint="`rein-tui sessions list` shows them.")
        return rows[0]

    def _number_of(self, session_id: str) -> int | None:
        try:
            rows = self._database.read("SELECT number FROM sessions WHERE id = ?", (session_id,))
        except StoreError:
            return None
        return int(rows[0][0]) if rows else None

    def _has(self, sql: str, *parameters: Any) -> bool:
        try:
            return bool(self._database.read(f"{sql} LIMIT 1", parameters))
        except StoreError:
            return False

    def _change(self, sql: str, parameters: tuple[Any, ...]) -> None:
        def work(connection: sqlite3.Connection) -> None:
            connection.execute(sql, parameters)

        if not self._database.write(work):
            raise StoreError(self._database.problem)

    def _info(self, row: tuple[Any, ...]) -> SessionInfo:
        info = _summary_of(row).info
        if info.state != "done" and holder(self._leases, info.id) is None:
            return _summary_of((*row[:8], "done", *row[9:])).info
        return info


def end_of_turn(facts: list[Fact], turn: int) -> int:
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


def _summary_of(row: tuple[Any, ...]) -> SessionSummary:
    session_id, title, cwd, branch, created, updated, turns, cost, state, model, headless, rank, forked, at, _, _ = row
    return SessionSummary(
        id=session_id,
        title=title,
        title_rank=rank,
        cwd=cwd,
        branch=branch,
        created=created,
        updated=updated,
        turns=turns,
        cost_usd=cost,
        state=cast(Literal["running", "waiting", "idle", "done"], state),
        model=model,
        headless=bool(headless),
        forked_from=forked,
        forked_turn=at,
    )


def _name(owner: Owner | None) -> str:
    return f"process {owner.pid} on {owner.host}" if owner and owner.pid else "this program"
