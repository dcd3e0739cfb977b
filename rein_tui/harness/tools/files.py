"""Opening, reading and replacing files so that no link planted meanwhile and no crash can do harm.

A path is resolved once; its real folders are then walked by descriptor without following links, and the file is
opened relative to the last one. Knows bytes only: text is `text.py`'s, memory of reads `ledger.py`'s.
"""

import contextlib
import errno
import hashlib
import os
import secrets
import stat
import sys
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path

LOADED = 10 * 1024 * 1024
"""Bytes of a file that are loaded at once; larger ones are only read in pieces and never edited."""

_BY_DESCRIPTOR = os.open in os.supports_dir_fd and hasattr(os, "O_NOFOLLOW")
_FOLDER = getattr(os, "O_PATH", os.O_RDONLY) | getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_NOFOLLOW", 0)
_CAREFUL = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NONBLOCK", 0)
_BINARY = getattr(os, "O_BINARY", 0)


class FileRefusedError(Exception):
    """A file that cannot or must not be touched; the text is written for the model."""


@dataclass(frozen=True, slots=True)
class Version:
    """Which file, in which state. `sha256` is hex, empty when the file was too large to load."""

    device: int
    inode: int
    size: int
    mtime_ns: int
    sha256: str = ""

    def same_state(self, info: os.stat_result) -> bool:
        """Whether the file looks untouched, without reading it."""
        seen = (self.device, self.inode, self.size, self.mtime_ns)
        return seen == (info.st_dev, info.st_ino, info.st_size, info.st_mtime_ns)


@dataclass(frozen=True, slots=True)
class Loaded:
    """A whole file in memory. `mode` holds its permission bits, `links` its number of names."""

    path: str
    data: bytes
    version: Version
    mode: int
    links: int


def real_path(path: str) -> str:
    """Where `path` leads just now, all links resolved; a dangling link counts as its target.

    Raises FileRefusedError for paths that no file tool may touch.
    """
    if any(ord(c) < 32 or ord(c) == 127 for c in path):
        raise FileRefusedError("The path holds control characters.")
    try:
        real = os.path.realpath(path)
    except (OSError, ValueError) as error:
        raise FileRefusedError(f"{path}: {_why(error)}") from None
    parts = Path(real).parts
    if parts[:2] == ("/", "proc") and len(parts) > 2 and (parts[2].isdigit() or parts[2].endswith("self")):
        # Our own environment and memory stand there, keys among them.
        raise FileRefusedError(f"{path} belongs to a process, not to a project.")
    return real


@contextlib.contextmanager
def open_file(real: str, *, shown: str = "") -> Generator[tuple[int, os.stat_result]]:
    """A regular file opened for reading, as descriptor and status. `real` has no links in it.

    Raises FileRefusedError, also for what is not a regular file: pipes and devices are never waited for.
    """
    shown = shown or real
    with _folder(real, shown) as (folder, name):
        try:
            fd = os.open(name, os.O_RDONLY | _CAREFUL | _BINARY, dir_fd=folder)
        except OSError as error:
            raise FileRefusedError(f"{shown}: {_why(error)}") from None
    try:
        info = os.fstat(fd)
        if not stat.S_ISREG(info.st_mode):
            raise FileRefusedError(f"{shown} is {_kind(info.st_mode)}, not a file.")
        yield fd, info
    finally:
        os.close(fd)


def load(real: str, *, shown: str = "") -> Loaded:
    """A whole file of at most LOADED bytes. Raises FileRefusedError."""
    with open_file(real, shown=shown) as (fd, info):
        if info.st_size > LOADED:
            raise FileRefusedError(
                f"{shown or real} is too large to edit ({info.st_size:,} bytes, at most {LOADED:,}). Use Bash instead."
            )
        with os.fdopen(os.dup(fd), "rb") as stream:
            data = stream.read(LOADED + 1)
    version = Version(info.st_dev, info.st_ino, info.st_size, info.st_mtime_ns, digest(data))
    return Loaded(real, data, version, stat.S_IMODE(info.st_mode), info.st_nlink)


def exists(real: str) -> bool:
    """Whether anything is there, a link included."""
    return os.path.lexists(real)


def digest(data: bytes) -> str:
    """sha256 in hex."""
    return hashlib.sha256(data).hexdigest()


def replace(real: str, data: bytes, old: Loaded | None, *, shown: str = "") -> Version:
    """Let the file hold `data`: all of it or, after a crash, what it held before. `old` is what it must hold now.

    Keeps mode, owner and extended attributes. A file with several names, or one that only its owner may give
    back, is written in place, so that it stays the same file. Missing folders are made. Raises FileRefusedError.
    """
    shown = shown or real
    try:
        if old is None:
            Path(real).parent.mkdir(parents=True, exist_ok=True)
        with _folder(real, shown) as (folder, name):
            _expect(folder, name, old, shown)
            if old is not None and not os.access(name, os.W_OK, dir_fd=folder):
                raise FileRefusedError(f"{shown} is read-only.")
            info = (old is None or old.links == 1) and _swap_in(folder, name, data, old)
            info = info or _write_in_place(folder, name, data, old)
    except OSError as error:
        raise FileRefusedError(f"{shown} could not be written: {_why(error)}") from None
    return Version(info.st_dev, info.st_ino, info.st_size, info.st_mtime_ns, digest(data))


