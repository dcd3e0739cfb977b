"""The page that vim's keys edit, and the words for what motions and objects cover."""

from collections.abc import Sequence
from typing import Literal, NamedTuple, Protocol, TypeAlias

Place: TypeAlias = tuple[int, int]
"""Row and column, from 0."""

Mode: TypeAlias = Literal["insert", "normal", "visual", "visual line"]

Reach: TypeAlias = Literal["exclusive", "inclusive", "lines"]
"""What an operator takes: up to the place, the character there too, or whole lines."""


class Goal(NamedTuple):
    """Where a motion leads, and how far an operator reaches then."""

    place: Place
    reach: Reach = "exclusive"


class Span(NamedTuple):
    """What an operator takes: from `start` to before `end`, or the whole lines of both."""

    start: Place
    end: Place
    lines: bool = False


class Page(Protocol):
    """Text with a cursor. Every replacement can be undone."""

    @property
    def lines(self) -> Sequence[str]:
        """The text; at least one line."""
        ...

    @property
    def cursor(self) -> Place:
        """Where the cursor stands."""
        ...

    def move(self, to: Place) -> None:
        """Put the cursor there."""
        ...

    def step(self, key: str) -> None:
        """One step for `h`, `j`, `k` or `l` as arrow keys do it: over wrapped lines, chips and beyond the edges."""
        ...

    def select(self, anchor: Place, head: Place) -> None:
        """Show this as selected; the cursor goes to `head`."""
        ...

    def replace(self, text: str, start: Place, end: Place) -> None:
        """Put `text` in the place of what stands there."""
        ...

    def whole(self, start: Place, end: Place) -> tuple[Place, Place]:
        """This range, and all of what may not be cut at its ends."""
        ...

    def checkpoint(self) -> None:
        """Let undo stop here."""
        ...

    def undo(self) -> bool:
        """Take the last replacement back; false when there is none."""
        ...

    def redo(self) -> bool:
        """Do it again; false when there is none."""
        ...

    def show_mode(self, mode: str) -> None:
        """Say which mode counts, or what is typed of a search."""
        ...


def indent(line: str) -> int:
    """Where the first letter of a line stands."""
    return min(len(line) - len(line.lstrip()), max(0, len(line) - 1))
