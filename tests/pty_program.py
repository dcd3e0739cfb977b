"""A program on a real pseudo-terminal, for tests and benches that play its terminal."""

import fcntl
import os
import pty
import select
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
PATIENCE = 60.0
"""Seconds that anything may take before the test gives up."""


@dataclass
class PtyProgram:
    """A program and the other end of its terminal."""

    process: subprocess.Popen[bytes]
    master: int

    def send(self, data: bytes) -> None:
        """Type, or answer."""
        os.write(self.master, data)

    def until(self, condition: Callable[[bytes], bool]) -> bytes:
        """What the program writes until this holds of it."""
        data, deadline = b"", time.monotonic() + PATIENCE
        while not condition(data):
            ready, _, _ = select.select([self.master], [], [], max(0.0, deadline - time.monotonic()))
            try:
                piece = os.read(self.master, 65536) if ready else b""
            except OSError:  # the other end is closed: Linux says EIO
                piece = b""
            if not piece:
                raise AssertionError(f"it never came: {data[-3000:]!r}")
            data += piece
        return data

    def wait(self) -> int:
        """Its exit code; what it still writes is read, so that it can end."""
        deadline = time.monotonic() + PATIENCE
        while self.process.poll() is None and time.monotonic() < deadline:
            if select.select([self.master], [], [], 0.05)[0]:
                try:
                    os.read(self.master, 65536)
                except OSError:
                    break
        return self.process.wait(max(0.1, deadline - time.monotonic()))


@contextmanager
def on_pty(
    arguments: Sequence[str],
    cwd: Path,
    environment: Mapping[str, str],
    *,
    module: str = "rein_tui",
    size: tuple[int, int] = (120, 36),
) -> Generator[PtyProgram]:
    """Run `python -m MODULE ARGUMENTS` on a terminal of this many columns and rows that echoes nothing by itself."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", size[1], size[0], 0, 0))
    attributes = termios.tcgetattr(slave)
    attributes[3] &= ~termios.ECHO  # the line discipline must not answer for the program
    termios.tcsetattr(slave, termios.TCSANOW, attributes)
    common = {"PATH": os.environ["PATH"], "TERM": "xterm-256color", "LANG": "C.UTF-8", "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(
        [sys.executable, "-m", module, *arguments],
        cwd=cwd,
        env={**common, **environment},
        stdin=slave,
        stdout=slave,
        stderr=slave,
        start_new_session=True,
    )
    os.close(slave)
    try:
        yield PtyProgram(process, master)
    finally:
        process.kill()
        process.wait()
        os.close(master)
