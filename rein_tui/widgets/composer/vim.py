"""Vim keys for the prompt, by choice: insert, normal and visual mode, counts, operators, text objects, dot, undo.

It reads keys and edits the text area through its own actions, so that undo and chips work as without it. Where
motions lead is `vim_motions`' business.
"""

import re
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

from textual import events
from textual.widgets.text_area import Selection

from .vim_motions import Goal, Place, motion, text_object

if TYPE_CHECKING:
    from .area import PromptArea

Mode: TypeAlias = Literal["insert", "normal", "visual", "visual line"]

_COUNT, _OPERATOR = r"(?P<count>[1-9]\d*)?", r"(?:(?P<operator>[dcy])(?P<more>[1-9]\d*)?)?"
_COMMAND = re.compile(_COUNT + _OPERATOR + r"(?P<rest>.*)", re.DOTALL)
_ON_SELECTION = re.compile(_COUNT + r"(?P<rest>.*)", re.DOTALL)
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

    def __init__(self, area: "PromptArea") -> None:
        self._area = area
        self.mode: Mode = "insert"
        self._keys = ""
        self._register = ""
        self._sought = ""
        self._change: _Change | None = None
        self._typing_from: Place | None = None
        self._anchor: Place = (0, 0)
        self._head: Place = (0, 0)

    def take(self, event: events.Key) -> bool:
        """Handle a key; false leaves it to the text area."""
        if event.key == "escape":
            return self._escape()
        if self.mode == "insert":
            return False
        if event.key == "ctrl+r":
            self._area.redo()
            return True
        if not event.is_printable or not event.character:
            self._keys = ""
            if self.mode != "normal":
                self._enter("normal")
            return False
        self._press(event.character)
        return True

    def _escape(self) -> bool:
        """Back to normal mode; in it a key that waits is dropped, else Esc means what it means elsewhere."""
        if self.mode == "normal":
            waited, self._keys = bool(self._keys), ""
            return waited
        if self.mode == "insert":
            self._end_typing()
            row, column = self._area.cursor_location
            self._area.move_cursor((row, max(0, column - 1)))
        else:
            self._area.move_cursor(self._head)
        self._keys = ""
        self._enter("normal")
        return True

    def _enter(self, mode: Mode) -> None:
        self.mode = mode
        self._area.show_mode(mode)

    # --- reading keys ---------------------------------------------------------------------------------------

    def _press(self, character: str) -> None:
        self._keys += character
        is_normal = self.mode == "normal"
        found = (_COMMAND if is_normal else _ON_SELECTION).fullmatch(self._keys)
        assert found is not None, "the pattern takes every text"
        given = {"operator": "", "more": "", **found.groupdict("")}
        rest, operator = given["rest"], given["operator"]
        in_object = bool(operator) or not is_normal
        if not rest or rest in ("g", "f", "F", "t", "T") or (rest in ("i", "a") and in_object):
            return
        if rest == "r" and not operator:
            return
        self._keys = ""
        count = min(_MOST, int(given["count"] or 1) * int(given["more"] or 1))
        counted = bool(given["count"] or given["more"])
        if is_normal:
            self._run(operator + rest, count, counted)
        else:
            self._visual(rest, count, counted)
        if self.mode == "normal":
            self._stay_on_text()

    def _run(self, keys: str, count: int, counted: bool) -> None:
        """One whole command of normal mode; changes are remembered for dot."""
        if keys == ".":
            self._again(count if counted else 0)
            return
        if keys == "u":
            for _ in range(count):
                self._area.undo()
            return
        does = _SHORT.get(keys, keys)
        begins = len(does) > 1 and does[0] in "dcy"
        changed = self._operate(does[0], does[1:], count, counted) if begins else self._do(does, count, counted)
        if changed and does[0] != "y":
            self._change = _Change(keys, count)

    def _again(self, count: int) -> None:
        change = self._change
        if change is None:
            return
        self._run(change.keys, count or change.times, counted=True)
        if self.mode == "insert":
            self._area.replace(change.typed, *self._area.selection)
            self._typing_from = None
            self._escape()
        self._change = change

    # --- normal mode ----------------------------------------------------------------------------------------

    def _do(self, keys: str, count: int, counted: bool) -> bool:
        """A command that is no operator; whether it changed the text."""
        area = self._area
        row, column = area.cursor_location
        if keys in _INSERTS:
            self._insert_at(keys)
        elif keys in ("v", "V"):
            self._anchor = self._head = (row, column)
            self._enter("visual" if keys == "v" else "visual line")
            self._show_selection()
            return False
        elif keys in ("p", "P"):
            self._put(before=keys == "P", count=count)
        elif keys == "J":
            for _ in range(max(1, count - 1)):
                self._join()
        elif keys == "~" or keys[0] == "r":
            line = area.document.get_line(row)
            end = min(len(line), column + count)
            old = line[column:end]
            area.replace(old.swapcase() if keys == "~" else keys[1:] * len(old), (row, column), (row, end))
            area.move_cursor((row, end if keys == "~" else max(column, end - 1)))
        else:
            self._move(keys, count, counted)
            return False
        return True

    def _insert_at(self, keys: str) -> None:
        area = self._area
        row, column = area.cursor_location
        line = area.document.get_line(row)
        if keys == "a":
            area.move_cursor((row, min(len(line), column + 1)))
        elif keys == "I":
            area.move_cursor((row, len(line) - len(line.lstrip())))
        elif keys in ("A", "o"):
            area.move_cursor((row, len(line)))
        if keys == "o":
            area.action_newline()
        elif keys == "O":
            area.replace("\n", (row, 0), (row, 0))
            area.move_cursor((row, 0))
        self._begin_typing()

    def _begin_typing(self) -> None:
        self._typing_from = self._area.cursor_location
        self._enter("insert")

    def _end_typing(self) -> None:
        """What was typed belongs to the change that began it."""
        start, end = self._typing_from, self._area.cursor_location
        self._typing_from = None
        if start is not None and self._change is not None and start <= end:
            self._change = self._change._replace(typed=self._area.get_text_range(start, end))

    def _join(self) -> None:
        area = self._area
        row = area.cursor_location[0]
        if row + 1 < area.document.line_count:
            line, below = area.document.get_line(row).rstrip(), area.document.get_line(row + 1)
            area.replace(" " if below.strip() else "", (row, len(line)), (row + 1, len(below) - len(below.lstrip())))
            area.move_cursor((row, len(line)))

    def _put(self, *, before: bool, count: int) -> None:
        area = self._area
        row, column = area.cursor_location
        text = self._register * count
        if text.endswith("\n"):
            line_end = (row, len(area.document.get_line(row)))
            if before:
                area.replace(text, (row, 0), (row, 0))
            else:
                area.replace("\n" + text[:-1], line_end, line_end)
            area.move_cursor((row if before else row + 1, 0))
        elif text:
            at = (row, column if before else min(column + 1, len(area.document.get_line(row))))
            area.replace(text, at, at)
            last_row, last_column = area.cursor_location
            area.move_cursor((last_row, max(0, last_column - 1)))

    def _move(self, keys: str, count: int, counted: bool) -> None:
        area = self._area
        if keys in ("j", "k") or (keys in ("h", "l") and not counted):
            # The area's own: they know wrapped lines, chips, and older prompts beyond the edge.
            step = {"j": area.action_cursor_down, "k": area.action_cursor_up}
            step |= {"h": area.action_cursor_left, "l": area.action_cursor_right}
            for _ in range(count):
                step[keys]()
            return
        goal = self._goal(keys, area.cursor_location, count, counted)
        if goal is not None:
            area.move_cursor(goal.place)

    def _goal(self, keys: str, at: Place, count: int, counted: bool) -> Goal | None:
        if keys in (";", ","):
            if not self._sought:
                return None
            keys = self._sought if keys == ";" else self._sought[0].swapcase() + self._sought[1]
        elif keys[0] in "fFtT" and len(keys) == 2:
            self._sought = keys
        return motion(keys, self._area.document.lines, at, count, counted)

    def _stay_on_text(self) -> None:
        """In normal mode the cursor stands on a character, not behind the last."""
        row, column = self._area.cursor_location
        line = self._area.document.get_line(row)
        if line and column >= len(line):
            self._area.move_cursor((row, len(line) - 1))

    # --- operators ------------------------------------------------------------------------------------------

    def _operate(self, operator: str, keys: str, count: int, counted: bool) -> bool:
        lines, at = self._area.document.lines, self._area.cursor_location
        if keys == operator:
            self._take_lines(operator, at[0], at[0] + count - 1)
            return True
        if keys[0] in "ia" and len(keys) == 2:
            found = text_object(keys, lines, at)
            if found is not None:
                self._take(operator, *found)
            return found is not None
        if operator == "c" and keys in ("w", "W") and lines[at[0]][at[1] : at[1] + 1].strip():
            keys = "e" if keys == "w" else "E"
            at = (at[0], at[1] - 1) if self._ends_word(at) else at
        goal = self._goal(keys, at, count, counted)
        if goal is None:
            return False
        start, end = sorted((self._area.cursor_location, goal.place))
        if goal.reach == "lines":
            self._take_lines(operator, start[0], end[0])
            return True
        if goal.reach == "inclusive":
            end = (end[0], end[1] + 1)
        elif keys in ("w", "W") and end[0] > start[0] and not lines[end[0]][: end[1]].strip():
            last = end[0] - 1  # a word's operator ends with the line of its last word
            end = (last, len(lines[last]))
        self._take(operator, start, end)
        return True

    def _ends_word(self, at: Place) -> bool:
        """Whether the word ends here, so that its end is no step away."""
        following = self._area.document.get_line(at[0])[at[1] : at[1] + 2]
        return len(following) < 2 or not re.fullmatch(r"\w\w|[^\w\s]{2}", following)

    def _take(self, operator: str, start: Place, end: Place) -> None:
        area = self._area
        start, end = area.around_chips(start, end)
        self._register = area.get_text_range(start, end)
        if operator == "y":
            area.move_cursor(start)
        else:
            area.replace("", start, end)
            area.move_cursor(start)
        if operator == "c":
            self._begin_typing()

    def _take_lines(self, operator: str, first: int, last: int) -> None:
        area = self._area
        lines = area.document.lines
        last = min(last, len(lines) - 1)
        self._register = "\n".join(lines[first : last + 1]) + "\n"
        if operator == "c":
            area.replace("", (first, 0), (last, len(lines[last])))
            self._begin_typing()
        elif operator == "d" and last + 1 < len(lines):
            area.replace("", (first, 0), (last + 1, 0))
            area.move_cursor((first, 0))
        elif operator == "d":
            area.replace("", (first - 1, len(lines[first - 1])) if first else (0, 0), area.document.end)
            area.move_cursor((max(0, first - 1), 0))

    # --- visual mode ----------------------------------------------------------------------------------------

    def _visual(self, keys: str, count: int, counted: bool) -> None:
        if keys in ("v", "V"):
            wanted: Mode = "visual" if keys == "v" else "visual line"
            self._enter("normal" if self.mode == wanted else wanted)
        elif keys == "o":
            self._anchor, self._head = self._head, self._anchor
        elif keys in ("d", "x", "c", "s", "y", "p", "P"):
            self._visual_operator(keys)
            return
        elif keys[0] in "ia" and len(keys) == 2:
            found = text_object(keys, self._area.document.lines, self._head)
            if found is not None:
                self._anchor, (row, column) = found
                self._head = (row, max(0, column - 1))
        else:
            goal = self._goal(keys, self._head, count, counted)
            if goal is not None:
                row, column = goal.place
                self._head = (row, min(column, max(0, len(self._area.document.get_line(row)) - 1)))
        if self.mode == "normal":
            self._area.move_cursor(self._head)
        else:
            self._show_selection()

    def _visual_operator(self, keys: str) -> None:
        operator = {"x": "d", "s": "c", "p": "d", "P": "d"}.get(keys, keys)
        put, by_lines = self._register, self.mode == "visual line"
        start, end = sorted((self._anchor, self._head))
        self._enter("normal")
        if by_lines:
            self._take_lines(operator, start[0], end[0])
        else:
            self._take(operator, start, (end[0], end[1] + 1))
        if keys in ("p", "P"):
            self._area.replace(put, *self._area.selection)
        elif operator == "y":
            self._area.move_cursor(start)

    def _show_selection(self) -> None:
        start, end = sorted((self._anchor, self._head))
        if self.mode == "visual line":
            start, end = (start[0], 0), (end[0], len(self._area.document.get_line(end[0])))
        else:
            end = (end[0], end[1] + 1)
        forward = self._head >= self._anchor
        self._area.selection = Selection(start, end) if forward else Selection(end, start)
