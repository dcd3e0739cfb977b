"""The keybindings file: JSON that maps an action to its keys. A bad entry is reported and skipped, the rest applies.

{"inspector": "f2,ctrl+e", "composer.send": "ctrl+enter"}
"""

import json
from collections.abc import Collection
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from textual.keys import Keys, key_to_character

from rein_tui.harness.protocol.events import Notice

_MODIFIERS = frozenset({"ctrl", "shift", "alt", "super", "hyper", "meta"})
_NAMED = frozenset(key.value for key in Keys)
_SHOWN = {
    "up": "↑",
    "down": "↓",
    "left": "←",
    "right": "→",
    "escape": "esc",
    "pagedown": "page down",
    "pageup": "page up",
    "slash": "/",
    "plus": "+",
    "minus": "-",
}
_SWALLOWED = {"ctrl+i": "tab", "ctrl+m": "enter", "ctrl+left_square_bracket": "escape"}


def key_name(key: str) -> str:
    """A key as people write it: F1, ctrl+p, esc, ↑, [."""
    parts = [
        _SHOWN.get(part) or (key_to_character(part) if "_" in part else None) or part for part in key.strip().split("+")
    ]
    return "+".join(part.upper() if part[0] == "f" and part[1:].isdigit() else part for part in parts)


def read_keymap(path: Path | None, actions: Collection[str]) -> tuple[dict[str, str], list[Notice]]:
    """Keys by action, and what is wrong with the file. `actions` are the names that exist."""
    if path is None or not path.is_file():
        return {}, []
    try:
        text = path.read_text(encoding="utf-8")
        value: Any = json.loads(text)
    except (OSError, UnicodeDecodeError) as error:
        return {}, [_notice(f"keybindings: {error}", path, 0)]
    except json.JSONDecodeError as error:
        return {}, [_notice(f"keybindings: {error.msg}", path, error.lineno, "the file is ignored")]
    if not isinstance(value, dict):
        return {}, [_notice("keybindings: an object of action and key is wanted", path, 1, "the file is ignored")]
    keymap: dict[str, str] = {}
    notices: list[Notice] = []
    for action, keys in value.items():  # pyright: ignore[reportUnknownVariableType]  JSON
        line = next((n for n, row in enumerate(text.splitlines(), 1) if json.dumps(action) in row), 0)
        problem = _problem(str(action), keys, actions)  # pyright: ignore[reportUnknownArgumentType]
        if problem:
            notices.append(_notice(problem, path, line, "this entry is skipped"))
        else:
            keymap[str(action)] = str(keys).replace(" ", "")  # pyright: ignore[reportUnknownArgumentType]
    return keymap, notices


def _problem(action: str, keys: object, actions: Collection[str]) -> str:
    if action not in actions:
        close = get_close_matches(action, actions, n=1)
        return f"keybindings: no action {action!r}" + (f"; did you mean {close[0]!r}?" if close else "")
    if not isinstance(keys, str) or not keys.strip():
        return f"keybindings: the keys of {action!r} are not a string"
    for key in (key.strip() for key in keys.split(",")):
        if not _is_key(key):
            return f"keybindings: {key!r} is no key"
        if key in _SWALLOWED:
            return f"keybindings: terminals send {key!r} as {_SWALLOWED[key]!r}"
    return ""


def _is_key(key: str) -> bool:
    *modifiers, name = key.split("+")
    known = len(name) == 1 or name in _NAMED or key_to_character(name) is not None
    return known and _MODIFIERS.issuperset(modifiers)


def _notice(text: str, path: Path, line: int, hint: str = "") -> Notice:
    where = f"{path}:{line}" if line else str(path)
    return Notice(text=text, level="warning", where=where, hint=hint, code="keybindings")
