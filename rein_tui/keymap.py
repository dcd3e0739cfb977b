"""The keybindings file: JSON that maps an action to its keys. A bad entry is reported and skipped, the rest applies.

{"inspector": "f2,ctrl+e", "composer.send": "ctrl+enter"}

No entry takes a key from an action that keeps it: what is pressed would do something else than the page of keys says.
"""

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any, NamedTuple

from textual.binding import Binding
from textual.keys import Keys, key_to_character

from rein_tui.harness.protocol.events import Notice

EVERYWHERE, PROMPT = "everywhere", "prompt"
"""Places where a letter is typed, so that it can be no key."""

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
_WRITTEN = {shown: key for key, shown in _SHOWN.items()} | {"return": "enter", "del": "delete"}
_EDITING = frozenset("backspace delete left right up down home end tab slash plus minus".split())
_SWALLOWED = {"ctrl+i": "tab", "ctrl+m": "enter", "ctrl+left_square_bracket": "escape"}


class Action(NamedTuple):
    """Something that keys do: those that it has by default, and the place where they are valid."""

    keys: frozenset[str]
    place: str


def key_name(key: str) -> str:
    """A key as people write it: F1, ctrl+p, esc, ↑, [."""
    parts = [
        _SHOWN.get(part) or (key_to_character(part) if "_" in part else None) or part for part in key.strip().split("+")
    ]
    return "+".join(part.upper() if part[0] == "f" and part[1:].isdigit() else part for part in parts)


def read_keymap(path: Path | None, actions: Mapping[str, Action]) -> tuple[dict[str, str], list[Notice]]:
    """Keys by action, and what is wrong with the file. `actions` are those that exist, by name."""
    if path is None or not path.is_file():
        return {}, []
    import json  # here: most people have no such file, and a start would load it for nobody

    try:
        text = path.read_text(encoding="utf-8-sig")
        entries: dict[str, Any] = json.loads(text)
    except json.JSONDecodeError as error:
        return {}, [_notice(error.msg, path, error.lineno, "the file is ignored")]
    except (OSError, ValueError, RecursionError) as error:
        return {}, [_notice(str(error), path, 0, "the file is ignored")]
    if not isinstance(entries, dict):  # pyright: ignore[reportUnnecessaryIsInstance]  JSON may be anything
        return {}, [_notice("an object of action and key is wanted", path, 1, "the file is ignored")]
    problems: dict[str, str] = {}
    keymap: dict[str, list[str]] = {}
    for action, keys in entries.items():
        names = _names(keys)
        problems[action] = _problem(action, keys, names, actions)
        if not problems[action]:
            keymap[action] = names
    _settle(keymap, actions, problems)
    lines = text.splitlines()
    notices = [
        _notice(problem, path, next((n for n, row in enumerate(lines, 1) if json.dumps(action) in row), 0))
        for action, problem in problems.items()
        if problem
    ]
    return {action: ",".join(names) for action, names in keymap.items()}, notices


def _names(keys: object) -> list[str]:
    """The keys of an entry as Textual names them, however people write them: F2, Ctrl+E, ?, esc."""
    return [_key(key.strip()) for key in keys.split(",")] if isinstance(keys, str) else []


def _key(written: str) -> str:
    """One key; empty for what is none. A capital letter alone is the capital letter."""
    before, _, name = written[:-1].rpartition("+") if len(written) > 1 else ("", "", "")
    name += written[-1:]
    modifiers = [modifier.strip().lower() for modifier in before.split("+")] if before else []
    name = _WRITTEN.get(name.strip().lower(), name.strip() if not modifiers else name.strip().lower())
    if len(name) == 1 and name.isprintable():
        name = next(iter(Binding.make_bindings([(name, "", "")]))).key
    else:
        name = name.lower()
    known = name in _NAMED or name in _SHOWN or (key_to_character(name) or "\0").isprintable()
    return "+".join([*modifiers, name]) if known and _MODIFIERS.issuperset(modifiers) else ""


def _problem(action: str, keys: object, names: list[str], actions: Mapping[str, Action]) -> str:
    """What is wrong with an entry by itself; empty when nothing is."""
    if action not in actions:
        close = get_close_matches(action, actions, n=1)
        return f"no action {action!r}" + (f"; did you mean {close[0]!r}?" if close else "")
    if not isinstance(keys, str) or not keys.strip():
        return f'{action!r} wants its keys as text, such as "f2,ctrl+e"'
    for key, written in zip(names, keys.split(","), strict=True):
        if not key:
            chord = "; one key does one thing, there are no chords" if " " in written.strip() else ""
            return f"{written.strip()!r} is no key{chord}"
        if key in _SWALLOWED:
            return f"terminals send {key!r} as {_SWALLOWED[key]!r}"
        if actions[action].place in (EVERYWHERE, PROMPT) and key not in actions[action].keys and _writes(key):
            return f"{written.strip()!r} is for writing in the prompt: {action!r} wants ctrl, alt or a function key"
    return ""


def _writes(key: str) -> bool:
    character = key_to_character(key.removeprefix("shift+"))
    return key in _EDITING or (character is not None and character.isprintable())


def _settle(keymap: dict[str, list[str]], actions: Mapping[str, Action], problems: dict[str, str]) -> None:
    """Take out entries, with their reason, until none takes a key that another action keeps."""
    for action, names in reversed(list(keymap.items())):
        for key in names:
            owner = _owner(key, action, keymap, actions)
            if owner:
                problems[action] = f"{key_name(key)} is the key of {owner!r}; give that one another first"
                del keymap[action]
                _settle(keymap, actions, problems)
                return


def _owner(key: str, action: str, keymap: Mapping[str, Iterable[str]], actions: Mapping[str, Action]) -> str:
    """Which other action would have this key where `action` is valid; empty for none."""
    mine = actions[action]
    for name, other in actions.items():
        meets = other.place == mine.place or EVERYWHERE in (other.place, mine.place)
        shares = key in mine.keys and key in other.keys  # so by default, and on purpose
        if name != action and meets and not shares and key in keymap.get(name, other.keys):
            return name
    return ""


def _notice(problem: str, path: Path, line: int, hint: str = "this entry is skipped") -> Notice:
    where = f"{path}:{line}" if line else str(path)
    return Notice(text=f"keybindings: {problem}", level="warning", where=where, hint=hint, code="keybindings")
