"""Visual mode: a selection of letters or of lines, and what keys do to it."""

import re

from .edits import Edits
from .goals import Goals
from .objects import text_object
from .page import Mode, Page, Place, Span

_SAME = {"~": "g~", "u": "gu", "U": "gU", "x": "d", "s": "c"}
"""Keys that mean to a selection what others mean in normal mode."""
_OPERATORS = frozenset({"d", "c", "y", "<", ">", "gu", "gU", "g~"})


class Visual:
    """One selection. Its `head` is where the cursor stands."""

    def __init__(self, page: Page, edits: Edits, goals: Goals) -> None:
        self._page = page
        self._edits = edits
        self._goals = goals
        self._anchor: Place = (0, 0)
        self.head: Place = (0, 0)

    def begin(self, mode: Mode) -> Mode:
        """Select the letter, or the line, of the cursor."""
        self._anchor = self.head = self._page.cursor
        return self._shown(mode)

    def press(self, keys: str, mode: Mode, count: int, counted: bool) -> Mode:
        """Do what keys mean to the selection; the mode after that."""
        keys = _SAME.get(keys, keys)
        if keys in ("v", "V"):
            wanted: Mode = "visual" if keys == "v" else "visual line"
            if mode == wanted:
                self._page.move(self.head)
                return "normal"
            mode = wanted
        elif keys == "o":
            self._anchor, self.head = self.head, self._anchor
        elif keys in _OPERATORS or keys in ("p", "P", "J", "gJ") or keys[0] == "r":
            return self._act(keys, self._span(mode))
        elif keys[0] in "ia" and len(keys) == 2:
            mode = self._take_object(keys, mode)
        else:
            self._move(keys, count, counted)
        return self._shown(mode)

    def _move(self, keys: str, count: int, counted: bool) -> None:
        goal = self._goals.goal(keys, self.head, count, counted)
        if goal is not None:
            row, column = goal.place
            line = self._page.lines[row]
            self.head = (row, len(line) if keys == "$" else min(column, max(0, len(line) - 1)))

    def _take_object(self, keys: str, mode: Mode) -> Mode:
        found = text_object(keys, self._page.lines, self.head)
        if found is None:
            return mode
        self._anchor, (row, column) = found.start, found.end
        self.head = (row, max(0, column - 1))
        return "visual line" if found.lines else mode

    def _span(self, mode: Mode) -> Span:
        """What is selected; on the end of a line its break, too."""
        start, end = sorted((self._anchor, self.head))
        lines = self._page.lines
        if mode == "visual line":
            return Span((start[0], 0), (end[0], len(lines[end[0]])), lines=True)
        if end[1] >= len(lines[end[0]]) and end[0] + 1 < len(lines):
            return Span(start, (end[0] + 1, 0))
        return Span(start, (end[0], min(end[1] + 1, len(lines[end[0]]))))

    def _act(self, keys: str, span: Span) -> Mode:
        page = self._page
        page.checkpoint()
        page.move((span.start[0], self._anchor[1]) if span.lines else span.start)
        if keys in _OPERATORS:
            self._edits.operate(keys, span)
        elif keys in ("p", "P"):
            self._edits.put_over(span)
        elif keys in ("J", "gJ"):
            self._edits.join(max(1, span.end[0] - span.start[0]), spaced=keys == "J")
        else:
            self._edits.rewrite(span, lambda old: re.sub(r"[^\n]", lambda _: keys[1:], old))
        return "insert" if keys == "c" else "normal"

    def _shown(self, mode: Mode) -> Mode:
        start, end = sorted((self._anchor, self.head))
        if mode == "visual line":
            start, end = (start[0], 0), (end[0], len(self._page.lines[end[0]]))
        else:
            end = (end[0], end[1] + 1)
        self._page.select(*((start, end) if self.head >= self._anchor else (end, start)))
        return mode
