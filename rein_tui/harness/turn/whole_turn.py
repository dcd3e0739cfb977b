"""A turn around its events: exactly one start and exactly one end, however it goes."""

import time
from collections.abc import AsyncGenerator
from contextlib import aclosing

from ..protocol.errors import Failure, ReinError
from ..protocol.events import Event, TurnFailed, TurnFinished, TurnInterrupted, TurnStarted
from .interrupt import Interrupted
from .loop import Progress
from .moments import fired, stop_failure
from .parts import Parts


async def whole_turn(
    parts: Parts, began: TurnStarted, story: AsyncGenerator[Event], progress: Progress
) -> AsyncGenerator[Event]:
    """The turn; `story` may end, raise Interrupted or fail with a ReinError, which StopFailure hooks hear first."""
    started = time.perf_counter()
    yield began
    try:
        async with aclosing(story) as events:
            async for event in events:
                yield event
    except Interrupted as interrupted:
        duration = time.perf_counter() - started
        yield TurnInterrupted(reason=str(interrupted), usage=progress.usage, steps=progress.steps, duration=duration)
        return
    except ReinError as error:
        failure: Failure = error.failure()
        async with aclosing(fired(parts, stop_failure(failure), parts.interrupt, [])) as events:
            async for event in events:
                yield event
        duration = time.perf_counter() - started
        yield TurnFailed(failure=failure, usage=progress.usage, duration=duration, steps=progress.steps)
        return
    yield TurnFinished(
        reason=progress.reason,
        usage=progress.usage,
        duration=time.perf_counter() - started,
        steps=progress.steps,
        detail=progress.detail,
    )
