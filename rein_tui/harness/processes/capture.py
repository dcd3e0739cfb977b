"""Keeping the output of a program: its first and last bytes in memory, the whole in a private file."""

import contextlib
import os
import secrets
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class OutputLimits:
    """Bytes of output kept in memory (the first `head`, the last `tail`), and in all before the child is stopped."""

    head: int = 16 * 1024
    tail: int = 14 * 1024
    spool: int = 64 * 1024 * 1024


class Capture:
    """The first and the last bytes of a stream, and the whole of it in a file once it does not fit."""

    def __init__(self, limits: OutputLimits, folder: Path | None) -> None:
        self._limits = limits
        self._folder = folder
        self._head = bytearray()
        self._tail = bytearray()
        self._spool_fd = -1
        self.total = 0
        self.spool: Path | None = None

    def add(self, data: bytes) -> None:
        """Take more output; what is beyond the limit of all output is counted and left out."""
        fits = self.total + len(data) <= self._limits.head + self._limits.tail
        if not fits and self.spool is None and self._folder is not None:
            self._open_spool(self._folder)
        if self._spool_fd >= 0:
            self._write(data)
        self.total += len(data)
        room = self._limits.head - len(self._head)
        if room > 0:
            self._head += data[:room]
            data = data[room:]
        self._tail += data
        if len(self._tail) > 2 * self._limits.tail + 65536:
            del self._tail[: -self._limits.tail]

    def _open_spool(self, folder: Path) -> None:
        with contextlib.suppress(OSError):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            path = folder / f"output-{secrets.token_hex(6)}.txt"
            self._spool_fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            self.spool = path
            self._write(bytes(self._head + self._tail))

    def _write(self, data: bytes) -> None:
        try:
            view = memoryview(data)
            while view:
                view = view[os.write(self._spool_fd, view) :]
        except OSError:
            # A full disk must not end the run: the file ends here, head and tail are still kept.
            self.close()

    @property
    def dropped(self) -> int:
        """Bytes left out of `kept`."""
        return max(0, self.total - self._limits.head - self._limits.tail)

    @property
    def kept(self) -> bytes:
        """Head and tail, with a line in between that says how much is missing."""
        if not self.dropped:
            return bytes(self._head + self._tail)
        tail = self._tail[-self._limits.tail :] if self._limits.tail else b""
        return bytes(self._head) + f"\n[... {self.dropped:,} bytes left out ...]\n".encode() + bytes(tail)

    def close(self) -> None:
        """Close the file."""
        if self._spool_fd >= 0:
            os.close(self._spool_fd)
            self._spool_fd = -1
