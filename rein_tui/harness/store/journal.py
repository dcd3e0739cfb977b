"""The facts of one session, on disk or in memory.

A fact is encoded, and rid of our own keys, when it is appended. It reaches the disk, with all before it, at the
next commit point: a message, a call about to run, its result, a question, the end of a turn. What the disk does
not take stays in memory and is tried again at the next commit point.
"""

import sqlite3
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from ..protocol import events as e
from ..protocol.errors import StoreError
from ..protocol.events import Fact
from ..protocol.ports import SessionInfo
from .codec import decode_fact, encode_fact, tag_of
from .database import Database
from .indexing import index
from .lease import Lease
from .schema import key_of, key_range, seq_of
from .summary import SessionSummary

COMMIT_POINTS: frozenset[type] = frozenset(
    {
        e.PromptAdded,
        e.MessageFinished,
        e.ToolCallStarted,
        e.ToolCallFinished,
        e.FileChanged,
        e.PermissionRequested,
        e.QuestionAsked,
        e.GrantAdded,
        e.GrantRevoked,
        e.BackgroundStarted,
        e.BackgroundFinished,
        e.Compacted,
        e.Rewound,
        e.SourceSwitched,
        *e.TURN_ENDS,
    }
)
"""Facts that are on disk when `append` returns; so is every fact outside a turn."""

_LIGHT = (e.MessageFinished, e.ToolCallFinished)
"""Commit points that need not outlive a power cut by themselves: what follows from them, a call that changes
something, brings them along. Reading calls can be made again."""

_BATCH = 256
_LAST_TRIES = 5  # each waits a second for other writers
_CHUNK = 512

_UPDATE_SESSION = """
UPDATE sessions SET
    title = CASE WHEN title_rank > :title_rank THEN title ELSE :title END, title_rank = max(title_rank, :title_rank),
    cwd = :cwd, branch = :branch, created = :created, updated = :updated, turns = :turns, cost_usd = :cost_usd,
    state = :state, model = :model, last_seq = :last_seq, deleted = 0
WHERE id = :id RETURNING number
"""

_INSERT_SESSION = """
INSERT INTO sessions (id, title, title_rank, cwd, branch, created, updated, turns, cost_usd, state, model, headless,
    forked_from, forked_turn, origin, last_seq)
VALUES (:id, :title, :title_rank, :cwd, :branch, :created, :updated, :turns, :cost_usd, :state, :model, :headless,
    :forked_from, :forked_turn, :origin, :last_seq)
RETURNING number
"""


_SUMMARY_COLUMNS = (
    "id title title_rank cwd branch created updated turns cost_usd state model headless forked_from forked_turn origin"
).split()


class StoredFact(NamedTuple):
    """One row to be."""

    seq: int
    type: str
    turn: int
    time: float
    body: bytes


class Loss(NamedTuple):
    """Why a session, or only its end, did not reach the disk."""

    reason: str
    is_whole: bool

    def __str__(self) -> str:
        part = "The session was" if self.is_whole else "The end of the session was"
        return f"{part} not stored. {self.reason}"


