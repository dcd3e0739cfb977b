"""Completing what is typed: which list fits it, searching for files beside the keys, and taking a candidate."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import aclosing

from .area import PromptArea
from .kinds import Typed, typed_before
from .popup import CompletionPopup
from .sources import Candidate, CommandHint, Completer, complete_command


class Completing:
    """The list above a prompt; `mount` puts it there when it is needed first."""

    def __init__(
        self,
        area: Callable[[], PromptArea],
        commands: Callable[[], Sequence[CommandHint]],
        files: Completer,
        mount: Callable[[CompletionPopup], object],
    ) -> None:
        self._area = area
        self._commands = commands
        self._files = files
        self._mount = mount
        self._popup: CompletionPopup | None = None
        self._searching: asyncio.Task[None] | None = None

    @property
    def is_searching(self) -> bool:
        """Whether files are being searched."""
        return self._searching is not None and not self._searching.done()

    def look_up(self) -> None:
        """Offer what fits the word before the cursor."""
        self.stop()
        typed = self.typed()
        if typed is None:
            self.close()
        elif typed[0] == "/":
            self._show(complete_command(typed[1], self._commands))
        else:
            self._searching = asyncio.create_task(self._search(typed[1]))

    def close_if_left(self) -> None:
        """The cursor went: perhaps away from the word."""
        if self._area().is_choosing and self.typed() is None:
            self.close()

    def close(self) -> None:
        """Offer nothing."""
        self.stop()
        if self._popup is not None:
            self._popup.close()
        self._area().is_choosing = False

    def stop(self) -> None:
        """Search no more."""
        if self._searching is not None:
            self._searching.cancel()
            self._searching = None

    def press(self, key: str) -> Candidate | None:
        """A key for the list: walks, closes, or takes the candidate that it returns."""
        popup = self._popup
        if popup is None:
            return None
        candidate = popup.highlighted
        if key in ("up", "down", "ctrl+p", "ctrl+n"):
            popup.move(-1 if key in ("up", "ctrl+p") else 1)
            return None
        if key == "escape" or candidate is None:
            self.close()
            return None
        return candidate

    def accept(self, candidate: Candidate) -> bool:
        """Write a candidate in place of what was typed; whether it is a command that can run as it stands."""
        typed = self.typed()
        self.close()
        if typed is None:
            return False
        area = self._area()
        row, column = area.cursor_location
        area.replace(candidate.insert, (row, typed[2]), (row, column))
        takes_more = "<" in candidate.label or "[" in candidate.label
        whole = typed[1] == candidate.insert.strip().lstrip("/")
        return typed[0] == "/" and (whole or not takes_more)

    def typed(self) -> Typed | None:
        """The word before the cursor, where it begins something that can be completed."""
        area = self._area()
        row, column = area.cursor_location
        return typed_before(row, area.document.get_line(row)[:column])

    async def _search(self, query: str) -> None:
        async with aclosing(self._files.complete(query)) as answers:
            async for candidates in answers:
                self._show(candidates)

    def _show(self, candidates: Sequence[Candidate]) -> None:
        if self._popup is None:
            if not candidates:
                return
            self._popup = CompletionPopup()
            self._mount(self._popup)
        self._popup.show(candidates)
        self._area().is_choosing = self._popup.is_open
