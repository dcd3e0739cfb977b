"""What a turn pays because the server no longer has its prompt in the cache: said before it, or as soon as it shows.

Once a cause. Servers whose prompts cost nothing have no such notices.
"""

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from ..protocol.events import (
    Compacted,
    ContextPrepared,
    Event,
    Fact,
    MessageFinished,
    Notice,
    Rewound,
    SourceSwitched,
    StepStarted,
)
from ..protocol.messages import CACHE_KEPT
from ..protocol.models import Provider

_LEAST = 4096
"""Tokens below which nobody needs to know."""


@runtime_checkable
class CachesPrompts(Protocol):
    """A provider whose server keeps prompts for `CACHE_KEPT` seconds."""

    def prompt_cost(self, model: str, tokens: int) -> tuple[float, float] | None:
        """US dollars for so many tokens of a prompt: written to the cache, and read from it; None without a price."""
        ...


class CacheWatch:
    """Watches one turn. `facts` are the session's, as they grow; those of subagents do not count."""

    def __init__(self, facts: Sequence[Fact], provider: Provider, model: str) -> None:
        self._provider = provider if isinstance(provider, CachesPrompts) else None
        self._model = model
        self._last = _last_answer(facts)
        self._asked = next((f.model for f in reversed(facts) if isinstance(f, StepStarted) and not f.parent), "")
        self._context = next((f for f in reversed(facts) if isinstance(f, ContextPrepared) and not f.parent), None)
        self._is_told = False
        self._is_other = _is_switched(facts)

    def before(self, now: float) -> Notice | None:
        """What the turn's first request will pay again; `now` is wall clock."""
        last = self._last
        if last is None or self._provider is None or not _kept(last):
            return None
        away = now - last.time
        if self._asked and self._asked != self._model:
            cause = f"{self._model} has not seen this conversation"
        elif last.time and away >= CACHE_KEPT:
            cause = f"The prompt cache is cold after {_ago(away)}"
        elif self._is_other:
            cause = "What fills the window was switched, so the prompt cache no longer fits"
        else:
            return None
        return self._told(cause, last.usage.context_tokens)

    def after(self, event: Event) -> Notice | None:
        """Take an event of the turn; what a request paid that should have found its prompt."""
        if event.parent:
            return None
        if isinstance(event, Compacted | Rewound):
            self._last = None
        elif isinstance(event, ContextPrepared):
            before, self._context = self._context, event
            self._is_other = before is not None and (before.system, before.tools) != (event.system, event.tools)
        elif isinstance(event, MessageFinished) and event.usage.context_tokens:
            last, self._last = self._last, event
            is_other, self._is_other = self._is_other, False
            if last is None or self._provider is None or self._is_told or _kept(event) == 0:
                return None
            lost = _kept(last) - event.usage.cache_read_tokens
            if lost >= max(_LEAST, _kept(last) / 2):
                cause = "Instructions or tools changed" if is_other else "The server no longer had what it should keep"
                return self._told(f"The prompt cache was missed: {cause[0].lower()}{cause[1:]}", lost, "was")
        return None

    def _told(self, cause: str, tokens: int, tense: str = "is") -> Notice | None:
        if tokens < _LEAST or self._provider is None:
            return None
        self._is_told = True
        prices = self._provider.prompt_cost(self._model, tokens)
        money = f" for about {_dollars(prices[0])} instead of {_dollars(prices[1])}" if prices else ""
        verb = "are" if tense == "is" else "were"
        return Notice(text=f"{cause}: {tokens / 1000:,.0f}k tokens {verb} sent anew{money}.", code="cache_missed")


def _last_answer(facts: Sequence[Fact]) -> MessageFinished | None:
    """The last answer that the next request repeats; None after what shortened the conversation."""
    for fact in reversed(facts):
        if fact.parent:
            continue
        if isinstance(fact, Compacted | Rewound):
            return None
        if isinstance(fact, MessageFinished) and fact.usage.context_tokens:
            return fact
    return None


def _is_switched(facts: Sequence[Fact]) -> bool:
    """Whether a source was taken out of the window or put back since the last answer."""
    for fact in reversed(facts):
        if isinstance(fact, MessageFinished) and not fact.parent:
            return False
        if isinstance(fact, SourceSwitched):
            return True
    return False


def _kept(answer: MessageFinished) -> int:
    """Tokens that the server had in its cache after this answer."""
    return answer.usage.cache_read_tokens + answer.usage.cache_write_tokens


def _ago(seconds: float) -> str:
    minutes = int(seconds // 60)
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h" if minutes < 2880 else f"{minutes // 1440} days"


def _dollars(amount: float) -> str:
    return f"${amount:.2f}" if amount >= 0.005 else "<$0.01"
