"""Protected files that a sandboxed command made: they are put aside, because nobody approved them.

Those that existed before are read-only in the sandbox. Others cannot be kept from being made without leaving empty
files of their names in the project, so what is new when the command ends is moved away and said.
"""

import os
import re
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from .protected import PROTECTED_FILES, PROTECTED_FOLDERS

_PLAIN = re.compile(
    r"\s*(?:[#;].*|\[(?:core|user|init|advice|branch \"[^\"\\]*\"|remote \"[^\"\\]*\")\]"
    r"|(?:repositoryformatversion|filemode|bare|logallrefupdates|ignorecase|precomposeunicode|symlinks"
    r"|name|email|defaultBranch|remote|merge|url|fetch|addIgnoredFile)\s*=.*)?",
    re.IGNORECASE,
)
"""Lines of a repository's settings as `git init` and its like write them; nothing there names a program."""


def protected_entries(folders: Iterable[str]) -> frozenset[str]:
    """The protected names that lie in these folders just now, and what is active of their repositories' hooks."""
    return frozenset(path for folder in folders for path in _protected_in(folder))


def _protected_in(folder: str) -> Iterator[str]:
    for entry in _entries(folder):
        if entry.name.casefold() in PROTECTED_FOLDERS | PROTECTED_FILES:
            yield entry.path
            if entry.name.casefold() == ".git":
                yield from (hook.path for hook in _entries(f"{entry.path}/hooks") if not hook.name.endswith(".sample"))


def put_aside(before: frozenset[str], folders: Iterable[str], shelf: Path) -> list[tuple[str, str]]:
    """Move what is new into `shelf`; (old path, new path) of each, the new one empty where it could not be moved."""
    moved: list[tuple[str, str]] = []
    for path in sorted(protected_entries(folders) - before):
        if not os.path.lexists(path) or _is_harmless(path):
            continue
        try:
            shelf.mkdir(mode=0o700, parents=True, exist_ok=True)
            target = str(Path(tempfile.mkdtemp(dir=shelf), Path(path).name))
            shutil.move(path, target)
            moved.append((path, target))
        except OSError:
            moved.append((path, ""))
    return moved


def _is_harmless(path: str) -> bool:
    """An empty folder, as a mount leaves it behind, goes; a repository fresh from `git init` may stay."""
    place = Path(path)
    if place.is_symlink() or not place.is_dir():
        return False
    try:
        place.rmdir()
    except OSError:
        return place.name == ".git" and _is_plain_repository(place)
    return True


def _is_plain_repository(folder: Path) -> bool:
    """Whether nothing in a new repository names a program; its hooks are looked at one by one."""
    if (folder / "commondir").exists() or (folder / "config.worktree").exists():
        return False
    try:
        text = (folder / "config").read_bytes()[: 1 << 16].decode("utf-8")
    except (OSError, UnicodeDecodeError):
        return False
    return all(_PLAIN.fullmatch(line) and not line.endswith("\\") for line in text.splitlines())


def _entries(folder: str) -> list["os.DirEntry[str]"]:
    try:
        with os.scandir(folder) as found:
            return list(found)
    except OSError:
        return []
