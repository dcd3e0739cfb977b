"""The terminal below the app, on Unix: Textual's driver, for terminals that lag, vanish or send what is no key.

What it changes: input is read by `terminal_input`; the thread that reads sleeps until there is something; a terminal
that is gone is left like one that hung up; and the app is told when what it wrote is not shown yet.
"""

import asyncio
import os
import select
import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Protocol, TextIO, cast

from textual.constants import ESCAPE_DELAY
from textual.drivers.linux_driver import LinuxDriver

from rein_tui.terminal_input import TerminalInput

if TYPE_CHECKING:
    from textual.app import App

_SLOW = 0.05
"""Seconds after which a terminal that has not taken everything is behind."""
_LEAVING = 0.5
"""Seconds in which whoever woke the reading thread says that it is to end."""


class Patient(Protocol):
    """An app that paints nothing while its terminal is behind."""

    def fall_behind(self) -> None:
        """Much of what was written is not shown yet."""
        ...

    def catch_up(self) -> None:
        """All of it is."""
        ...


class TerminalDriver(LinuxDriver):
    """Reads and writes the terminal that the program was started in."""

    def __init__(
        self, app: "App[Any]", *, debug: bool = False, mouse: bool = True, size: tuple[int, int] | None = None
    ) -> None:
        super().__init__(app, debug=debug, mouse=mouse, size=size)  # pyright: ignore[reportUnknownMemberType]
        stream = cast("TextIO", sys.__stderr__)
        self._output = Output(stream.fileno(), stream.encoding, cast(Patient, app))
        self._file = cast("TextIO", self._output)
        self._wakened, self._waker = os.pipe()

    def run_input_thread(self) -> None:
        """Pass on what the terminal sends until it is gone or nothing more is to be read."""
        terminal = TerminalInput()
        while not self.exit_event.is_set():
            pause = ESCAPE_DELAY if terminal.is_waiting else None
            ready, _, _ = select.select([self.fileno, self._wakened], [], [], pause)
            if self._wakened in ready:
                os.read(self._wakened, 64)
                self.exit_event.wait(_LEAVING)
                continue
            if self.fileno in ready:
                data = read_terminal(self.fileno)
                if data is None:
                    os.kill(os.getpid(), signal.SIGHUP)  # what the kernel did not tell
                    return
                for message in terminal.feed(data):
                    self.process_message(message)
            for message in terminal.tick():
                self.process_message(message)

    def disable_input(self) -> None:
        """Read no more."""
        os.write(self._waker, b".")
        super().disable_input()

    def write(self, data: str) -> None:
        """Write, soon."""
        self._output.expect()
        super().write(data)


class Output:
    """The file that the writing thread writes to: tells the app when the terminal does not follow.

    Made in the app's loop. A terminal that is gone takes everything.
    """

    def __init__(self, fd: int, encoding: str, patient: Patient, clock: Callable[[], float] = time.monotonic) -> None:
        self._fd = fd
        self._encoding = encoding
        self._patient = patient
        self._clock = clock
        self._loop = asyncio.get_running_loop()
        self._since = 0.0
        self._is_behind = False

    def fileno(self) -> int:
        """The terminal's file descriptor."""
        return self._fd

    def expect(self) -> None:
        """In the loop: something is about to be written."""
        now = self._clock()
        since = self._since = self._since or now
        if now - since > _SLOW and not self._is_behind:
            self._is_behind = True
            self._patient.fall_behind()

    def write(self, text: str) -> None:
        """In a thread: write all of it, also where another program made the terminal non-blocking."""
        data = memoryview(text.encode(self._encoding, "replace"))
        while data:
            try:
                data = data[os.write(self._fd, data) :]
            except BlockingIOError:
                select.select([], [self._fd], [])
            except OSError:  # gone: the reading thread sees it, too
                return

    def flush(self) -> None:
        """In a thread: nothing waits any more."""
        self._since = 0.0
        if self._is_behind:
            with suppress(RuntimeError):  # the loop has ended
                self._loop.call_soon_threadsafe(self._catch_up)

    def _catch_up(self) -> None:
        if self._is_behind:
            self._is_behind = False
            self._patient.catch_up()


def read_terminal(fd: int) -> bytes | None:
    """What the terminal sent; None when it is gone."""
    try:
        return os.read(fd, 65536) or None
    except BlockingIOError:  # somebody else took it
        return b""
    except OSError:
        return None
