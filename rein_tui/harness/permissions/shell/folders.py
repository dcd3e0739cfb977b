"""Where a line is while it runs: the working directory after each `cd`, as far as it can be known."""

import posixpath
from collections.abc import Sequence
from dataclasses import dataclass

from .reader import Command
from .types import ShellScene

_MAX_FOLDERS = 8


@dataclass(slots=True)
class Folders:
    """The folders that the shell may be in just now. `before` are those if the last `cd` failed."""

    scene: ShellScene
    now: tuple[str, ...]
    before: tuple[str, ...] = ()
    moved: bool = False

    @classmethod
    def start(cls, scene: ShellScene) -> "Folders":
        """At the start of a line."""
        return cls(scene, (posixpath.normpath(scene.cwd),))

    def copy(self) -> "Folders":
        """The same place, to go on from separately."""
        return Folders(self.scene, self.now, self.before, self.moved)

    def enter(self, link: str) -> None:
        """Before a command: after anything but `&&` a failed `cd` is possible."""
        if link != "&&" and self.before:
            self.now = tuple(dict.fromkeys((*self.now, *self.before)))[: _MAX_FOLDERS + 1]
            self.before = ()

    def join(self, path: str) -> list[str]:
        """The path from each folder that the shell may be in, `..` and links kept."""
        return [posixpath.join(folder, path) for folder in self.now]

    def targets(self, words: Sequence[str]) -> list[str] | None:
        """Where `cd` with these words may lead; None when that is not known."""
        operands = [word for word in words if word != "--"]
        if len(operands) != 1 or operands[0].startswith("-") or not operands[0]:
            return None
        return [posixpath.normpath(path) for path in self.join(operands[0])]

    def change(self, command: Command, targets: Sequence[str]) -> None:
        """After a `cd`. One in a pipeline moves nothing; one in the background moves what follows it there, so that
        both folders stay possible."""
        if command.in_pipeline:
            return
        home = posixpath.normpath(self.scene.cwd)
        self.moved = self.moved or any(target != home for target in targets)
        certain = not command.in_background and all(self.scene.facts.is_dir(target) for target in targets)
        if not certain:
            self.before = tuple(dict.fromkeys((*self.before, *self.now)))
        self.now = tuple(dict.fromkeys(targets))[: _MAX_FOLDERS + 1]

    @property
    def is_lost(self) -> bool:
        """Whether too many folders are possible to check them all."""
        return len(self.now) > _MAX_FOLDERS
