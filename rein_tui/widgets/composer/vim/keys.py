"""Vim's keys: insert, normal and visual mode, counts, operators, search, dot, and undo by whole commands."""

import re
from typing import NamedTuple

from .edits import UNNAMED, Edits
from .goals import Goals
from .page import Mode, Page, Place
from .undo import Undo
from .visual import Visual

_REGISTER, _COUNT = r'(?:"(?P<register>.))?', r"(?P<count>[1-9]\d*)?"
_OPERATOR = r"(?:(?P<operator>[dcy<>]|g[uU~])(?P<more>[1-9]\d*)?)?"
_COMMAND = re.compile(_REGISTER + _COUNT + _OPERATOR + r"(?P<rest>.*)", re.DOTALL)
_ON_SELECTION = re.compile(_REGISTER + _COUNT + r"(?P<rest>.*)", re.DOTALL)
_UNFINISHED = re.compile(r'|"|[gfFtTr]|[/?][^\n]*')
_INSERTS = frozenset("iaIAoOsSC")
_SHORT = {"D": "d$", "C": "c$", "Y": "yy", "S": "cc", "s": "cl", "x": "dl", "X": "dh"}
"""Commands that are others in one key."""
_MOST = 999


class _Change(NamedTuple):
    """What dot does again: the command without its count, the count, and what was typed after it."""

    keys: str
    times: int
    typed: str = ""


