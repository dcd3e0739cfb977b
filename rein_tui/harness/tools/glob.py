"""Glob: files by the pattern of their names, newest first."""

import asyncio
import os
import time
from pathlib import PurePath
from typing import Annotated

import msgspec

from ..protocol.base import JsonObject
from ..protocol.displays import MatchesDisplay
from ..protocol.tools import InvalidInput, ToolContext, ToolResult, Workspace
from .base import BaseTool, ToolInput, absolute, failed, one_line
from .ripgrep import Found
from .search import SearchEngine, newest_first, shown_path

SHOWN = 100
COLLECTED = 10_000
"""Files that are sorted at most."""


class GlobInput(ToolInput, frozen=True, kw_only=True):
    """Which names, and below which folder."""

    pattern: Annotated[str, msgspec.Meta(description='e.g. "src/**/*.py"')]
    path: Annotated[str, msgspec.Meta(description="Folder; default: working directory")] | None = None


class Glob(BaseTool[GlobInput]):
    """Finds files."""

    name = "Glob"
    input_type = GlobInput
    read_only = True
    path_fields = ("path",)

    def __init__(self, engine: SearchEngine | None = None) -> None:
        self._engine = engine or SearchEngine()

    def normalize(self, raw: JsonObject, workspace: Workspace) -> JsonObject:
        """An absolute pattern as folder and pattern, so that rules see where it looks. Never raises."""
        pattern = raw.get("pattern")
        if isinstance(pattern, str) and (pattern.startswith("~/") or PurePath(pattern).is_absolute()):
            folder, rest = _divided(absolute(pattern, workspace))
            raw = raw | {"path": folder, "pattern": rest}
        return super().normalize(raw, workspace)

    def check(self, value: GlobInput) -> None:
        """The pattern must stay below its folder."""
        if not value.pattern or "\0" in value.pattern:
            raise InvalidInput('Glob: field "pattern" is empty or holds a NUL character')
        if ".." in PurePath(value.pattern).parts:
            raise InvalidInput('Glob: field "pattern" may not hold ".."; give the folder in "path"')

    def summarize(self, value: GlobInput) -> str:
        """Pattern and folder."""
        return one_line(f"Glob {value.pattern}{f' in {value.path}' if value.path else ''}")

    async def run(self, value: GlobInput, context: ToolContext) -> ToolResult:
        """Find them."""
        started = time.monotonic()
        root = value.path or str(context.workspace.cwd)
        if not await asyncio.to_thread(os.path.isdir, root):
            return failed(f"Glob: {root} is not a folder.")
        found = await self._search(value.pattern, root)
        if found.error:
            return failed(f"Glob: {found.error}")
        paths = [str(PurePath(line.decode("utf-8", "replace"))) for line in found.lines[:COLLECTED]]
        paths = [path for path in paths if not self._engine.hides(path)]
        total = len(paths)
        names = [shown_path(p, context.workspace) for p in (await asyncio.to_thread(newest_first, paths))[:SHOWN]]
        truncated = total > SHOWN or len(found.lines) > COLLECTED or found.cut
        text = "\n".join(names)
        note = f"\n\n({SHOWN} newest of {total:,} files are shown: narrow the pattern.)" if truncated else ""
        return ToolResult(
            content=text + note if names else "No files found",
            display=MatchesDisplay(pattern=value.pattern, text=text, total=total, truncated=truncated),
            response={
                "durationMs": round((time.monotonic() - started) * 1000),
                "numFiles": len(names),
                "filenames": names,
                "truncated": truncated,
            },
        )

    async def _search(self, pattern: str, root: str) -> Found:
        # With a slash at its start a pattern without further slashes fits only directly below the root, as
        # `*.py` does in every shell.
        anchored = pattern if pattern.startswith("/") else "/" + pattern.removeprefix("./")
        if program := self._engine.ripgrep:
            options = ["--no-config", "--files", "--null", "--hidden", "--no-ignore", "--no-messages"]
            return await self._engine.run(
                [program, *options, f"--glob={anchored}", "--glob=!.git", "--", root], root, b"\0"
            )
        request = {"mode": "files", "root": root, "globs": [anchored], "ignore": False}
        return await self._engine.ask_plain(request, b"\0")


def _divided(pattern: str) -> tuple[str, str]:
    """The folder before the first wildcard, and the rest."""
    parts = PurePath(pattern).parts
    fixed = 1
    while fixed < len(parts) - 1 and not set(parts[fixed]) & set("*?[{"):
        fixed += 1
    return str(PurePath(*parts[:fixed])), "/".join(parts[fixed:]) or "*"
