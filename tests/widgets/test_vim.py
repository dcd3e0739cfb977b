"""Vim's keys against real Vim: `vim_cases.json` holds what Vim 9 made of these keys, without a configuration."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rein_tui.widgets.composer.vim import Place, Vim

_RECORDED: dict[str, Any] = json.loads(Path(__file__).with_name("vim_cases.json").read_text())
_KEYS = {"\x1b": "escape", "\n": "enter", "\x12": "ctrl+r", "\b": "backspace"}


class Sheet:
    """A page that is a list of lines."""

    def __init__(self, text: str) -> None:
        self.lines = text.split("\n")
        self.cursor: Place = (0, 0)
        self.selection: tuple[Place, Place] | None = None
        self.mode = "insert"
        self._before: list[tuple[list[str], Place]] = []
        self._after: list[tuple[list[str], Place]] = []

    def move(self, to: Place) -> None:
        row = max(0, min(to[0], len(self.lines) - 1))
        self.cursor = (row, max(0, min(to[1], len(self.lines[row]))))

    def step(self, key: str) -> None:
        row, column = self.cursor
        down, right = {"h": (0, -1), "l": (0, 1), "j": (1, 0), "k": (-1, 0)}[key]
        self.move((row + down, column + right))

    def select(self, anchor: Place, head: Place) -> None:
        self.selection = (anchor, head)

    def replace(self, text: str, start: Place, end: Place) -> None:
        assert (0, 0) <= start <= end <= (len(self.lines) - 1, len(self.lines[-1]))
        assert start[1] <= len(self.lines[start[0]]) and end[1] <= len(self.lines[end[0]])
        self._before.append((self.lines, self.cursor))
        self._after.clear()
        middle = self.lines[start[0]][: start[1]] + text + self.lines[end[0]][end[1] :]
        self.lines = [*self.lines[: start[0]], *middle.split("\n"), *self.lines[end[0] + 1 :]]
        self.move(self.cursor)

    def whole(self, start: Place, end: Place) -> tuple[Place, Place]:
        return start, end

    def checkpoint(self) -> None:
        """Every replacement is one."""

    def undo(self) -> bool:
        return self._swap(self._before, self._after)

    def redo(self) -> bool:
        return self._swap(self._after, self._before)

    def _swap(self, source: list[tuple[list[str], Place]], other: list[tuple[list[str], Place]]) -> bool:
        if not source:
            return False
        other.append((self.lines, self.cursor))
        self.lines, self.cursor = source.pop()
        return True

    def show_mode(self, mode: str) -> None:
        self.mode = mode


def type_keys(keys: str, text: str = _RECORDED["text"]) -> tuple[Sheet, Vim]:
    """What these keys, pressed in normal mode, do to a text; keys that vim leaves alone type themselves."""
    page = Sheet(text)
    vim = Vim(page)
    vim.take("escape", None)
    for key in keys:
        if not vim.take(_KEYS.get(key, key), None if key in _KEYS else key) and key not in _KEYS:
            row, column = page.cursor
            page.replace(key, page.cursor, page.cursor)
            page.move((row, column + 1))
    return page, vim


@pytest.mark.parametrize(
    ("keys", "text", "cursor"), _RECORDED["cases"], ids=[repr(case[0]) for case in _RECORDED["cases"]]
)
def test_as_vim_does(keys: str, text: str, cursor: list[int]):
    page, _ = type_keys(keys)
    assert "\n".join(page.lines) == text
    if "u" not in keys and "\x12" not in keys and ("j" not in keys or "$" not in keys):  # left to the page
        assert page.cursor == tuple(cursor)


def test_a_search_shows_what_is_typed_of_it_and_esc_drops_it():
    page, vim = type_keys("/on")
    assert (page.mode, vim.is_searching) == ("/on", True)
    page, vim = type_keys("/onx\b")
    assert page.mode == "/on"
    page, vim = type_keys("/on\x1b")
    assert (page.mode, vim.is_searching, page.cursor) == ("normal", False, (0, 0))
    page, _ = type_keys("/last\n")
    assert (page.mode, page.cursor) == ("normal", (3, 0))


def test_shifts_are_four_columns():
    page, _ = type_keys(">>jj>>..<<")
    assert page.lines[0].startswith("    foo") and page.lines[2].startswith("          second")


@given(st.text(alphabet='hjklwbeWB0$^{}ggGdcyxXsSDCYpPrzftaiIAoOuvVJ~./n*;,"<>(2)3 \x1b\n\x12\b%+-_', max_size=30))
def test_any_keys_leave_a_page_whole_and_undo_leads_back(keys: str):
    page, vim = type_keys(keys, "foo (bar)\n\n  'x' baz\n")
    vim.take("escape", None)
    vim.take("escape", None)
    assert vim.mode == "normal"
    row, column = page.cursor
    assert 0 <= column <= len(page.lines[row])
    for _ in range(100):
        vim.take("u", "u")
    assert "\n".join(page.lines) == "foo (bar)\n\n  'x' baz\n"
