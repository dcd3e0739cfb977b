"""Keeping hook texts small and harmless: caps, files for the overflow, and no terminal tricks."""

import contextlib
import os
import re
import secrets
from dataclasses import dataclass, field
from pathlib import Path

MAX_TEXT = 10_000
"""Characters that one text may put into the conversation or before a person."""

PREVIEW = 2_000
"""Characters shown in place of a longer text."""

MAX_LOGGED = 64 * 1024
"""Characters of stdin, stdout and stderr that a run keeps for the log."""

_ESCAPES = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b[\]PX^_][^\x07\x1b]{0,4096}(?:\x07|\x1b\\)|\x1b[ -/]*[0-~]|\x9b[0-?]*[ -/]*[@-~]"
)
_CONTROLS = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff\ud800-\udfff\U000e0000-\U000e007f]"
)


def clean(text: str) -> str:
    """The text without escape sequences, control characters and invisible marks."""
    if text.isascii() and text.isprintable():
        return text
    text = _ESCAPES.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))
    return _CONTROLS.sub("", text)


def logged(text: str) -> str:
    """The text as the log keeps it; says how much it leaves out."""
    if len(text) <= MAX_LOGGED:
        return text
    return f"{text[:MAX_LOGGED]}\n[... {len(text) - MAX_LOGGED:,} more characters, not kept ...]"


@dataclass(slots=True)
class Spill:
    """Caps the texts of one run; what is too long goes whole to a private file in `folder`."""

    folder: Path
    run_id: str
    paths: list[str] = field(default_factory=list[str])

    def cap(self, text: str) -> str:
        """The text, cleaned, or its beginning and where the whole of it is."""
        text = clean(text).strip()
        if len(text) <= MAX_TEXT:
            return text
        where = self._write(text)
        place = f"the whole text is in {where}" if where else "the rest could not be kept"
        return f"{text[:PREVIEW]}\n[... {len(text):,} characters in all; {place} ...]"

    def _write(self, text: str) -> str:
        path = self.folder / f"hook-{self.run_id}-{secrets.token_hex(3)}.txt"
        with contextlib.suppress(OSError):
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(text)
            self.paths.append(str(path))
            return str(path)
        return ""
