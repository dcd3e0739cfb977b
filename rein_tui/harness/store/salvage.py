"""What can still be read of a damaged store, row by row, into a new one. The damaged file is only read."""

import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any, NamedTuple

from .codec import decode_fact
from .indexing import index
from .pages import facts_in_pages
from .schema import SEQ_BITS, add_words, key_range, migrate
from .summary import SessionSummary

_COLUMNS = (
    "number, id, title, title_rank, cwd, branch, created, updated, turns, cost_usd, state, model, headless, "
    "forked_from, forked_turn, deleted, last_seq"
)

_LATER = ("origin",)
"""Columns that an older file does not have."""

_MAGIC = b"SQLite format 3\0"
_PAGE_SIZE = 4096
_PAGE_SIZES = tuple(1 << bits for bits in range(9, 16))

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

    def told(self) -> str:
        """The same for people."""
        text = f"{self.facts} records were carried into a new one."
        if not self.incomplete:
            return text
        titles = ", ".join(title or "without a title" for title in self.incomplete[:3])
        count = len(self.incomplete)
        more = ", …" if count > 3 else ""
        return f"{text} {'One session is' if count == 1 else f'{count} sessions are'} incomplete: {titles}{more}."


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
                saved += sum(_keep(target, row) for row in _rows(source, _FACTS, *key_range(number)))
            if not known or target.execute(_INCOMPLETE).fetchone():
                with suppress(sqlite3.Error):
                    source.execute("PRAGMA wal_checkpoint(TRUNCATE)")
                found = facts_in_pages(copy, _page_size(copy))
                saved += sum(_keep(target, row) for row in found if _is_of(row.key, known))
            _adopt_orphans(target)
            if add_words(target):
                index(target)
            target.execute("COMMIT")
        incomplete = tuple(title for (title,) in target.execute(_INCOMPLETE))
    return Salvaged(saved, incomplete)


def _keep(target: sqlite3.Connection, row: tuple[Any, ...]) -> int:
    """Carry one fact over; 1 when it was not there yet and is whole."""
    if not isinstance(row[-1], bytes):  # its last page is missing
        return 0
    return target.execute("INSERT OR IGNORE INTO facts VALUES (?, ?, ?, ?, ?)", row).rowcount


def _is_of(key: int, known: list[int]) -> bool:
    """Whether a stray fact belongs to a session: what was deleted for good may still lie in free pages."""
    return (key >> SEQ_BITS in known) if known else 0 < key >> SEQ_BITS <= _MOST


def _columns(source: sqlite3.Connection) -> str:
    """The columns that this file has: it may be older than we are, or too damaged to tell."""
    there: set[str] = set()
    with suppress(sqlite3.Error):
        there = {str(row[0]) for row in source.execute("SELECT name FROM pragma_table_info('sessions')")}
    return ", ".join([_COLUMNS, *(name for name in _LATER if name in there)])


def _copy(damaged: Path, folder: Path) -> Path:
    """A private copy with its log, so that reading cannot touch the evidence."""
    copy = folder / "damaged.db"
    for suffix in ("", "-wal"):
        part = damaged.with_name(damaged.name + suffix)
        if part.exists():
            shutil.copyfile(part, copy.with_name(copy.name + suffix))
    _mend_header(copy)
    return copy


def _mend_header(path: Path) -> None:
    """Write what the first hundred bytes must hold in any file of ours: one wrong bit there hides everything else.

    The fields are those of https://www.sqlite.org/fileformat.html#the_database_header.
    """
    with path.open("r+b") as stream:
        head = stream.read(100)
        if len(head) < 100:
            return
        size = _size_told(head)
        fixed = {
            0: _MAGIC + size.to_bytes(2, "big") + bytes([2, 2, 0, 64, 32, 32]),  # WAL; nothing reserved on a page
            28: (os.fstat(stream.fileno()).st_size // size).to_bytes(4, "big"),
            32: bytes(8),  # no free pages: none is read, and none is written here
            44: (4).to_bytes(4, "big"),  # schema format
            52: bytes(4),  # no auto-vacuum
            56: (1).to_bytes(4, "big"),  # UTF-8
            64: bytes(4),
            92: head[24:28],  # the size above is valid for this change
        }
        for at, value in fixed.items():
            stream.seek(at)
            stream.write(value)


def _size_told(head: bytes) -> int:
    told = int.from_bytes(head[16:18], "big")
    return told if told in _PAGE_SIZES else _PAGE_SIZE


def _page_size(path: Path) -> int:
    with path.open("rb") as stream:
        return _size_told(stream.read(18))


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
