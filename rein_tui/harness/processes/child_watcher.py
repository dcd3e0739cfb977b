"""How asyncio learns that a child has ended, for Python 3.11 alone: later ones do the same by themselves.

Imported only there; what it stands on is gone from Python 3.14.
"""

import asyncio
import os
from collections.abc import Callable
from typing import Self


class KernelWatcher(asyncio.AbstractChildWatcher):
    """Waits on a descriptor of the process in the loop that started it, whichever that is."""

    def add_child_handler(self, pid: int, callback: Callable[..., object], *args: object) -> None:
        """Call back with the exit code once the child is over."""
        loop = asyncio.get_running_loop()
        handle = os.pidfd_open(pid)

        def ended() -> None:
            loop.remove_reader(handle)
            os.close(handle)
            try:
                code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
            except ChildProcessError:
                code = 255  # somebody else has taken leave of it; asyncio says the same
            callback(pid, code, *args)

        loop.add_reader(handle, ended)

    def remove_child_handler(self, pid: int) -> bool:
        """Nobody asks for this."""
        return False

    def attach_loop(self, loop: asyncio.AbstractEventLoop | None) -> None:
        """Every loop watches its own children."""

    def close(self) -> None:
        """Nothing is kept."""

    def is_active(self) -> bool:
        """Always."""
        return True

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return
