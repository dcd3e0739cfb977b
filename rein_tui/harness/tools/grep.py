"""Grep: a regular expression over many files."""

import asyncio
import os
from typing import Annotated, Literal

import msgspec

from ..protocol.displays import MatchesDisplay
from ..protocol.tools import InvalidInput, ToolContext, ToolResult
from .base import BaseTool, ToolInput, failed, one_line
from .ripgrep import Found
from .search import SearchEngine, newest_first, shown_path, split_globs

HEAD_LIMIT = 250
LINE_LENGTH = 500
Lines = Annotated[int, msgspec.Meta(ge=0, le=1000)]


class GrepInput(ToolInput, frozen=True, kw_only=True):
    """What to look for, where, and what to show."""

    pattern: Annotated[str, msgspec.Meta(description="Regular expression")]
    path: Annotated[str, msgspec.Meta(description="File or folder; default: working directory")] | None = None
    glob: Annotated[str, msgspec.Meta(description='e.g. "*.{ts,tsx}"')] | None = None
    type: Annotated[str, msgspec.Meta(description='e.g. "py"')] | None = None
    output_mode: Literal["content", "files_with_matches", "count"] = "files_with_matches"
    ignore_case: bool = msgspec.field(name="-i", default=False)
    numbers: bool = msgspec.field(name="-n", default=True)
    only_matching: bool = msgspec.field(name="-o", default=False)
    after: Lines | None = msgspec.field(name="-A", default=None)
    before: Lines | None = msgspec.field(name="-B", default=None)
    around: Lines | None = msgspec.field(name="-C", default=None)
    context: Lines | None = None
    head_limit: Annotated[int, msgspec.Meta(description="Default 250; 0: all", ge=0)] = HEAD_LIMIT
    offset: Annotated[int, msgspec.Meta(ge=0)] = 0
    multiline: bool = False

    @property
    def reach(self) -> tuple[int, int]:
        """Lines before and after a match."""
        both = self.around if self.around is not None else self.context or 0
        return self.before if self.before is not None else both, self.after if self.after is not None else both


class Grep(BaseTool[GrepInput]):
    """Searches in files."""

    name = "Grep"
    input_type = GrepInput
    read_only = True
    path_fields = ("path",)

    def __init__(self, engine: SearchEngine | None = None) -> None:
        self._engine = engine or SearchEngine()

    def check(self, value: GrepInput) -> None:
        """A pattern is needed."""
        if not value.pattern or "\0" in value.pattern:
            raise InvalidInput('Grep: field "pattern" is empty or holds a NUL character')

    def summarize(self, value: GrepInput) -> str:
        """Pattern and place."""
        place = " ".join(part for part in (value.path, value.glob, value.type) if part)
        return one_line(f"Grep {value.pattern}{f' in {place}' if place else ''}")

    async def run(self, value: GrepInput, context: ToolContext) -> ToolResult:
        """Search."""
        root = value.path or str(context.workspace.cwd)
        if not await asyncio.to_thread(os.path.exists, root):
            return failed(f"Grep: {root} does not exist.")
        separator = b"\0" if value.output_mode == "files_with_matches" else b"\n"
        found = await self._search(value, root, separator)
        if found.error:
            return failed(f"Grep: {found.error}")
        if value.output_mode == "files_with_matches":
            return await self._files(value, found, context)
        return self._lines(value, found, context)

    async def _search(self, value: GrepInput, root: str, separator: bytes) -> Found:
        before, after = value.reach
        if program := self._engine.ripgrep:
            # Globs count from the working directory of ripgrep.
            cwd = root if await asyncio.to_thread(os.path.isdir, root) else os.path.dirname(root)  # noqa: PTH120
            return await self._engine.run([program, *_options(value), "--", root], cwd, separator)
        request = {
            "mode": value.output_mode,
            "pattern": value.pattern,
            "root": root,
            "globs": split_globs(value.glob or ""),
            "type": value.type,
            "ignore": True,
            "ignore_case": value.ignore_case,
            "only_matching": value.only_matching,
            "multiline": value.multiline,
            "before": before,
            "after": after,
        }
        return await self._engine.ask_plain(request, separator)

    async def _files(self, value: GrepInput, found: Found, context: ToolContext) -> ToolResult:
        paths = [path for path in map(_text, found.lines) if not self._engine.hides(path)]
        paths = await asyncio.to_thread(newest_first, paths)
        names = [shown_path(path, context.workspace) for path in paths]
        kept, rest = _window(names, value)
        text = "\n".join(kept)
        count = f"{len(names)} file{'s' if len(names) != 1 else ''}"
        content = f"Found {count}\n{text}{_more(rest, found.cut)}" if names else "No files found"
        return ToolResult(
            content=content,
            display=MatchesDisplay(
                pattern=value.pattern, text=text, total=len(names), truncated=bool(rest or found.cut)
            ),
            response={"mode": value.output_mode, "numFiles": len(kept), "filenames": kept},
        )

    def _lines(self, value: GrepInput, found: Found, context: ToolContext) -> ToolResult:
        lines: list[str] = []
        files: dict[str, None] = {}
        matches = 0
        hidden: dict[str, bool] = {}
        for raw in found.lines:
            head, null, rest = raw.partition(b"\0")
            path, said = (_text(head), _text(rest)) if null else ("", _text(raw))
            if path and hidden.setdefault(path, self._engine.hides(path)):
                continue
            files.setdefault(path)
            name = shown_path(path, context.workspace)
            matches += int(said) if value.output_mode == "count" and said.isdigit() else 0
            lines.append(_line(name, said, value) if path else said)
        files.pop("", None)
        kept, rest = _window(lines, value)
        text = "\n".join(kept)
        response = {
            "mode": value.output_mode,
            "numFiles": len(files),
            "filenames": [] if value.output_mode == "content" else [shown_path(p, context.workspace) for p in files],
            "content": text,
        }
        count = {"numMatches": matches} if value.output_mode == "count" else {"numLines": len(kept)}
        return ToolResult(
            content=f"{text}{_more(rest, found.cut)}" if lines else "No matches found",
            display=MatchesDisplay(
                pattern=value.pattern, text=text, total=len(lines), truncated=bool(rest or found.cut)
            ),
            response=response | count,
        )


