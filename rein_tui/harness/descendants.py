"""Finding and signalling everything that a child started, also what left its process group.

On Linux through /proc (group, session, parents, and a marker in the environment); elsewhere the group alone.
"""

import contextlib
import enum
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

_PROC = Path("/proc")


class Signal(enum.IntEnum):
    """What to send; NONE only looks whether anything is left."""

    NONE = 0
    TERM = int(signal.SIGTERM)
    KILL = 9


class _Process(NamedTuple):
    pid: int
    parent: int
    session: int
    zombie: bool


def signal_tree(pid: int, marker: str, what: Signal) -> bool:
    """Send a signal to the child `pid` and all that it started; whether anything was still alive.

    `marker` is `NAME=value` in the environment of every descendant.
    """
    if sys.platform == "win32":
        return _signal_windows(pid, what)
    if not (_PROC / "self/stat").exists():
        return _signal_group(pid, what)
    alive = False
    for found in descendants(pid, marker):
        alive = _send(found, what) or alive
    return alive


def descendants(pid: int, marker: str) -> list[int]:
    """Living processes of the child's session, with the marker, or below one of these."""
    table = {process.pid: process for process in _processes()}
    needle = b"\0" + marker.encode() + b"\0"
    mine = {p.pid for p in table.values() if pid in (p.session, p.pid) or (not p.zombie and _carries(p.pid, needle))}
    grown = True
    while grown:
        below = {p.pid for p in table.values() if p.parent in mine} - mine
        mine |= below
        grown = bool(below)
    for zombie in (p for p in mine if p in table and table[p].zombie and p != pid):
        _reap(zombie)
    return sorted(p for p in mine if p in table and not table[p].zombie and p != os.getpid())


def _processes() -> Iterator[_Process]:
    for entry in os.listdir(_PROC):  # noqa: PTH208 - scanned often, names suffice
        if entry.isdigit():
            with contextlib.suppress(OSError, ValueError, IndexError):
                stat = (_PROC / entry / "stat").read_bytes()
                # The name in parentheses may hold spaces and parentheses itself.
                fields = stat[stat.rindex(b")") + 2 :].split()
                yield _Process(int(entry), int(fields[1]), int(fields[3]), fields[0] in b"ZX")


def _carries(pid: int, needle: bytes) -> bool:
    try:
        return needle in b"\0" + (_PROC / str(pid) / "environ").read_bytes()
    except OSError:
        return False


def _reap(pid: int) -> None:
    # As child subreaper we inherit orphans, and nobody else will wait for them.
    with contextlib.suppress(OSError):
        os.waitpid(pid, os.WNOHANG)


def _send(pid: int, what: Signal) -> bool:
    try:
        os.kill(pid, what)
    except OSError:
        return False
    return True


def _signal_group(pid: int, what: Signal) -> bool:
    try:
        os.killpg(pid, what)
    except OSError:
        return False
    return True


def _signal_windows(pid: int, what: Signal) -> bool:
    if what is Signal.NONE:
        return False
    return _send(pid, what)
