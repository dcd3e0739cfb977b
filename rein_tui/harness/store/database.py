"""One SQLite file that may fail at any moment: opened late, retried, salvaged, never deleted.

Nothing here knows what a fact means. `write` never raises; `problem` says why the disk does not take anything.
"""

import os
import sqlite3
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

from ..protocol.errors import StoreError
from ..protocol.events import Notice
from .files import has_room, is_on_network, private_file, private_folder
from .lease import Lease, Owner
from .salvage import salvage
from .schema import OLDEST_READABLE, VERSION, add_words, check_version, migrate, version_of

T = TypeVar("T")

_BUSY_SECONDS = 1.0  # a write takes milliseconds; a screen must not stand still for longer than this
_RETRY_SECONDS = 2.0
_CORRUPT = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
_UNKNOWN_FORMAT = "unsupported file format"  # SQLite's own words for one damaged field; it has no code for them
_MAY_BE_FULL = (sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN)
_WORDS = {
    sqlite3.SQLITE_FULL: "The disk is full",
    sqlite3.SQLITE_READONLY: "The session store cannot be written",
    sqlite3.SQLITE_IOERR: "The disk failed",
    sqlite3.SQLITE_CANTOPEN: "The session store cannot be opened",
    sqlite3.SQLITE_BUSY: "Another program is writing to the session store",
}


