"""Where motions lead that remember something: letters that were looked for on a line, and the last search."""

import re

from .motions import motion, seek, word_at
from .objects import text_object
from .page import Goal, Page, Place, Span


class Goals:
    """Finds goals and spans on one page."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._found = ""
        self._pattern, self._backwards = "", False

    def goal(self, keys: str, at: Place, count: int, counted: bool) -> Goal | None:
        """Where a motion leads from a place; None when nowhere."""
        lines = self._page.lines
        if keys[0] in "/?":
            self._pattern, self._backwards = keys[1:-1] or self._pattern, keys[0] == "?"
            keys = "n"
        elif keys in ("*", "#"):
            self._pattern, self._backwards = word_at(lines[at[0]], at[1]), keys == "#"
            keys = "n"
        if keys in ("n", "N"):
            backwards = self._backwards != (keys == "N")
            place = seek(lines, at, self._pattern, backwards=backwards, count=count) if self._pattern else None
            return Goal(place) if place is not None else None
        if keys in (";", ","):
            if not self._found:
                return None
            keys = self._found if keys == ";" else self._found[0].swapcase() + self._found[1]
        elif keys[0] in "fFtT" and len(keys) == 2:
            self._found = keys
        return motion(keys, lines, at, count, counted)

    def span(self, operator: str, keys: str, count: int, counted: bool) -> Span | None:
        """What an operator takes with these keys after it; None when nothing."""
        lines, at = self._page.lines, self._page.cursor
        if keys in (operator, operator[-1]):
            return Span(at, (min(at[0] + count, len(lines)) - 1, 0), lines=True)
        if keys[0] in "ia" and len(keys) == 2:
            return text_object(keys, lines, at)
        if operator == "c" and keys in ("w", "W") and lines[at[0]][at[1] : at[1] + 1].strip():
            keys = "e" if keys == "w" else "E"
            at = (at[0], at[1] - 1) if self._ends_word(at) else at
        goal = self.goal(keys, at, count, counted)
        if goal is None:
            return None
        start, end = sorted((self._page.cursor, goal.place))
        if goal.reach == "inclusive":
            end = (end[0], end[1] + 1)
        elif keys in ("w", "W") and end[0] > start[0] and not lines[end[0]][: end[1]].strip():
            end = (end[0] - 1, len(lines[end[0] - 1]))  # a word's operator ends with the line of its last word
        return Span(start, end, lines=goal.reach == "lines")

    def _ends_word(self, at: Place) -> bool:
        """Whether the word ends here, so that its end is no step away."""
        following = self._page.lines[at[0]][at[1] : at[1] + 2]
        return len(following) < 2 or not re.fullmatch(r"\w\w|[^\w\s]{2}", following)
