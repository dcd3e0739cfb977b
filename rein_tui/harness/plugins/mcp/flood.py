"""How many notifications a server may send before they are dropped: nobody reads thousands a second."""

import time

RATE = 200.0
"""Notifications a second that pass for long."""

BURST = 1000.0
"""Notifications that pass at once."""

EVERY, PAUSE = 100, 0.01
"""After so many dropped ones reading rests for so many seconds: the server waits then, and not the screen."""


class Flood:
    """A bucket of permits that fills at RATE up to BURST."""

    def __init__(self) -> None:
        self._permits = BURST
        self._filled = time.monotonic()
        self._dropped = 0

    def admit(self, is_notification: bool) -> float | None:
        """None when the message passes; else how long to rest. Answers and requests always pass."""
        if not is_notification:
            return None
        now = time.monotonic()
        self._permits = min(BURST, self._permits + (now - self._filled) * RATE)
        self._filled = now
        if self._permits < 1:
            self._dropped += 1
            return PAUSE if self._dropped % EVERY == 0 else 0.0
        self._permits -= 1
        return None