def _expect(folder: int | None, name: str, old: Loaded | None, shown: str) -> None:
    try:
        info = os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        if old is not None:
            raise FileRefusedError(f"{shown} was deleted meanwhile.") from None
        return
    if old is None or not old.version.same_state(info):
        raise FileRefusedError(f"{shown} was changed meanwhile by someone else. Read it again.")


def _swap_in(folder: int | None, name: str, data: bytes, old: Loaded | None) -> os.stat_result | None:
    """Write beside the file and rename; None when that would change the owner or the folder does not allow it."""
    beside = f".{name[:100]}.{secrets.token_hex(6)}.tmp"
    where = _join(folder, name, beside)
    try:
        fd = os.open(where, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _CAREFUL | _BINARY, 0o666, dir_fd=folder)
    except PermissionError:
        if old is None:
            raise
        return None
    done = False
    try:
        if old is not None and not _dress(fd, folder, name, old.mode):
            return None
        _write_all(fd, data)
        info = os.fstat(fd)
        os.replace(where, name, src_dir_fd=folder, dst_dir_fd=folder)
        done = True
        _sync_folder(folder)
        return info
    finally:
        os.close(fd)
        if not done:
            with contextlib.suppress(OSError):
                os.unlink(where, dir_fd=folder)


def _write_in_place(folder: int | None, name: str, data: bytes, old: Loaded | None) -> os.stat_result:
    fd = os.open(name, os.O_WRONLY | _CAREFUL | _BINARY, dir_fd=folder)
    try:
        info = os.fstat(fd)
        if old is not None and (info.st_dev, info.st_ino) != (old.version.device, old.version.inode):
            raise OSError(errno.ESTALE, "it was replaced meanwhile")
        _write_all(fd, data)
        os.ftruncate(fd, len(data))
        return os.fstat(fd)
    finally:
        os.close(fd)


def _dress(fd: int, folder: int | None, name: str, mode: int) -> bool:
    """Give the new file owner, mode and attributes of the old one; false when the owner cannot be kept."""
    if sys.platform == "win32":
        return True
    then, now = os.stat(name, dir_fd=folder, follow_symlinks=False), os.fstat(fd)
    if (then.st_uid, then.st_gid) != (now.st_uid, now.st_gid):
        try:
            os.fchown(fd, then.st_uid, then.st_gid)
        except OSError:
            return False
    os.fchmod(fd, mode)
    if sys.platform == "linux":
        with contextlib.suppress(OSError), _opened(folder, name) as source:
            for attribute in os.listxattr(source):
                with contextlib.suppress(OSError):
                    os.setxattr(fd, attribute, os.getxattr(source, attribute))
    return True


@contextlib.contextmanager
def _opened(folder: int | None, name: str) -> Generator[int]:
    fd = os.open(name, os.O_RDONLY | _CAREFUL, dir_fd=folder)
    try:
        yield fd
    finally:
        os.close(fd)


@contextlib.contextmanager
def _folder(real: str, shown: str) -> Generator[tuple[int | None, str]]:
    """The file's folder as a descriptor, reached without following any link, and the file's name in it."""
    path = Path(real)
    if not path.name:
        raise FileRefusedError(f"{shown} is a folder, not a file.")
    if not _BY_DESCRIPTOR:
        yield None, real
        return
    fd = os.open(path.anchor, _FOLDER)
    try:
        for part in path.parts[1:-1]:
            try:
                below = os.open(part, _FOLDER | os.O_CLOEXEC, dir_fd=fd)
            except OSError as error:
                raise FileRefusedError(f"{shown}: {_why(error)}") from None
            os.close(fd)
            fd = below
        yield fd, path.name
    finally:
        os.close(fd)


def _join(folder: int | None, name: str, beside: str) -> str:
    return beside if folder is not None else str(Path(name).parent / f".{Path(name).name[:100]}{beside[-17:]}")


def _write_all(fd: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]
    os.fsync(fd)


def _sync_folder(folder: int | None) -> None:
    if folder is None:
        return
    with contextlib.suppress(OSError):
        fd = os.open(".", os.O_RDONLY, dir_fd=folder)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)


def _why(error: Exception) -> str:
    if isinstance(error, OSError):
        if error.errno == errno.ENOENT:
            return "no such file."
        if error.errno in (errno.ELOOP, errno.ENOTDIR):
            return "a part of the path is a link that was put there meanwhile, or no folder."
        return (error.strerror or str(error)).rstrip(".").lower() + "."
    return str(error)


def _kind(mode: int) -> str:
    for test, word in (
        (stat.S_ISDIR, "a folder"),
        (stat.S_ISFIFO, "a named pipe"),
        (stat.S_ISSOCK, "a socket"),
        (stat.S_ISCHR, "a device"),
        (stat.S_ISBLK, "a device"),
    ):
        if test(mode):
            return word
    return "something else"
