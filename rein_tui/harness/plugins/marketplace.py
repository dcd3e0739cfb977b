"""marketplace.json: which plugins a marketplace offers, and where each one's files are."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..protocol.base import JsonObject
from ..protocol.errors import ConfigError
from ..protocol.events import Notice
from ..settings.reader import Document, read_json
from ..settings.shapes import is_list, is_object
from .manifest import NAME

INDEX = Path(".claude-plugin") / "marketplace.json"
_LIMIT = 8 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Offer:
    """One plugin that a marketplace offers; `entry` as written."""

    name: str
    entry: JsonObject
    where: str = ""

    @property
    def source(self) -> Any:
        """A path within the marketplace, or an object that says where the files are."""
        return self.entry.get("source")

    @property
    def version(self) -> str:
        """The version that the entry names, or empty."""
        version = self.entry.get("version")
        return version if isinstance(version, str) else ""

    @property
    def description(self) -> str:
        """One line about it."""
        text = self.entry.get("description")
        return " ".join(text.split()) if isinstance(text, str) else ""


@dataclass(frozen=True, slots=True)
class Marketplace:
    """What a marketplace's index says. `root` is the folder that its relative paths start from."""

    name: str
    root: Path
    offers: tuple[Offer, ...]
    renames: JsonObject = field(default_factory=dict[str, Any])
    problems: tuple[Notice, ...] = ()

    def find(self, name: str) -> Offer | None:
        """The plugin of that name, or of the name that an old one became."""
        new = self.renames.get(name, name)
        return next((offer for offer in self.offers if offer.name == (new if isinstance(new, str) else name)), None)


def read_marketplace(place: Path) -> Marketplace:
    """Read the index of a marketplace's folder, or an index file. Raises ConfigError when there is none that holds.

    One bad entry is told and left out.
    """
    path = place if place.is_file() else place / INDEX
    document = read_json(path, _LIMIT)
    if document is None:
        raise ConfigError("is no marketplace: it has no .claude-plugin/marketplace.json", where=str(place))
    return marketplace_of(document, path, place if place.is_dir() else place.parent)


def marketplace_of(document: Document, path: Path, root: Path) -> Marketplace:
    """The marketplace that a decoded index describes. Raises ConfigError."""
    data = document.data
    name = data.get("name") if is_object(data) else None
    if not is_object(data) or not isinstance(name, str) or not NAME.fullmatch(name):
        raise ConfigError("`name` is missing or cannot be used in paths", where=f"{path}:{document.line('name')}")
    plugins = data.get("plugins")
    if not is_list(plugins):
        raise ConfigError("`plugins` must be a list", where=f"{path}:{document.line('plugins')}")
    metadata = data.get("metadata")
    prefix = metadata.get("pluginRoot") if is_object(metadata) else None
    offers: dict[str, Offer] = {}
    problems: list[Notice] = []
    owner = data.get("owner")
    if not is_object(owner) or not isinstance(owner.get("name"), str):
        where = f"{path}:{document.line('owner')}"
        text = f"marketplace {name}: `owner` with a `name` is missing"
        problems.append(Notice(text=text, level="info", where=where, code="no_owner"))
    for index, entry in enumerate(plugins):
        where = f"{path}:{document.line('plugins', index)}"
        problem = _problem(entry, offers)
        if problem or not is_object(entry):
            problems.append(
                Notice(text=f"marketplace {name}: {problem}", level="warning", where=where, code="bad_plugin_entry")
            )
            continue
        offers[entry["name"]] = Offer(entry["name"], _prefixed(entry, prefix), where)
    renames = data.get("renames")
    return Marketplace(name, root, tuple(offers.values()), renames if is_object(renames) else {}, tuple(problems))


def _problem(entry: Any, known: dict[str, Offer]) -> str:
    if not is_object(entry):
        return "an entry must be an object"
    name, source = entry.get("name"), entry.get("source")
    if not isinstance(name, str) or not NAME.fullmatch(name):
        return f"the name {name!r} is missing or cannot be used in paths"
    if name in known:
        return f"the plugin {name!r} is there twice; the first counts"
    if not isinstance(source, str) and not is_object(source):
        return f"the plugin {name!r} has no source"
    if isinstance(source, str) and ".." in Path(source).parts:
        return f"the source of {name!r} leads out of the marketplace"
    return ""


def _prefixed(entry: JsonObject, prefix: Any) -> JsonObject:
    source = entry.get("source")
    if isinstance(prefix, str) and isinstance(source, str) and not source.startswith("."):
        return entry | {"source": f"{prefix.rstrip('/')}/{source}"}
    return entry
