"""Marketplaces: added, fetched again, removed, and what they offer; in the ecosystem's own places and records."""

import shutil
import tempfile
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path

from ..places import Places
from ..protocol.base import JsonObject
from ..protocol.errors import ConfigError
from ..settings.layers import Settings
from ..settings.shapes import is_object
from .copying import mark_orphaned
from .manifest import NAME
from .marketplace import Marketplace, Offer, read_marketplace
from .policy import check_marketplace
from .records import Known, PluginFolders, forget_installed, forget_known, read_installed, read_known, write_known
from .sources import Fetcher
from .switching import SCOPES, switch

IN_PLACE = frozenset({"directory", "file"})
"""Kinds of marketplaces that are used where they are."""


class Marketplaces:
    """The marketplaces that are known on this machine and to the settings of the folder `root`."""

    def __init__(self, places: Places, environment: Mapping[str, str], settings: Settings, root: Path) -> None:
        self.places = places
        self.settings = settings
        self.root = root
        self.environment = environment
        self.folders = PluginFolders.of(places, environment)
        self.fetcher = Fetcher(environment)

    def known(self) -> dict[str, Known]:
        """The marketplaces that were added, and those that settings name. Raises ConfigError."""
        known = read_known(self.folders)
        wanted = self.settings.merged("extraKnownMarketplaces")
        for name, entry in wanted.items() if is_object(wanted) else ():
            source = entry.get("source") if is_object(entry) else None
            if is_object(source) and name not in known and NAME.fullmatch(name):
                path = source.get("path") if source.get("source") in IN_PLACE else None
                known[name] = Known(name, source, Path(path) if isinstance(path, str) else Path())
        return known

    async def add_marketplace(self, source: JsonObject) -> Marketplace:
        """Fetch a marketplace and record it. Raises ConfigError."""
        check_marketplace(self.settings, source)
        if source.get("source") in IN_PLACE:
            path = Path(str(source["path"]))
            marketplace = read_marketplace(path)
            write_known(self.folders, Known(marketplace.name, source, path))
            return marketplace
        folder = self.folders.root / "marketplaces"
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".adding-", dir=folder) as scratch:
            fetched = await self.fetcher.fetch(source, Path(scratch) / "copy")
            marketplace = read_marketplace(fetched.folder)
            target = self.folders.marketplace(marketplace.name)
            if target.exists():
                shutil.rmtree(target)
            fetched.folder.rename(target)
        write_known(self.folders, Known(marketplace.name, source, target))
        return read_marketplace(target)

    async def update_marketplace(self, name: str) -> Marketplace:
        """Fetch a known marketplace again. Raises ConfigError."""
        known = self.known_one(name)
        marketplace = await self.add_marketplace(known.source)
        if marketplace.name != name:
            raise ConfigError(f"the marketplace {name} is called {marketplace.name} now", hint=f"Remove {name}.")
        return marketplace

    def remove_marketplace(self, name: str) -> list[str]:
        """Forget a marketplace and what was installed from it; gives those plugins' ids. Raises ConfigError."""
        known = self.known_one(name)
        gone: list[str] = []
        for installed in read_installed(self.folders):
            if installed.marketplace == name:
                forget_installed(self.folders, installed)
                mark_orphaned(installed.path)
                for scope in SCOPES:
                    if installed.scope == scope and installed.project in ("", str(self.root)):
                        switch(self.places, self.root, scope, installed.id, None)
                gone.append(installed.id)
        forget_known(self.folders, name)
        if known.path.is_relative_to(self.folders.root):
            shutil.rmtree(known.path, ignore_errors=True)
        return gone

    def known_one(self, name: str) -> Known:
        known = self.known()
        if name not in known:
            hint = f"There are: {', '.join(known) or 'none'}."
            raise ConfigError(f"there is no marketplace {name!r}", hint=hint)
        return known[name]

    async def marketplace(self, name: str) -> Marketplace:
        """A known marketplace's index; one that only settings name is fetched first. Raises ConfigError."""
        known = self.known_one(name)
        if not known.path.parts or not known.path.exists():
            return await self.add_marketplace(known.source)
        return read_marketplace(known.path)

    def offers(self) -> tuple[list[tuple[Marketplace, Offer]], list[ConfigError]]:
        """What known marketplaces have and is not installed, as last fetched; and why one cannot be read."""
        found: list[tuple[Marketplace, Offer]] = []
        problems: list[ConfigError] = []
        try:
            known, installed = self.known().values(), {each.id for each in read_installed(self.folders)}
        except ConfigError as problem:
            return [], [problem]
        for each in known:
            try:
                check_marketplace(self.settings, each.source)
                marketplace = _fetched(each)
            except ConfigError as problem:
                problems.append(ConfigError(f"{each.name}: {problem.message}", where=problem.where, hint=problem.hint))
                continue
            ids = ((offer, f"{offer.name}@{marketplace.name}") for offer in marketplace.offers)
            found += [(marketplace, offer) for offer, plugin_id in ids if plugin_id not in installed]
        return found, problems

    async def offer(self, name: str, market: str) -> tuple[Marketplace, Offer]:
        found: list[tuple[Marketplace, Offer]] = []
        for known in [market] if market else list(self.known()):
            try:
                marketplace = await self.marketplace(known)
            except ConfigError:
                if market:
                    raise
                continue  # another one may have it; `marketplace list` tells what is wrong with this one
            if (offer := marketplace.find(name)) is not None:
                found.append((marketplace, offer))
        if not found:
            raise self._no_offer(name, market)
        if len(found) > 1:
            names = ", ".join(f"{name}@{marketplace.name}" for marketplace, _ in found)
            raise ConfigError(f"{name!r} is in several marketplaces", hint=f"Say which: {names}")
        return found[0]

    def _no_offer(self, name: str, market: str) -> ConfigError:
        where = f"the marketplace {market}" if market else "any known marketplace"
        names = {offer.name: f"{offer.name}@{each.name}" for each, offer in self.offers()[0]}
        near = get_close_matches(name, names, n=1)
        hint = f"Did you mean {names[near[0]]}?" if near else "rein-tui plugin marketplace list"
        if not self.known():
            hint = "No marketplace is known: rein-tui plugin marketplace add FOLDER-OR-REPOSITORY"
        return ConfigError(f"there is no plugin {name!r} in {where}", hint=hint)


def _fetched(known: Known) -> Marketplace:
    """Its index as last fetched. Raises ConfigError."""
    if not known.path.parts:  # settings name it, and nobody used it yet
        raise ConfigError("it was not fetched yet", hint=f"rein-tui plugin marketplace update {known.name}")
    return read_marketplace(known.path)
