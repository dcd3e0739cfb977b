"""From bytes of an answer to provider events: one driver for all protocols.

The protocol's rules are in its accumulator; this file knows only that bytes come, that they may stop coming, and
that an answer ends in exactly one `Completed` or one error.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterable
from contextlib import suppress
from typing import Protocol

from ..protocol.errors import ProviderError
from ..protocol.models import ProviderEvent, ProviderNotice
from .failures import Origin, malformed_error
from .sse import Decoder, Frame, FrameTooLarge

GRACE = 2.0
"""Seconds to wait for the trailer (usage, end mark) of an answer that is already complete."""

LINGER = 0.02
"""Seconds to wait for the end of a body after its end mark."""


class Accumulator(Protocol):
    """The state machine of one answer. Never knows how its frames were cut."""

    @property
    def settled(self) -> bool:
        """The answer is complete; only a trailer may follow."""
        ...

    @property
    def done(self) -> bool:
        """Nothing may follow; whatever does is ignored."""
        ...

    def feed(self, frame: Frame) -> Iterable[ProviderEvent]:
        """One more frame. Raises ProviderError for an error event or a broken protocol."""
        ...

    def finish(self, problem: ProviderError | None) -> Iterable[ProviderEvent]:
        """The stream is over (`problem` says why, if not in order): the last events, ending in Completed.

        Raises `problem`, or a cut, when no block is complete.
        """
        ...


async def read_answer(
    chunks: AsyncIterator[bytes], decoder: Decoder, accumulator: Accumulator, origin: Origin
) -> AsyncGenerator[ProviderEvent]:
    """Events of one answer. `chunks` raises only ProviderError."""
    problem: ProviderError | None = None
    try:
        while not accumulator.done:
            chunk = await _next(chunks, accumulator.settled)
            for frame in decoder.finish() if chunk is None else decoder.feed(chunk):
                for event in accumulator.feed(frame):
                    yield event
                if accumulator.done:
                    break
            if chunk is None:
                break
    except ProviderError as error:
        problem = error
    except FrameTooLarge as error:
        problem = malformed_error(origin, str(error), retryable=False)
    for event in accumulator.finish(problem):
        yield event
    if problem is None:
        await _run_out(chunks)


async def _run_out(chunks: AsyncIterator[bytes]) -> None:
    """Read to the end of the body, which nearly always is there already: else the connection cannot be used again."""
    with suppress(TimeoutError, ProviderError):
        async with asyncio.timeout(LINGER):
            async for _ in chunks:
                pass


async def _next(chunks: AsyncIterator[bytes], settled: bool) -> bytes | None:
    """The next bytes; None at the end, and when a complete answer's trailer does not come."""
    if not settled:
        return await anext(chunks, None)
    try:
        async with asyncio.timeout(GRACE):
            return await anext(chunks, None)
    except TimeoutError:
        return None


def incomplete_notice(problem: ProviderError) -> ProviderNotice:
    """What a person sees when an answer broke off after a complete part of it."""
    return ProviderNotice(
        text=f"The answer is incomplete and was kept as far as it came: {problem.message}",
        hint="Send a message to go on from here.",
        code="incomplete",
    )
