"""Ending in order when somebody asks by a signal: the turn stops, SessionEnd hooks run, what was told is stored."""

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager, suppress

PATIENCE = 65.0
"""Seconds after which a program that was asked to end ends in any case: SessionEnd hooks may take sixty."""


def endings() -> tuple[int, ...]:
    """The signals by which a system, or a terminal that closes, asks a program to end."""
    return (signal.SIGTERM,) if sys.platform == "win32" else (signal.SIGTERM, signal.SIGHUP)


@contextmanager
def on_signals(numbers: Sequence[int], handle: Callable[[int], None]) -> Generator[None]:
    """Have these signals handled in the loop. Where there is no such thing, they keep what they do."""
    loop = asyncio.get_running_loop()
    handled: list[int] = []
    with suppress(NotImplementedError, RuntimeError):  # Windows, or not the main thread
        for number in numbers:
            loop.add_signal_handler(number, handle, number)
            handled.append(number)
    try:
        yield
    finally:
        for number in handled:
            loop.remove_signal_handler(number)


class Ending:
    """What a screen does when it is asked to end; `number` is the signal that asked, 0 before."""

    def __init__(self, leave: Callable[[], object]) -> None:
        self.number = 0
        self._leave = leave

    def begin(self, number: int) -> None:
        """Leave, once. A terminal that is gone is written to no more: that would block or fail."""
        if self.number:
            return
        self.number = number
        if number != signal.SIGTERM:
            forget_terminal()
        asyncio.get_running_loop().call_later(PATIENCE, os._exit, self.exit_code)
        self._leave()

    @property
    def exit_code(self) -> int:
        """As shells tell of a program that a signal ended; 0 where none did."""
        return 128 + self.number if self.number else 0


def forget_terminal() -> None:
    """Let what is still written to the terminal go nowhere."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nowhere, stream)
    os.close(nowhere)
