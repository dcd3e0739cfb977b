"""Esc and ctrl+c: one press stops, two go back or leave. What each means depends on what there is to stop.

| pressed        | while                               | does                                        |
| -------------- | ----------------------------------- | ------------------------------------------- |
| Esc            | the dock covers the chat            | folds it                                    |
| Esc            | a turn runs                         | stops it; what waits stays, paused          |
| Esc Esc        | there is text in the prompt         | clears it (ctrl+z brings it back)           |
| Esc Esc        | the prompt is empty                 | opens the rewind list                       |
| ctrl+c         | something is selected               | copies it                                   |
| ctrl+c         | a modal is open                     | closes it; a question: no, and stop         |
| ctrl+c         | the prompt has text, else prompts wait, else a turn runs | clears, drops, or stops |
| ctrl+c ctrl+c  |                                     | leaves                                      |
"""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rein_tui.app import ReinApp

TWICE = 2.0
"""Seconds within which a second ctrl+c leaves."""
DOUBLE = 0.6
"""Seconds within which a second Esc goes back."""


class Leaving:
    """Remembers when the two keys were last pressed."""

    def __init__(self, app: "ReinApp", clock: Callable[[], float] = time.monotonic) -> None:
        self._app = app
        self._clock = clock
        self._escaped = self._asked = float("-inf")

    def escape(self) -> None:
        """Esc, where nothing nearer took it."""
        app, now = self._app, self._clock()
        twice, self._escaped = now - self._escaped < DOUBLE, now
        screen, turns = app.main, app.desk.current
        if screen.dock_covers:
            screen.fold_dock()
        elif turns is not None and turns.interrupt():
            app.hint("stopping")
        elif not twice:
            screen.composer.area.focus()
        else:
            self._escaped = float("-inf")
            if screen.composer.text:
                screen.composer.text = ""
            else:
                app.run_command("rewind")

    def interrupt(self) -> None:
        """Ctrl+C."""
        app, now = self._app, self._clock()
        composer, turns = app.main.composer, app.desk.current
        selected = app.screen.get_selected_text() or composer.area.selected_text
        if selected:
            app.copy(selected)
            app.screen.clear_selection()
            return
        if now - self._asked < TWICE:
            app.leave()
            return
        self._asked = now
        if composer.text:
            composer.text = ""
        elif turns is not None and turns.is_paused:
            turns.drop()
        elif turns is not None:
            turns.interrupt()
        else:
            app.beginning.early.drop()
        app.hint("ctrl+c again exits")
