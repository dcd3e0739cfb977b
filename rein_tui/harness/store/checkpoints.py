"""What files held before file tools changed them, and how to get back there.

Contents are kept once each, by their sha256, before the change happens. A rewind is planned from facts and shown
before it is done: what comes back, what was changed since by somebody else and stays unless asked for, and which
commands ran in between, whose effects nobody can undo.
"""

import hashlib
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from ..protocol.events import Fact, FileChanged, Rewound, ToolCallStarted
from ..protocol.rewind import FileStep, Obstacle, Restored, RewindPlan
from ..tools.files import FileRefusedError, Loaded, exists, load, real_path, replace
from .files import private_folder, write_private

LARGEST = 64 * 1024 * 1024
"""Bytes beyond which a file's content is not kept."""


class _Change(NamedTuple):
    turn: int
    before: str
    after: str
    mode: int


class Checkpoints:
    """Contents by sha256 under one private folder, shared by all sessions."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def before_change(self, path: Path, data: bytes | None) -> str:
        """Keep what a file holds; to be called before it is changed. Returns why that failed, or nothing."""
        try:
            if data is not None:
                self.keep(data)
        except OSError as error:
            return f"What {path} held before this change could not be kept ({error.strerror}): /rewind cannot undo it."
        return ""

    def keep(self, data: bytes) -> str:
        """Keep this content; returns its sha256. Raises OSError."""
        digest = hashlib.sha256(data).hexdigest()
        path = self._path(digest)
        if len(data) <= LARGEST and not path.exists():
            private_folder(self._folder)
            private_folder(path.parent)
            write_private(path, zlib.compress(data, 1))
        return digest

    def content(self, digest: str) -> bytes | None:
        """A kept content, or None when it was never kept or is damaged."""
        try:
            data = zlib.decompress(self._path(digest).read_bytes())
        except (OSError, zlib.error):
            return None
        return data if hashlib.sha256(data).hexdigest() == digest else None

    def plan(self, facts: Iterable[Fact], to_turn: int) -> RewindPlan:
        """What it takes to bring files back to the end of a turn (0: to the session's start). Reads files."""
        changes, commands = _since(facts, to_turn)
        steps = [step for path, each in changes.items() if (step := self._step(path, each)) is not None]
        return RewindPlan(to_turn=to_turn, steps=tuple(steps), commands=tuple(commands))

    def restore(self, plan: RewindPlan, also: frozenset[str] = frozenset()) -> Restored:
        """Do what the plan says. Files that others changed since are left alone unless their path is in `also`.

        Every file is looked at once more; what it holds now is kept first, so that a rewind can be taken back.
        """
        restored: list[str] = []
        left: list[tuple[str, str]] = []
        for step in plan.steps:
            why = step.obstacle if step.path not in also or step.obstacle == "not_kept" else ""
            problem = _SAID[why] if why else self._restore_one(step)
            if problem:
                left.append((step.path, problem))
            else:
                restored.append(step.path)
        return Restored(restored=tuple(restored), left=tuple(left))

    def collect(self, needed: Iterable[str]) -> int:
        """Remove contents that no session needs any more; returns how many bytes that freed. Raises OSError."""
        keep, freed = set(needed), 0
        for path in self._folder.glob("??/*"):
            if path.parent.name + path.name not in keep:
                freed += path.stat().st_size
                path.unlink()
        return freed

    # --- inside ---------------------------------------------------------------------------------------------

    def _path(self, digest: str) -> Path:
        return self._folder / digest[:2] / digest[2:]

    def _step(self, path: str, changes: list[_Change]) -> FileStep | None:
        wanted, ours = changes[0].before, changes[-1].after
        current = _digest_now(path)
        obstacle: Obstacle = ""
        if current == wanted:
            return None
        if wanted and not self._path(wanted).exists():
            obstacle = "not_kept"
        elif current is None:
            obstacle = "unreadable"
        elif current != ours:
            obstacle = "changed_since"
        return FileStep(
            path=path,
            verb="restore" if wanted else "remove",
            content=wanted,
            current=current or "",
            obstacle=obstacle,
            turns=tuple(dict.fromkeys(change.turn for change in changes)),
            mode=changes[0].mode,
        )

    def _restore_one(self, step: FileStep) -> str:
        """Put one file back; returns why not, or nothing."""
        data = self.content(step.content) if step.content else None
        if step.content and data is None:
            return _SAID["not_kept"]
        try:
            held = _held(step.path)
            if (held.version.sha256 if held else "") != step.current:
                return "it was changed just now"
            if held is not None:
                self.keep(held.data)
            if data is not None:
                replace(step.path, data, held)
                if held is None and step.mode:
                    Path(step.path).chmod(step.mode & 0o777)
            elif held is not None:
                Path(step.path).unlink()
        except FileRefusedError as error:
            return str(error)
        except OSError as error:
            return error.strerror or str(error)
        return ""


_SAID = {
    "changed_since": "somebody else changed it since",
    "not_kept": "its content was not kept",
    "unreadable": "it cannot be read now",
}


def _since(facts: Iterable[Fact], to_turn: int) -> tuple[dict[str, list[_Change]], list[str]]:
    """Changes by path and commands after the end of a turn; what an earlier rewind already undid does not count."""
    changes: dict[str, list[_Change]] = {}
    commands: list[str] = []
    for fact in facts:
        match fact:
            case FileChanged() if fact.turn > to_turn:
                changes.setdefault(fact.path, []).append(_Change(fact.turn, fact.before, fact.after, fact.mode))
            case ToolCallStarted(name="Bash") if fact.turn > to_turn:
                commands.append(str(fact.input.get("command", "")))
            case Rewound(code=True):
                for path in fact.restored:
                    kept = [change for change in changes.get(path, []) if change.turn <= fact.to_turn]
                    changes[path] = kept
            case _:
                pass
    return {path: each for path, each in changes.items() if each}, commands


def _held(path: str) -> Loaded | None:
    """What the file holds, or None when there is none. Raises FileRefusedError, also when a link now leads there."""
    if real_path(path) != path:
        raise FileRefusedError(f"{path} now leads elsewhere")
    return load(path) if exists(path) else None


def _digest_now(path: str) -> str | None:
    """sha256 of what the file holds; empty when there is none, None when it cannot be told."""
    try:
        held = _held(path)
    except FileRefusedError:
        return None
    return held.version.sha256 if held else ""
