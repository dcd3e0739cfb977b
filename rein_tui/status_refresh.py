"""When the person's own status line is read anew: after what it may speak of, and not more often than it bears."""

from typing import TYPE_CHECKING

from textual.timer import Timer

from rein_tui.harness.protocol.errors import ReinError
from rein_tui.harness.protocol.events import TURN_ENDS, Compacted, Event, MessageFinished, ModeChanged, ModelChanged
from rein_tui.harness.protocol.ports import HasStatusLine, StatusLine

if TYPE_CHECKING:
    from rein_tui.app import ReinApp

PAUSE = 0.3
"""Seconds in which whatever happens leads to one reading."""


class StatusRefresh:
    """Reads the status line of the session on the screen; a reading that is not done gives way to the next."""

    def __init__(self, app: "ReinApp") -> None:
        self._app = app
        self._pending: Timer | None = None
        self._clock: Timer | None = None
        self._every = 0.0
        self.problem = ""

    @property
    def line(self) -> StatusLine | None:
        """The one of the session on the screen."""
        turns = self._app.desk.current
        harness = turns.harness if turns is not None else None
        return harness.status_line if isinstance(harness, HasStatusLine) else None

    def note(self, event: Event) -> None:
        """Something happened."""
        is_end = isinstance(event, TURN_ENDS)
        if is_end or isinstance(event, MessageFinished | Compacted | ModeChanged | ModelChanged):
            self.soon()

    def soon(self) -> None:
        """Read it within a moment."""
        if self._pending is None:
            self._pending = self._app.set_timer(PAUSE, self._read)

    def _read(self) -> None:
        self._pending = None
        if not self._app.main.is_attached:
            return
        line = self.line
        wish = line.wish if line is not None else None
        if line is None or wish is None:
            self._app.main.rows.show("")
        else:
            self._app.run_worker(self._show(line, wish.padding), group="status line", exclusive=True)
        self._keep_time(wish.every if wish is not None else 0.0)

    def _keep_time(self, every: float) -> None:
        if every == self._every:
            return
        if self._clock is not None:
            self._clock.stop()
        self._every = every
        self._clock = self._app.set_interval(every, self.soon) if every else None

    async def _show(self, line: StatusLine, padding: int) -> None:
        size = self._app.size
        try:
            text = await line.read(size.width, size.height)
        except ReinError as error:
            self._app.main.rows.show("")
            if str(error) != self.problem:  # once, not after every turn
                self.problem = str(error)
                await self._app.report(error)
            return
        self.problem = ""
        if line is self.line:
            self._app.main.rows.show(text, padding, width=size.width)
