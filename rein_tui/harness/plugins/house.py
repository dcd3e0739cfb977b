"""Installations of plugins: staged, installed, updated, removed; always in the ecosystem's own places and records."""

import hashlib
import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from ..protocol.errors import ConfigError
from ..settings.shapes import is_object
from .copying import copy_plugin, mark_orphaned, prune
from .finding import INLINE, SKILLS_FOLDER, PluginScene, find_plugins
from .loader import PluginPlace, data_folder, load_plugin
from .marketplace import Offer
from .marketplaces import Marketplaces
from .policy import check_marketplace, check_plugin, check_plugin_source
from .preview import preview_of
from .records import (
    Installed,
    forget_installed,
    read_installed,
    write_installed,
)
from .shelves import shelves
from .sources import Fetched
from .switching import Scope, switch
from .words import Plugin


@dataclass(frozen=True, slots=True)
class Staged:
    """A plugin that was fetched and can be looked at, but is not installed: `folder` is temporary or the source."""

    offer: Offer
    plugin: Plugin
    fetched: Fetched
    boundary: Path
    marketplace: str
    temporary: Path | None = None

    def discard(self) -> None:
        """Throw away what was fetched for it."""
        if self.temporary is not None:
            shutil.rmtree(self.temporary, ignore_errors=True)


