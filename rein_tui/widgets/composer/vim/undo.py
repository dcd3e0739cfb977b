"""Undo by whole commands: what a person typed after `cw` comes back with what `cw` took."""

from .page import Page


class Undo:
    """Knows the text before each command; the page itself undoes, in smaller steps."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._now = self._text
        self._done: list[str] = []
        self._undone: list[str] = []

    @property
    def _text(self) -> str:
        return "\n".join(self._page.lines)

    def remember(self) -> None:
        """A command has ended."""
        text = self._text
        if text != self._now:
            self._done.append(self._now)
            self._undone.clear()
            self._now = text

    def undo(self) -> None:
        """Back to before the last command; else to before what was done without vim's keys."""
        if self._done:
            wanted = self._done.pop()
            self._undone.append(self._now)
            while self._text != wanted and self._page.undo():
                pass
        else:
            self._page.undo()
        self._now = self._text

    def redo(self) -> None:
        """Do what was undone last."""
        if self._undone:
            wanted = self._undone.pop()
            self._done.append(self._now)
            while self._text != wanted and self._page.redo():
                pass
        else:
            self._page.redo()
        self._now = self._text
