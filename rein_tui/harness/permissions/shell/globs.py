"""Whether two globs can mean the same file: what a glob operand might reach of what a rule keeps from reading."""

import re
from collections.abc import Sequence
from functools import lru_cache

_CLASS = re.compile(r"\[[!^]?\]?[^\]/]*\]")
_MAX_NAME = 255


@lru_cache(maxsize=2048)
def _atoms(name: str) -> tuple[str, ...]:
    """One name as `*`, `?` (also for classes) and literal characters, compared without case."""
    text = _CLASS.sub("?", name.casefold())
    return tuple(re.sub(r"\*+", "*", text)[:_MAX_NAME])


def names_meet(left: str, right: str) -> bool:
    """Whether some name matches both globs."""
    first, second = _atoms(left), _atoms(right)
    reachable = {0}
    for index in range(len(first) + 1):
        reachable = _skip_stars(reachable, second)
        if index == len(first):
            return len(second) in reachable
        atom = first[index]
        following: set[int] = set()
        for at in reachable:
            if atom == "*":
                following.update(range(at, len(second) + 1))
            elif at < len(second):
                if second[at] == "*":
                    following.add(at)
                elif atom in {"?", second[at]} or second[at] == "?":
                    following.add(at + 1)
        reachable = following
    return False


def _skip_stars(places: set[int], atoms: tuple[str, ...]) -> set[int]:
    reached = set(places)
    for place in places:
        at = place
        while at < len(atoms) and atoms[at] == "*":
            at += 1
            reached.add(at)
    return reached


def globs_meet(left: str, right: str) -> bool:
    """Whether some path matches both globs; `**` is any number of names, and a match includes what is below it."""
    return _parts_meet(_split(left), _split(right))


def _split(glob: str) -> tuple[str, ...]:
    return tuple(part for part in glob.split("/") if part and part != ".")


def _parts_meet(left: Sequence[str], right: Sequence[str]) -> bool:
    """A table over both, so that many `**` cost no more than their product. `right` includes what is below it."""
    width = len(right) + 1
    row = [False] * width
    for i in range(len(left), -1, -1):
        new = [False] * width
        for j in range(len(right), -1, -1):
            if j == len(right):
                new[j] = True
            elif right[j] == "**":
                new[j] = new[j + 1] or (i < len(left) and row[j])
            elif i == len(left):
                new[j] = False
            elif left[i] == "**":
                new[j] = row[j] or new[j + 1]
            else:
                new[j] = names_meet(left[i], right[j]) and row[j + 1]
        row = new
    return row[0]
