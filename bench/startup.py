"""What starting costs: imports, first paint, and the first typed key on the screen, beside a minimal Textual app.

    python -m bench.startup [--rounds 7] [--json]

Each start is a process of its own on a pseudo-terminal of 120×40 that answers the terminal's questions; the two
programs take turns, and medians are compared.
"""

import argparse
import fcntl
import os
import pty
import re
import resource
import select
import statistics
import struct
import subprocess
import sys
import tempfile
import termios
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

from bench.figures import Figure, tell

ROOT = Path(__file__).parents[1]
PATIENCE = 60.0
KEY = b"Q"
_KEPT = 65536
_ESCAPES = re.compile(rb"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[()][A-Z0-9]|[=>PX^_]|.)")

OURS = ["-m", "rein_tui", "--local", "--local-url", "http://127.0.0.1:9/v1", "--local-model", "none"]
PLAIN = ["-m", "bench.plain_app"]


class Started:
    """A program on a pseudo-terminal, and what it has shown so far. Times are seconds since its exec."""

    def __init__(self, process: "subprocess.Popen[bytes]", master: int, began: float, mark: bytes) -> None:
        self.process_id = process.pid
        self.marked = 0.0
        """When the mark was on the screen first."""
        self._process, self._master, self._began, self._mark = process, master, began, mark
        self._shown = b""
        self._typed = 0.0

    def first_paint(self) -> float:
        """When the first visible character came."""
        return self._wait(lambda visible: bool(visible.strip()))

    def shows_mark(self) -> float:
        """When the mark was on the screen."""
        self._wait(lambda _: bool(self.marked))
        return self.marked

    def echoes(self) -> float:
        """When the first typed key was on the screen; one is typed every 50 ms."""
        return self._wait(lambda visible: KEY in visible, typing=True)

    def drain(self, seconds: float) -> None:
        """Read along for so long."""
        end = time.perf_counter() + seconds
        while (left := end - time.perf_counter()) > 0:
            self._read(left)

    def close(self) -> None:
        """End it."""
        self._process.kill()
        self._process.wait()
        os.close(self._master)

    def _wait(self, is_there: Callable[[bytes], bool], *, typing: bool = False) -> float:
        while (now := time.perf_counter()) - self._began < PATIENCE:
            if is_there(_ESCAPES.sub(b"", self._shown)):
                return now - self._began
            if typing and now - self._typed > 0.05:
                self._typed = now
                os.write(self._master, KEY)
            self._read(0.01)
        raise SystemExit(f"nothing came for {PATIENCE} s: {self._shown[-2000:]!r}")

    def _read(self, seconds: float) -> None:
        ready, _, _ = select.select([self._master], [], [], seconds)
        if ready:
            data = os.read(self._master, 65536)
            if b"\x1b[c" in data:
                os.write(self._master, b"\x1b[?62;22c")
            self._shown = (self._shown + data)[-_KEPT:]
            if self._mark and not self.marked and self._mark in _ESCAPES.sub(b"", self._shown):
                self.marked = time.perf_counter() - self._began


@contextmanager
def run_on_terminal(arguments: list[str], home: Path, mark: bytes = b"") -> Generator[Started]:
    """Start a Python program on a pseudo-terminal of 120×40, and watch for a mark; it is killed at the end."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
    attributes = termios.tcgetattr(slave)
    attributes[3] &= ~termios.ECHO  # the line discipline must not answer for the program
    termios.tcsetattr(slave, termios.TCSANOW, attributes)
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "TERM": "xterm-256color",
        "COLORTERM": "truecolor",
        "LANG": "C.UTF-8",
        "PYTHONPATH": str(ROOT),
    }
    began = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, *arguments],
        cwd=home / "work",
        env=environment,
        stdin=slave,
        stdout=slave,
        stderr=slave,
        start_new_session=True,
    )
    os.close(slave)
    started = Started(process, master, began, mark)
    try:
        yield started
    finally:
        started.close()


def start(arguments: list[str], home: Path) -> tuple[float, float]:
    """Seconds from exec to the first visible character, and to the first typed key on the screen."""
    with run_on_terminal(arguments, home) as started:
        return started.first_paint(), started.echoes()


def import_seconds(code: str, home: Path) -> float:
    """Seconds of processor time that a fresh interpreter takes for this."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    environment = {"PATH": os.environ["PATH"], "HOME": str(home)}
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def measure(rounds: int) -> list[Figure]:
    """Medians of both programs, started in turns."""
    times: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as name:
        home = Path(name)
        (home / "work").mkdir()
        for number in range(rounds + 1):
            taken = {
                "import": import_seconds("import rein_tui.app", home),
                "import-plain": import_seconds("import bench.plain_app", home),
            }
            taken["paint"], taken["ready"] = start(OURS, home)
            taken["paint-plain"], taken["ready-plain"] = start(PLAIN, home)
            if number:  # the first round only warms caches
                for key, seconds in taken.items():
                    times.setdefault(key, []).append(seconds * 1000)
    middle = {key: statistics.median(values) for key, values in times.items()}
    names = {"import": "import of the app (cpu)", "paint": "first paint", "ready": "first key on the screen"}
    return [Figure(text, middle[key], "ms", middle[f"{key}-plain"], 1.2) for key, text in names.items()]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    tell(measure(options.rounds), options.json)


if __name__ == "__main__":
    main()