class PluginHouse(Marketplaces):
    """What can be done with plugins on this machine, for the folder `root`."""

    async def stage(self, wanted: str) -> Staged:
        """Fetch `name` or `name@marketplace` so that it can be looked at. Raises ConfigError."""
        name, _, market = wanted.partition("@")
        marketplace, offer = await self.offer(name, market)
        plugin_id = f"{offer.name}@{marketplace.name}"
        check_marketplace(self.settings, self.known_one(marketplace.name).source)
        check_plugin(self.settings, plugin_id)
        source, temporary = offer.source, None
        check_plugin_source(self.settings, source)
        if isinstance(source, str):
            fetched, boundary = Fetched(_within(marketplace.root, source)), marketplace.root
        else:
            self.folders.root.mkdir(parents=True, exist_ok=True)
            temporary = Path(tempfile.mkdtemp(prefix=".staging-", dir=self.folders.root))
            try:
                fetched = await self.fetcher.fetch(source, temporary / "copy")
            except ConfigError:
                shutil.rmtree(temporary, ignore_errors=True)
                raise
            boundary = temporary
        place = PluginPlace(fetched.folder, marketplace.name, offer.name, offer.entry, version=offer.version)
        plugin = load_plugin(place, self.places, str(self.root))
        return Staged(offer, plugin, fetched, boundary, marketplace.name, temporary)

    async def install(self, staged: Staged, scope: Scope = "user") -> tuple[Installed, list[str]]:
        """Copy, record and enable a staged plugin; gives what a person should know. Raises ConfigError."""
        plugin = staged.plugin
        if not plugin.loaded:
            reason = plugin.problems[0] if plugin.problems else None
            raise ConfigError(
                f"{plugin.id} cannot be installed: {reason.text if reason else 'it does not load'}",
                where=reason.where if reason else "",
            )
        version = plugin.version or staged.fetched.commit[:12] or _digest(staged.fetched.folder)
        target = self.folders.cache(staged.marketplace, staged.offer.name, _safe(version))
        notes = [f"left out: {path}" for path in copy_plugin(staged.fetched.folder, target, staged.boundary)]
        staged.discard()
        if problem := await self.fetcher.install_dependencies(target):
            notes.append(f"its dependencies could not be installed: {problem}")
        data_folder(self.places, plugin.id).mkdir(parents=True, exist_ok=True)
        project = "" if scope == "user" else str(self.root)
        installed = Installed(plugin.id, target, version, scope, project)
        old = self._installed_at(plugin.id, scope)
        write_installed(self.folders, installed, staged.fetched.commit)
        if old is not None and old.path != target and not self._is_used(old.path):
            mark_orphaned(old.path)
        switch(self.places, self.root, scope, plugin.id, True)
        return installed, notes

    def uninstall(self, wanted: str, scope: Scope = "user") -> Installed:
        """Forget an installation and turn the plugin off; its data stays. Raises ConfigError."""
        plugin_id = self.resolve(wanted)
        installed = self._installed_at(plugin_id, scope)
        if installed is None:
            raise ConfigError(f"{plugin_id} is not installed for {scope}", hint="rein-tui plugin list")
        forget_installed(self.folders, installed)
        switch(self.places, self.root, scope, plugin_id, None)
        if not self._is_used(installed.path):
            mark_orphaned(installed.path)
        prune(self.folders.root / "cache")
        return installed

    async def stage_update(self, wanted: str) -> tuple[Installed, Staged]:
        """Fetch the newest version of what is installed, to be looked at; gives both. Raises ConfigError."""
        plugin_id = self.resolve(wanted)
        old = next((i for i in read_installed(self.folders) if i.id == plugin_id), None)
        if old is None:
            raise ConfigError(f"{plugin_id} is not installed", hint=f"rein-tui plugin install {plugin_id}")
        await self.update_marketplace(old.marketplace)
        return old, await self.stage(plugin_id)

    def gains(self, old: Installed, staged: Staged) -> list[str]:
        """What the new version runs or opens up and the old one did not, in lines."""
        before = next((plugin for plugin in self.plugins() if plugin.id == old.id), None)
        known = preview_of(before).powers() if before is not None else []
        return [line for line in preview_of(staged.plugin).powers() if line not in known]

    async def update(self, old: Installed, staged: Staged) -> tuple[Installed, list[str]]:
        """Install a staged version in place of the old; off stays off. Raises ConfigError."""
        was, plugin_id = self.settings.merged("enabledPlugins"), old.id
        scope: Scope = "project" if old.scope == "project" else "local" if old.scope == "local" else "user"
        new, notes = await self.install(staged, scope)
        if is_object(was) and was.get(plugin_id) is False:
            switch(self.places, self.root, scope, plugin_id, False)
        return new, notes

    def enable(self, wanted: str, scope: Scope, enabled: bool) -> tuple[str, Path]:
        """Turn a plugin on or off for a scope; gives its id and the file. Raises ConfigError."""
        plugin_id = self.resolve(wanted)
        self._check_there(plugin_id)
        if enabled:
            check_plugin(self.settings, plugin_id)
        return plugin_id, switch(self.places, self.root, scope, plugin_id, enabled)

    def _check_there(self, plugin_id: str) -> None:
        """Raises ConfigError for what is not installed; what came otherwise (`name@inline`) is not ours to know."""
        name, _, marketplace = plugin_id.partition("@")
        there = {each.id for each in read_installed(self.folders)}
        if marketplace not in (INLINE, SKILLS_FOLDER) and plugin_id not in there:
            near = [each for each in there if each.startswith(f"{name}@")]
            hint = f"Did you mean {near[0]}?" if near else f"rein-tui plugin install {plugin_id}"
            raise ConfigError(f"{plugin_id} is not installed", hint=hint)

    def resolve(self, wanted: str) -> str:
        """The id of a plugin named by id or by name alone. Raises ConfigError."""
        if "@" in wanted:
            return wanted
        ids = list(dict.fromkeys(each.id for each in read_installed(self.folders) if each.name == wanted))
        if len(ids) == 1:
            return ids[0]
        problem = "is not installed" if not ids else "is installed from several marketplaces"
        hint = f"Say which: {', '.join(ids)}" if ids else f"rein-tui plugin install {wanted}"
        raise ConfigError(f"{wanted!r} {problem}", hint=hint)

    def plugins(self, given: tuple[Path, ...] = ()) -> list[Plugin]:
        """Every plugin that there is here, on or off, loaded."""
        found = shelves(self.places, self.root, trusted=self.settings.trusted)
        scene = PluginScene(self.places, self.environment, self.settings, self.root, given, found)
        return find_plugins(scene, disabled_too=True).plugins

    def _installed_at(self, plugin_id: str, scope: Scope) -> Installed | None:
        project = "" if scope == "user" else str(self.root)
        for each in read_installed(self.folders):
            if each.id == plugin_id and each.scope == scope and each.project == project:
                return each
        return None

    def _is_used(self, path: Path) -> bool:
        return any(each.path == path for each in read_installed(self.folders))


def _within(root: Path, source: str) -> Path:
    folder = Path(os.path.normpath(root / source))
    if not Path(os.path.realpath(folder)).is_relative_to(os.path.realpath(root)):
        raise ConfigError(f"the source {source!r} leads out of the marketplace", where=str(root))
    if not folder.is_dir():
        raise ConfigError("the plugin's folder is not there", where=str(folder))
    return folder


def _safe(version: str) -> str:
    """A version as the name of a folder."""
    return "".join(c if c.isalnum() or c in "._+-" else "-" for c in version).lstrip(".") or "unknown"


def _digest(folder: Path) -> str:
    """A version for what has none: of the names and contents of its files."""
    total = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file() and ".git" not in path.parts:
            total.update(str(path.relative_to(folder)).encode("utf-8", "surrogateescape") + b"\0")
            total.update(path.read_bytes())
    return total.hexdigest()[:12]
