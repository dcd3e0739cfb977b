"""Folders and files that only their owner may read, written whole or not at all."""

import errno
import os
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path

_NETWORK_FILE_SYSTEMS = ("nfs", "nfs4", "cifs", "smb", "smb2", "smb3", "smbfs", "9p", "fuse.sshfs", "afpfs", "webdav")


def private_folder(path: Path) -> Path:
    """Make this folder and its parents; the folder itself gets mode 0700. Raises OSError."""
    path.mkdir(parents=True, exist_ok=True, mode=0o700)
    if os.name == "posix" and path.stat().st_mode & 0o077:
        with suppress(PermissionError):
            path.chmod(0o700)
    return path


def private_file(path: Path) -> Path:
    """Make sure that this regular file exists with mode 0600; never follows a link. Raises OSError."""
    if path.is_symlink() or (path.exists() and not path.is_file()):
        raise OSError(errno.EINVAL, "what is there is no regular file; move it away and a new one is made", str(path))
    flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)
    handle = os.open(path, flags, 0o600)
    try:
        if os.name == "posix" and os.fstat(handle).st_mode & 0o077:
            with suppress(PermissionError):
                os.fchmod(handle, 0o600)
    finally:
        os.close(handle)
    return path


def write_private(path: Path, content: bytes) -> None:
    """Replace a file by this content in one step, mode 0600, on disk when it returns. Raises OSError."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name[:40]}.")
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        Path(name).replace(path)
    except BaseException:
        with suppress(OSError):
            Path(name).unlink()
        raise


def has_room(path: Path, least: int = 1 << 16) -> bool:
    """Whether the disk of this file takes so many bytes more, as far as this system tells."""
    try:
        return shutil.disk_usage(path.parent).free >= least
    except OSError:
        return True


def is_on_network(path: Path, mounts: Path = Path("/proc/mounts")) -> bool:
    """Whether this path lies on a network file system, as far as this system tells: SQLite's WAL needs a local one."""
    try:
        lines = mounts.read_text(encoding="utf-8", errors="replace").splitlines()
        real = path.resolve()
    except OSError:
        return False
    best, kind = -1, ""
    for line in lines:
        fields = line.split(" ")
        if len(fields) < 3:
            continue
        point = Path(fields[1].replace("\\040", " "))
        if len(point.parts) > best and (real == point or point in real.parents):
            best, kind = len(point.parts), fields[2]
    return kind in _NETWORK_FILE_SYSTEMS
