"""Reading files that somebody named: regular ones only, bounded, never waiting on a pipe."""

import os
import stat
from pathlib import Path

from ..tools.text import find_encoding, is_binary, shown


class ReadProblem(Exception):
    """Why a file was not read, in words; `exists` tells a missing file from an unfit one."""

    def __init__(self, text: str, *, exists: bool = True) -> None:
        super().__init__(text)
        self.exists = exists


def read_bytes(path: Path, largest: int) -> bytes:
    """The whole file. Raises ReadProblem."""
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
    try:
        handle = os.open(path, flags)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise ReadProblem("it does not exist", exists=False) from error
    except (OSError, ValueError) as error:
        raise ReadProblem(getattr(error, "strerror", "") or str(error)) from error
    try:
        info = os.fstat(handle)
        if not stat.S_ISREG(info.st_mode):
            raise ReadProblem("it is not a regular file")
        if info.st_size > largest:
            raise ReadProblem(f"it is larger than {largest // 1024 // 1024} MiB ({info.st_size:,} bytes)")
        with os.fdopen(handle, "rb", closefd=False) as stream:
            return stream.read(largest + 1)
    except OSError as error:
        raise ReadProblem(error.strerror or str(error)) from error
    finally:
        os.close(handle)


def decode(content: bytes) -> str:
    """Bytes as text with plain newlines, in whatever encoding they are. Raises ReadProblem for binary content."""
    if is_binary(content):
        raise ReadProblem(f"it is binary ({len(content):,} bytes)")
    return shown(find_encoding(content).decode(content)).replace("\r", "\n")


def read_text(path: Path, largest: int) -> str:
    """A text file, whole. Raises ReadProblem."""
    return decode(read_bytes(path, largest))
