"""Where settings files are, in order, and who may have written them."""

import os
import stat
import sys
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

from rein_tui.harness.places import Places
from rein_tui.harness.protocol.decisions import Layer
from rein_tui.harness.protocol.errors import StartError

from .repository import is_own, main_checkout, repository_root

SourceName: TypeAlias = Literal["user", "project", "local"]

ALL_SOURCES: frozenset[SourceName] = frozenset({"user", "project", "local"})


@dataclass(frozen=True, slots=True)
class Location:
    """One file that may hold settings. `base` is what a rule's leading `/` means there."""

    layer: Layer
    path: Path
    base: Path


def locations(places: Places, root: Path, sources: Collection[SourceName] = ALL_SOURCES) -> list[Location]:
    """All settings files of a session started in `root`, highest first, existing or not (managed: existing)."""
    found = [Location("managed", path, path.parent) for path in reversed(managed_files(places))]
    if "local" in sources:
        found += [Location("local", path, root) for path in local_files(places, root)]
    project = root / ".claude" / "settings.json"
    if "project" in sources and not _same(project, places.user_settings):
        found.append(Location("project", project, root))
    if "user" in sources:
        found.append(Location("user", places.user_settings, places.config))
    return found


def managed_files(places: Places) -> list[Path]:
    """The administrator's files, lowest first. Raises StartError where the folder cannot be listed."""
    drop_in = places.managed / "managed-settings.d"
    files = [places.managed / "managed-settings.json"]
    try:
        names = sorted(entry.name for entry in drop_in.iterdir())
    except (FileNotFoundError, NotADirectoryError):
        names = []
    except OSError as problem:
        raise StartError(f"the administrator's settings cannot be read: {problem}", where=str(drop_in)) from problem
    files += [drop_in / name for name in names if name.endswith(".json") and not name.startswith(".")]
    return [file for file in files if os.path.lexists(file)]


def check_managed_owner(path: Path, places: Places, owners: Collection[int]) -> None:
    """Refuse an administrator's file that someone else could have written. Raises StartError."""
    if sys.platform == "win32":
        return
    folder = os.path.realpath(places.managed)
    real = os.path.realpath(path)
    if os.path.commonpath((folder, real)) != folder:
        raise StartError("the administrator's settings lead out of their folder", where=str(path))
    place = real
    while True:
        _check_owner(place, owners)
        if place == folder:
            return
        place = str(Path(place).parent)


def _check_owner(place: str, owners: Collection[int]) -> None:
    hint = "the file and its folder must belong to root and be writable by nobody else"
    try:
        facts = Path(place).stat()
    except OSError as problem:
        raise StartError(f"the administrator's settings cannot be read: {problem}", where=place) from problem
    if facts.st_uid not in owners:
        raise StartError("the administrator's settings belong to another user", where=place, hint=hint)
    if facts.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise StartError("the administrator's settings can be changed by other users", where=place, hint=hint)


def local_file(places: Places, root: Path) -> Path:
    """The file that "always, on this machine" writes: at the repository's root, or in `root` itself."""
    return local_files(places, root)[0]


def local_files(places: Places, root: Path) -> list[Path]:
    """`settings.local.json` of the repository (main checkout of a worktree), then of the start folder."""
    here = root / ".claude" / "settings.local.json"
    top = repository_root(root)
    if top is None or sys.platform == "win32":
        return [here]
    main = main_checkout(top) or top
    if _same(main, places.home) or not _ours(main):
        return [here]
    there = main / ".claude" / "settings.local.json"
    return [here] if _same(there, here) else [there, here]


def _ours(top: Path) -> bool:
    claude = top / ".claude"
    return is_own(top) and is_own(top / ".git") and (is_own(claude) or not os.path.lexists(claude))


def _same(one: Path, other: Path) -> bool:
    return os.path.realpath(one) == os.path.realpath(other)
