"""On a real pseudo-terminal: bytes in, bytes out. What Pilot cannot see: raw mode, paste brackets, leaving."""

import base64
import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pyte
import pytest

pytestmark = pytest.mark.pty

ROOT = Path(__file__).parents[2]
PATIENCE = 60.0
"""Seconds that anything may take before the test gives up; nothing waits for them."""


class Terminal:
    """A program on a pty, and what its screen shows."""

    def __init__(self, columns: int = 120, rows: int = 36, editor: str = "") -> None:
        self._master, slave = pty.openpty()
        self.raw = b""
        self.process: subprocess.Popen[bytes] | None = None
        self._screen = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self._screen)
        self.resize(columns, rows)
        environment = {**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor", "VISUAL": editor}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.app.pty_stage"],
            cwd=ROOT,
            env=environment,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=not editor,
            preexec_fn=partial(os.login_tty, slave) if editor else None,  # noqa: PLW1509  the kernel sends ctrl+c then
        )
        os.close(slave)

    def resize(self, columns: int, rows: int) -> None:
        """Change the window's size."""
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self._screen.resize(rows, columns)
        if self.process is not None:  # without a controlling terminal the kernel does not tell
            self.process.send_signal(signal.SIGWINCH)

    def send(self, text: str) -> None:
        """Type."""
        os.write(self._master, text.encode())

    def mouse(self, button: int, column: int, row: int, *, up: bool = False) -> None:
        """Press or let go: 0 the left button, 32 moved with it, 64 and 65 the wheel; from 0."""
        self.send(f"\x1b[<{button};{column + 1};{row + 1}{'m' if up else 'M'}")

    def spot(self, words: str, beyond: int = 0) -> tuple[int, int]:
        """Column and row where these words begin, right of a column."""
        lines = self._screen.display
        return next((line.index(words, beyond), y) for y, line in enumerate(lines) if words in line[beyond:])

    def text(self) -> str:
        """What is shown."""
        return "\n".join(self._screen.display)

    def until(self, condition: Callable[[], object]) -> None:
        """Read until this holds."""
        deadline = time.monotonic() + PATIENCE
        while not condition():
            ready, _, _ = select.select([self._master], [], [], max(0.0, deadline - time.monotonic()))
            try:
                data = os.read(self._master, 65536) if ready else b""
            except OSError:  # the other end is closed: Linux says EIO
                data = b""
            if not data:
                assert condition(), f"it never came true:\n{self.text()}"
                return
            self.raw += data
            self._stream.feed(data.replace(b"\x1b[>25u", b"").replace(b"\x1b[<u", b""))  # pyte would print them

    def hang_up(self) -> None:
        """Go away. The program has no controlling terminal, so the kernel sends it no signal."""
        os.close(self._master)
        self._master = -1

    def close(self) -> None:
        """End the program, if it has not ended."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
        if self._master >= 0:
            os.close(self._master)


@pytest.fixture
def terminal() -> Iterator[Terminal]:
    """The app on a pty."""
    terminal = Terminal()
    yield terminal
    terminal.close()


def test_keys_typed_before_the_first_frame_are_there(terminal: Terminal):
    terminal.send("typed early")
    terminal.until(lambda: "› typed early" in terminal.text())


def test_from_a_paste_over_an_answered_question_to_the_command_that_resumes(terminal: Terminal):
    terminal.until(lambda: "ask anything" in terminal.text())
    terminal.send("\x1b[200~one\rtwo\rthree\rfour\x1b[201~")
    terminal.until(lambda: "[Pasted #1 · 4 lines]" in terminal.text())
    terminal.send("\r")
    terminal.until(lambda: "Edit wants" in terminal.text() and "esc" in terminal.text())
    terminal.send("n")
    terminal.until(lambda: "Bash wants" in terminal.text() and "esc" in terminal.text())
    terminal.send("y")
    terminal.until(lambda: "36 tests pass" in terminal.text())
    terminal.send("\x03")
    terminal.until(lambda: "ctrl+c again exits" in terminal.text())
    terminal.send("\x03")
    terminal.until(lambda: b"returned: rein-tui --resume s1" in terminal.raw)
    assert terminal.process is not None
    assert terminal.process.wait(PATIENCE) == 0


def test_attention_is_called_for_where_nobody_looks(terminal: Terminal):
    terminal.until(lambda: "new session" in terminal.text())
    terminal.send("fix it\r")
    terminal.until(lambda: "Edit wants" in terminal.text() and "esc" in terminal.text())
    assert b"\x1b]9;" not in terminal.raw, "someone looks"
    terminal.send("n\x1b[O")
    terminal.until(lambda: b"\x1b]9;rein-tui needs you\x07" in terminal.raw)
    assert b"\x1b]777;notify;rein-tui;rein-tui needs you\x07" in terminal.raw
    assert "\x1b]0;● rein-tui needs you".encode() in terminal.raw
    terminal.send("\x1b[I")
    terminal.until(lambda: b"\x1b]0;rein-tui\x07" in terminal.raw)


def test_a_resize_is_followed(terminal: Terminal):
    terminal.until(lambda: "Sessions" in terminal.text())
    terminal.resize(70, 20)
    terminal.until(lambda: "Sessions" not in terminal.text() and "F1 keys" in terminal.text())


def test_mouse_selection_and_copy(terminal: Terminal):
    terminal.until(lambda: "new session" in terminal.text())
    terminal.send("look at this line\r")
    terminal.until(lambda: "no, and stop" in terminal.text())
    terminal.send("n")
    terminal.until(lambda: "pytest" in terminal.text() and "no, and stop" in terminal.text())
    terminal.send("\x03")
    terminal.until(lambda: "interrupted" in terminal.text() and "no, and stop" not in terminal.text())
    column, row = terminal.spot("look at this line", beyond=31)
    terminal.mouse(0, column, row)
    terminal.mouse(32, column + 3, row)
    terminal.mouse(0, column + 3, row, up=True)
    terminal.send("\x03")
    told = base64.b64encode(b"look")
    terminal.until(lambda: b"\x1b]52;c;" + told in terminal.raw)
    terminal.send("yes, typed")
    terminal.until(lambda: "› yes, typed" in terminal.text())


def test_the_wheel_scrolls_and_a_click_unfolds(terminal: Terminal):
    terminal.until(lambda: "new session" in terminal.text())
    terminal.resize(100, 16)
    terminal.send("fix it\r")
    terminal.until(lambda: "no, and stop" in terminal.text())
    terminal.send("\x03")
    terminal.until(lambda: "interrupted" in terminal.text() and "ask anything" in terminal.text())
    for _ in range(12):
        terminal.mouse(64, 50, 5)
    terminal.until(lambda: "▸ Read" in terminal.text())
    column, row = terminal.spot("▸ Read")
    terminal.mouse(0, column, row)
    terminal.mouse(0, column, row, up=True)
    terminal.until(lambda: "▾ Read" in terminal.text())
    assert terminal.spot("▾ Read") == (column, row)


def test_escape_sequences_in_a_paste_neither_send_nor_run_anything(terminal: Terminal):
    terminal.until(lambda: "new session" in terminal.text())
    terminal.send("\x1b[200~\x1b[31mred \x1bX and words enough to be long\r!touch x\rmore\x1b[201~ seen\xff")
    terminal.until(lambda: "[Pasted #1 · 3 lines] seen" in terminal.text())
    assert "queued" not in terminal.text() and "fixed" not in terminal.text()


def test_a_paste_into_a_search_writes_no_escape_to_the_terminal(terminal: Terminal):
    terminal.until(lambda: "new session" in terminal.text())
    terminal.send("\x06")
    terminal.until(lambda: "search the conversation" in terminal.text())
    terminal.send("\x1b[200~ab\x1b]0;evil\x07\x9b5m\u202ecd\x1b[201~")
    terminal.until(lambda: "abcd" in terminal.text())
    assert b"\x1b]0;evil" not in terminal.raw
    assert b"\xc2\x9b" not in terminal.raw
    assert "\u202e".encode() not in terminal.raw


def test_enter_counts_though_the_window_loses_the_focus_at_once(terminal: Terminal):
    terminal.until(lambda: "new session" in terminal.text())
    terminal.send("fix it\r\x1b[O")
    terminal.until(lambda: "Edit wants" in terminal.text())


def test_a_terminal_that_vanishes_without_a_signal_ends_the_program(terminal: Terminal):
    terminal.until(lambda: "new session" in terminal.text())
    terminal.hang_up()
    assert terminal.process is not None
    assert terminal.process.wait(PATIENCE) == -signal.SIGHUP, "which the command line turns into leaving in order"


@pytest.mark.parametrize("editor", ["/nowhere/editor", "sh -c 'echo it has begun; sleep 60'", "sh -c 'exit 3'"])
def test_the_terminal_comes_back_from_an_editor_that_fails(editor: str):
    terminal = Terminal(editor=editor)
    try:
        terminal.until(lambda: "new session" in terminal.text())
        terminal.send("my draft\x07")
        if "sleep" in editor:
            terminal.until(lambda: "it has begun" in terminal.text())
            terminal.send("\x03")
        terminal.until(lambda: "the editor" in terminal.text() and terminal.raw.count(b"\x1b[?1049h") == 2)
        terminal.send("!")
        terminal.until(lambda: "› my draft!" in terminal.text())
    finally:
        terminal.close()
