"""Unpacking plugins: zip and tar, checked against their digest, never outside of their folder, never endlessly."""

import hashlib
import io
import stat
import tarfile
import zipfile
from pathlib import Path

from ..protocol.errors import ConfigError

MOST_FILES = 20_000
MOST_BYTES = 512 * 1024 * 1024


def unpack(content: bytes, into: Path, sha256: str = "") -> Path:
    """Unpack into a fresh folder; gives the plugin's own, where the archive wraps it in one. Raises ConfigError."""
    if sha256 and hashlib.sha256(content).hexdigest() != sha256.lower():
        raise ConfigError("the archive is not the one that was meant: its sha256 differs")
    into.mkdir(parents=True)
    try:
        if zipfile.is_zipfile(io.BytesIO(content)):
            _unzip(content, into)
        else:
            _untar(content, into)
    except tarfile.ReadError as problem:
        reason = str(problem).splitlines()[0] if zipfile.is_zipfile(io.BytesIO(content)) else "it is no zip and no tar"
        raise ConfigError(f"the archive cannot be unpacked: {reason}") from problem
    except (zipfile.BadZipFile, tarfile.TarError, OSError, RuntimeError, NotImplementedError, EOFError) as problem:
        raise ConfigError(f"the archive cannot be unpacked: {problem}") from problem
    return _inner(into)


def _inner(folder: Path) -> Path:
    entries = list(folder.iterdir())
    alone = len(entries) == 1 and entries[0].is_dir() and not entries[0].name.startswith(".")
    return entries[0] if alone and entries[0].name not in _PARTS else folder


_PARTS = frozenset({"commands", "agents", "skills", "hooks", "output-styles", "bin"})


def _unzip(content: bytes, into: Path) -> None:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        members = archive.infolist()
        _bounded(len(members), sum(member.file_size for member in members))
        for member in members:
            mode = member.external_attr >> 16
            target = into / member.filename
            if not _is_inside(member.filename) or stat.S_ISLNK(mode):
                raise ConfigError(f"the archive holds {member.filename!r}, which leads elsewhere")
            if member.is_dir():
                target.mkdir(parents=True, exist_ok=True)
                continue
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(archive.read(member))
            target.chmod(0o755 if mode & 0o111 else 0o644)


def _untar(content: bytes, into: Path) -> None:
    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        count = size = 0
        for member in archive:
            count, size = count + 1, size + member.size
            _bounded(count, size)
            archive.extract(member, into, filter="data")


def _bounded(files: int, size: int) -> None:
    if files > MOST_FILES or size > MOST_BYTES:
        raise ConfigError(f"the archive is larger than {MOST_FILES} files or {MOST_BYTES // 1024 // 1024} MiB")


def _is_inside(name: str) -> bool:
    path = Path(name.replace("\\", "/"))
    return not path.is_absolute() and ".." not in path.parts and ":" not in name[:3]
