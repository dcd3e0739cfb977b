"""Notice that settings files changed, and read them anew without ever losing a restriction.

Polls file facts (size, time, identity): no watcher library, no threads. A file that becomes unreadable keeps its
last good restrictions and hooks; what it allowed is suspended until it can be read again.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import TypeAlias

from rein_tui.harness.protocol.errors import ReinError
from rein_tui.harness.protocol.events import Notice

from .layers import Settings, SettingsLayer
from .load import assemble, hold, suspend

Signature: TypeAlias = tuple[tuple[str, int, int, int], ...]

POLL_SECONDS = 1.0


class SettingsWatch:
    """Watches the files of some settings.

    `load` reads them anew, deciding about trust anew as well, and may raise what load_settings raises.
    """

    def __init__(self, settings: Settings, load: Callable[[], Settings]) -> None:
        self.current = settings
        self._load = load
        self._seen = signature(settings.watched)
        self._changing: Signature | None = None

    def poll(self) -> Settings | None:
        """New settings if files changed since, and have been still since the last poll; else None. Never raises."""
        now = signature(self.current.watched)
        if now == self._seen:
            self._changing = None
            return None
        if now != self._changing:
            self._changing = now
            return None
        self._seen, self._changing = now, None
        self.current = self.read()
        return self.current

    def read(self) -> Settings:
        """The settings as the files stand now; what is taken up stays as it is. Never raises."""
        try:
            return keep_trusted(self.current, keep_last_good(self.current, self._load()))
        except ReinError as problem:
            return _all_suspended(self.current, problem)

    async def run(
        self,
        changed: Callable[[Settings], Awaitable[None]],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """Poll until cancelled; tell every change."""
        while True:
            await sleep(POLL_SECONDS)
            fresh = self.poll()
            if fresh is not None:
                await changed(fresh)


def keep_last_good(old: Settings, new: Settings) -> Settings:
    """The new settings, but for files that were good and are broken now: of those, the last good restrictions."""
    before = {layer.path: layer for layer in old.layers if layer.path not in old.broken}
    kept = [suspend(before[path]) for path in new.broken if path in before]
    if not kept:
        return new
    paths = {layer.path for layer in kept}
    notices = [
        Notice(
            text="a settings file became unreadable: its last good restrictions hold, its permissions are suspended",
            level="error",
            where=path,
            hint="correct the file",
            code="settings_suspended",
        )
        for path in sorted(paths)
    ]
    layers = [*(layer for layer in new.layers if layer.path not in paths), *kept]
    broken = {path: reason for path, reason in new.broken.items() if path not in paths}
    return assemble(layers, (*new.problems, *notices), broken, new.trusted, new.watched)


def keep_trusted(old: Settings, new: Settings) -> Settings:
    """Where trust ended because a folder changed: what was trusted stays, new restrictions hold, the rest waits.

    Dropping what was trusted would drop hooks that guard; taking over what is new would run it unasked.
    """
    if new.trusted or not old.trusted:
        return new
    before = {layer.path: layer for layer in old.layers}
    layers = [_trusted_part(layer, before.get(layer.path)) for layer in new.layers]
    notices = [
        Notice(
            text="changed since you trusted this folder: what is new waits until you do so again",
            level="warning",
            where=layer.path,
            hint="restart to look at what is new",
            code="held_until_trust",
        )
        for layer in new.layers
        if layer.held and (layer.path not in before or hold(before[layer.path].data)[1] != layer.held)
    ]
    problems = [notice for notice in new.problems if notice.code != "held_until_trust"]
    return assemble(layers, (*problems, *notices), dict(new.broken), True, new.watched)


def _trusted_part(layer: SettingsLayer, before: SettingsLayer | None) -> SettingsLayer:
    if layer.layer not in ("project", "local") or before is None or layer.suspended:
        return layer
    trusted = hold(before.data)[1]
    data = {**layer.data, **trusted}
    if "permissions" in layer.data and "permissions" in trusted:
        data["permissions"] = {**trusted["permissions"], **layer.data["permissions"]}
    return replace(layer, data=data, lines={**before.lines, **layer.lines})


def _all_suspended(old: Settings, problem: ReinError) -> Settings:
    """The administrator's settings (or `--settings`) cannot be read any more: keep everything, allow nothing new."""
    notice = Notice(
        text=f"settings cannot be read any more: {problem.message}; permissions are suspended",
        level="error",
        where=problem.where,
        hint="correct the file",
        code="settings_suspended",
    )
    layers = tuple(suspend(layer) for layer in old.layers)
    return replace(old, layers=layers, problems=(*old.problems, notice))


def signature(paths: tuple[str, ...]) -> Signature:
    """What can be seen of files from outside; folders by the files in them."""
    found: list[tuple[str, int, int, int]] = []
    for name in paths:
        path = Path(name)
        try:
            entries = sorted(path.iterdir()) if path.is_dir() else [path]
        except OSError:
            entries = [path]
        for entry in entries:
            try:
                facts = entry.stat()
                found.append((str(entry), facts.st_ino, facts.st_size, facts.st_mtime_ns))
            except OSError:
                found.append((str(entry), 0, 0, 1 if entry.is_symlink() else 0))
    return tuple(found)
