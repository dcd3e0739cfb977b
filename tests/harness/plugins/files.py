"""Plugins and shelves as tests write them."""

import json
from pathlib import Path
from typing import Any


def write(folder: Path, files: dict[str, Any]) -> Path:
    """Write files (text as it is, anything else as JSON) below a folder; gives the folder."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        text = content if isinstance(content, str) else json.dumps(content, indent=2)
        path.write_text(text, encoding="utf-8")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def markdown(body: str = "Do it.", **keys: str) -> str:
    """A definition file with these keys, `_` standing for `-`."""
    lines = [f"{key.replace('_', '-')}: {value}" for key, value in keys.items()]
    return "\n".join(["---", *lines, "---", body, ""])
