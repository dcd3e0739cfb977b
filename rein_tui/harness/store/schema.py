"""Tables of the store and how older ones are brought up to date.

A fact's key is `session number << 32 | sequence number`: one b-tree without a second index, in which the facts
of a session lie side by side, and a key that tells its session without a look at the row.
"""

import sqlite3
from collections.abc import Callable

SEQ_BITS = 32

INDEXED_TYPES = (
    "prompt_added",
    "message_finished",
    "tool_call_requested",
    "tool_call_finished",
    "title_changed",
    "compacted",
)
"""Facts with words that a search looks at."""

_FIRST = """
CREATE TABLE sessions (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    title TEXT NOT NULL DEFAULT '',
    title_rank INTEGER NOT NULL DEFAULT 0,
    cwd TEXT NOT NULL DEFAULT '',
    branch TEXT NOT NULL DEFAULT '',
    created REAL NOT NULL DEFAULT 0,
    updated REAL NOT NULL DEFAULT 0,
    turns INTEGER NOT NULL DEFAULT 0,
    cost_usd REAL,
    state TEXT NOT NULL DEFAULT 'idle',
    model TEXT NOT NULL DEFAULT '',
    headless INTEGER NOT NULL DEFAULT 0,
    forked_from TEXT NOT NULL DEFAULT '',
    forked_turn INTEGER NOT NULL DEFAULT 0,
    deleted REAL NOT NULL DEFAULT 0,
    last_seq INTEGER NOT NULL DEFAULT 0,
    indexed INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX sessions_by_time ON sessions (updated DESC);
CREATE TABLE facts (
    key INTEGER PRIMARY KEY,
    type TEXT NOT NULL,
    turn INTEGER NOT NULL,
    time REAL NOT NULL,
    body BLOB NOT NULL
);
"""

_ORIGIN = """
ALTER TABLE sessions ADD COLUMN origin TEXT NOT NULL DEFAULT '';
"""

_SUMMARIES = f"""
UPDATE sessions SET indexed = 0 WHERE number IN (SELECT key >> {SEQ_BITS} FROM facts WHERE type = 'compacted');
"""  # noqa: S608
"""Summaries became words that a search finds."""

STEPS: tuple[str, ...] = (_FIRST, _ORIGIN, _SUMMARIES)
"""One script for each `user_version`; step n leads from version n to n + 1. Never change one that was released."""

VERSION = len(STEPS)

OLDEST_READABLE = 2
"""The first version with all the columns of today: what cannot be brought up to date can be read as it is."""

_ABSURD = 256
"""No version of the tables will ever be so high."""

_WORDS = """
CREATE VIRTUAL TABLE IF NOT EXISTS words USING fts5(text, tokenize = 'unicode61 remove_diacritics 2')
"""


class DamagedError(sqlite3.DatabaseError):
    """What the file says of itself cannot be; SQLite has not seen it yet."""

    sqlite_errorcode = sqlite3.SQLITE_CORRUPT


def key_of(number: int, seq: int) -> int:
    """The key of one fact."""
    return number << SEQ_BITS | seq


def seq_of(key: int) -> int:
    """The sequence number within its session."""
    return key & (1 << SEQ_BITS) - 1


def key_range(number: int, after: int = 0) -> tuple[int, int]:
    """First and last possible key of a session's facts after a sequence number."""
    return key_of(number, after + 1), key_of(number, (1 << SEQ_BITS) - 1)


def migrate(connection: sqlite3.Connection, steps: tuple[str, ...] = STEPS) -> None:
    """Bring the tables up to date, each step in one transaction; several processes may try at once."""
    if version_of(connection) < len(steps):
        for script in steps:
            _in_transaction(connection, lambda script=script: _step(connection, script, steps))


def add_words(connection: sqlite3.Connection) -> bool:
    """Make the full-text table, if this SQLite has FTS5; else search goes through LIKE."""
    try:
        connection.execute(_WORDS)
        connection.execute("SELECT rowid FROM words LIMIT 1").fetchone()
    except sqlite3.OperationalError as error:
        if "fts5" in str(error) or "readonly" in str(error) or "no such table" in str(error):
            return False
        raise
    return True


def version_of(connection: sqlite3.Connection) -> int:
    """The version that the tables have; 0 for an empty file."""
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def check_version(connection: sqlite3.Connection) -> int:
    """The version that the tables have. Raises DamagedError where it is one that nobody ever wrote."""
    connection.execute("BEGIN")  # both looks at the same moment: another process may be making the tables
    try:
        version = version_of(connection)
        has_tables = connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'sessions'").fetchone() is not None
    finally:
        connection.execute("ROLLBACK")
    if not 0 <= version < _ABSURD or has_tables is not (version > 0):
        raise DamagedError(f"version {version} of its tables")
    return version


def _step(connection: sqlite3.Connection, script: str, steps: tuple[str, ...]) -> None:
    version = version_of(connection)
    if version < len(steps) and steps[version] == script:
        for statement in script.split(";\n"):
            if statement.strip():
                connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {version + 1}")


def _in_transaction(connection: sqlite3.Connection, work: Callable[[], None]) -> None:
    connection.execute("BEGIN IMMEDIATE")
    try:
        work()
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")
