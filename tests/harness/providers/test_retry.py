"""When a request is sent again, in virtual time."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rein_tui.harness.protocol.errors import ProviderError, ProviderErrorKind
from rein_tui.harness.protocol.messages import Message
from rein_tui.harness.protocol.models import Completed, ProviderEvent, Retrying
from rein_tui.harness.providers.retry import Pace, RetryPolicy, duration, retry_after, with_retries

DONE = Completed(message=Message(role="assistant", blocks=()), stop_reason="end_turn")


def failure(kind: ProviderErrorKind = "server", *, retryable: bool = True, after: float | None = None) -> ProviderError:
    return ProviderError("no", kind=kind, status=500, retryable=retryable, retry_after=after)


async def play(
    outcomes: Sequence[ProviderError | None], policy: RetryPolicy
) -> tuple[list[ProviderEvent], list[float]]:
    """Events and virtual waits of attempts that fail as listed; None completes."""
    left, waits = list(outcomes), list[float]()

    async def attempt() -> AsyncGenerator[ProviderEvent]:
        outcome = left.pop(0)
        if outcome is not None:
            raise outcome
        yield DONE

    async def sleep(delay: float) -> None:
        waits.append(delay)

    events = with_retries(attempt, policy, Pace(sleep=sleep, chance=lambda: 0.5))
    return [event async for event in events], waits


async def test_waits_double_and_are_told_before_they_are_waited() -> None:
    events, waits = await play([failure()] * 4 + [None], RetryPolicy())
    assert waits == [0.5625, 1.125, 2.25, 4.5]
    told = [event for event in events if isinstance(event, Retrying)]
    assert [(event.attempt, event.max_attempts, event.status) for event in told] == [(n, 10, 500) for n in (1, 2, 3, 4)]
    assert events[-1] == DONE


async def test_a_model_that_is_being_loaded_is_waited_for() -> None:
    """A large one takes minutes; somebody looks often enough to go on soon after."""
    events, waits = await play([failure("unavailable")] * 20 + [None], RetryPolicy(retries=4))
    assert events[-1] == DONE
    assert 200 < sum(waits) < 400
    assert max(waits) < 20
    told = next(event for event in events if isinstance(event, Retrying))
    assert told.max_attempts == 24
    with pytest.raises(ProviderError):
        await play([failure("unavailable")] * 25, RetryPolicy(retries=4))


async def test_the_last_failure_says_how_often() -> None:
    with pytest.raises(ProviderError) as caught:
        await play([failure()] * 3, RetryPolicy(retries=2))
    assert "tried 3 times" in caught.value.message


@pytest.mark.parametrize("kind", ["timeout", "malformed", "auth"])
async def test_some_failures_are_tried_once_more_only(kind: ProviderErrorKind) -> None:
    events, _ = await play([failure(kind), None], RetryPolicy())
    assert events[-1] == DONE
    with pytest.raises(ProviderError):
        await play([failure(kind), failure(), failure(kind), None], RetryPolicy())


async def test_a_long_wait_is_shown_and_not_waited() -> None:
    with pytest.raises(ProviderError) as caught:
        await play([failure("rate_limit", after=3600.0), None], RetryPolicy())
    assert "60 min" in caught.value.hint


@given(
    st.lists(st.booleans(), min_size=1, max_size=12),
    st.floats(0, 0.999),
    st.none() | st.floats(0, 100),
)
def test_laws_of_the_policy(retryable: list[bool], spread: float, after: float | None) -> None:
    policy = RetryPolicy(retries=5)
    failures = [failure(retryable=flag) for flag in retryable[:-1]]
    failures.append(failure("overloaded", retryable=retryable[-1], after=after))
    delay = policy.delay(failures, spread)
    if delay is None:
        assert not retryable[-1] or len(failures) > 5 or (after is not None and after > policy.patience)
    else:
        assert retryable[-1]
        assert delay >= max(after or 0, min(policy.longest, policy.first * 2 ** (len(failures) - 1)))
        assert delay <= max(after or 0, policy.longest * 1.25)


async def test_closing_stops_the_wait() -> None:
    waiting = asyncio.Event()

    async def attempt() -> AsyncGenerator[ProviderEvent]:
        raise failure()
        yield DONE

    async def sleep(delay: float) -> None:
        waiting.set()
        await asyncio.get_running_loop().create_future()

    async def watch() -> None:
        async with aclosing(with_retries(attempt, RetryPolicy(), Pace(sleep=sleep))) as events:
            async for _ in events:
                pass

    task = asyncio.create_task(watch())
    await waiting.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, None),
        ({"retry-after": "2"}, 2.0),
        ({"retry-after": "1.5"}, 1.5),
        ({"retry-after": "-3"}, 0.0),
        ({"retry-after-ms": "250", "retry-after": "9"}, 0.25),
        ({"retry-after": "Thu, 01 Jan 1970 00:01:40 GMT"}, 90.0),
        ({"retry-after": "Thu, 01 Jan 1970 00:00:01 GMT"}, 0.0),
        ({"retry-after": "soon"}, None),
    ],
)
def test_retry_after(headers: dict[str, str], expected: float | None) -> None:
    assert retry_after(headers, now=10.0) == expected


def test_durations() -> None:
    assert [duration(s) for s in (45, 720, 10_800)] == ["45 s", "12 min", "3 h"]
