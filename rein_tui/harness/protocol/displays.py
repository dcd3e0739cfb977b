"""What a tool shows a person, before it runs (preview) and after (result): data, not drawing."""

from typing import Literal, TypeAlias

from .base import Word


class Hunk(Word, frozen=True, kw_only=True):
    """One hunk of a unified diff. Line numbers are 1-based; `lines` start with ' ', '+' or '-' and hold no newline."""

    old_start: int
    old_lines: int
    new_start: int
    new_lines: int
    lines: tuple[str, ...]


class DiffDisplay(Word, frozen=True, kw_only=True, tag="diff"):
    """A file change. `old_exists` false means that the file is new."""

    path: str
    hunks: tuple[Hunk, ...]
    added: int
    removed: int
    old_exists: bool = True
    note: str = ""


class CommandDisplay(Word, frozen=True, kw_only=True, tag="command"):
    """A shell command and, after it ran, what it printed. `exit_code` is None before, or when it was killed."""

    command: str
    description: str = ""
    cwd: str = ""
    output: str = ""
    exit_code: int | None = None
    timed_out: bool = False
    background_id: str = ""
    dropped_bytes: int = 0


class FileDisplay(Word, frozen=True, kw_only=True, tag="file"):
    """Text of a file; `start_line` is 1-based, `total_lines` is 0 when unknown."""

    path: str
    text: str
    start_line: int = 1
    total_lines: int = 0


class MatchesDisplay(Word, frozen=True, kw_only=True, tag="matches"):
    """Files or lines that a search found, as shown to the model; `total` counts all, shown or not."""

    pattern: str
    text: str
    total: int = 0
    truncated: bool = False


class Todo(Word, frozen=True, kw_only=True):
    """One item of the model's to-do list."""

    content: str
    status: Literal["pending", "in_progress", "completed"]
    active_form: str = ""


class TodoDisplay(Word, frozen=True, kw_only=True, tag="todos"):
    """The model's to-do list after a change."""

    todos: tuple[Todo, ...]


class TextDisplay(Word, frozen=True, kw_only=True, tag="text_display"):
    """Plain text, or markdown where `markdown` is true."""

    text: str
    markdown: bool = False


Display: TypeAlias = DiffDisplay | CommandDisplay | FileDisplay | MatchesDisplay | TodoDisplay | TextDisplay
