"""All the names that one path has: as given, with `..` folded, and where its links lead.

A rule that forbids must see every name; a rule that allows must cover every name. Pure but for the facts that
it is given.
"""

import re
import unicodedata
from dataclasses import dataclass
from posixpath import join, normpath

from .facts import Facts

_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:/{1,3}")
_MAGIC = re.compile(r"/proc/[^/]+/(?:task/[^/]+/)?(?:root|cwd|exe|fd|map_files|environ|mem)(?:/|$)")
_PROCESS = re.compile(r"/proc/[^/]+/(?:task/[^/]+/)?(cwd|root)(?:/+(.*)|$)", re.DOTALL)
MAX_PATH = 8192
"""Characters; no system opens a longer path."""

_HARMLESS_DEVICES = frozenset({"/dev/null"})


@dataclass(frozen=True, slots=True)
class Spellings:
    """The absolute names of one path. `names` holds them all, the plain one first; `real` is where it leads.

    `trouble` is why no rule may approve it (a device, a URL, control characters), or empty. `impossible` is true
    when nothing by that name can ever be opened.
    """

    given: str
    names: tuple[str, ...]
    real: str
    trouble: str = ""
    impossible: bool = False

    @property
    def plain(self) -> str:
        """The path as given, made absolute, without `.` and `..`."""
        return self.names[0]


def spell(path: str, cwd: str, home: str, facts: Facts) -> Spellings:
    """Every name of a path that a tool was given. Never raises."""
    if "\x00" in path:
        return Spellings(path, (cwd,), cwd, "the path holds a NUL character", impossible=True)
    if len(path) > MAX_PATH:
        return Spellings(path[:80] + "…", (cwd,), cwd, "the path is too long", impossible=True)
    expanded = path
    if path == "~" or path.startswith("~/"):
        expanded = home + path[1:]
    joined = join(cwd, expanded)
    plain = _normal(joined)
    real = facts.realpath(joined)
    names = dict.fromkeys(
        unicodedata.normalize("NFC", name)
        for name in (plain, real, facts.realpath(plain), *facts.hops(joined), *facts.hops(plain), *_through(plain, cwd))
    )
    return Spellings(path, tuple(names), real, _trouble(path, tuple(names), facts))


def _through(plain: str, cwd: str) -> tuple[str, ...]:
    """Where `/proc/self/cwd/x` and `/proc/1/root/x` would lead if the process is one of ours."""
    found = _PROCESS.match(plain)
    if found is None:
        return ()
    return (_normal(join(cwd if found[1] == "cwd" else "/", found[2] or "")),)


def _trouble(path: str, names: tuple[str, ...], facts: Facts) -> str:
    if not path.strip():
        return "the path is empty"
    if any(
        ord(char) < 32 or ord(char) == 127 or unicodedata.category(char) in ("Cf", "Cs", "Zl", "Zp") for char in path
    ):
        return "the path holds invisible characters"
    if _URL.match(path):
        return "it is a URL, not a path"
    if path.startswith("~") and path[1:2] not in ("", "/"):
        return "it may mean another user's home folder"
    for name in names:
        if _MAGIC.match(name + "/"):
            return "it leads into another process or its secrets"
        if name.startswith("/dev/") and name not in _HARMLESS_DEVICES:
            return "it is a device"
    if names[0] in _HARMLESS_DEVICES:
        return ""
    return facts.trouble(names[0])


def _normal(path: str) -> str:
    normal = normpath(path)
    return "/" + normal.lstrip("/") if normal.startswith("//") else normal


def components(path: str) -> tuple[str, ...]:
    """The parts of an absolute path."""
    return tuple(part for part in path.split("/") if part)


def below(parts: tuple[str, ...], folder: tuple[str, ...]) -> tuple[str, ...] | None:
    """The parts of a path below a folder; empty for the folder itself; None when it is not below."""
    return parts[len(folder) :] if parts[: len(folder)] == folder else None
