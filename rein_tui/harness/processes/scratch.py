"""A session's own folder: output too long for memory, and the environment that hooks leave for commands."""

import shutil
import tempfile
from contextlib import suppress
from pathlib import Path


class Scratch:
    """The folder `path`, made at once; in the system's temporary folder where `wanted` cannot be made.

    A session must start on a disk that is full or read-only too.
    """

    def __init__(self, wanted: Path) -> None:
        self._is_temporary = False
        self.path = wanted
        try:
            wanted.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError:
            self.path = Path(tempfile.mkdtemp(prefix="rein-tui-"))
            self._is_temporary = True

    async def close(self) -> None:
        """Leave nothing behind that nobody can want: a folder that is empty, or a temporary one."""
        if self._is_temporary:
            shutil.rmtree(self.path, ignore_errors=True)
        with suppress(OSError):
            self.path.rmdir()
