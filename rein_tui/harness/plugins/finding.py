"""Which plugins a session has: named on the command line, lying in skills folders, installed and enabled."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..places import Places
from ..protocol.base import JsonObject
from ..protocol.errors import ConfigError
from ..protocol.events import Notice
from ..settings.layers import Settings
from ..settings.shapes import is_list, is_object
from .loader import PluginPlace, load_plugin
from .marketplace import read_marketplace
from .policy import check_marketplace, check_plugin_source
from .records import Installed, Known, PluginFolders, read_installed, read_known
from .shelves import Shelf, personal_plugins
from .words import Plugin

INLINE, SKILLS_FOLDER = "inline", "skills-dir"


@dataclass(frozen=True, slots=True)
class PluginScene:
    """Where to look, and what settings say."""

    places: Places
    environment: Mapping[str, str]
    settings: Settings
    root: Path
    given: Sequence[Path] = ()
    shelves: Sequence[Shelf] = ()

    @property
    def folders(self) -> PluginFolders:
        """Where installed plugins live."""
        return PluginFolders.of(self.places, self.environment)


@dataclass(slots=True)
class FoundPlugins:
    """The plugins of a session, those that are off included, and what is wrong around them."""

    plugins: list[Plugin] = field(default_factory=list[Plugin])
    notices: list[Notice] = field(default_factory=list[Notice])

    @property
    def active(self) -> list[Plugin]:
        """Those that count."""
        return [plugin for plugin in self.plugins if plugin.enabled and plugin.loaded]


def find_plugins(scene: PluginScene, *, disabled_too: bool = False) -> FoundPlugins:
    """All plugins, loaded. `disabled_too` loads also what is turned off: for lists. Never raises."""
    found = FoundPlugins()
    switches = _Switches(scene.settings)
    given = [*(path.absolute() for path in scene.given), *_folders_of_settings(scene, found.notices)]
    places = [PluginPlace(path, INLINE, options=switches.options(path.name, INLINE)) for path in dict.fromkeys(given)]
    if not switches.is_locked_down:
        places += [PluginPlace(path, SKILLS_FOLDER) for path in personal_plugins(list(scene.shelves))]
    taken: set[str] = set()
    for place in places:
        plugin = load_plugin(place, scene.places, str(scene.root))
        taken.add(plugin.name)
        found.plugins.append(_enabled(plugin, switches.said(plugin.id) is not False))
    try:
        installed = _here(read_installed(scene.folders), scene.root)
        known = read_known(scene.folders)
    except ConfigError as problem:
        found.notices.append(
            Notice(text=problem.message, level="warning", where=problem.where, hint=problem.hint, code="plugins")
        )
        return found
    offers = _Offers(known, scene.settings, found.notices)
    for each in installed:
        if each.name in taken and not switches.is_managed(each.id):
            continue
        said = switches.said(each.id)
        try:
            check_marketplace(scene.settings, offers.source(each.marketplace))
            check_plugin_source(scene.settings, offers.entry(each.marketplace, each.name).get("source"))
        except ConfigError as problem:
            text = f"{each.id} is off: {problem.message}"
            found.notices.append(Notice(text=text, level="warning", where=problem.where, code="plugin_policy"))
            said = False
        if said is not False or disabled_too:
            plugin = _installed(each, offers, switches, scene)
            plugin = _enabled(plugin, plugin.default_enabled if said is None else said)
            if plugin.enabled or disabled_too:
                found.plugins.append(plugin)
    if any(plugin.needs for plugin in found.plugins):
        found.plugins = with_missing_told(found.plugins)
    found.notices += _same_names(found.active)
    return found


def _folders_of_settings(scene: PluginScene, notices: list[Notice]) -> list[Path]:
    """The folders of `pluginDirs`; relative ones begin where the settings file's do."""
    found: list[Path] = []
    for layer in scene.settings.layers_of("managed", "command_line", "user"):
        texts: list[str] = layer.value("pluginDirs") or []
        for index, text in enumerate(texts):
            inside = text[2:] if text.startswith("~/") else text
            path = (scene.places.home if text.startswith("~/") else Path(layer.base)) / inside
            if "\0" not in text and path.is_dir():
                found.append(path)
            else:
                where = str(layer.source("pluginDirs", index))
                notices.append(Notice(text=f"There is no plugin folder {text!r}", level="warning", where=where))
    return found


def with_missing_told(plugins: Sequence[Plugin]) -> list[Plugin]:
    """The plugins; one that counts and needs another that does not count says so."""
    from msgspec import structs

    active = [plugin for plugin in plugins if plugin.enabled and plugin.loaded]
    there = {name for plugin in active for name in (plugin.name, plugin.id)}
    told: list[Plugin] = []
    for plugin in plugins:
        missing = [_missing(plugin, need) for need in plugin.needs if need not in there] if plugin in active else []
        told.append(structs.replace(plugin, problems=(*plugin.problems, *missing)) if missing else plugin)
    return told


