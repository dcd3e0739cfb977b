"""How much of the last prompt came from the server's cache, and whether the next one still will."""

from rein_tui.harness.protocol.events import Event, MessageFinished, StepStarted
from rein_tui.harness.protocol.messages import CACHE_KEPT


class CacheMeter:
    """Folds the session's own answers; those of subagents have caches of their own."""

    def __init__(self) -> None:
        self._share: float | None = None
        self._forgets = False
        self._cold_at = 0.0

    def fold(self, event: Event) -> bool:
        """Take one event; whether the state may change by itself after `CACHE_KEPT` seconds."""
        if event.parent:
            return False
        match event:
            case StepStarted():
                self._forgets = event.provider == "anthropic"
            case MessageFinished(usage=usage):
                sent = usage.input_tokens + usage.cache_read_tokens + usage.cache_write_tokens
                is_used = usage.cache_read_tokens or usage.cache_write_tokens
                self._share = usage.cache_read_tokens / sent if is_used else None
                self._cold_at = event.time + CACHE_KEPT if is_used and self._forgets and event.time else 0.0
                return bool(self._cold_at)
            case _:
                pass
        return False

    def is_cold(self, now: float) -> bool:
        """Whether the next request will find nothing; `now` is wall clock."""
        return 0 < self._cold_at <= now

    def words(self, now: float) -> str:
        """`92% cached`, `cache cold`, or empty where nothing is cached."""
        if self._share is None:
            return ""
        return "cache cold" if self.is_cold(now) else f"{self._share:.0%} cached"
