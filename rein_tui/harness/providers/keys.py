"""The key of a server: a fixed secret, or one that a helper program fetches and that may expire."""

import time
from collections.abc import Callable
from pathlib import Path

from ..processes.process import child_environment, run_process
from ..protocol.errors import ConfigError
from .base import NO_SECRET, KeyHelper, Secret

HELPER_TTL = 300.0
"""Seconds that a fetched key is used before the helper is asked again."""

_PATIENCE = 30.0
"""Seconds that a helper may take."""


def shell_helper(command: str, cwd: Path, where: str = "apiKeyHelper") -> KeyHelper:
    """The `apiKeyHelper` setting as a helper: a shell command that prints the key. `where` names the setting's place.

    The caller has seen to it that the setting comes from the person or the administrator, never from a project.
    """

    async def fetch() -> str:
        try:
            done = await run_process(["sh", "-c", command], cwd=cwd, env=child_environment(), timeout=_PATIENCE)
        except OSError as error:
            raise ConfigError(f"The key helper cannot be started: {error.strerror or error}", where=where) from error
        key = done.stdout.decode("utf-8", "replace").strip()
        if done.exit_code != 0 or not key or "\n" in key:
            said = done.stderr.decode("utf-8", "replace").strip()[-300:]
            wrong = f"it ended with {done.exit_code}" if done.exit_code != 0 else "it must print one line, the key"
            raise ConfigError(f"The key helper gave no key: {said or wrong}", where=where)
        return key

    return fetch


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