def _same_names(active: Sequence[Plugin]) -> list[Notice]:
    """Plugins that cannot all be meant by their name."""
    by_name: dict[str, list[Plugin]] = {}
    for plugin in active:
        by_name.setdefault(plugin.name, []).append(plugin)
    return [
        Notice(
            text=f"{' and '.join(each.id for each in same)} have the same name: what both bring is the first one's",
            level="warning",
            where=same[1].root,
            hint=f"rein-tui plugin disable {same[1].id}",
            code="same_name",
        )
        for same in by_name.values()
        if len(same) > 1
    ]


def _missing(plugin: Plugin, need: str) -> Notice:
    text = f"{plugin.id} needs the plugin {need}, which is not installed or not on"
    hint = f"rein-tui plugin install {need}"
    return Notice(text=text, level="warning", where=plugin.root, hint=hint, code="dependency_missing")


def _enabled(plugin: Plugin, enabled: bool) -> Plugin:
    from msgspec import structs

    return plugin if plugin.enabled == enabled else structs.replace(plugin, enabled=enabled)


def _installed(each: Installed, offers: "_Offers", switches: "_Switches", scene: PluginScene) -> Plugin:
    place = PluginPlace(
        each.path,
        each.marketplace,
        each.name,
        offers.entry(each.marketplace, each.name),
        switches.options(each.name, each.marketplace),
        version=each.version,
    )
    return load_plugin(place, scene.places, str(scene.root))


def _here(installed: Sequence[Installed], root: Path) -> list[Installed]:
    """One installation of each plugin: that for this project before the person's own."""
    found: dict[str, Installed] = {}
    for each in sorted(installed, key=lambda each: not each.project):
        if not each.project or root.is_relative_to(each.project):
            found.setdefault(each.id, each)
    return list(found.values())


class _Offers:
    """Marketplace entries of installed plugins; each index is read once, and only when it is needed."""

    def __init__(self, known: Mapping[str, Known], settings: Settings, notices: list[Notice]) -> None:
        named = settings.merged("extraKnownMarketplaces")
        self._known = known
        self._named: JsonObject = named if is_object(named) else {}
        self._notices = notices
        self._entries: dict[str, dict[str, JsonObject]] = {}

    def source(self, marketplace: str) -> JsonObject:
        """Where a marketplace comes from; empty when it is not there any more, which no list of policy fits."""
        known = self._known.get(marketplace)
        if known is not None:
            return known.source
        named = self._named.get(marketplace)
        source = named.get("source") if is_object(named) else None
        return source if is_object(source) else {}

    def entry(self, marketplace: str, name: str) -> JsonObject:
        """The entry of one plugin; empty when the marketplace is not there any more."""
        if marketplace not in self._entries:
            self._entries[marketplace] = self._read(marketplace)
        return self._entries[marketplace].get(name, {})

    def _read(self, marketplace: str) -> dict[str, JsonObject]:
        known = self._known.get(marketplace)
        if known is None:
            return {}
        try:
            return {offer.name: offer.entry for offer in read_marketplace(known.path).offers}
        except ConfigError as problem:
            self._notices.append(
                Notice(
                    text=f"the marketplace {marketplace} cannot be read: {problem.message}",
                    level="warning",
                    where=problem.where,
                    hint=f"rein-tui plugin marketplace update {marketplace}",
                    code="marketplace",
                )
            )
            return {}


class _Switches:
    """What settings say about plugins."""

    def __init__(self, settings: Settings) -> None:
        enabled = settings.merged("enabledPlugins")
        self._enabled: JsonObject = enabled if is_object(enabled) else {}
        managed = settings.managed("enabledPlugins")
        self._managed: JsonObject = managed if is_object(managed) else {}
        strict = settings.managed("strictKnownMarketplaces")
        self._strict: list[Any] | None = strict if is_list(strict) else None
        self._configs: dict[str, JsonObject] = {}
        for layer in reversed(settings.layers_of("managed", "command_line", "user")):
            configs = layer.value("pluginConfigs")
            for plugin_id, config in configs.items() if is_object(configs) else ():
                options = config.get("options") if is_object(config) else None
                if is_object(options):
                    self._configs[plugin_id] = self._configs.get(plugin_id, {}) | options

    @property
    def is_locked_down(self) -> bool:
        """Whether policy leaves no room for plugins out of skills folders."""
        return self._strict is not None and {"source": SKILLS_FOLDER} not in self._strict

    def said(self, plugin_id: str) -> bool | None:
        """Whether settings turn it on or off, policy first; None where nobody says anything."""
        value = self._managed.get(plugin_id, self._enabled.get(plugin_id))
        return value if isinstance(value, bool) else None

    def is_managed(self, plugin_id: str) -> bool:
        """Whether policy turns it on."""
        return self._managed.get(plugin_id) is True

    def options(self, name: str, origin: str) -> JsonObject:
        """The option values that a person or policy set for it."""
        return self._configs.get(f"{name}@{origin}", {})


def managed_plugins(settings: Settings) -> frozenset[str]:
    """The plugins that policy turns on, by id."""
    managed = settings.managed("enabledPlugins")
    return frozenset(key for key, value in managed.items() if value is True) if is_object(managed) else frozenset()
