"""The session store: making, opening, listing, searching, forking and deleting sessions."""

import asyncio
import shutil
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress

from ..context.titles import TITLE_RANKS
from ..places import Places
from ..protocol.errors import StoreError
from ..protocol.events import Fact, FileChanged, Notice, TitleChanged
from ..protocol.ports import MOST_LISTED, SessionInfo
from .audit import grant_story
from .catalog import Catalog, Row
from .codec import decode_fact
from .database import Database
from .ending import read_ending
from .journal import DiskJournal, Loss, check_session_id, read_facts
from .lease import Lease, Owner, holder
from .redact import StorageRedactor
from .search import Hit, find
from .summary import SessionSummary
from .transcript import Transcript, transcript_path
from .turns import end_of_turn

KEPT_AFTER_DELETION = 24 * 3600.0
"""Seconds for which a deleted session can be had back."""

_SHORTEST_NAME = 4  # letters of an id that may stand for the whole

EVERYTHING = 1_000_000
"""A limit that lists all sessions."""


class Store:
    """All sessions of one person on this machine."""

    def __init__(self, places: Places, secrets: Iterable[str] = ()) -> None:
        self._places = places
        self._database = Database(places.database)
        self._leases = places.data / "leases"
        self._transcripts = places.data / "projects"
        self._scratch = places.data / "scratch"
        self._catalog = Catalog(self._database, self._leases)
        self._redact = StorageRedactor(secrets)
        self._live: dict[str, DiskJournal] = {}
        self.losses: dict[str, Loss] = {}
        """What could not be stored of sessions that are closed by now, by their id."""

    @classmethod
    def open(cls, places: Places, *, secrets: Iterable[str] = ()) -> "Store":
        """The store of these places. Never raises: where the disk does not take it, `problem` says why.

        `secrets` are values that never reach the disk: our own keys.
        """
        store = cls(places, secrets)
        if store._database.open():
            with suppress(StoreError):
                store.purge(before=time.time() - KEPT_AFTER_DELETION)
        return store

    @property
    def problem(self) -> str:
        """Why the store cannot be written just now, or empty."""
        return self._database.problem

    def redact(self, encoded: bytes) -> bytes:
        """Encoded JSON without our own keys."""
        return self._redact(encoded)

    def protect(self, *secrets: str) -> None:
        """Let these values never reach the disk from now on: our own keys."""
        self._redact.add(*secrets)

    def take_notices(self) -> list[Notice]:
        """What happened to the store since the last call, such as a salvage."""
        return self._database.take_notices()

    def close(self) -> None:
        """Close all journals and the file."""
        for journal in list(self._live.values()):
            journal.close()
        self._database.close()

    def transcript(self, session_id: str, cwd: str, version: str = "") -> Transcript:
        """The writer of a session's transcript in our own folder, going on where the stored facts end."""

        def past() -> Iterable[Fact]:
            with suppress(StoreError):
                yield from (fact for _, fact in self.read(session_id))

        path = transcript_path(self._transcripts, cwd, session_id)
        return Transcript(path, session_id, version=version, past=past, redact=self._redact)

    # --- one session ----------------------------------------------------------------------------------------

    def create(self, info: SessionInfo, headless: bool = False) -> DiskJournal:
        """A new session; without an id it gets one. Raises StoreError when the id is taken."""
        session_id = check_session_id(info.id or str(uuid.uuid4()))
        if self._catalog.kept(session_id):
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
        return self._journal(summary)

    def open_session(self, session_id: str) -> DiskJournal:
        """Go on with a stored session.

        Raises StoreError when there is none, another process has it open, or another program recorded it.
        """
        row = self._catalog.row(session_id)
        if row.summary.origin:
            hint = "Fork it with --fork-session (on the screen: /fork) to go on in a copy."
            raise StoreError(row.summary.info.read_only, where=session_id, hint=hint)
        return self._continued(row)

    def held_elsewhere(self, session_id: str) -> str:
        """Who else has a session open just now, in words; empty when nobody has."""
        if session_id in self._live:
            return ""
        owner = holder(self._leases, session_id)
        return f"It is open in another process ({_name(owner)})." if owner is not None else ""

    def fork(self, session_id: str, turn: int | None = None) -> DiskJournal:
        """A new session with the facts of this one up to the end of a turn; all of them when `turn` is None.

        Raises StoreError when there is no such session or turn.
        """
        facts = [fact for _, fact in self.read(session_id)]
        if turn is not None:
            facts = facts[: end_of_turn(facts, turn)]
        old = self.info(session_id)
        summary = SessionSummary(id=str(uuid.uuid4()), cwd=old.cwd, branch=old.branch, headless=old.headless)
        summary.title, summary.title_rank = old.title, TITLE_RANKS["model"]
        summary.apply_all(facts)
        summary.forked_from, summary.forked_turn = session_id, summary.turns
        summary.state = "idle"
        summary.cost_usd = None  # paid once, in the other session
        journal = self._journal(summary)
        journal.adopt(facts)
        return journal

    def take_in(self, info: SessionInfo, facts: Iterable[Fact], origin: str = "") -> SessionInfo:
        """Keep a session that was recorded elsewhere; `origin` names another program, then it is kept read only.

        It replaces a deleted one, and an earlier copy of another program's. Raises StoreError when its id is taken
        otherwise or it cannot be stored.
        """
        summary = SessionSummary(id=check_session_id(info.id or str(uuid.uuid4())), origin=origin)
        old = self._catalog.kept(summary.id)
        if old is not None and not old.is_deleted and (not origin or old.origin != origin):
            raise StoreError(f"There is already a session {summary.id}.", hint="Delete it first to import it again.")
        story = list(facts)
        summary.apply_all(story)
        journal = self._journal(summary)
        if old is not None:
            self._erase([summary.id])
        journal.adopt(story)
        problem = journal.problem
        journal.close()
        if problem:
            raise StoreError(problem)
        return self.info(summary.id)

    def has_taken(self, session_id: str, origin: str, facts: int | None = None) -> bool:
        """Whether a recording of another program is here, with exactly so many facts if that is asked."""
        kept = self._catalog.kept(session_id)
        if kept is None or kept.is_deleted or kept.origin != origin:
            return False
        return facts in (None, kept.last_seq)

    def read(self, session_id: str, after: int = 0) -> Iterator[tuple[int, Fact]]:
        """A session's facts in order, whoever has it open. Raises StoreError."""
        if session_id in self._live:
            yield from self._live[session_id].read(after)
            return
        yield from read_facts(self._database, self._catalog.row(session_id).number, after)

    def ending(self, session_id: str) -> list[Fact]:
        """The end of a session's story, for a first look. Raises StoreError."""
        return read_ending(self._database, self._catalog.row(session_id).number)

    def info(self, session_id: str) -> SessionInfo:
        """One session's row. Raises StoreError when there is none."""
        if session_id in self._live:
            return self._live[session_id].info
        return self._catalog.info(self._catalog.row(session_id))

    def rename(self, session_id: str, title: str) -> None:
        """Give a session a title that nothing but a person overwrites. Raises StoreError, also for an empty one."""
        if not title.strip():
            raise StoreError("A title cannot be empty.", hint="Say what the session is about.")
        fact = TitleChanged(title=title, by="person")
        if session_id in self._live:
            self._live[session_id].append(fact)
            return
        row = self._catalog.row(session_id)
        if holder(self._leases, session_id) is None:
            journal = self._continued(row)
            journal.append(fact)
            journal.close()
        self._catalog.entitle(session_id, title, TITLE_RANKS["person"])

    def delete(self, session_id: str) -> None:
        """Hide a session; it is gone for good a day later. One that is open here is closed.

        Raises StoreError when it is open elsewhere or unknown.
        """
        live = self._live.get(session_id)
        if live is not None:
            live.close()
            if not live.is_stored:
                return
        self._catalog.row(session_id)
        owner = holder(self._leases, session_id)
        if owner is not None:
            raise StoreError("The session is open and cannot be deleted.", hint="Close it first.", where=_name(owner))
        self._catalog.hide(session_id)

    def undelete(self, name: str) -> str:
        """Take back the deletion of the session with this id, or this beginning of one; returns its id.

        Raises StoreError when it is too late.
        """
        found = self._catalog.deleted(name) if len(name) >= _SHORTEST_NAME else []
        if len(found) != 1:
            there = f"{len(found)} deleted sessions begin with" if found else "There is no deleted session"
            hint = f"Give more of the id: {', '.join(found[:5])}" if found else "What was deleted is kept for a day."
            raise StoreError(f"{there} {name!r}.", hint=hint)
        self._catalog.unhide(found[0])
        return found[0]

    # --- all sessions ---------------------------------------------------------------------------------------

    def sessions(self, search: str = "", cwd: str | None = None, limit: int = MOST_LISTED) -> list[SessionInfo]:
        """Stored and open sessions, newest first; with `search`, those in which all its words occur.

        Raises StoreError when the file cannot be read and no session is open.
        """
        try:
            infos = {info.id: info for info in self._catalog.sessions(search, cwd, limit)}
        except StoreError:
            if not self._live:
                raise
            infos = {}
        for session_id, journal in self._live.items():
            info = journal.info
            if session_id in infos or (info.turns and not search and cwd in (None, info.cwd)):
                infos[session_id] = info
        return sorted(infos.values(), key=lambda info: -info.updated)[:limit]

    async def find(self, search: str, cwd: str | None, limit: int) -> list[SessionInfo]:
        """Stored sessions in which all these words occur, newest first, read in a thread. Raises StoreError."""
        return await asyncio.to_thread(self._find, search, cwd, limit)

    def _find(self, search: str, cwd: str | None, limit: int) -> list[SessionInfo]:
        apart = Store(self._places)  # a connection of its own: one serves one thread
        try:
            return apart.sessions(search, cwd, limit)
        finally:
            apart.close()
            self._database.notices += apart.take_notices()

    def search(self, words: str, limit: int = 50) -> list[Hit]:
        """Places where these words were said, newest first. Raises StoreError."""
        return find(self._database, words, limit)

    def grant_story(self) -> Iterator[tuple[str, str, Fact]]:
        """What all sessions tell about grants, oldest first: session id, title, fact. Raises StoreError."""
        return grant_story(self._database)

    def latest(self, cwd: str, include_headless: bool = False) -> SessionInfo | None:
        """The session of this folder that was used last. Raises StoreError."""
        found = (info for info in self.sessions(cwd=cwd, limit=EVERYTHING) if include_headless or not info.headless)
        return next(found, None)

    def resolve(self, name: str, *, loosely: bool = False) -> SessionInfo:
        """The session with this id, this beginning of an id (at least four characters) or this title.

        Words of a title do, too, where a wrong guess harms nothing (`loosely`). Raises StoreError when there is none
        or more than one.
        """
        words = name.casefold().split() if loosely else []
        everything = self.sessions(limit=EVERYTHING)
        tests: tuple[Callable[[SessionInfo], bool], ...] = (
            lambda info: info.id == name,
            lambda info: len(name) >= _SHORTEST_NAME and info.id.startswith(name),
            lambda info: bool(name) and info.title.casefold() == name.casefold(),
            lambda info: bool(words) and all(word in info.title.casefold() for word in words),
        )
        for test in tests:
            found = [info for info in everything if test(info)]
            if len(found) == 1:
                return found[0]
            if found:
                names = ", ".join(f"{info.id[:8]} {' '.join(info.title.split())[:40]!r}" for info in found[:5])
                raise StoreError(f"{len(found)} sessions are called {name!r}.", hint=f"Give more of the id: {names}")
        raise StoreError(f"There is no session {name!r}.", hint="`rein-tui sessions list` shows those that there are.")

    def prune(self, *, before: float, headless_only: bool = False, dry: bool = False) -> list[SessionInfo]:
        """Delete for good all sessions last used before this time (epoch seconds); returns them. Raises StoreError."""
        old = [
            info
            for info in self.sessions(limit=EVERYTHING)
            if info.updated < before and (info.headless or not headless_only) and info.state == "done"
        ]
        if not dry:
            for info in old:
                self.delete(info.id)
            self._erase([info.id for info in old])
        return old

    def purge(self, before: float) -> None:
        """Remove for good what was deleted before this time (epoch seconds). Raises StoreError."""
        self._erase(self._catalog.deleted_before(before))

    def file_contents(self) -> set[str]:
        """The sha256 of every file content that some session may go back to. Raises StoreError."""
        rows = self._database.read("SELECT body FROM facts WHERE type = 'file_changed'")
        changes = [fact for (body,) in rows if isinstance(fact := decode_fact(body), FileChanged)]
        return {digest for change in changes for digest in (change.before, change.after) if digest}

    # --- inside ---------------------------------------------------------------------------------------------

    def _erase(self, session_ids: Sequence[str]) -> None:
        for session_id, cwd in self._catalog.erase(session_ids):
            Transcript(transcript_path(self._transcripts, cwd, session_id), session_id).remove()
            shutil.rmtree(self._scratch / session_id, ignore_errors=True)

    def _continued(self, row: Row) -> DiskJournal:
        row.summary.state = "idle"
        return self._journal(row.summary, number=row.number, last=row.last_seq)

    def _journal(self, summary: SessionSummary, *, number: int | None = None, last: int = 0) -> DiskJournal:
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
        journal.attach(number=number, last=last, lease=lease, closed=self._let_go)
        self._live[summary.id] = journal
        return journal

    def _let_go(self, session_id: str) -> None:
        journal = self._live.pop(session_id, None)
        if journal is not None and journal.lost:
            self.losses[session_id] = Loss(journal.lost, is_whole=not journal.is_stored)


def _name(owner: Owner) -> str:
    return f"process {owner.pid} on {owner.host}" if owner.pid else "unknown"
