"""The transcript that hooks read: compact JSONL beside the store, written as facts come.

Every record is in the file before the next hook runs, so a hook sees everything that happened.
"""

import hashlib
import os
import re
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from pathlib import Path

from ..protocol.events import Fact
from .codec import encode_json
from .files import private_file, private_folder, write_private
from .records import Line, TranscriptFold

_LONGEST_NAME = 200


def transcript_path(folder: Path, cwd: str, session_id: str) -> Path:
    """Where a session's transcript lies below a `projects` folder, as the ecosystem names it."""
    dashed = re.sub(r"[^A-Za-z0-9]", "-", cwd)
    if len(dashed) > _LONGEST_NAME:
        dashed = f"{dashed[:_LONGEST_NAME]}-{hashlib.sha256(cwd.encode(errors='replace')).hexdigest()[:12]}"
    return folder / dashed / f"{session_id}.jsonl"


class Transcript:
    """Keeps a session's transcript files up to date; feed it every fact. Never raises: see `problem`.

    `past` gives the facts of a resumed session; they are folded when the first new record is due, and the file
    is written anew where it does not end as they do.
    """

    def __init__(
        self,
        path: Path,
        session_id: str,
        *,
        version: str = "",
        past: Callable[[], Iterable[Fact]] = tuple,
        redact: Callable[[bytes], bytes] = bytes,
    ) -> None:
        self.path = path
        self.problem = ""
        self._session_id, self._version = session_id, version
        self._past, self._redact = past, redact
        self._fold: TranscriptFold | None = None

    def agent_path(self, agent_id: str) -> Path:
        """Where a subagent's own transcript lies."""
        return self.path.with_suffix("") / "subagents" / f"agent-{re.sub(r'[^A-Za-z0-9_-]', '-', agent_id)}.jsonl"

    def apply(self, fact: Fact) -> None:
        """Write the records of one more fact."""
        try:
            if self._fold is None:
                self._fold = self._begin()
            self._append(self._fold.apply(fact))
        except (OSError, RecursionError) as error:
            self.problem = f"The transcript for hooks cannot be written: {error}"

    async def close(self) -> None:
        """Leave no empty file behind where nothing was said."""
        with suppress(OSError):
            if not self.path.stat().st_size:
                self.path.unlink()

    def remove(self) -> None:
        """Delete the files; a session that is deleted leaves nothing behind."""
        with suppress(OSError):
            for part in self.path.with_suffix("").glob("subagents/*.jsonl"):
                part.unlink()
            self.path.unlink()

    def _begin(self) -> TranscriptFold:
        fold = TranscriptFold(self._session_id, self._version)
        lines = [line for fact in self._past() for line in fold.apply(fact)]
        files: dict[str, list[bytes]] = {}
        for line in lines:
            files.setdefault(line.agent_id, []).append(self._encode(line))
        for agent_id, encoded in files.items():
            path = self._file(agent_id)
            whole = b"".join(encoded)
            if not path.exists() or path.stat().st_size != len(whole):
                private_folder(path.parent)
                write_private(path, whole)
        if not self.path.exists():
            # Also the first hooks of a session find the file that they are told of.
            private_folder(self.path.parent)
            private_file(self.path)
        return fold

    def _append(self, lines: Sequence[Line]) -> None:
        by_file: dict[str, bytes] = {}
        for line in lines:
            by_file[line.agent_id] = by_file.get(line.agent_id, b"") + self._encode(line)
        for agent_id, data in by_file.items():
            path = self._file(agent_id)
            if not path.exists():
                private_folder(path.parent)
                private_file(path)
            _append_whole(path, data)
            self.problem = ""

    def _file(self, agent_id: str) -> Path:
        return self.agent_path(agent_id) if agent_id else self.path

    def _encode(self, line: Line) -> bytes:
        return self._redact(encode_json(line.record)) + b"\n"


def _append_whole(path: Path, data: bytes) -> None:
    """Append all of it or nothing. Raises OSError."""
    handle = os.open(path, os.O_WRONLY | os.O_APPEND | getattr(os, "O_NOFOLLOW", 0))
    try:
        size = os.fstat(handle).st_size
        if os.write(handle, data) < len(data):
            os.ftruncate(handle, size)
            raise OSError("the disk is full")
    finally:
        os.close(handle)
