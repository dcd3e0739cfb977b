"""The files of a project for `@`: from ripgrep, from git, or from the disk itself."""

import asyncio
import os
import shutil
from collections.abc import Sequence
from pathlib import Path

MAX_FILES = 400_000

_PIECE = 100_000
"""Bytes of a listing that are taken apart at a time."""
_INERT = ("--no-optional-locks", "-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null")
"""Listing must run nothing that a repository's settings name: nobody may have trusted it."""
_RIPGREP = tuple("rg --no-config --files --no-require-git --hidden --glob !.git --null --no-messages".split())


async def project_files(root: Path, hides_ignored: bool = True) -> list[str]:
    """Relative paths of the files below `root`, with slashes; unordered."""
    ignoring = ((), ("--exclude-standard",)) if hides_ignored else (("--no-ignore",), ())
    commands = (
        (*_RIPGREP, *ignoring[0]),
        ("git", *_INERT, "ls-files", "-z", "--cached", "--others", *ignoring[1]),
    )
    for command in commands:
        program = shutil.which(command[0])
        if program is None:
            continue
        output = await _output(program, command[1:], root)
        if output:
            return await asyncio.to_thread(_split, output)
    return await asyncio.to_thread(_walk, root, hides_ignored)


async def _output(program: str, arguments: Sequence[str], root: Path) -> bytes:
    try:
        process = await asyncio.create_subprocess_exec(
            program,
            *arguments,
            cwd=root,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
    except OSError:
        return b""
    try:
        output, _ = await process.communicate()
    except asyncio.CancelledError:
        process.kill()
        await process.wait()
        raise
    return output


def _split(output: bytes) -> list[str]:
    names: list[str] = []
    at = 0
    while at < len(output) and len(names) < MAX_FILES:
        end = output.find(b"\0", at + _PIECE)
        piece = output[at : end if end >= 0 else len(output)]
        for raw in piece.split(b"\0"):
            try:
                name = raw.decode()
            except UnicodeDecodeError:
                continue
            if name and name.isprintable():
                names.append(name)
        at += len(piece) + 1
    return names[:MAX_FILES]


def _walk(root: Path, hides_ignored: bool = True) -> list[str]:
    import pathspec  # slow to import and rarely needed

    ignore = root / ".gitignore"
    lines = ignore.read_text(errors="replace").splitlines() if hides_ignored and ignore.is_file() else []
    spec = pathspec.GitIgnoreSpec.from_lines(lines)
    names: list[str] = []
    for folder, folders, files in os.walk(root):
        base = Path(folder).relative_to(root).as_posix()
        prefix = "" if base == "." else base + "/"
        folders[:] = sorted(d for d in folders if d != ".git" and not spec.match_file(f"{prefix}{d}/"))
        names += [prefix + f for f in sorted(files) if f.isprintable() and not spec.match_file(prefix + f)]
        if len(names) >= MAX_FILES:
            break
    return names[:MAX_FILES]
