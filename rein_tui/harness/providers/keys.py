"""The key of a server: a fixed secret, or one that a helper program fetches and that may expire."""

import time
from collections.abc import Callable

from .base import NO_SECRET, KeyHelper, Secret

HELPER_TTL = 300.0
"""Seconds that a fetched key is used before the helper is asked again."""


class KeyRing:
    """Gives the key for the next request. With a `helper`, `forget` makes it fetch a new one (after a 401)."""

    def __init__(
        self,
        key: Secret = NO_SECRET,
        helper: KeyHelper | None = None,
        *,
        ttl: float = HELPER_TTL,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._key = key
        self._helper = helper
        self._ttl = ttl
        self._clock = clock
        self._expires = float("-inf")

    @property
    def known(self) -> Secret:
        """The key as last known, without asking the helper: for redaction and for messages."""
        return self._key

    @property
    def renewable(self) -> bool:
        """Whether asking again can give another key."""
        return self._helper is not None

    async def current(self) -> Secret:
        """The key to send. Raises what the helper raises."""
        if self._helper is not None and self._clock() >= self._expires:
            self._key = Secret(await self._helper(), source="apiKeyHelper")
            self._expires = self._clock() + self._ttl
        return self._key

    def forget(self) -> None:
        """The key was refused."""
        self._expires = float("-inf")
