"""Find the repository that a folder belongs to without running git and without believing its files.

A folder's `.git` may be a file that points elsewhere (worktrees, submodules). A hostile one could point at a
repository that the person trusts, so a pointer counts only if the place it names points back.
"""

import os
import stat
from pathlib import Path

from .reader import ConfigError, read_bytes

_POINTER_LIMIT = 4096


def repository_root(folder: Path) -> Path | None:
    """The top of the working tree that holds `folder`: canonical, for a worktree its own top; None outside git."""
    start = Path(os.path.realpath(folder))
    for place in (start, *start.parents):
        if os.path.lexists(place / ".git"):
            return place
    return None


def folders_up(folder: Path) -> tuple[Path, ...]:
    """The folder and those above it up to the top of its repository, canonical; outside git it alone."""
    start = Path(os.path.realpath(folder))
    top = repository_root(folder) or start
    return tuple(place for place in (start, *start.parents) if place.is_relative_to(top))


def trust_root(folder: Path) -> Path:
    """The folder under which trust is kept: the repository's main checkout, else `folder` itself; canonical."""
    root = repository_root(folder)
    if root is None:
        return Path(os.path.realpath(folder))
    return main_checkout(root) or root


def main_checkout(root: Path) -> Path | None:
    """The main checkout that a linked worktree belongs to; None when `root` is none, or its pointer is not answered.

    Git writes `.git: gitdir: MAIN/.git/worktrees/NAME` here, and `MAIN/.git/worktrees/NAME/gitdir` naming this
    `.git` there. Only a pair that names each other counts.
    """
    pointer = root / ".git"
    try:
        if not stat.S_ISREG(os.lstat(pointer).st_mode):
            return None
    except OSError:
        return None
    target = _first_line(pointer)
    if not target.startswith("gitdir:"):
        return None
    private = Path(os.path.realpath(root / target.removeprefix("gitdir:").strip()))
    answer = _first_line(private / "gitdir")
    if not answer or os.path.realpath(private / answer) != os.path.realpath(pointer):
        return None
    if private.parent.name != "worktrees" or private.parent.parent.name != ".git":
        return None
    common = _first_line(private / "commondir")
    git_folder = private.parent.parent
    if common and os.path.realpath(private / common) != str(git_folder):
        return None
    return git_folder.parent


def _first_line(path: Path) -> str:
    try:
        content = read_bytes(path, _POINTER_LIMIT)
    except ConfigError:
        return ""
    if content is None or b"\x00" in content:
        return ""
    return content.decode("utf-8", "replace").partition("\n")[0].strip()


def is_own(path: Path) -> bool:
    """Whether the person who runs us owns that path; true where owners do not exist."""
    if not hasattr(os, "getuid"):
        return True
    try:
        return path.stat().st_uid == os.getuid()
    except OSError:
        return False
