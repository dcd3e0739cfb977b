"""Settings as values: layers with provenance, and the questions that the rest of the house asks of them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeAlias

from rein_tui.harness.protocol.base import JsonObject
from rein_tui.harness.protocol.decisions import Layer, Source
from rein_tui.harness.protocol.events import Notice

from .merge import merge, merge_objects
from .reader import Pointer
from .shapes import is_object

RANK: dict[Layer, int] = {"managed": 0, "command_line": 1, "local": 2, "project": 3, "user": 4}
"""Layers that settings files make up, highest first."""

_STRICTER: dict[tuple[str, ...], Any] = {
    ("permissions", "disableBypassPermissionsMode"): "disable",
    ("permissions", "disableAutoMode"): "disable",
    ("disableAutoMode",): "disable",
    ("disableClaudeAiConnectors",): True,
    ("sandbox", "enabled"): True,
    ("sandbox", "failIfUnavailable"): True,
    ("sandbox", "autoAllowBashIfSandboxed"): False,
    ("useAutoModeDuringPlan",): False,
    ("syncClaudeAiSkills",): False,
}
"""Keys for which the strict value wins, whichever layer sets it."""

Lines: TypeAlias = Mapping[Pointer, int]


@dataclass(frozen=True, slots=True)
class SettingsLayer:
    """One file's settings, checked. `base` is the folder that a rule's leading `/` means.

    `held` is what the file says that waits until the folder is trusted. `suspended` is true for the last good
    version of a file that has become unreadable: its restrictions hold, its permissions do not.
    """

    layer: Layer
    path: str
    data: JsonObject
    base: str
    lines: Lines = field(default_factory=dict[Pointer, int], repr=False)
    held: JsonObject = field(default_factory=dict[str, Any])
    suspended: bool = False

    def source(self, *pointer: str | int) -> Source:
        """Where a value of this layer is written: layer, file, line (of the nearest known parent)."""
        for length in range(len(pointer), -1, -1):
            line = self.lines.get(pointer[:length])
            if line is not None:
                return Source(layer=self.layer, path=self.path, line=line)
        return Source(layer=self.layer, path=self.path)

    def value(self, *keys: str) -> Any:
        """The value at these keys, or None."""
        value: Any = self.data
        for key in keys:
            if not is_object(value):
                return None
            value = value.get(key)
        return value


@dataclass(frozen=True)
class Settings:
    """All layers, highest first, with everything that was wrong in them.

    `locked` means that a file could not be understood: nothing may be approved without a person until it is
    corrected or left out; `broken` names such files with the reason. `trusted` says whether the folder is.
    """

    layers: tuple[SettingsLayer, ...] = ()
    problems: tuple[Notice, ...] = ()
    broken: Mapping[str, str] = field(default_factory=dict[str, str])
    trusted: bool = False
    watched: tuple[str, ...] = ()

    @property
    def locked(self) -> bool:
        """Whether nothing may be approved without a person."""
        return bool(self.broken)

    @cached_property
    def data(self) -> JsonObject:
        """Everything merged."""
        return merge_objects([layer.data for layer in self.layers])

    def get(self, *keys: str, default: Any = None) -> Any:
        """The value of a scalar: the highest layer's, or the strict value where strictness wins."""
        strict = _STRICTER.get(keys)
        found = [value for layer in self.layers if (value := layer.value(*keys)) is not None]
        if strict is not None and strict in found:
            return strict
        return found[0] if found else default

    def origin(self, *keys: str) -> Source | None:
        """Where the value that `get` gives is written; None when nobody sets it."""
        value = self.get(*keys)
        if value is None:
            return None
        for layer in self.layers:
            if layer.value(*keys) == value:
                return layer.source(*keys)
        return None

    def merged(self, *keys: str) -> Any:
        """A list or object joined over all layers; None when nobody sets it."""
        values = [(layer.layer, value) for layer in self.layers if (value := layer.value(*keys)) is not None]
        if keys == ("availableModels",) and any(layer == "managed" for layer, _ in values):
            values = [(layer, value) for layer, value in values if layer == "managed"]
        return merge([value for _, value in values], keys)

    def managed(self, *keys: str) -> Any:
        """The administrator's value alone; None when there is none."""
        return merge([value for layer in self.layers_of("managed") if (value := layer.value(*keys)) is not None], keys)

    def layers_of(self, *names: Layer) -> tuple[SettingsLayer, ...]:
        """The layers of these names, highest first."""
        return tuple(layer for layer in self.layers if layer.layer in names)

    @property
    def held(self) -> tuple[SettingsLayer, ...]:
        """Layers that hold something back until the folder is trusted."""
        return tuple(layer for layer in self.layers if layer.held)
