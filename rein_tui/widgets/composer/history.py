"""Prompts submitted before: one JSON line each, read once in the background, appended as they come."""

import asyncio
import os
from collections.abc import Sequence
from pathlib import Path

_SHORTEST = 8  # characters: shorter values would tear ordinary words apart

KEEP = 2000
"""Prompts kept in memory; the file is cut to this when it has twice as many."""


class History:
    """Walks through old prompts, the draft kept safe at the end. Without a path nothing is stored.

    `secrets` are values that never reach the disk: our own keys.
    """

    def __init__(self, path: Path | None = None, secrets: Sequence[str] = ()) -> None:
        self._path = path
        self._secrets = [secret for secret in secrets if len(secret) >= _SHORTEST]
        self._entries: list[str] = []
        self._at = 0
        self._draft = ""

    @property
    def entries(self) -> tuple[str, ...]:
        """All prompts, oldest first."""
        return tuple(self._entries)

    @property
    def is_walking(self) -> bool:
        """Whether an old prompt is shown."""
        return self._at < len(self._entries)

    async def load(self) -> None:
        """Read what earlier runs stored; what this run added meanwhile stays behind it."""
        if self._path is None:
            return
        stored = await asyncio.to_thread(_read, self._path)
        self._entries = [*stored, *self._entries][-KEEP:]
        self._at = len(self._entries)

    def add(self, text: str) -> bool:
        """Remember a prompt; false when it repeats the one before."""
        repeated = bool(self._entries) and self._entries[-1] == text
        if not repeated:
            self._entries.append(text)
        self._at = len(self._entries)
        self._draft = ""
        return not repeated

    async def store(self, text: str) -> None:
        """Append one prompt to the file. A disk that refuses loses the history, not the prompt."""
        if self._path is not None:
            for secret in self._secrets:
                text = text.replace(secret, "[redacted]")
            await asyncio.to_thread(_append, self._path, text)

    def older(self, draft: str) -> str | None:
        """The prompt before; `draft` is what stands in the composer now, kept for the way back."""
        if self._at == 0:
            return None
        if not self.is_walking:
            self._draft = draft
        self._at -= 1
        return self._entries[self._at]

    def newer(self) -> str | None:
        """The prompt after, at the end the draft; None when already there."""
        if not self.is_walking:
            return None
        self._at += 1
        return self._entries[self._at] if self.is_walking else self._draft

    def leave(self) -> None:
        """The person edits: what stands in the composer is the draft now."""
        self._at = len(self._entries)


def _read(path: Path) -> list[str]:
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []
    entries = [text for line in lines if (text := _text(line))]
    if len(lines) > 2 * KEEP:
        _rewrite(path, entries[-KEEP:])
    return entries[-KEEP:]


def _text(line: str) -> str:
    import json  # for this thread alone: it is not there yet when a screen starts

    try:
        value: object = json.loads(line)
    except ValueError:
        return ""
    return value if isinstance(value, str) else ""


def _append(path: Path, text: str) -> None:
    import json

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        with os.fdopen(handle, "a", encoding="utf-8") as file:
            file.write(json.dumps(text) + "\n")
    except OSError:
        return


def _rewrite(path: Path, entries: list[str]) -> None:
    import json

    fresh = path.with_suffix(".new")
    try:
        fresh.write_text("".join(json.dumps(text) + "\n" for text in entries), encoding="utf-8")
        fresh.chmod(0o600)
        fresh.replace(path)
    except OSError:
        fresh.unlink(missing_ok=True)
