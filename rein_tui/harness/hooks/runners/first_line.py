"""The first line by which a hook goes to the background: `{"async": true, "asyncTimeout": 180000}`."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, field

from rein_tui.harness.hooks.shapes import is_object

_MAX_LINE = 4096


@dataclass(slots=True)
class FirstLine:
    """Watches standard output until its first line is complete. `clock` is set to the wished timeout, if any."""

    on_async: Callable[[], None]
    clock: asyncio.Timeout
    _seen: bytearray = field(default_factory=bytearray)
    _settled: bool = False

    async def watch(self, data: bytes) -> None:
        """Take more output."""
        if self._settled:
            return
        self._seen += data
        line, newline, _ = self._seen.partition(b"\n")
        if not newline and len(self._seen) < _MAX_LINE:
            return
        self._settled = True
        milliseconds = async_timeout(line.decode(errors="replace"))
        if milliseconds is None:
            return
        if milliseconds:
            self.clock.reschedule(asyncio.get_running_loop().time() + milliseconds / 1000)
        self.on_async()


def async_timeout(line: str) -> float | None:
    """Milliseconds that a first line asks for (0: none given); None when it does not say `async`."""
    if not line.startswith("{") or '"async"' not in line:
        return None
    try:
        value: object = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not is_object(value) or value.get("async") is not True:
        return None
    wished = value.get("asyncTimeout")
    return float(wished) if isinstance(wished, (int, float)) and 0 < wished < float("inf") else 0.0
