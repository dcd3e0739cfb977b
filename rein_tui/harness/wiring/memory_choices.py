"""What a person agreed to read besides: imports that lead out of a project, and AGENTS.md. Kept for each project."""

from pathlib import Path

import msgspec

from ..protocol.errors import ConfigError
from ..protocol.workbench import MemoryOffer
from ..store.files import private_folder, write_private


class MemoryChoices:
    """The choices for one project in a file that all projects share; a file that cannot be read agrees to nothing."""

    def __init__(self, path: Path, root: Path) -> None:
        self._path, self._root = path, str(root)

    def accepted(self) -> frozenset[tuple[str, str]]:
        """(kind, path) of every offer that was accepted here."""
        return frozenset(self._all().get(self._root, ()))

    def accept(self, offer: MemoryOffer) -> None:
        """Keep that this may be read. Raises ConfigError."""
        kept = {**self._all(), self._root: sorted(self.accepted() | {(offer.kind, offer.path)})}
        try:
            private_folder(self._path.parent)
            write_private(self._path, msgspec.json.encode(kept))
        except OSError as error:
            raise ConfigError(f"this could not be kept: {error.strerror}", where=str(self._path)) from error

    def _all(self) -> dict[str, list[tuple[str, str]]]:
        try:
            return msgspec.json.decode(self._path.read_bytes(), type=dict[str, list[tuple[str, str]]])
        except (OSError, msgspec.DecodeError):
            return {}