class Database:
    """The store's file. `notices` tells what happened to it; whoever shows them empties the list."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection: sqlite3.Connection | None = None
        self._inode = 0
        self._may_write = False
        self._not_before = 0.0
        self._writes_through = True
        self._why_not = self._unsalvaged = ""
        self.problem = ""
        self.has_words = False
        self.notices: list[Notice] = []

    def open(self) -> bool:
        """Open the file now; false, with `problem` set, when that fails. Later calls try again."""
        self._not_before = 0.0
        return self._connect() is not None

    def read(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """All rows of one query. Raises StoreError."""
        return self.run(lambda connection: connection.execute(sql, parameters).fetchall())

    def write(self, work: Callable[[sqlite3.Connection], None], *, through: bool = True) -> bool:
        """Do this in one transaction; false, with `problem` set, when it was undone.

        When it returns true it outlives a killed program; with `through` it outlives a power cut too.
        """
        self._follow()
        if self._connection is not None and not self._may_write and time.monotonic() >= self._not_before:
            self.close()  # it was opened to be read only; perhaps it can be written by now
        try:
            self.run(lambda connection: self._transact(connection, work, through))
        except StoreError as error:
            self.problem = error.message
            return False
        self.problem = ""
        return True

    def take_notices(self) -> list[Notice]:
        """What happened since the last call."""
        taken, self.notices = self.notices, []
        return taken

    def close(self) -> None:
        """Close the file; what is committed stays."""
        if self._connection is not None:
            with suppress(sqlite3.Error):
                self._connection.close()
        self._connection = None
        self._not_before = 0.0

    # --- doing ----------------------------------------------------------------------------------------------

    def run(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Do this with the open file, once more after a salvage. Raises StoreError."""
        for last in (False, True):
            connection = self._connect()
            if connection is None:
                raise StoreError(self.problem, where=str(self._path))
            try:
                return work(connection)
            except sqlite3.DatabaseError as error:
                if last or not _is_corrupt(error) or not self._replace(str(error)):
                    raise StoreError(self._say(error), where=str(self._path), hint=_hint(error)) from error
        raise AssertionError

    def _follow(self) -> None:
        """Another process may have put a salvaged file in place of the one that we have open."""
        if self._connection is not None:
            try:
                there = self._path.stat().st_ino
            except OSError:
                there = -1
            if there != self._inode:
                self.close()

    def _transact(
        self, connection: sqlite3.Connection, work: Callable[[sqlite3.Connection], None], through: bool
    ) -> None:
        if through is not self._writes_through:
            connection.execute(f"PRAGMA synchronous = {'FULL' if through else 'NORMAL'}")
            self._writes_through = through
        connection.execute("BEGIN IMMEDIATE")
        try:
            work(connection)
            connection.execute("COMMIT")
        except BaseException:
            with suppress(sqlite3.Error):
                connection.execute("ROLLBACK")
            raise

    # --- opening --------------------------------------------------------------------------------------------

    def _connect(self) -> sqlite3.Connection | None:
        if self._connection is not None or time.monotonic() < self._not_before:
            return self._connection
        try:
            self._connection, self._may_write = self._open_patiently(), True
            self._unsalvaged = ""
        except (sqlite3.DatabaseError, OSError) as error:
            if isinstance(error, sqlite3.DatabaseError) and _is_corrupt(error) and self._replace(str(error)):
                return self._connection
            if _code_of(error) == sqlite3.SQLITE_BUSY:  # it cost a second to find out
                self._not_before = time.monotonic() + _RETRY_SECONDS
            self._connection, self._may_write = self._open_to_read(), False
            self.problem = self._why_not = self._say(error)
        except StoreError as error:
            self.problem = error.message
        return self._connection

    def _open_patiently(self) -> sqlite3.Connection:
        """Open; SQLite does not wait by itself while another process turns a new file to WAL."""
        give_up = time.monotonic() + _BUSY_SECONDS
        while True:
            try:
                return self._open_file()
            except sqlite3.OperationalError as error:
                if _code_of(error) != sqlite3.SQLITE_BUSY or time.monotonic() > give_up:
                    raise
                time.sleep(0.01)

    def _open_file(self) -> sqlite3.Connection:
        private_folder(self._path.parent)
        private_file(self._path)
        connection = _connect_to(self._path)
        try:
            _refuse_newer(check_version(connection))
            wanted = "DELETE" if is_on_network(self._path) else "WAL"
            connection.execute(f"PRAGMA journal_mode = {wanted}").fetchone()
            connection.execute("PRAGMA synchronous = FULL")
            self._writes_through = True
            migrate(connection)
            self.has_words = add_words(connection)
            self._inode = self._path.stat().st_ino
        except BaseException:
            connection.close()
            raise
        return connection

    def _open_to_read(self) -> sqlite3.Connection | None:
        """The file as it is, where it cannot be written: a full disk, a folder of someone else."""
        for query in ("mode=ro", "mode=ro&immutable=1"):
            connection = None
            try:
                if not self._path.is_file():  # a pipe would be waited for
                    return None
                connection = _connect_to(self._path, query)
                if OLDEST_READABLE <= version_of(connection) <= VERSION:
                    self.has_words = add_words(connection)
                    self._inode = self._path.stat().st_ino
                    return connection
            except (sqlite3.Error, OSError):
                pass
            if connection is not None:
                connection.close()
        return None

    def _say(self, error: Exception) -> str:
        """What failed, in words; that it may only be read is not the reason, but what came of it."""
        code = _code_of(error)
        if self._unsalvaged:
            return self._unsalvaged
        if code == sqlite3.SQLITE_READONLY and not self._may_write and self._why_not:
            return self._why_not
        if code in _MAY_BE_FULL and not has_room(self._path):
            code = sqlite3.SQLITE_FULL
        said = getattr(error, "strerror", None) or error
        return f"{_WORDS.get(code, 'The session store cannot be used')}: {said}."

    # --- repairing ------------------------------------------------------------------------------------------

    def _replace(self, reason: str) -> bool:
        """Put a damaged file aside, carry what is readable into a new one, and open that."""
        self.close()
        began = time.monotonic()
        try:
            turn = Lease.acquire(self._path.parent / "leases", "salvage")
            if isinstance(turn, Owner):
                self.problem = self._unsalvaged = "The session store is damaged; another rein-tui is salvaging it now."
                return False
            try:
                if not self._is_whole():
                    self._salvage(reason)
                self._connection, self._may_write = self._open_file(), True
            finally:
                turn.release()
        except (OSError, sqlite3.Error, StoreError) as error:
            self.problem = self._unsalvaged = f"The session store is damaged and could not be salvaged: {error}."
            now = time.monotonic()
            self._not_before = now + max(_RETRY_SECONDS, 10 * (now - began))  # a big file takes its time
            return False
        return True

    def _is_whole(self) -> bool:
        """Whether the file is sound after all: another process was quicker."""
        try:
            connection = self._open_file()
        except sqlite3.DatabaseError:
            return False
        try:
            return connection.execute("PRAGMA integrity_check(1)").fetchone() == ("ok",)  # indexes, too
        except sqlite3.DatabaseError:
            return False
        finally:
            connection.close()

    def _salvage(self, reason: str) -> None:
        aside = self._path.with_name(f"{self._path.name}.damaged-{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}")
        fresh = private_file(self._path.with_name(f".{self._path.name}.salvaged-{os.getpid()}"))
        try:
            saved = salvage(self._path, fresh)
        except BaseException:
            for suffix in ("", "-journal"):
                fresh.with_name(fresh.name + suffix).unlink(missing_ok=True)  # it is ours, and takes room
            raise
        for suffix in ("", "-wal", "-shm"):
            part = self._path.with_name(self._path.name + suffix)
            if part.exists():
                part.rename(aside.with_name(aside.name + suffix))
        fresh.rename(self._path)
        text = f"The session store was damaged ({reason}). {saved.told()}"
        self.notices.append(
            Notice(
                text=text,
                level="warning",
                where=str(aside),
                hint="The damaged file was kept.",
                code="store.salvaged",
            )
        )


def _refuse_newer(version: int) -> None:
    if version > VERSION:
        text = f"The session store was written by a newer rein-tui (version {version} of its tables)."
        raise StoreError(f"{text} Update rein-tui to use it; it stays as it is.")


def _connect_to(path: Path, query: str = "mode=rw") -> sqlite3.Connection:
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?{query}", uri=True, timeout=_BUSY_SECONDS, isolation_level=None
    )
    connection.execute("PRAGMA temp_store = MEMORY")
    connection.text_factory = _as_text
    return connection


def _as_text(raw: bytes) -> str:
    """One wrong byte in a title must not hide all sessions."""
    return raw.decode("utf-8", "replace")


def _is_corrupt(error: sqlite3.DatabaseError) -> bool:
    return _code_of(error) in _CORRUPT or str(error) == _UNKNOWN_FORMAT


def _code_of(error: Exception) -> int:
    return int(getattr(error, "sqlite_errorcode", 0)) & 0xFF


def _hint(error: sqlite3.DatabaseError) -> str:
    return "Make room on the disk." if _code_of(error) == sqlite3.SQLITE_FULL else ""
