"""Whose session is whose, also after a new start: the sessions of others than the person whose server it is."""

from contextlib import suppress
from pathlib import Path

import msgspec

from rein_tui.harness.protocol.errors import ConfigError
from rein_tui.harness.store.files import private_folder, write_private

HOST = "owner"
"""The person whose server it is: theirs are all sessions that nobody else opened."""


class Principals:
    """The principal of each session; kept in a file, if there is one. Raises ConfigError for a file that is none."""

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self._others: dict[str, str] = {}
        if path is None or not path.exists():
            return
        try:
            self._others = msgspec.json.decode(path.read_bytes(), type=dict[str, str])
        except (OSError, msgspec.MsgspecError) as error:
            hint = "It says whose sessions are whose. Move it away: then all of them are the owner's."
            raise ConfigError(f"This file cannot be understood: {error}", where=str(path), hint=hint) from error

    def of(self, session_id: str) -> str:
        """Whose session it is."""
        return self._others.get(session_id, HOST)

    def bind(self, session_id: str, principal: str) -> None:
        """From now on it is theirs. A disk that refuses costs the memory of it, not the session."""
        if self.of(session_id) == principal:
            return
        self._others[session_id] = principal
        if self._path is not None:
            with suppress(OSError):
                private_folder(self._path.parent)
                write_private(self._path, msgspec.json.encode(self._others))
