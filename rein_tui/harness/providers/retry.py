"""When a failed request is sent again: a pure policy, and the loop that follows it.

A request may be sent again only while no block of its answer is complete; the attempt sees to that (it completes
with what it has instead of raising). A `Retrying` event voids every chunk that the attempt before it gave.
"""

import asyncio
import random
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import TypeAlias

from ..protocol.errors import ProviderError, ProviderErrorKind
from ..protocol.models import ProviderEvent, Retrying

Attempt: TypeAlias = Callable[[], AsyncGenerator[ProviderEvent]]
Sleep: TypeAlias = Callable[[float], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often and how long: delays double from `first` to `longest` seconds, spread by up to a quarter upwards.

    A server's Retry-After is a minimum; above `patience` it is shown instead of waited for. `once` are kinds of
    failure that a repetition seldom mends. A server that still loads its model is asked for five minutes.
    """

    retries: int = 10
    first: float = 0.5
    longest: float = 30.0
    patience: float = 60.0
    once: frozenset[ProviderErrorKind] = frozenset({"timeout", "malformed", "auth"})

    def delay(self, failures: Sequence[ProviderError], spread: float) -> float | None:
        """Seconds to wait after these failures (oldest first), or None to give up. `spread` is in [0, 1)."""
        last = failures[-1]
        if not last.retryable or len(failures) > self.limit(last):
            return None
        if last.kind in self.once and sum(f.kind == last.kind for f in failures) > 1:
            return None
        if last.retry_after is not None and last.retry_after > self.patience:
            return None
        longest = _BETWEEN_LOOKS if last.kind == "unavailable" else self.longest
        backoff = min(longest, self.first * 2 ** (len(failures) - 1)) * (1 + spread / 4)
        return max(backoff, last.retry_after or 0.0)

    def limit(self, last: ProviderError) -> int:
        """How often a request is sent again after this failure."""
        return max(_LOOKS, self.retries) if last.kind == "unavailable" else self.retries


_BETWEEN_LOOKS = 15.0
_LOOKS = 24
"""A model that is being loaded: seconds between two looks at most, and how many of them."""


LOCAL_POLICY = RetryPolicy(retries=4)
"""For servers on this machine: one that is down will not come back by waiting long."""


@dataclass(frozen=True, slots=True)
class Pace:
    """Where waiting and chance come from; tests give their own."""

    sleep: Sleep = asyncio.sleep
    chance: Callable[[], float] = field(default=random.random)


async def with_retries(
    attempt: Attempt, policy: RetryPolicy, pace: Pace | None = None
) -> AsyncGenerator[ProviderEvent]:
    """Run attempts until one completes. Tells every wait before it waits; closing it stops everything."""
    pace = pace or Pace()
    failures: list[ProviderError] = []
    while True:
        try:
            async with aclosing(attempt()) as events:
                async for event in events:
                    yield event
            return
        except ProviderError as error:
            failures.append(error)
            delay = policy.delay(failures, pace.chance())
            if delay is None:
                raise _final(failures, policy) from error
        yield Retrying(
            attempt=len(failures),
            delay=round(delay, 3),
            reason=failures[-1].message,
            status=failures[-1].status,
            max_attempts=policy.limit(failures[-1]),
        )
        await pace.sleep(delay)


def _final(failures: Sequence[ProviderError], policy: RetryPolicy) -> ProviderError:
    """The last failure, saying how often it was tried and how long the server asked to wait."""
    last = failures[-1]
    message, hint = last.message, last.hint
    if len(failures) > 1:
        message = f"{message} (tried {len(failures)} times)"
    if last.retry_after is not None and last.retry_after > policy.patience:
        hint = f"The server asks to wait {duration(last.retry_after)}. Send the message again then."
    return ProviderError(
        message,
        kind=last.kind,
        where=last.where,
        hint=hint,
        status=last.status,
        retryable=last.retryable,
        retry_after=last.retry_after,
    )


def duration(seconds: float) -> str:
    """Seconds in words: 45 s, 12 min, 3 h."""
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.0f} h"


def retry_after(headers: Mapping[str, str], now: float) -> float | None:
    """The wait in seconds that `retry-after-ms` or `retry-after` (seconds or a date) asks for; None without one."""
    for name, scale in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        value = headers.get(name, "").strip()
        try:
            return max(0.0, float(value) * scale)
        except ValueError:
            continue
    return _until(headers.get("retry-after", ""), now)


def _until(date: str, now: float) -> float | None:
    from email.utils import parsedate_to_datetime

    try:
        return max(0.0, parsedate_to_datetime(date).timestamp() - now)
    except (ValueError, TypeError):
        return None
