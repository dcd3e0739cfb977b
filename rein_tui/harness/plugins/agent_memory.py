"""What an agent remembers from one time to the next: a folder of its own, of which MEMORY.md is told to it."""

import os
from pathlib import Path

from ..places import Places
from ..protocol.agents import AgentSpec
from ..protocol.errors import ConfigError
from ..settings.reader import read_bytes

LINES, BYTES = 200, 25 * 1024
"""How much of MEMORY.md an agent begins with."""

_MOST = 1024 * 1024

_NOTE = """\
# Your memory

You remember things from one time to the next in files below {folder} ({whose}). \
MEMORY.md there is shown to you each time, up to {lines} lines: keep it short and point from it to further files. \
Write down what will help you the next time; correct what turned out wrong.

{known}"""

_WHOSE = {
    "user": "yours in all projects",
    "project": "this project's, shared with everybody who works on it",
    "local": "this project's, on this machine only",
}


def folder_of(spec: AgentSpec, places: Places, root: Path) -> Path:
    """Where an agent remembers."""
    name = "".join(c if c.isalnum() or c in "-_." else "-" for c in spec.name).lstrip(".") or "agent"
    base = {
        "user": places.config / "agent-memory",
        "project": root / ".claude" / "agent-memory",
        "local": root / ".claude" / "agent-memory-local",
    }[spec.memory]
    return base / name


def words_of(spec: AgentSpec, folder: Path) -> str:
    """What an agent is told of its memory."""
    known = _known(folder / "MEMORY.md", folder.parents[1])
    shown = f"<MEMORY.md>\n{known}\n</MEMORY.md>" if known else "MEMORY.md is empty so far."
    return _NOTE.format(folder=folder, whose=_WHOSE[spec.memory], lines=LINES, known=shown)


def _known(path: Path, anchor: Path) -> str:
    """The beginning of a memory file; empty where it leads out of the folder that everything of this kind lies in."""
    if not Path(os.path.realpath(path)).is_relative_to(os.path.realpath(anchor)):
        return ""
    try:
        content = read_bytes(path, _MOST) or b""
    except ConfigError:
        return ""
    lines = content[:BYTES].decode("utf-8", "ignore").splitlines()
    return "\n".join(lines[:LINES]).strip()
