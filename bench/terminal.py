"""The other end of a program's terminal, with a clock: what a person would see of it, and when. Needs /proc.

It is no emulator: it knows what was written to the screen, not where. That is enough for a text that stands nowhere
else, such as the first letter typed or the last word streamed.
"""

import os
import re
import select
import string
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.pty_program import PtyProgram, on_pty

SIZE = (120, 40)
PATIENCE = 90.0
KEYS = [letter.encode() for letter in string.ascii_uppercase if letter not in "FUE"]
"""Letters that stand nowhere on the screens that are measured; each is typed once."""
_ESCAPES = re.compile(rb"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[()][A-Z0-9]|[=>PX^_]|.)")
_TICKS = os.sysconf("SC_CLK_TCK")
_KEPT = 65536


class Terminal:
    """What came out of a program, and when. Times are of `time.perf_counter`, which all processes here share."""

    def __init__(self, program: PtyProgram, began: float) -> None:
        self._program = program
        self._began = began
        self._shown = b""
        self._marks: dict[bytes, float] = {}
        self.bytes = 0
        self.came = began
        """When the last bytes came."""

    @property
    def process_id(self) -> int:
        """The program."""
        return self._program.process.pid

    @property
    def text(self) -> bytes:
        """What was shown lately, without escapes."""
        return _ESCAPES.sub(b"", self._shown)

    def pump(self, seconds: float) -> bool:
        """Wait this long for output; true if there was any."""
        if not select.select([self._program.master], [], [], max(0.0, seconds))[0]:
            return False
        try:
            data = os.read(self._program.master, 65536)
        except OSError as error:
            raise SystemExit(f"the program ended: {self.text[-2000:].decode(errors='replace')}") from error
        self.came = time.perf_counter()
        self.bytes += len(data)
        if b"\x1b[c" in data:
            self.send(b"\x1b[?62;22c")
        recent = self._shown[-64:] + data
        for mark, seen in self._marks.items():
            if not seen and mark in recent:
                self._marks[mark] = self.came
        self._shown = (self._shown + data)[-_KEPT:]
        return True

    def send(self, data: bytes) -> None:
        """Type."""
        self._program.send(data)

    def forget(self) -> None:
        """Look only at what comes from now on."""
        self._shown = b""

    def watch(self, *words: str) -> None:
        """Take the time when these are on the screen first."""
        self._marks = {word.encode(): 0.0 for word in words}

    def when(self, word: str) -> float:
        """When a word that is watched for was on the screen; waits for it."""
        mark = word.encode()
        self._until(lambda: bool(self._marks[mark]), word)
        return self._marks[mark]

    def _until(self, condition: Callable[[], bool], what: str) -> float:
        deadline = time.perf_counter() + PATIENCE
        while not condition():
            if not self.pump(0.1) and time.perf_counter() > deadline:
                raise SystemExit(f"{what} never came; the last was {self.text[-1500:].decode(errors='replace')}")
        return self.came

    def until_end(self) -> None:
        """Take what it shows until it ends by itself."""
        while select.select([self._program.master], [], [], 0.5)[0] or self._program.process.poll() is None:
            try:
                self.pump(0.5)
            except SystemExit:
                return

    def rest(self, seconds: float) -> None:
        """Let it do what it does for this long."""
        end = time.perf_counter() + seconds
        while (left := end - time.perf_counter()) > 0:
            self.pump(left)

    def start(self) -> tuple[float, float]:
        """Seconds from exec to the first visible character, and to the first typed key on the screen."""
        painted = self._until(lambda: bool(self.text.strip()), "the first paint") - self._began
        key, typed, deadline = KEYS[-1], 0.0, time.perf_counter() + PATIENCE
        while key not in self.text:
            if time.perf_counter() - typed > 0.05:
                typed = time.perf_counter()
                self.send(key)
            self.pump(0.01)
            if typed > deadline:
                raise SystemExit("the first key never came")
        return painted, self.came - self._began

    def since_start(self, word: str) -> float:
        """Seconds from exec until a word that is watched for was on the screen."""
        return self.when(word) - self._began

    def echoes(self, keys: Sequence[bytes], pause: float = 0.09) -> list[float]:
        """Seconds from each key to its echo; then all are taken back. A key that is lost ends the bench."""
        taken: list[float] = []
        for key in keys:
            self.forget()
            typed = time.perf_counter()
            self.send(key)
            taken.append(self._until(lambda key=key: key in self.text, f"the echo of {key!r}") - typed)
            self.rest(pause)
        self.erase(len(keys))
        return taken

    def erase(self, letters: int) -> None:
        """Take letters back, slowly: in a plain Textual app what is typed next overtakes them."""
        for _ in range(letters):
            self.send(b"\x7f")
            self.rest(0.01)
        self.rest(0.3)

    def submit(self, text: str) -> float:
        """Type a prompt and send it; when Enter was pressed."""
        self.send(text.encode())
        self.rest(0.4)
        self.forget()
        pressed = time.perf_counter()
        self.send(b"\r")
        return pressed

    def cpu(self) -> float:
        """Seconds of processor time so far, of children that ended too."""
        fields = Path(f"/proc/{self.process_id}/stat").read_text().rpartition(")")[2].split()
        return sum(int(value) for value in fields[11:15]) / _TICKS

    def memory(self) -> float:
        """Megabytes that it holds."""
        status = Path(f"/proc/{self.process_id}/status").read_text()
        return int(status.partition("VmRSS:")[2].split()[0]) / 1024


@contextmanager
def terminal(
    module: str, arguments: Sequence[str], home: Path, environment: Mapping[str, str] | None = None
) -> Generator[Terminal]:
    """A program that starts now, in `home/work`."""
    variables = {"HOME": str(home), "COLORTERM": "truecolor", **(environment or {})}
    began = time.perf_counter()
    with on_pty(arguments, home / "work", variables, module=module, size=SIZE) as program:
        yield Terminal(program, began)
