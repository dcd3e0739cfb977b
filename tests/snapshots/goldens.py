"""Text goldens: the screen as lines, compared with a file. REIN_UPDATE_GOLDENS=1 writes the files anew."""

import difflib
import os
from pathlib import Path

FOLDER = Path(__file__).parent / "golden"


def check_golden(name: str, text: str) -> None:
    """Compare with `golden/NAME.txt`; an absent golden is a failure, not a first version."""
    path = FOLDER / f"{name}.txt"
    if os.environ.get("REIN_UPDATE_GOLDENS"):
        path.write_text(text + "\n", encoding="utf-8")
        return
    wanted = path.read_text(encoding="utf-8").removesuffix("\n") if path.exists() else ""
    if text != wanted:
        changed = "\n".join(difflib.unified_diff(wanted.split("\n"), text.split("\n"), "golden", "now", lineterm=""))
        raise AssertionError(f"{name} changed (REIN_UPDATE_GOLDENS=1 accepts it):\n{changed}")
