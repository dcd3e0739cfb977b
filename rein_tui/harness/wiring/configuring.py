"""The settings that a person changes by name: which there are, what holds, and writing one. Implements SettingsDesk."""

import difflib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, get_args

from ..places import Places
from ..protocol.decisions import Mode
from ..protocol.errors import ConfigError
from ..protocol.workbench import SWITCH_WORDS, SettingRow
from ..providers.anthropic_wire import EFFORTS
from ..settings.check import check
from ..settings.draft import Draft
from ..settings.keys import KEYS, PERMISSION_KEYS, SANDBOX_KEYS
from ..settings.layers import Settings
from ..settings.values import write_value

_SWITCH = ("true", "false")
_AT_ONCE = frozenset({"permissions.defaultMode", "disableAllHooks"})
"""Taken up with the next prompt; the others say how a session begins."""

_OFFERED: dict[str, tuple[str, tuple[str, ...]]] = {
    "model": ("the Claude model to begin with", ()),
    "permissions.defaultMode": ("the permission mode to begin with", get_args(Mode)),
    "effortLevel": ("how hard the model tries", EFFORTS),
    "alwaysThinkingEnabled": ("the model may think first", _SWITCH),
    "outputStyle": ("how answers are written; a style by name", ()),
    "language": ("the language of answers", ()),
    "agent": ("the agent that a session works as", ()),
    "autoCompactEnabled": ("compaction before the window is full", _SWITCH),
    "sessionTitles": ("the model gives a session its title", _SWITCH),
    "autoMemoryEnabled": ("notes that another assistant kept are read", _SWITCH),
    "includeGitInstructions": ("the state of the repository in the prompt", _SWITCH),
    "fileCheckpointingEnabled": ("what files held is kept for /rewind", _SWITCH),
    "cleanupPeriodDays": ("days after which unused sessions go", ()),
    "disableAllHooks": ("no hook runs", _SWITCH),
    "disableSkillShellExecution": ("no commands from skills", _SWITCH),
    "sandbox.enabled": ("commands run in a sandbox", _SWITCH),
    "promptCaching": ("requests mark what may be cached", _SWITCH),
    "idleTimeoutSeconds": ("seconds that a server may be silent", ()),
}


@dataclass(frozen=True, slots=True)
class Configuring:
    """The settings of one session; `read` gives them as the files stand now."""

    read: Callable[[], Settings]
    places: Places

    def rows(self) -> Sequence[SettingRow]:
        """What may be changed here, with the value in force and where it is written."""
        settings = self.read()
        return [self._row(key, settings) for key in _OFFERED]

    def put(self, key: str, value: str) -> str:
        """Write a value into the person's own settings; what became of it, in words. Raises ConfigError."""
        if key not in _OFFERED:
            close = difflib.get_close_matches(key, _OFFERED, n=1, cutoff=0.6)
            hint = f"Did you mean {close[0]}?" if close else "/config lists the settings; others are set in the file."
            raise ConfigError(f"There is no setting {key!r} to change here.", hint=hint)
        path, keys = self.places.user_settings, tuple(key.split("."))
        typed = _typed(key, value)
        _check(key, keys, typed, str(path))
        line = write_value(path, keys, typed)
        settings = self.read()
        when = "with the next prompt" if key in _AT_ONCE else "in new sessions"
        origin = settings.origin(*keys)
        if origin is not None and origin.path != str(path):
            held = _text(settings.get(*keys))
            return f"{key} = {_text(typed)} stands in {path}:{line} now, but {origin} goes before it and says {held}"
        return f"{key} = {_text(typed)}, holds {when} ({path}:{line})"

    def _row(self, key: str, settings: Settings) -> SettingRow:
        summary, choices = _OFFERED[key]
        keys = tuple(key.split("."))
        value = settings.get(*keys)
        shown = "" if value is None else _text(value)
        return SettingRow(key=key, summary=summary, value=shown, source=settings.origin(*keys), choices=choices)


def _typed(key: str, value: str) -> str | bool | int:
    """The value as the file holds it. Raises ConfigError for what is neither on nor off, or no number."""
    outer, _, inner = key.partition(".")
    table = {"permissions": PERMISSION_KEYS, "sandbox": SANDBOX_KEYS}.get(outer, {})
    kind = table[inner].kind if inner else KEYS[key].kind
    word = value.strip()
    if kind == "bool":
        if word.lower() not in SWITCH_WORDS:
            raise ConfigError(f"{key} is on or off, not {word!r}.", hint=f"/config {key}=on")
        return SWITCH_WORDS[word.lower()]
    if kind in ("integer", "number"):
        if not word.isdecimal():
            raise ConfigError(f"{key} is a whole number, not {word!r}.")
        return int(word)
    if not word:
        raise ConfigError(f"{key} needs a value.", hint=f"/config {key}=VALUE")
    return word


def _check(key: str, keys: tuple[str, ...], value: Any, path: str) -> None:
    """Raises ConfigError for a value that the reader of settings would leave out."""
    data: Any = value
    for name in reversed(keys):
        data = {name: data}
    draft = Draft("user", path, data, lambda _: 0)
    check(draft)
    said = next((notice.text for notice in draft.notices if notice.level != "info"), "")
    if said:
        choices = _OFFERED[key][1]
        raise ConfigError(f"{said}.", hint=f"One of: {', '.join(choices)}" if choices else "")


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
