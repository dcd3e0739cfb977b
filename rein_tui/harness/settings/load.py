"""Load the settings of a session: every file, checked, in order; what is wrong is told, never raised.

Two exceptions are raised: a broken administrator's file refuses the start, and a broken `--settings` is a broken
command line.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from rein_tui.harness.places import Places
from rein_tui.harness.protocol.base import JsonObject
from rein_tui.harness.protocol.decisions import Layer
from rein_tui.harness.protocol.errors import ConfigError, StartError
from rein_tui.harness.protocol.events import Notice

from .check import check
from .draft import Draft
from .keys import HELD_SAFE
from .layers import RANK, Settings, SettingsLayer
from .locations import ALL_SOURCES, Location, SourceName, check_managed_owner, locations
from .reader import Document, Pointer, decode_json, read_json
from .shapes import is_list, is_object

ROOT_ONLY = frozenset({0})
LOCKED_HINT = "correct the file, or go on without it; until then nothing is approved without you"


@dataclass(slots=True)
class _Loaded:
    layers: list[SettingsLayer] = field(default_factory=list[SettingsLayer])
    problems: list[Notice] = field(default_factory=list[Notice])
    broken: dict[str, str] = field(default_factory=dict[str, str])


def load_settings(
    places: Places,
    root: Path,
    cwd: Path | None = None,
    *,
    extra: str = "",
    sources: Collection[SourceName] | None = None,
    trusted: bool = False,
    ignore: Collection[str] = (),
    owners: Collection[int] = ROOT_ONLY,
) -> Settings:
    """All settings of a session that starts in `root`.

    `extra` is `--settings`: a file (relative to `cwd`, default `root`) or inline JSON. `trusted` false holds back
    everything of project and local files but restrictions. `ignore` names broken files to go on without. `owners`
    are the user ids whose managed files count. Raises StartError (managed files) and ConfigError (`extra`).
    """
    places_found = locations(places, root, ALL_SOURCES if sources is None else sources)
    loaded = _Loaded()
    for place in places_found:
        if str(place.path) not in ignore:
            _load_file(loaded, place, places, trusted, owners)
    if extra:
        layer, problems, broken = read_extra(extra, root, cwd or root)
        loaded.layers.append(layer)
        loaded.problems += problems
        loaded.broken.update(broken)
    return assemble(loaded.layers, loaded.problems, loaded.broken, trusted, _watched(places, places_found, loaded))


def assemble(
    layers: Iterable[SettingsLayer],
    problems: Iterable[Notice],
    broken: dict[str, str],
    trusted: bool,
    watched: Iterable[str] = (),
) -> Settings:
    """Put layers in order, highest first; layers of one rank keep the order given."""
    ordered = sorted(layers, key=lambda layer: RANK[layer.layer])
    return Settings(tuple(ordered), tuple(problems), dict(broken), trusted, tuple(watched))


def _load_file(loaded: _Loaded, place: Location, places: Places, trusted: bool, owners: Collection[int]) -> None:
    managed = place.layer == "managed"
    try:
        if managed:
            check_managed_owner(place.path, places, owners)
        document = read_json(place.path)
        if document is None:
            return
        layer, problems, broken = build_layer(place.layer, str(place.path), document, str(place.base), trusted)
    except ConfigError as problem:
        if managed:
            raise StartError(
                f"the administrator's settings cannot be used: it {problem.message}", where=problem.where
            ) from problem
        text = f"the {place.layer} settings file {problem.message}"
        loaded.broken[str(place.path)] = problem.message
        loaded.problems.append(
            Notice(text=text, level="error", where=problem.where, hint=LOCKED_HINT, code="settings_broken")
        )
        return
    if broken and managed:
        raise StartError(f"the administrator's settings cannot be used: {broken}", where=str(place.path))
    loaded.layers.append(layer)
    loaded.problems += problems
    if broken:
        loaded.broken[str(place.path)] = broken


def build_layer(
    name: Layer, path: str, document: Document, base: str, trusted: bool = True
) -> tuple[SettingsLayer, list[Notice], str]:
    """Check a decoded file; returns the layer, what was found, and why it is broken (or empty). Raises ConfigError."""
    if not is_object(document.data):
        raise ConfigError("does not hold a JSON object", where=f"{path}:1")
    draft = Draft(name, path, document.data, lambda pointer: document.line(*pointer))
    return _finish(draft, base, trusted)


def layer_from_data(
    name: Layer, path: str, data: JsonObject, base: str, trusted: bool = True
) -> tuple[SettingsLayer, list[Notice], str]:
    """The same for settings that are in no file (policy cases); lines are unknown."""
    return _finish(Draft(name, path, data, lambda _: 0), base, trusted)


def _finish(draft: Draft, base: str, trusted: bool) -> tuple[SettingsLayer, list[Notice], str]:
    check(draft)
    held: JsonObject = {}
    if not trusted and draft.layer in ("project", "local"):
        draft.data, held = hold(draft.data)
        if held:
            names = ", ".join(_names(held))
            draft.tell((), f"waits until you trust this folder: {names}", "warning", "held_until_trust")
    lines = {pointer: draft.line(pointer) for pointer in _pointers(draft.data)}
    layer = SettingsLayer(draft.layer, draft.path, draft.data, base, lines, held)
    return layer, draft.notices, draft.broken


def hold(data: JsonObject) -> tuple[JsonObject, JsonObject]:
    """Split the settings of an untrusted folder: what only restricts, and what waits for trust."""
    kept: JsonObject = {}
    held: JsonObject = {}
    for name, value in data.items():
        safe = HELD_SAFE.get(name, frozenset[str]())
        if safe is None:
            kept[name] = value
        elif is_object(value):
            inner = {key: item for key, item in value.items() if key in safe}
            rest = {key: item for key, item in value.items() if key not in safe}
            kept |= {name: inner} if inner else {}
            held |= {name: rest} if rest else {}
        else:
            held[name] = value
    return kept, held


def suspend(layer: SettingsLayer) -> SettingsLayer:
    """The last good version of a file that became unreadable: its restrictions and hooks, not its permissions."""
    permissions: JsonObject = layer.data.get("permissions", {})
    loosening = ("allow", "additionalDirectories", "defaultMode")
    strict = {key: value for key, value in permissions.items() if key not in loosening}
    return replace(layer, data={**layer.data, "permissions": strict}, suspended=True)


def read_extra(extra: str, root: Path, cwd: Path) -> tuple[SettingsLayer, list[Notice], dict[str, str]]:
    """The layer of `--settings`. Raises ConfigError."""
    if extra.lstrip().startswith("{"):
        path, base = "--settings", root
        document: Document | None = decode_json(extra.encode("utf-8", "replace"), path)
    else:
        file = (cwd / Path(extra).expanduser()).absolute()
        path, base = str(file), file.parent
        document = read_json(file)
    if document is None:
        raise ConfigError("there is no such file", where=path, hint="--settings takes a file or a JSON object")
    layer, problems, broken = build_layer("command_line", path, document, str(base))
    return layer, problems, {path: broken} if broken else {}


def _names(held: JsonObject) -> Iterable[str]:
    for name, value in held.items():
        if name == "permissions" and is_object(value):
            yield from (f"permissions.{key}" for key in value)
        else:
            yield name


def _pointers(value: Any, way: Pointer = ()) -> Iterable[Pointer]:
    yield way
    if is_object(value):
        for key, item in value.items():
            yield from _pointers(item, (*way, key))
    elif is_list(value):
        for index, item in enumerate(value):
            yield from _pointers(item, (*way, index))


def _watched(places: Places, found: Iterable[Location], loaded: _Loaded) -> list[str]:
    paths = [str(places.managed / "managed-settings.json"), str(places.managed / "managed-settings.d")]
    paths += [str(place.path) for place in found]
    paths += [layer.path for layer in loaded.layers if layer.layer == "command_line" and layer.path != "--settings"]
    return list(dict.fromkeys(paths))
