"""What can still be read of a damaged store, row by row, into a new one. The damaged file is only read."""

import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any, NamedTuple

from .codec import decode_fact
from .schema import SEQ_BITS, key_range, migrate, version_of
from .summary import SessionSummary

_COLUMNS = (
    "number, id, title, title_rank, cwd, branch, created, updated, turns, cost_usd, state, model, headless, "
    "forked_from, forked_turn, deleted, last_seq"
)

_LATER = ((2, "origin"),)
"""Columns that came later, with the version of the tables that brought them."""

_FACTS = "SELECT key, type, turn, time, body FROM facts WHERE key BETWEEN ? AND ? ORDER BY key"
_HIGHEST = f"SELECT max(key) >> {SEQ_BITS} FROM facts"  # noqa: S608
_MOST = 100_000
_UNKNOWN = 1000  # sessions to look for when nothing tells how many there were


_INCOMPLETE = f"""
SELECT title FROM sessions WHERE last_seq > (SELECT count(*) FROM facts
    WHERE key > number << {SEQ_BITS} AND key < (number + 1) << {SEQ_BITS}) ORDER BY updated DESC
"""  # noqa: S608


class Salvaged(NamedTuple):
    """How many facts were carried over, and the titles of the sessions in which some are missing."""

    facts: int
    incomplete: tuple[str, ...]


def salvage(damaged: Path, fresh: Path) -> Salvaged:
    """Carry every readable row of `damaged` into the empty file `fresh`.

    Raises OSError and sqlite3.Error only for the new file.
    """
    saved = 0
    with closing(sqlite3.connect(fresh, isolation_level=None)) as target, tempfile.TemporaryDirectory() as folder:
        migrate(target)
        copy = _copy(damaged, Path(folder))
        with closing(sqlite3.connect(copy, isolation_level=None)) as source:
            source.execute("PRAGMA writable_schema = ON")  # or a file that was cut short is refused as a whole
            target.execute("BEGIN")
            known: list[int] = []
            columns = _columns(source)
            sessions = f"SELECT {columns} FROM sessions WHERE number BETWEEN ? AND ? ORDER BY number"  # noqa: S608
            for row in _rows(source, sessions, 0, 1 << 31):
                known.append(int(row[0]))
                target.execute(f"INSERT OR IGNORE INTO sessions ({columns}) VALUES ({_marks(row)})", row)  # noqa: S608
            for number in _numbers(source, known):
                for row in _rows(source, _FACTS, *key_range(number)):
                    saved += target.execute("INSERT OR IGNORE INTO facts VALUES (?, ?, ?, ?, ?)", row).rowcount
            _adopt_orphans(target)
            target.execute("COMMIT")
        incomplete = tuple(title for (title,) in target.execute(_INCOMPLETE))
    return Salvaged(saved, incomplete)


def _columns(source: sqlite3.Connection) -> str:
    """The columns that this file has: it may be older than we are, or too damaged to tell."""
    version = 0
    with suppress(sqlite3.Error):
        version = version_of(source)
    return ", ".join([_COLUMNS, *(name for since, name in _LATER if version >= since)])


def _copy(damaged: Path, folder: Path) -> Path:
    """A private copy with its log, so that reading cannot touch the evidence."""
    copy = folder / "damaged.db"
    for suffix in ("", "-wal"):
        part = damaged.with_name(damaged.name + suffix)
        if part.exists():
            shutil.copyfile(part, copy.with_name(copy.name + suffix))
    return copy


def _numbers(source: sqlite3.Connection, known: list[int]) -> list[int]:
    """Session numbers whose facts may have survived, also where the sessions' own rows did not."""
    highest = max(known, default=0)
    for query in ("SELECT seq FROM sqlite_sequence WHERE name = 'sessions'", _HIGHEST):
        with suppress(sqlite3.Error):
            row = source.execute(query).fetchone()
            highest = max(highest, int(row[0] or 0) if row else 0)
    return sorted({*known, *range(1, min(highest or _UNKNOWN, _MOST) + 1)})


def _rows(source: sqlite3.Connection, query: str, low: int, high: int) -> Iterator[tuple[Any, ...]]:
    """All readable rows with a key from `low` to `high`; `query` has these two marks and tells the key first."""
    while low <= high:
        try:
            for row in source.execute(query, (low, high)):
                yield row
                low = int(row[0]) + 1
        except (sqlite3.Error, UnicodeDecodeError) as error:
            if getattr(error, "sqlite_errorcode", 0) == sqlite3.SQLITE_NOTADB:
                return
            low = _behind_damage(source, query, low, high)
        else:
            return


def _behind_damage(source: sqlite3.Connection, query: str, low: int, high: int) -> int:
    """The first key from which reading works again: leaps that double, then halving back."""

    def works(key: int) -> bool:
        try:
            source.execute(f"{query} LIMIT 1", (key, high)).fetchone()
        except (sqlite3.Error, UnicodeDecodeError):
            return False
        return True

    leap = 1
    while low + leap <= high and not works(low + leap):
        leap *= 2
    bad, good = low + leap // 2, min(low + leap, high + 1)
    while good - bad > 1:
        middle = (bad + good) // 2
        if works(middle):
            good = middle
        else:
            bad = middle
    return good


def _marks(row: tuple[Any, ...]) -> str:
    return ", ".join("?" * len(row))


def _adopt_orphans(target: sqlite3.Connection) -> None:
    """Rebuild the rows of sessions whose facts survived without them."""
    query = f"SELECT DISTINCT key >> {SEQ_BITS} FROM facts WHERE key >> {SEQ_BITS} NOT IN (SELECT number FROM sessions)"  # noqa: S608
    for (number,) in target.execute(query).fetchall():
        bodies = target.execute(f"SELECT key, body FROM facts WHERE key >> {SEQ_BITS} = ? ORDER BY key", (number,))  # noqa: S608
        summary, last = SessionSummary(id=""), 0
        for key, body in bodies.fetchall():
            fact = decode_fact(body)
            last = key & (1 << SEQ_BITS) - 1
            summary.id = getattr(fact, "session_id", "") or summary.id
            summary.apply(fact)
        info = summary.info
        row = (number, info.id or f"salvaged-{number}", info.title, info.cwd, info.branch, info.created, info.updated)
        with suppress(sqlite3.IntegrityError):
            target.execute(
                "INSERT INTO sessions (number, id, title, cwd, branch, created, updated, turns, cost_usd, last_seq) "
                "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (*row, info.turns, info.cost_usd, last),
            )
