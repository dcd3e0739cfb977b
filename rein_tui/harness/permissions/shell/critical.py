"""Removing what nobody gets back: `rm` and `rmdir` on the root, its children, home, the working directories."""

import posixpath
import re
from collections.abc import Iterable, Sequence

from .survey import Invocation
from .types import ShellScene
from .wrappers import base_name

_UNDER_VARIABLE = re.compile(r"""\$(?:\w+|\{[^}]*\}|\([^)]*\))["']?/+(?:[*.?/"']*)$""")
_CLASS = re.compile(r"\[[^\]]*\]")


def critical_removal(invocations: Iterable[Invocation], scene: ShellScene, folders: Sequence[str]) -> str:
    """The first critical target of an rm or rmdir, for a person; "" when there is none."""
    for invocation in invocations:
        if base_name(invocation.argv[0]) not in {"rm", "rmdir", "unlink", "shred"}:
            continue
        for position, value in enumerate(invocation.argv[1:], start=1):
            raw = invocation.raw_words[position] if position < len(invocation.raw_words) else value
            if value.startswith("-") and value != "-":
                continue
            if _UNDER_VARIABLE.search(raw):
                return raw
            if any(_is_critical(value, scene, folder) for folder in folders):
                return raw
    return ""


def _means_everything(name: str) -> bool:
    """Whether a glob has no letter of its own: `*`, `.*`, `?*`, `[a-z]*`."""
    plain = _CLASS.sub("?", name)
    return "*" in plain and not set(plain) - set("*?.")


def _is_critical(value: str, scene: ShellScene, folder: str) -> bool:
    if "\0" in value:
        return True
    path = posixpath.join(folder, value or ".").rstrip("/") or "/"
    while _means_everything(posixpath.basename(path)):
        path = posixpath.dirname(path).rstrip("/") or "/"
    spellings = {posixpath.normpath(path), posixpath.normpath(scene.facts.realpath(path))}
    return any(_is_protected(spelling, scene) for spelling in spellings)


def _is_protected(path: str, scene: ShellScene) -> bool:
    path = "/" + path.lstrip("/")
    if path == "/" or posixpath.dirname(path) == "/":
        return True
    folded = path.casefold()
    for kept in {scene.home, scene.cwd, *scene.roots}:
        for spelling in {posixpath.normpath(kept), posixpath.normpath(scene.facts.realpath(kept))}:
            if (spelling.casefold() + "/").startswith(folded.rstrip("/") + "/"):
                return True
    return False
