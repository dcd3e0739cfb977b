"""Facts about files, behind one small protocol: the disk, or a fixture given in a policy case."""

import os
import stat
from collections.abc import Collection, Mapping
from pathlib import Path
from posixpath import dirname, join, normpath
from typing import Protocol

from .shell.types import FileFacts

MAX_HOPS = 40


class Facts(FileFacts, Protocol):
    """What the path engine asks beyond what the shell analysis does. No method raises."""

    def hops(self, path: str) -> tuple[str, ...]:
        """The places that the last component leads to, link by link, without the path itself."""
        ...

    def trouble(self, path: str) -> str:
        """Why the thing there is not an ordinary file or folder (device, pipe, loop), or empty."""
        ...


class Disk:
    """The real file system."""

    def exists(self, path: str) -> bool:
        """Whether something (also a dangling link) is there."""
        try:
            return os.path.lexists(path)
        except (OSError, ValueError):
            return False

    def is_dir(self, path: str) -> bool:
        """Whether it is a directory, links followed."""
        try:
            return Path(path).is_dir()
        except (OSError, ValueError):
            return False

    def realpath(self, path: str) -> str:
        """The path with every link followed, as far as it exists."""
        try:
            return os.path.realpath(path)
        except (OSError, ValueError):
            return path

    def read_text(self, path: str, limit: int) -> str | None:
        """At most `limit` characters of a regular file; None when it is missing, unreadable or longer."""
        try:
            handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC | getattr(os, "O_NONBLOCK", 0))
        except (OSError, ValueError):
            return None
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            os.close(handle)
            return None
        with os.fdopen(handle, "rb") as file:
            try:
                text = file.read(4 * limit + 1).decode("utf-8", "replace")
            except OSError:
                return None
        return text if len(text) <= limit else None

    def hops(self, path: str) -> tuple[str, ...]:
        """The places that the last component leads to, link by link."""
        found: list[str] = []
        for _ in range(MAX_HOPS):
            try:
                target = str(Path(path).readlink())
            except (OSError, ValueError):
                break
            path = normpath(join(dirname(path), target))
            found.append(path)
        return tuple(found)

    def trouble(self, path: str) -> str:
        """Why the thing there is not an ordinary file or folder, or empty (also when nothing is there)."""
        try:
            mode = Path(path).stat().st_mode
        except (FileNotFoundError, NotADirectoryError, PermissionError):
            return ""
        except (OSError, ValueError):
            return "it is a loop of links or a name that cannot exist"
        if stat.S_ISREG(mode) or stat.S_ISDIR(mode):
            return ""
        return "it is a device, a pipe or a socket"


class Fixture:
    """Files that exist in a policy case only: folders, files and links by absolute path."""

    def __init__(
        self,
        dirs: Collection[str] = (),
        files: Mapping[str, str] | None = None,
        symlinks: Mapping[str, str] | None = None,
    ) -> None:
        self._files = dict(files or {})
        self._links = dict(symlinks or {})
        named = {*dirs, *(dirname(path) for path in (*self._files, *self._links))}
        self._dirs = {str(above) for path in named for above in (Path(path), *Path(path).parents)}

    def exists(self, path: str) -> bool:
        """Whether the fixture names it."""
        return path in self._links or path in self._files or self.is_dir(path) or self.realpath(path) in self._files

    def is_dir(self, path: str) -> bool:
        """Whether it is a folder of the fixture, links followed."""
        return self.realpath(path) in self._dirs

    def realpath(self, path: str) -> str:
        """The path with every link of the fixture followed."""
        return self._followed(path)[0]

    def _followed(self, path: str) -> tuple[str, bool]:
        """Where the path leads, and whether it got there within the links that a system follows."""
        done, rest, budget = "/", [part for part in path.split("/") if part], MAX_HOPS
        while rest:
            part = rest.pop(0)
            if part == ".":
                continue
            if part == "..":
                done = dirname(done)
                continue
            here = join(done, part)
            target = self._links.get(here)
            if target is None or budget <= 0:
                budget -= target is not None
                done = here
                continue
            budget -= 1
            done = "/" if target.startswith("/") else done
            rest = [step for step in target.split("/") if step] + rest
        return done, budget >= 0

    def read_text(self, path: str, limit: int) -> str | None:
        """The text of a file of the fixture."""
        text = self._files.get(self.realpath(path))
        return text if text is not None and len(text) <= limit else None

    def hops(self, path: str) -> tuple[str, ...]:
        """The places that the last component leads to, link by link."""
        found: list[str] = []
        while path in self._links and len(found) < MAX_HOPS:
            path = normpath(join(dirname(path), self._links[path]))
            found.append(path)
        return tuple(found)

    def trouble(self, path: str) -> str:
        """Only loops of links can be trouble here."""
        return "" if self._followed(path)[1] else "it is a loop of links"
