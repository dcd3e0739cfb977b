"""What can still be read of a damaged store, row by row, into a new one. The damaged file is only read."""

import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

from .codec import decode_fact
from .schema import SEQ_BITS, migrate
from .summary import SessionSummary

_COLUMNS = (
    "number, id, title, title_rank, cwd, branch, created, updated, turns, cost_usd, state, model, headless, "
    "forked_from, forked_turn, imported_from, deleted, last_seq"
)


def salvage(damaged: Path, fresh: Path) -> int:
    """Carry every readable row of `damaged` into the empty file `fresh`; returns how many facts were saved.

    Raises OSError and sqlite3.Error only for the new file.
    """
    saved = 0
    with closing(sqlite3.connect(fresh, isolation_level=None)) as target, tempfile.TemporaryDirectory() as folder:
        migrate(target)
        copy = _copy(damaged, Path(folder))
        with closing(sqlite3.connect(copy, isolation_level=None)) as source:
            target.execute("BEGIN")
            for row in _rows(source, "sessions", "number", _COLUMNS):
                target.execute(f"INSERT OR IGNORE INTO sessions ({_COLUMNS}) VALUES ({_marks(row)})", row)  # noqa: S608
            for row in _rows(source, "facts", "key", "key, type, turn, time, body"):
                saved += target.execute("INSERT OR IGNORE INTO facts VALUES (?, ?, ?, ?, ?)", row).rowcount
            _adopt_orphans(target)
            target.execute("COMMIT")
    return saved


def _copy(damaged: Path, folder: Path) -> Path:
    """A private copy with its log, so that reading cannot touch the evidence."""
    copy = folder / "damaged.db"
    for suffix in ("", "-wal"):
        part = damaged.with_name(damaged.name + suffix)
        if part.exists():
            shutil.copyfile(part, copy.with_name(copy.name + suffix))
    return copy


def _rows(source: sqlite3.Connection, table: str, key: str, columns: str) -> Iterator[tuple[Any, ...]]:
    """All readable rows of a table: ranges that fail are halved until the damage stands alone."""
    top = 1 << 62
    ranges = [(0, top)]
    while ranges:
        low, high = ranges.pop()
        last = low - 1
        try:
            query = f"SELECT {columns} FROM {table} WHERE {key} BETWEEN ? AND ? ORDER BY {key}"  # noqa: S608
            for row in source.execute(query, (low, high)):
                yield row
                last = int(row[0])
        except (sqlite3.Error, UnicodeDecodeError):
            rest = last + 1
            if rest < high:
                middle = (rest + high) // 2
                ranges += [(middle + 1, high), (rest, middle)]


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
