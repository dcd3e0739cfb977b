"""What Grep and Glob share: a folder, an engine, files that policy hides, and paths as models like them."""

import json
import os
import re
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ..protocol.base import JsonObject
from ..protocol.tools import Workspace
from .ripgrep import Found, find_ripgrep, run_search

_SCRIPT = str(Path(__file__).with_name("plain_search.py"))


@dataclass(frozen=True, slots=True)
class SearchEngine:
    """How searches run: for at most `seconds`.

    `is_denied` hides files (absolute paths); `plain` goes without ripgrep though it is there.
    """

    is_denied: Callable[[str], bool] | None = None
    plain: bool = False
    seconds: float = 10.0

    @property
    def ripgrep(self) -> str:
        """The program to use; empty for the plain way."""
        return "" if self.plain else find_ripgrep()

    def hides(self, path: str) -> bool:
        """Whether the model may not see this file."""
        return self.is_denied is not None and self.is_denied(path)

    async def run(self, argv: list[str], cwd: str, separator: bytes) -> Found:
        """Search with ripgrep."""
        return await run_search(argv, cwd, separator, self.seconds)

    async def ask_plain(self, request: JsonObject, separator: bytes) -> Found:
        """Search with the plain program."""
        argv = [sys.executable, "-I", _SCRIPT]
        return await run_search(argv, tempfile.gettempdir(), separator, self.seconds, json.dumps(request).encode())


def shown_path(path: str, workspace: Workspace) -> str:
    """From the working directory when it is below it, else absolute."""
    cwd = str(workspace.cwd).rstrip(os.sep) + os.sep
    return path[len(cwd) :] if path.startswith(cwd) else path


def newest_first(paths: list[str]) -> list[str]:
    """By time of change; files that vanished meanwhile come last."""
    return sorted(paths, key=_changed, reverse=True)


def _changed(path: str) -> tuple[int, str]:
    try:
        return Path(path).stat().st_mtime_ns, path
    except OSError:
        return 0, path


def split_globs(text: str) -> list[str]:
    """Globs of one field: divided by white space, and by commas outside braces."""
    return [part for part in re.split(r"\s+|,(?![^{]*\})", text) if part]
