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


def signal_tree(pid: int, marker: str, what: Signal) -> list[int]:
    """Send a signal to the child `pid` and all that it started; those that were alive, for `still_alive`.

    `marker` is `NAME=value` in the environment of every descendant. A negative number stands for a group.
    """
    if sys.platform == "win32":
        return [pid] if what is not Signal.NONE and _send(pid, what) else []
    found = descendants(pid, marker) if _has_proc() else [-pid]
    return [target for target in found if _send(target, what)]


def still_alive(targets: list[int]) -> list[int]:
    """Those that have not ended: much cheaper than looking for descendants anew."""
    return [target for target in targets if _send(target, Signal.NONE) and not _is_zombie(target)]


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


def reap_orphans() -> None:
    """Take leave of ended orphans that we inherited as subreaper; nobody else waits for them.

    Only those in a session that is neither ours nor their own: a child that somebody here started and waits for
    is in one of these.
    """
    if sys.platform != "linux":
        return
    try:
        if os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
            return
    except ChildProcessError:
        return
    for process in _processes():
        if process.zombie and process.parent == os.getpid() and process.session not in (process.pid, os.getsid(0)):
            _reap(process.pid)


def _processes() -> Iterator[_Process]:
    for entry in os.listdir(_PROC):  # noqa: PTH208 - scanned often, names suffice
        if entry.isdigit() and (process := _process(entry)):
            yield process


def _process(pid: str) -> _Process | None:
    try:
        stat = (_PROC / pid / "stat").read_bytes()
        # The name in parentheses may hold spaces and parentheses itself.
        fields = stat[stat.rindex(b")") + 2 :].split()
        return _Process(int(pid), int(fields[1]), int(fields[3]), fields[0] in b"ZX")
    except (OSError, ValueError, IndexError):
        return None


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


def _has_proc() -> bool:
    return (_PROC / "self/stat").exists()


def _is_zombie(pid: int) -> bool:
    if pid < 0 or not _has_proc():
        return False
    process = _process(str(pid))
    return process is None or process.zombie
