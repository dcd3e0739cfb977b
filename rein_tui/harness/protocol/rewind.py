"""Going back to an earlier turn, as words: what it would do, and what it did."""

from typing import Literal, TypeAlias

from .base import Word

Verb: TypeAlias = Literal["restore", "remove"]
Obstacle: TypeAlias = Literal["", "changed_since", "not_kept", "unreadable"]


class FileStep(Word, frozen=True, kw_only=True):
    """What a rewind would do to one file. `content` is the sha256 of what it gets back, empty when it goes away.

    `obstacle` says why it is not done without being asked for: somebody else changed the file since
    (`changed_since`, may be done all the same), or its content was not kept (`not_kept`, cannot).
    `current` is the sha256 of what it holds now, `mode` the permission bits that a file has which was deleted since.
    """

    path: str
    verb: Verb
    content: str = ""
    current: str = ""
    obstacle: Obstacle = ""
    turns: tuple[int, ...] = ()
    mode: int = 0


class RewindPlan(Word, frozen=True, kw_only=True):
    """What going back to the end of `to_turn` means for files. `commands` ran since and are not undone."""

    to_turn: int
    steps: tuple[FileStep, ...] = ()
    commands: tuple[str, ...] = ()


class Restored(Word, frozen=True, kw_only=True):
    """What a rewind did: files put back or removed, and files left alone with the reason."""

    restored: tuple[str, ...] = ()
    left: tuple[tuple[str, str], ...] = ()