class Vim:
    """Takes a key where it means something in the current mode; the text area gets the rest."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._edits = Edits(page)
        self._goals = Goals(page)
        self._visual = Visual(page, self._edits, self._goals)
        self._undo = Undo(page)
        self.mode: Mode = "insert"
        self._keys = ""
        self._change: _Change | None = None
        self._typing_from: Place | None = None
        self._typing_times = 1
        self._at_ends = False

    @property
    def is_searching(self) -> bool:
        """Whether a pattern is being typed: Enter ends it."""
        return re.search(r"[/?][^\n]*\Z", self._keys) is not None and self._rest[:1] in ("/", "?")

    def take(self, key: str, character: str | None) -> bool:
        """Handle a key; false leaves it to the text area. `character` is what it would type."""
        if key == "escape":
            return self._escape()
        if self.mode == "insert":
            return False
        if self.is_searching and key in ("enter", "backspace"):
            self._press("\n") if key == "enter" else self._unpress()
            return True
        if key == "ctrl+r":
            self._undo.redo()
            self._stay_on_text()
            return True
        if character is None or not character.isprintable():
            self._drop()
            if self.mode != "normal":
                self._enter("normal")
            return False
        self._press(character)
        return True

    # --- modes ----------------------------------------------------------------------------------------------

    def _escape(self) -> bool:
        """Back to normal mode; in it a key that waits is dropped, else Esc means what it means elsewhere."""
        waited = bool(self._keys)
        self._drop()
        if self.mode == "normal":
            return waited
        if self.mode == "insert":
            self._end_typing()
            row, column = self._page.cursor
            self._page.move((row, max(0, column - 1)))
        else:
            self._page.move(self._visual.head)
        self._enter("normal")
        return True

    def _enter(self, mode: Mode) -> None:
        self.mode = mode
        self._page.show_mode(mode)
        if mode == "insert":
            self._typing_from = self._page.cursor
        elif mode == "normal":
            self._undo.remember()

    def _drop(self) -> None:
        """Forget a command that was not finished."""
        if self._keys:
            self._keys = ""
            self._page.show_mode(self.mode)

    def _end_typing(self) -> None:
        """What was typed belongs to the change that began it, and is typed as often as the count said."""
        start, end, times = self._typing_from, self._page.cursor, self._typing_times
        self._typing_from, self._typing_times = None, 1
        if start is None or start > end:
            return
        typed = self._edits.text(start, end)
        if self._change is not None:
            self._change = self._change._replace(typed=typed)
            again = ("\n" + typed if self._change.keys in ("o", "O") else typed) * (times - 1)
            if again:
                self._page.replace(again, end, end)
                self._page.move(_after(again, end))

    # --- reading keys ---------------------------------------------------------------------------------------

    def _parsed(self) -> dict[str, str]:
        found = (_COMMAND if self.mode == "normal" else _ON_SELECTION).fullmatch(self._keys)
        return {"operator": "", "more": "", **(found.groupdict("") if found else {"rest": ""})}

    @property
    def _rest(self) -> str:
        return self._parsed()["rest"]

    def _unpress(self) -> None:
        self._keys = self._keys[:-1]
        self._page.show_mode(self._rest if self.is_searching else self.mode)

    def _press(self, character: str) -> None:
        self._keys += character
        given = self._parsed()
        rest, operator = given["rest"], given["operator"]
        in_object = bool(operator) or self.mode != "normal"
        if (_UNFINISHED.fullmatch(rest) and not (rest == "r" and operator)) or (rest in ("i", "a") and in_object):
            if rest[:1] in ("/", "?"):
                self._page.show_mode(rest)
            return
        self._keys = ""
        count = min(_MOST, int(given["count"] or 1) * int(given["more"] or 1))
        counted = bool(given["count"] or given["more"])
        self._edits.register = given["register"] or UNNAMED
        if self.mode == "normal":
            self._run(operator + rest, count, counted)
        else:
            self._enter(self._visual.press(rest, self.mode, count, counted))
            self._change = None if self.mode == "insert" else self._change
        if rest[:1] in ("/", "?"):
            self._page.show_mode(self.mode)
        if self.mode == "normal":
            self._stay_on_text()
            self._undo.remember()

    def _run(self, keys: str, count: int, counted: bool) -> None:
        """One whole command of normal mode; changes are remembered for dot."""
        if keys == ".":
            self._again(count if counted else 0)
            return
        if keys == "u":
            for _ in range(count):
                self._undo.undo()
            return
        does = _SHORT.get(keys, keys)
        found = _COMMAND.fullmatch(does)
        operator = found["operator"] if found else ""
        self._page.checkpoint()
        if operator and found:
            changed = self._operate(operator, found["rest"], count, counted)
        else:
            changed = self._do(does, count, counted)
        if changed and operator != "y":
            self._change = _Change(keys, count)

    def _again(self, count: int) -> None:
        change = self._change
        if change is None:
            return
        self._run(change.keys, count or change.times, counted=True)
        if self.mode == "insert":
            at = self._page.cursor
            self._page.replace(change.typed, at, at)
            self._page.move(_after(change.typed, at))
            self._escape()
        self._change = change

    # --- normal mode ----------------------------------------------------------------------------------------

    def _do(self, keys: str, count: int, counted: bool) -> bool:
        """A command that is no operator; whether it changed the text."""
        if keys in _INSERTS:
            self._typing_times = count
            self._insert_at(keys)
        elif keys in ("v", "V"):
            self._enter(self._visual.begin("visual" if keys == "v" else "visual line"))
            return False
        elif keys in ("p", "P"):
            self._edits.put(before=keys == "P", count=count)
        elif keys in ("J", "gJ"):
            self._edits.join(max(1, count - 1), spaced=keys == "J")
        elif keys == "~":
            self._edits.letters(count, str.swapcase, stay=False)
        elif keys[0] == "r":
            self._edits.letters(count, lambda old: keys[1:] * len(old), stay=True)
        else:
            self._move(keys, count, counted)
            return False
        return True

    def _insert_at(self, keys: str) -> None:
        page = self._page
        row, column = page.cursor
        line = page.lines[row]
        if keys == "a":
            page.move((row, min(len(line), column + 1)))
        elif keys == "I":
            page.move((row, len(line) - len(line.lstrip())))
        elif keys == "A":
            page.move((row, len(line)))
        elif keys == "o":
            page.replace("\n", (row, len(line)), (row, len(line)))
            page.move((row + 1, 0))
        elif keys == "O":
            page.replace("\n", (row, 0), (row, 0))
            page.move((row, 0))
        self._enter("insert")

    def _move(self, keys: str, count: int, counted: bool) -> None:
        page = self._page
        if keys in ("j", "k") or (keys in ("h", "l") and not counted):
            for _ in range(count):
                page.step(keys)
            if self._at_ends and keys in ("j", "k"):
                page.move((page.cursor[0], len(page.lines[page.cursor[0]])))
            self._at_ends = self._at_ends and keys in ("j", "k")
            return
        goal = self._goals.goal(keys, page.cursor, count, counted)
        self._at_ends = keys == "$"
        if goal is not None:
            page.move(goal.place)

    def _stay_on_text(self) -> None:
        """In normal mode the cursor stands on a character, not behind the last."""
        row, column = self._page.cursor
        line = self._page.lines[row]
        if line and column >= len(line):
            self._page.move((row, len(line) - 1))

    # --- operators ------------------------------------------------------------------------------------------

    def _operate(self, operator: str, keys: str, count: int, counted: bool) -> bool:
        span = self._goals.span(operator, keys, count, counted)
        if span is None:
            return False
        self._edits.operate(operator, span)
        if operator == "c":
            self._enter("insert")
        return True


def _after(text: str, at: Place) -> Place:
    """Where `text` that was put in `at` a place ends."""
    rows = text.split("\n")
    return (at[0] + len(rows) - 1, len(rows[-1]) + (at[1] if len(rows) == 1 else 0))
