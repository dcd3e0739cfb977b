"""Restrict this process with Landlock, then become another program.

Run as `python -m rein_tui.harness.permissions.landlock --write DIR … [--network] -- PROGRAM ARGS…`; `--temporary
DIR` is writable too, and where temporary files go. The kernel
keeps the restriction for the program and all its children; nobody can take it back. Fails closed: when the
restriction cannot be set up, the program does not start (exit code 126).
"""

import ctypes
import os
import sys
from collections.abc import Sequence
from pathlib import Path

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_VERSION_FLAG = 1
_RULE_PATH_BENEATH = 1
_PR_SET_NO_NEW_PRIVS = 38

_WRITE_FILE, _TRUNCATE, _REFER = 1 << 1, 1 << 14, 1 << 13
_WRITES = (
    _WRITE_FILE | sum(1 << bit for bit in range(4, 13))  # remove and make entries of every kind
)
_ON_FILES = _WRITE_FILE | _TRUNCATE
_NETWORK = (1 << 0) | (1 << 1)  # bind and connect over TCP

ALWAYS_WRITABLE = ("/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", "/dev/tty", "/dev/shm")  # noqa: S108 (the kernel's own)

CANNOT_RUN = 126


class _Ruleset(ctypes.Structure):
    _fields_ = (("handled_access_fs", ctypes.c_uint64), ("handled_access_net", ctypes.c_uint64))


class _PathBeneath(ctypes.Structure):
    _pack_ = 1
    _layout_ = "ms"
    _fields_ = (("allowed_access", ctypes.c_uint64), ("parent_fd", ctypes.c_int32))


def abi_version() -> int:
    """The kernel's Landlock version; 0 where there is none."""
    if sys.platform != "linux":
        return 0
    try:
        return max(0, _syscall(_CREATE_RULESET, None, 0, _VERSION_FLAG))
    except OSError:
        return 0


def restrict(writable: Sequence[str], *, network: bool) -> None:
    """Let this process and its children write below these folders only, and use TCP only with `network`.

    Raises OSError when the kernel refuses.
    """
    abi = abi_version()
    if abi == 0:
        raise OSError("this kernel has no Landlock")
    handled = _WRITES | (_REFER if abi >= 2 else 0) | (_TRUNCATE if abi >= 3 else 0)
    net = 0 if network or abi < 4 else _NETWORK
    attributes = _Ruleset(handled, net)
    size = ctypes.sizeof(attributes) if abi >= 4 else ctypes.sizeof(ctypes.c_uint64)
    ruleset = _syscall(_CREATE_RULESET, ctypes.byref(attributes), size, 0)
    try:
        for path in (*writable, *ALWAYS_WRITABLE):
            _allow(ruleset, path, handled)
        _no_new_privileges()
        _syscall(_RESTRICT_SELF, ruleset, 0)
    finally:
        os.close(ruleset)


def _allow(ruleset: int, path: str, handled: int) -> None:
    try:
        folder = os.open(path, getattr(os, "O_PATH", 0) | os.O_CLOEXEC)
    except FileNotFoundError:
        return
    try:
        access = handled if Path(path).is_dir() else handled & _ON_FILES
        rule = _PathBeneath(access, folder)
        _syscall(_ADD_RULE, ruleset, _RULE_PATH_BENEATH, ctypes.byref(rule), 0)
    finally:
        os.close(folder)


def _no_new_privileges() -> None:
    if ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "no_new_privs cannot be set")


def _syscall(number: int, *arguments: object) -> int:
    result: int = ctypes.CDLL(None, use_errno=True).syscall(ctypes.c_long(number), *map(_argument, arguments))
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return result


def _argument(value: object) -> object:
    return ctypes.c_long(value) if isinstance(value, int) else value


def main(arguments: Sequence[str]) -> int:
    """Restrict, then run. Returns only when that fails."""
    before, mark, command = _split(arguments)
    if not mark or not command:
        sys.stderr.write("usage: landlock --write DIR … [--network] -- PROGRAM ARGS…\n")
        return CANNOT_RUN
    writable = [before[at + 1] for at, word in enumerate(before[:-1]) if word in ("--write", "--temporary")]
    if "--temporary" in before[:-1]:
        os.environ["TMPDIR"] = before[before.index("--temporary") + 1]
    try:
        restrict(writable, network="--network" in before)
        os.execvp(command[0], list(command))  # noqa: S606 (becoming the program is the point)
    except OSError as problem:
        sys.stderr.write(f"sandbox: {problem}\n")
    return CANNOT_RUN


def _split(arguments: Sequence[str]) -> tuple[Sequence[str], bool, Sequence[str]]:
    if "--" not in arguments:
        return arguments, False, ()
    at = list(arguments).index("--")
    return arguments[:at], True, arguments[at + 1 :]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
