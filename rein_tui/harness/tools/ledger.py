"""What the model has seen of which file, so that it never overwrites what it does not know."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from .files import FileRefusedError, Loaded, Version, load, real_path

Access: TypeAlias = Literal["read", "write"]
IsDenied: TypeAlias = Callable[[str, Access], bool]


@dataclass(slots=True)
class _Seen:
    version: Version
    lines: list[tuple[int, int]] = field(default_factory=list[tuple[int, int]])
    total: int = 0

    @property
    def whole(self) -> bool:
        covered = 0
        for first, last in sorted(self.lines):
            if first > covered + 1:
                return False
            covered = max(covered, last)
        return covered >= self.total


class Ledger:
    """Reads of one session, by real path, and where each checked path led.

    `is_denied` is asked once more when a file is really opened, with its real path: a link may have moved since
    the permission was given.
    """

    def __init__(self, is_denied: IsDenied | None = None) -> None:
        self._is_denied = is_denied
        self._seen: dict[str, _Seen] = {}
        self._checked: dict[str, str] = {}

    def checked(self, path: str) -> None:
        """A call on this path is about to be decided: it must lead to the same place when it runs."""
        try:
            self._checked[path] = real_path(path)
        except FileRefusedError:
            self._checked.pop(path, None)

    def resolve(self, path: str, access: Access) -> str:
        """The real path to open now. Raises FileRefusedError when it is not where it was when it was checked."""
        real = real_path(path)
        if self._checked.get(path, real) != real:
            raise FileRefusedError(f"{path} led to {self._checked[path]} when it was approved, and now to {real}.")
        if self._is_denied is not None and self._is_denied(real, access):
            raise FileRefusedError(f"{path}: permission rules deny {real}.")
        return real

    def saw(self, real: str, version: Version, first: int, last: int, total: int) -> None:
        """The model saw these lines (1-based, inclusive) of this version."""
        seen = self._seen.get(real)
        if seen is None or seen.version.sha256 != version.sha256:
            seen = self._seen[real] = _Seen(version)
        seen.lines = [(1, total)] if seen.lines and seen.whole else [*seen.lines, (first, last)]
        seen.version = version
        seen.total = total

    def wrote(self, real: str, version: Version, whole: bool) -> None:
        """The model made this version: it knows all of it (`whole`), or as much as it knew before."""
        seen = None if whole else self._seen.get(real)
        if seen is None:
            seen = self._seen[real] = _Seen(version, [(1, 0)])
        seen.version = version

    def knows(self, file: Loaded) -> Literal["fresh", "partly", "stale", "unread"]:
        """What the model knows of this file as it is now."""
        seen = self._seen.get(file.path)
        if seen is None:
            return "unread"
        if seen.version.sha256 != file.version.sha256:
            return "stale"
        return "fresh" if seen.whole else "partly"

    def refresh(self, path: str) -> bool:
        """After hooks that may reformat: take the file as it is now for what the model wrote; whether it changed."""
        try:
            file = load(real_path(path))
        except FileRefusedError:
            return False
        seen = self._seen.get(file.path)
        if seen is None or seen.version.sha256 == file.version.sha256:
            return False
        seen.version = file.version
        return True

    def forget(self) -> None:
        """The conversation no longer holds what was read."""
        self._seen.clear()