def _options(value: GrepInput) -> list[str]:
    """ripgrep's options; the pattern comes as the value of an option, so that it cannot be one."""
    before, after = value.reach
    options = ["--no-config", "--color=never", "--no-heading", "--with-filename", "--null", "--hidden", "--no-messages"]
    options += [f"--glob=!{name}" for name in (".git", ".hg", ".svn", ".jj")]
    options += [f"--glob={glob}" for glob in split_globs(value.glob or "")]
    options += [f"--type={value.type}"] if value.type else []
    options += ["--ignore-case"] if value.ignore_case else []
    options += ["--multiline", "--multiline-dotall"] if value.multiline else []
    if value.output_mode == "files_with_matches":
        options.append("--files-with-matches")
    elif value.output_mode == "count":
        options.append("--count")
    else:
        # Always with numbers: where a name ends is then known; they are left out later.
        options += ["--line-number", f"--before-context={before}", f"--after-context={after}"]
        options += [f"--max-columns={LINE_LENGTH}", "--max-columns-preview"]
        options += ["--only-matching"] if value.only_matching else []
    return [*options, f"--regexp={value.pattern}"]


def _line(name: str, said: str, value: GrepInput) -> str:
    if value.output_mode == "count":
        return f"{name}:{said}"
    digits = len(said) - len(said.lstrip("0123456789"))
    mark = said[digits : digits + 1]
    text = said[digits + 1 :].rstrip("\r")
    text = text if len(text) <= LINE_LENGTH + 50 else text[:LINE_LENGTH] + "…"
    return f"{name}{mark}{said[:digits]}{mark}{text}" if value.numbers else f"{name}{mark}{text}"


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "replace")


def _window(items: list[str], value: GrepInput) -> tuple[list[str], int]:
    """The wanted part, and how many come after it."""
    end = value.offset + value.head_limit if value.head_limit else len(items)
    return items[value.offset : end], max(0, len(items) - end)


def _more(rest: int, cut: bool) -> str:
    if cut:
        return "\n\n(There is more than could be searched: narrow the pattern or the path.)"
    return f"\n\n({rest:,} more: use offset, or narrow the search.)" if rest else ""
