"""The table of sessions: rows in, rows out. It knows nothing of open journals or facts."""

import sqlite3
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple, cast

from msgspec import structs

from ..protocol.errors import StoreError
from ..protocol.ports import SessionInfo
from .database import Database
from .lease import holder
from .schema import DamagedError, key_range
from .search import matching_sessions, passages
from .summary import LATEST, SessionSummary

_COLUMNS = (
    "number, last_seq, id, title, title_rank, cwd, branch, created, updated, turns, cost_usd, state, model, headless, "
    "forked_from, forked_turn, origin"
)

SHOWN = 40
"""Sessions of a search that say where its words stand: no more are seen at once."""

_ROW = f"SELECT {_COLUMNS} FROM sessions WHERE id = ? AND deleted = 0"  # noqa: S608
_STATES = frozenset({"running", "waiting", "idle", "done"})


class Row(NamedTuple):
    """One session as stored: its number, its newest fact, and what the list shows."""

    number: int
    last_seq: int
    summary: SessionSummary


class Kept(NamedTuple):
    """What is known of an id that is taken."""

    is_deleted: bool
    origin: str
    last_seq: int


class Catalog:
    """All stored sessions; a deleted one is hidden until it is purged."""

    def __init__(self, database: Database, leases: Path) -> None:
        self._database, self._leases = database, leases

    def row(self, session_id: str) -> Row:
        """One session. Raises StoreError when there is none."""
        rows = self._database.run(lambda connection: _found(connection, session_id))
        if not rows:
            raise StoreError(f"There is no session {session_id}.", hint="`rein-tui sessions list` shows them.")
        return _row_of(rows[0])

    def kept(self, session_id: str) -> "Kept | None":
        """Who has this id, a deleted session included; nobody where the store cannot be read."""
        try:
            rows = self._database.read("SELECT deleted, origin, last_seq FROM sessions WHERE id = ?", (session_id,))
        except StoreError:
            return None
        return Kept(bool(rows[0][0]), _text(rows[0][1]), int(_number(rows[0][2]))) if rows else None

    def deleted(self, name: str) -> list[str]:
        """The ids of deleted sessions that are this one or begin with it. Raises StoreError."""
        rows = self._database.read("SELECT id FROM sessions WHERE deleted > 0 ORDER BY deleted DESC")
        return [name] if (name,) in rows else [str(row[0]) for row in rows if str(row[0]).startswith(name)]

    def sessions(self, search: str, cwd: str | None, limit: int) -> list[SessionInfo]:
        """Rows newest first; with `search`, those in which all its words occur. Raises StoreError."""
        clause, parameters = "", []
        if search.strip():
            numbers = ", ".join(str(number) for number in matching_sessions(self._database, search))
            clause = f" AND number IN ({numbers})"
        if cwd is not None:
            clause, parameters = clause + " AND cwd = ?", [cwd]
        sql = f"SELECT {_COLUMNS} FROM sessions WHERE deleted = 0{clause} ORDER BY updated DESC LIMIT ?"  # noqa: S608
        rows = [_row_of(row) for row in self._database.read(sql, (*parameters, limit))]
        infos = [self.info(row) for row in rows]
        if not search.strip():
            return infos
        found = passages(self._database, search, [row.number for row in rows[:SHOWN]])
        return [structs.replace(info, found=found.get(row.number, "")) for info, row in zip(infos, rows, strict=True)]

    def info(self, row: Row) -> SessionInfo:
        """What the list shows: a session is done when no process has it open, whatever its last fact says."""
        info = row.summary.info
        is_open = holder(self._leases, info.id) is not None
        if is_open == (info.state != "done"):
            return info
        return structs.replace(info, state="idle" if is_open else "done")

    def entitle(self, session_id: str, title: str, rank: int) -> None:
        """Change a title without touching anything else. Raises StoreError."""
        self._change("UPDATE sessions SET title = ?, title_rank = ? WHERE id = ?", (title, rank, session_id))

    def hide(self, session_id: str) -> None:
        """Mark as deleted. Raises StoreError."""
        self._change("UPDATE sessions SET deleted = ? WHERE id = ?", (time.time(), session_id))

    def unhide(self, session_id: str) -> None:
        """Take a deletion back. Raises StoreError."""
        self._change("UPDATE sessions SET deleted = 0 WHERE id = ?", (session_id,))

    def deleted_before(self, before: float) -> list[str]:
        """The ids of sessions deleted before this time (epoch seconds). Raises StoreError."""
        rows = self._database.read("SELECT id FROM sessions WHERE deleted > 0 AND deleted < ?", (before,))
        return [str(row[0]) for row in rows]

    def erase(self, session_ids: Sequence[str]) -> list[tuple[str, str]]:
        """Remove these for good; returns (id, cwd) of each. Raises StoreError."""
        sql = "SELECT number, id, cwd FROM sessions WHERE id = ?"
        gone = [row for session_id in session_ids for row in self._database.read(sql, (session_id,))]

        def work(connection: sqlite3.Connection) -> None:
            for number, _, _ in gone:
                if self._database.has_words:
                    connection.execute("DELETE FROM words WHERE rowid BETWEEN ? AND ?", key_range(number))
                connection.execute("DELETE FROM facts WHERE key BETWEEN ? AND ?", key_range(number))
                connection.execute("DELETE FROM sessions WHERE number = ?", (number,))

        if gone and not self._database.write(work):
            raise StoreError(self._database.problem)
        return [(session_id, cwd) for _, session_id, cwd in gone]

    def _change(self, sql: str, parameters: tuple[Any, ...]) -> None:
        def work(connection: sqlite3.Connection) -> None:
            connection.execute(sql, parameters)

        if not self._database.write(work):
            raise StoreError(self._database.problem)


def _found(connection: sqlite3.Connection, session_id: str) -> list[tuple[Any, ...]]:
    """The session's row, if any. Raises DamagedError where there is one that the index of ids does not know."""
    rows = connection.execute(_ROW, (session_id,)).fetchall()
    if not rows:
        listed = connection.execute(
            "SELECT id, title FROM sessions WHERE deleted = 0"
        )  # two columns: no index has them
        if any(row[0] == session_id for row in listed):
            raise DamagedError("a session that its index does not know")
    return rows


def _row_of(row: tuple[Any, ...]) -> Row:
    """The row; a value that a damaged page turned into another kind counts as missing."""
    number, last_seq, session_id, title, rank, cwd, branch, created, updated, turns, cost, state, *rest = row
    model, headless, forked_from, forked_turn, origin = rest
    summary = SessionSummary(
        id=_text(session_id),
        title=_text(title),
        title_rank=int(_number(rank)),
        cwd=_text(cwd),
        branch=_text(branch),
        created=_number(created),
        updated=_number(updated),
        turns=int(_number(turns)),
        cost_usd=None if cost is None else _number(cost),
        state=cast(Literal["running", "waiting", "idle", "done"], state if state in _STATES else "done"),
        model=_text(model),
        headless=bool(headless),
        forked_from=_text(forked_from),
        forked_turn=int(_number(forked_turn)),
        origin=_text(origin),
    )
    return Row(int(_number(number)), int(_number(last_seq)), summary)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _number(value: Any) -> float:
    return value if isinstance(value, int | float) and 0 <= value < LATEST else 0
