"""Copying a plugin into the cache: exec bits and its own links stay, links to elsewhere do not come along."""

import os
import shutil
import time
from pathlib import Path

from ..protocol.errors import ConfigError

ORPHANED = ".orphaned_at"
"""The ecosystem's mark on a version that nobody uses any more: the time in milliseconds."""

_LEFT_OUT = frozenset({".git", ".hg", ".svn"})


def copy_plugin(source: Path, target: Path, boundary: Path) -> list[str]:
    """Copy a plugin's folder to where nothing is yet, in one step; gives the links that were left out.

    A link within the plugin stays a link; one to elsewhere in `boundary` (the marketplace) becomes what it points
    to; others are left out. Raises ConfigError.
    """
    part = target.with_name(f".{target.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    left_out: list[str] = []
    try:
        part.parent.mkdir(parents=True, exist_ok=True)
        _copy(source, part, _Bounds(Path(os.path.realpath(source)), Path(os.path.realpath(boundary))), left_out)
        if target.exists():
            shutil.rmtree(target)
        part.rename(target)
    except (OSError, shutil.Error) as problem:
        shutil.rmtree(part, ignore_errors=True)
        raise ConfigError(f"cannot be copied: {problem}", where=str(source)) from problem
    return left_out


class _Bounds:
    def __init__(self, plugin: Path, marketplace: Path) -> None:
        self.plugin = plugin
        self.marketplace = marketplace


def _copy(source: Path, target: Path, bounds: _Bounds, left_out: list[str]) -> None:
    target.mkdir()
    with os.scandir(source) as entries:
        for entry in sorted(entries, key=lambda entry: entry.name):
            place, path = target / entry.name, Path(entry.path)
            if entry.name in _LEFT_OUT:
                continue
            if entry.is_symlink():
                _copy_link(path, place, bounds, left_out)
            elif entry.is_dir():
                _copy(path, place, bounds, left_out)
            elif entry.is_file():
                shutil.copy2(path, place)


def _copy_link(path: Path, place: Path, bounds: _Bounds, left_out: list[str]) -> None:
    real = Path(os.path.realpath(path))
    if real.is_relative_to(bounds.plugin):
        place.symlink_to(os.path.relpath(real, os.path.realpath(path.parent)))
    elif real.is_relative_to(bounds.marketplace) and real.is_file():
        shutil.copy2(real, place)
    elif real.is_relative_to(bounds.marketplace) and real.is_dir() and not bounds.plugin.is_relative_to(real):
        _copy(real, place, bounds, left_out)
    else:
        left_out.append(str(path))


def mark_orphaned(folder: Path) -> None:
    """Say that nobody uses this version any more; does nothing where it is gone."""
    if folder.is_dir():
        (folder / ORPHANED).write_text(str(round(time.time() * 1000)))


def prune(cache: Path, days: float = 7) -> list[Path]:
    """Delete versions that were marked that many days ago."""
    gone: list[Path] = []
    for mark in cache.glob(f"*/*/*/{ORPHANED}"):
        text = mark.read_text(errors="replace").strip()
        if text.isdecimal() and int(text) / 1000 < time.time() - days * 86400:
            shutil.rmtree(mark.parent, ignore_errors=True)
            gone.append(mark.parent)
    return gone
