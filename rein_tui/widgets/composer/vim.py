"""Vim keys for the prompt, by choice: normal and insert mode, counts, motions, d c y with motions, undo, put.

A small state machine over a text area's own actions; it holds no text but the one register.
"""

import re
from typing import TYPE_CHECKING

from textual import events

if TYPE_CHECKING:
    from .area import PromptArea

_MOTIONS = {
    "h": "cursor_left",
    "l": "cursor_right",
    "j": "cursor_down",
    "k": "cursor_up",
    "b": "cursor_word_left",
    "0": "cursor_line_start",
    "^": "cursor_line_start",
    "$": "cursor_line_end",
}
_WORD = re.compile(r"\w+|[^\w\s]+")
_NAMES = {"dollar_sign": "$", "circumflex_accent": "^"}


class Vim:
    """Takes a key where it means something in the current mode; the text area gets the rest."""

    def __init__(self, area: "PromptArea") -> None:
        self._area = area
        self.is_normal = False
        self._count = ""
        self._operator = ""
        self._pending_g = False
        self._register = ""

    def take(self, event: events.Key) -> bool:
        """Handle a key; false leaves it to the text area."""
        if not self.is_normal:
            if event.key == "escape":
                self._enter_normal()
                return True
            return False
        if event.key == "escape":
            waiting = bool(self._count or self._operator or self._pending_g)
            self._reset()
            return waiting
        key = _NAMES.get(event.key, event.character or "")
        if event.key == "ctrl+r":
            self._area.redo()
            return True
        if not event.is_printable or not key:
            return False
        self._press(key)
        return True

    def _press(self, key: str) -> None:
        if key.isdigit() and (key != "0" or self._count):
            self._count += key
            return
        if self._pending_g or key == "g":
            self._go(key)
            return
        count = max(1, min(999, int(self._count or 1)))
        if self._operator:
            self._operate(key, count)
            self._reset()
        elif key in "dcy":
            self._operator = key
        else:
            self._command(key, count)
            self._count = ""

    def _go(self, key: str) -> None:
        if self._pending_g and key == "g":
            self._area.move_cursor((0, 0))
        self._pending_g = not self._pending_g and key == "g"

    def _command(self, key: str, count: int) -> None:
        area = self._area
        match key:
            case _ if key in _MOTIONS or key in "we":
                self._move(key, count, select=False)
            case "i" | "a" | "I" | "A" | "o" | "O":
                self._insert_at(key)
            case "x":
                for _ in range(count):
                    area.action_delete_right()
            case "D" | "C":
                self._operate_selected("d" if key == "D" else "c", "$", 1)
            case "p" | "P":
                self._put(before=key == "P")
            case "u":
                area.undo()
            case "G":
                area.move_cursor(area.document.end)
            case _:
                pass

    def _insert_at(self, key: str) -> None:
        area = self._area
        self.is_normal = False
        if key == "a":
            area.action_cursor_right()
        elif key == "I":
            area.action_cursor_line_start()
        elif key == "A":
            area.action_cursor_line_end()
        elif key == "o":
            area.action_cursor_line_end()
            area.action_newline()
        elif key == "O":
            row = area.cursor_location[0]
            area.replace("\n", (row, 0), (row, 0))
            area.move_cursor((row, 0))
        self._show()

    def _move(self, key: str, count: int, *, select: bool) -> None:
        for _ in range(count):
            if key in "we":
                self._area.move_cursor(self._word(key), select=select)
            else:
                getattr(self._area, f"action_{_MOTIONS[key]}")(select)

    def _word(self, key: str) -> tuple[int, int]:
        """Where `w` (the next word's start) or `e` (this word's end) leads from here."""
        document, (row, column) = self._area.document, self._area.cursor_location
        line = document.get_line(row)
        for found in _WORD.finditer(line):
            if key == "w" and found.start() > column:
                return (row, found.start())
            if key == "e" and found.end() > column:
                return (row, found.end())
        if row + 1 == document.line_count or self._operator:
            return (row, len(line))
        following = _WORD.search(document.get_line(row + 1))
        edge = following.start() if following and key == "w" else following.end() if following else 0
        return (row + 1, edge)

    def _operate(self, key: str, count: int) -> None:
        if key == self._operator:
            self._operate_lines(count)
        elif key in _MOTIONS or key in "we":
            self._operate_selected(self._operator, "e" if self._operator + key == "cw" else key, count)

    def _operate_lines(self, count: int) -> None:
        area, operator = self._area, self._operator
        row, lines = area.cursor_location[0], area.document.line_count
        last = min(lines, row + count)
        self._register = "\n".join(area.document.get_line(at) for at in range(row, last)) + "\n"
        if operator == "c":
            area.replace("", (row, 0), (last - 1, len(area.document.get_line(last - 1))))
            self.is_normal = False
        elif operator == "d" and last < lines:
            area.replace("", (row, 0), (last, 0))
        elif operator == "d":
            start = (row - 1, len(area.document.get_line(row - 1))) if row else (0, 0)
            area.replace("", start, area.document.end)
        self._show()

    def _operate_selected(self, operator: str, motion: str, count: int) -> None:
        area = self._area
        origin = area.cursor_location
        self._move(motion, count, select=True)
        start, end = sorted((origin, area.cursor_location))
        self._register = area.get_text_range(start, end)
        if operator == "y":
            area.move_cursor(start)
        else:
            area.replace("", start, end)
        if operator == "c":
            self.is_normal = False
        self._show()

    def _put(self, *, before: bool) -> None:
        area = self._area
        row, column = area.cursor_location
        if self._register.endswith("\n"):
            if before:
                area.replace(self._register, (row, 0), (row, 0))
            else:
                end = (row, len(area.document.get_line(row)))
                area.replace("\n" + self._register[:-1], end, end)
        else:
            at = (row, column if before else min(column + 1, len(area.document.get_line(row))))
            area.replace(self._register, at, at)

    def _enter_normal(self) -> None:
        self.is_normal = True
        self._reset()
        if self._area.cursor_location[1]:
            self._area.action_cursor_left()
        self._show()

    def _reset(self) -> None:
        self._count = self._operator = ""
        self._pending_g = False

    def _show(self) -> None:
        self._area.set_class(self.is_normal, "-normal")
