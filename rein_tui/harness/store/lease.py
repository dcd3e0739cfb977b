"""The right to write to one session: one process at a time, given up by closing or dying.

A lock on a file carries it, which the system takes back from a killed process. The file also says who holds it
(process id, its start time, the boot, a random word), for people and for systems without such locks.
"""

import os
import secrets
import socket
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec

from .files import private_folder

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None


class Owner(msgspec.Struct, frozen=True, kw_only=True):
    """The process that holds a lease. `started` is in clock ticks since boot where known."""

    pid: int
    started: str = ""
    boot: str = ""
    host: str = ""
    token: str = ""


class Lease:
    """A held lease. `release` gives it up; so does the end of the process."""

    def __init__(self, path: Path, handle: int, owner: Owner) -> None:
        self._path, self._handle, self.owner = path, handle, owner

    @classmethod
    def acquire(cls, folder: Path, session_id: str) -> "Lease | Owner":
        """The lease, or who else holds it. Raises OSError when the folder cannot be written."""
        path = private_folder(folder) / f"{session_id}.lease"
        flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)
        while True:
            handle = os.open(path, flags, 0o600)
            try:
                held = not _lock(handle) or (fcntl is None and _is_alive(_read(handle)))
                if held:
                    return _read(handle) or Owner(pid=0)
                if not _is_same_file(handle, path):  # its last holder removed it between our open and our lock
                    continue
                owner = Owner(pid=os.getpid(), token=secrets.token_hex(8), **_identity(os.getpid()))
                os.ftruncate(handle, 0)
                os.pwrite(handle, msgspec.json.encode(owner), 0) if hasattr(os, "pwrite") else os.write(
                    handle, msgspec.json.encode(owner)
                )
                lease, handle = cls(path, handle, owner), -1
                return lease
            finally:
                if handle >= 0:
                    os.close(handle)

    def release(self) -> None:
        """Give the lease up; safe to call twice."""
        if self._handle < 0:
            return
        with suppress(OSError):
            self._path.unlink()
        os.close(self._handle)
        self._handle = -1


def holder(folder: Path, session_id: str) -> Owner | None:
    """Who holds a session's lease just now, without taking it."""
    path = folder / f"{session_id}.lease"
    if not path.exists():
        return None
    try:
        handle = os.open(path, os.O_RDWR | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0))
    except OSError:
        return None
    try:
        owner = _read(handle)
        if fcntl is None:
            return owner if _is_alive(owner) else None
        return None if _lock(handle) else owner or Owner(pid=0)
    finally:
        os.close(handle)


def _lock(handle: int) -> bool:
    """Whether we got the lock; also true where the file system has none, then the owner's life decides."""
    if fcntl is None:
        return True
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return not _is_alive(_read(handle))
    return True


def _is_same_file(handle: int, path: Path) -> bool:
    try:
        there = path.stat()
    except FileNotFoundError:
        return False
    return os.path.samestat(os.fstat(handle), there)


def _read(handle: int) -> Owner | None:
    try:
        os.lseek(handle, 0, os.SEEK_SET)
        return msgspec.json.decode(os.read(handle, 4096), type=Owner)
    except (OSError, msgspec.DecodeError):
        return None


def _is_alive(owner: Owner | None) -> bool:
    if owner is None or owner.pid <= 0:
        return False
    if owner.host != socket.gethostname():
        return True  # cannot know; never take a session from a machine that may still write to it
    try:
        os.kill(owner.pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        pass
    now = _identity(owner.pid)
    return now["boot"] == owner.boot and (not now["started"] or now["started"] == owner.started)


def _identity(pid: int) -> dict[str, Any]:
    boot, started = "", ""
    with suppress(OSError):
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    with suppress(OSError, IndexError):
        # field 22, counted after the command name, which may hold blanks and brackets
        started = Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()[19]
    return {"boot": boot, "started": started, "host": socket.gethostname()}
