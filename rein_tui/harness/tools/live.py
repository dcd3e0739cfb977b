"""Live output of a running command, told in few and bounded deltas."""

import asyncio
import codecs
from types import TracebackType

from ..protocol.events import ToolOutputDelta
from ..protocol.tools import ToolContext

_PAUSE = 1 / 30
"""Seconds between two deltas: what a screen can draw."""

_KEPT = 64 * 1024
"""Characters of one delta; of more, the last ones are shown: the result holds what matters."""


class LiveOutput:
    """Collects output while it is open; the first bytes are told at once, later ones together."""

    def __init__(self, context: ToolContext) -> None:
        self._context = context
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._waiting = ""
        self._more = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> "LiveOutput":
        self._task = asyncio.create_task(self._tell())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        if error is None:
            await self._flush()

    async def add(self, data: bytes) -> None:
        """Take more output."""
        self._waiting = (self._waiting + self._decoder.decode(data))[-_KEPT:]
        self._more.set()

    async def _tell(self) -> None:
        while True:
            await self._more.wait()
            self._more.clear()
            await self._flush()
            await asyncio.sleep(_PAUSE)

    async def _flush(self) -> None:
        text, self._waiting = self._waiting, ""
        if text:
            await self._context.emit(ToolOutputDelta(call_id=self._context.call_id, text=text))