class DiskJournal:
    """One session's facts in the store; implements `engines.Journal`."""

    def __init__(self, database: Database, summary: SessionSummary, redact: Callable[[bytes], bytes]) -> None:
        self._database, self._summary, self._redact = database, summary, redact
        self._pending: list[StoredFact] = []
        self._last = 0
        self._number: int | None = None
        self._saved_title = ""
        self._reading: set[str] = set()
        self._is_closed = False
        self.lost = ""
        """Why what was told last did not reach the disk before it was closed; empty when all did."""
        self._lease: Lease | None = None
        self._closed: Callable[[str], object] = lambda session_id: None

    def attach(self, *, number: int | None, last: int, lease: Lease | None, closed: Callable[[str], object]) -> None:
        """What the store knows of the session: number and last fact if stored, its lease, whom to tell at the end."""
        self._number, self._last, self._lease, self._closed = number, last, lease, closed
        self._saved_title = self._summary.title if number is not None else ""

    @property
    def session_id(self) -> str:
        """Whose facts these are."""
        return self._summary.id

    @property
    def info(self) -> SessionInfo:
        """The session's row, as of the last fact appended."""
        return self._summary.info

    @property
    def problem(self) -> str:
        """Why facts are not reaching the disk just now, or empty."""
        return self._database.problem if self._pending and not self._is_closed else ""

    def take_notices(self) -> list[e.Notice]:
        """What happened to the store since the last call, such as a salvage."""
        return self._database.take_notices()

    @property
    def is_stored(self) -> bool:
        """Whether anything of the session is on the disk."""
        return self._number is not None

    @property
    def last_seq(self) -> int:
        """The sequence number of the newest fact; 0 when there is none."""
        return self._last

    def append(self, fact: Fact) -> int:
        """Store one fact, durably at commit points; returns its sequence number. Never raises."""
        kept = self._keep(fact)
        self._summary.apply(kept)
        light = self._is_light(fact)
        if type(fact) in COMMIT_POINTS or fact.turn == 0 or len(self._pending) % _BATCH == 0:
            self.flush(through=not light)
            if isinstance(fact, e.TURN_ENDS) and not fact.parent:
                self._index()
        return self._last

    def _is_light(self, fact: Fact) -> bool:
        if isinstance(fact, e.ToolCallRequested) and fact.read_only:
            self._reading.add(fact.call_id)
        if isinstance(fact, e.ToolCallStarted):
            return fact.call_id in self._reading
        return isinstance(fact, _LIGHT)

    def adopt(self, facts: Iterable[Fact]) -> None:
        """Begin with facts that the summary knows already: those of a session forked or imported. Never raises."""
        for fact in facts:
            self._keep(fact)
        self.flush()
        self._index()

    def flush(self, *, through: bool = True) -> bool:
        """Bring everything to the disk now, and `through` its caches.

        A session in which nothing was ever asked is not stored.
        """
        if self._is_closed or not self._pending or not (self._summary.turns or self._number is not None):
            return True
        if not self._database.write(self._save, through=through):
            return False
        self._pending.clear()
        return True

    def read(self, after: int = 0) -> Iterator[tuple[int, Fact]]:
        """Stored facts in order. Raises StoreError."""
        if self._number is not None:
            for seq, fact in read_facts(self._database, self._number, after):
                if not self._pending or seq < self._pending[0].seq:
                    yield seq, fact
        for row in list(self._pending):
            if row.seq > after:
                yield row.seq, decode_fact(row.body, row.seq)

    def close(self) -> None:
        """Bring everything to the disk and give up the session's lease; safe to call twice.

        What is told later stays in memory: without the lease nothing may be written.
        """
        for _ in range(_LAST_TRIES):
            if self._is_closed or not self._pending or (self._database.open() and self.flush()):
                break
        else:
            self.lost = self._database.problem if self._summary.turns or self.is_stored else ""
        self._is_closed = True
        if self._lease is not None:
            self._lease.release()
            self._lease = None
        self._closed(self.session_id)

    def _keep(self, fact: Fact) -> Fact:
        """Encode a fact to be written; returns it as it will be read, without our own keys."""
        self._last += 1
        whole = encode_fact(fact)
        body = self._redact(whole)
        self._pending.append(StoredFact(self._last, tag_of(fact), fact.turn, fact.time, body))
        return fact if body == whole else decode_fact(body, self._last)

    def _save(self, connection: sqlite3.Connection) -> None:
        s = self._summary
        row = {name: getattr(s, name) for name in _SUMMARY_COLUMNS} | {"last_seq": self._last}
        # A title that did not change here must not undo a renaming by another process.
        update = row | {"title_rank": -1} if s.title == self._saved_title else row
        # Not one upsert: that would use up a session number each time.
        found = connection.execute(_UPDATE_SESSION, update).fetchone()
        number = int((found or connection.execute(_INSERT_SESSION, row).fetchone())[0])
        connection.executemany(
            "INSERT INTO facts (key, type, turn, time, body) VALUES (?, ?, ?, ?, ?)",
            [(key_of(number, fact.seq), *fact[1:]) for fact in self._pending],
        )
        self._number, self._saved_title = number, s.title

    def _index(self) -> None:
        if self._database.has_words and not self._pending and self._number is not None:
            self._database.write(lambda connection: index(connection, self._number))


class MemoryJournal:
    """One session's facts in memory only: for `--no-session-persistence` and for tests."""

    def __init__(self, info: SessionInfo) -> None:
        self._summary = SessionSummary(id=info.id, cwd=info.cwd, branch=info.branch, headless=info.headless)
        self._facts: list[Fact] = []

    @property
    def session_id(self) -> str:
        """Whose facts these are."""
        return self._summary.id

    @property
    def info(self) -> SessionInfo:
        """The session's row, as of the last fact appended."""
        return self._summary.info

    @property
    def problem(self) -> str:
        """Always empty: nothing was promised."""
        return ""

    def take_notices(self) -> list[e.Notice]:
        """None: nothing can happen to memory."""
        return []

    def append(self, fact: Fact) -> int:
        """Keep one fact; returns its sequence number."""
        self._facts.append(fact)
        self._summary.apply(fact)
        return len(self._facts)

    def read(self, after: int = 0) -> Iterator[tuple[int, Fact]]:
        """All facts in order."""
        yield from list(enumerate(self._facts, 1))[after:]

    def flush(self) -> bool:
        """Nothing to do."""
        return True

    def close(self) -> None:
        """Nothing to give up."""


def read_facts(database: Database, number: int, after: int = 0) -> Iterator[tuple[int, Fact]]:
    """A session's facts on disk in order, a chunk at a time. Raises StoreError."""
    while True:
        rows = database.read(
            "SELECT key, body FROM facts WHERE key BETWEEN ? AND ? ORDER BY key LIMIT ?",
            (*key_range(number, after), _CHUNK),
        )
        for key, body in rows:
            after = seq_of(key)
            yield after, decode_fact(body, after)
        if len(rows) < _CHUNK:
            return


def check_session_id(session_id: str) -> str:
    """The id, if it can be a file's name. Raises StoreError."""
    plain = session_id.replace("-", "").replace("_", "").replace(".", "")
    if not (plain.isascii() and plain.isalnum() and len(session_id) <= 128) or session_id[0] == ".":
        raise StoreError(f"{session_id!r} cannot be the id of a session.", hint="Use letters, digits and dashes.")
    return session_id
