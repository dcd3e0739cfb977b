"""What a person chose about the look and feel: one small JSON file in the data folder, read once."""

from pathlib import Path
from typing import Literal

import msgspec

from rein_tui.harness.protocol.events import Notice


class Preferences(msgspec.Struct, kw_only=True):
    """Switches of the screen. Unknown fields of a newer version are left alone on reading and lost on saving."""

    theme: str = "rein-dark"
    vim: bool = False
    mouse: bool = True
    motion: bool = True
    bell: bool = False
    density: Literal["grouped", "line", "full"] = "line"


def read_preferences(path: Path | None) -> tuple[Preferences, list[Notice]]:
    """The stored preferences; defaults, with a notice, for a file that does not parse."""
    if path is None or not path.is_file():
        return Preferences(), []
    try:
        return msgspec.json.decode(path.read_bytes(), type=Preferences), []
    except (OSError, msgspec.MsgspecError, RecursionError) as error:
        hint = "defaults are used; the next change writes a good file"
        return Preferences(), [Notice(text=f"preferences: {error}", level="warning", where=str(path), hint=hint)]


def save_preferences(path: Path | None, preferences: Preferences) -> None:
    """Write them, whole or not at all. A disk that refuses costs the choice, not the session."""
    if path is None:
        return
    fresh = path.with_suffix(".new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh.write_bytes(msgspec.json.format(msgspec.json.encode(preferences)) + b"\n")
        fresh.replace(path)
    except OSError:
        fresh.unlink(missing_ok=True)
