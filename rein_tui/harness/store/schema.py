"""Tables of the store and how older ones are brought up to date.

A fact's key is `session number << 32 | sequence number`: one b-tree without a second index, in which the facts
of a session lie side by side, and a key that tells its session without a look at the row.
"""

import sqlite3
from collections.abc import Callable

SEQ_BITS = 32

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

_STEPS: tuple[str, ...] = (_FIRST, _ORIGIN)
"""One script for each `user_version`; step n leads from version n to n + 1. Never change one that was released."""

VERSION = len(_STEPS)

_WORDS = """
CREATE VIRTUAL TABLE IF NOT EXISTS words USING fts5(text, tokenize = 'unicode61 remove_diacritics 2')
"""


def key_of(number: int, seq: int) -> int:
    """The key of one fact."""
    return number << SEQ_BITS | seq


def seq_of(key: int) -> int:
    """The sequence number within its session."""
    return key & (1 << SEQ_BITS) - 1


def key_range(number: int, after: int = 0) -> tuple[int, int]:
    """First and last possible key of a session's facts after a sequence number."""
    return key_of(number, after + 1), key_of(number, (1 << SEQ_BITS) - 1)


def migrate(connection: sqlite3.Connection, steps: tuple[str, ...] = _STEPS) -> None:
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
