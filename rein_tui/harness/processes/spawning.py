"""Starting a program without holding up whoever starts it: in a session of its own, its input waiting in the pipe."""

import asyncio
import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from functools import cache, lru_cache

PIPE_ROOM = 64 * 1024
"""Bytes that a pipe takes before anybody reads."""


def session_leader(argv: Sequence[str], env: Mapping[str, str], *, is_busy: bool | None = None) -> tuple[str, ...]:
    """What to put before `argv` so that the program makes a session for itself; empty where we have to do that.

    The start of a process holds the starter up until the child has called exec. A child that calls setsid before
    that is moved to a scheduling group of its own and waits there for its turn: milliseconds on a busy machine, for
    each of ten hooks in a row. setsid(1) calls exec first, at the price of a second exec: on a machine with time to
    spare that is the dearer way (ten hooks 16 ms instead of 12). A program that cannot be found is left to fail here.
    """
    setsid = _setsid() if (_is_busy() if is_busy is None else is_busy) else ""
    if not setsid:
        return ()
    program = argv[0]
    if not os.path.dirname(program):  # noqa: PTH120 - "./x" has to stay "./x"
        program = _found(program, env.get("PATH", os.defpath))
    is_there = os.path.isabs(program) and os.access(program, os.X_OK) and os.path.isfile(program)  # noqa: PTH113, PTH117
    return (setsid,) if is_there else ()


@cache
def watch_by_kernel() -> None:
    """Learn of the end of a child from the kernel, as Python 3.12 does by itself, not from a thread for each.

    Such a thread costs as much as the start of the program.
    """
    if sys.version_info >= (3, 12) or sys.platform != "linux":
        return
    try:
        os.close(os.pidfd_open(os.getpid()))
    except OSError:  # an old kernel, or a sandbox that knows no such call
        return
    from .child_watcher import KernelWatcher

    asyncio.set_child_watcher(KernelWatcher())  # pyright: ignore[reportDeprecated]  only before 3.12


def _is_busy() -> bool:
    """Whether more wants to run on this machine than can, as far as the last minute tells."""
    return hasattr(os, "getloadavg") and os.getloadavg()[0] > (os.cpu_count() or 1)


@lru_cache(maxsize=64)
def _found(program: str, path: str) -> str:
    return shutil.which(program, path=path) or ""


@cache
def _setsid() -> str:
    return (shutil.which("setsid") or "") if sys.platform == "linux" else ""


def filled_pipe(data: bytes) -> int | None:
    """The reading end of a pipe that holds all of `data` and then ends; None where it does not fit."""
    if len(data) > PIPE_ROOM or sys.platform == "win32":
        return None
    reading, writing = os.pipe()
    try:
        os.set_blocking(writing, False)
        fits = not data or os.write(writing, data) == len(data)
    except OSError:
        fits = False
    finally:
        os.close(writing)
    if fits:
        return reading
    os.close(reading)
    return None
