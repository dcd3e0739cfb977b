"""What tools show a person (`Display`) as pieces: diffs, commands, files, matches, to-do lists, text."""

from textual.content import Content

from rein_tui.harness.protocol.displays import (
    CommandDisplay,
    DiffDisplay,
    Display,
    FileDisplay,
    MatchesDisplay,
    TextDisplay,
    Todo,
    TodoDisplay,
)
from rein_tui.harness.protocol.messages import ResultContent, TextBlock

from .diff import diff_pieces
from .highlight import code_lines
from .lines import Piece
from .markdown import markdown_pieces
from .safe import clip_line, safe_content

MUTED = "$text-muted"
_NUMBER = "$text-disabled"


def display_pieces(display: Display, width: int, limit: int) -> list[Piece]:
    """A display on `width` cells in about `limit` rows, saying what is left out."""
    match display:
        case DiffDisplay():
            return diff_pieces(display, width, limit=limit)
        case CommandDisplay():
            return command_pieces(display, limit)
        case FileDisplay():
            return file_pieces(display, limit)
        case MatchesDisplay():
            return text_pieces(display.text, limit)
        case TodoDisplay():
            return todo_pieces(display.todos)
        case TextDisplay():
            return markdown_pieces(display.text, width) if display.markdown else text_pieces(display.text, limit)


def display_text(display: Display | None) -> str:
    """What a display shows, as text without signs and numbers; empty for nothing."""
    match display:
        case DiffDisplay():
            return "\n".join(line[1:] for hunk in display.hunks for line in hunk.lines)
        case CommandDisplay():
            return f"{display.command}\n{display.output}"
        case TodoDisplay():
            return "\n".join(todo.content for todo in display.todos)
        case FileDisplay() | MatchesDisplay() | TextDisplay():
            return display.text
        case None:
            return ""


def command_pieces(command: CommandDisplay, limit: int) -> list[Piece]:
    """The command line as it ran, its output with its colours, and how it ended when that was not well."""
    lines = safe_content(command.command, "prompt").split("\n", allow_blank=True)
    pieces = [
        Piece(line, Content.styled("$ " if number == 0 else "> ", MUTED), Content("  "), "fold")
        for number, line in enumerate(lines)
    ]
    if command.output:
        pieces += text_pieces(command.output.rstrip("\n"), limit, colour=True)
    if command.dropped_bytes:
        pieces.append(_muted(f"… {command.dropped_bytes:,} bytes were not kept"))
    if command.timed_out:
        pieces.append(Piece(Content.styled("timed out", "$text-error"), silent=True))
    elif command.exit_code:
        pieces.append(Piece(Content.styled(f"exit {command.exit_code}", "$text-error"), silent=True))
    elif command.background_id:
        pieces.append(_muted(f"in the background as {command.background_id}"))
    return pieces


def file_pieces(file: FileDisplay, limit: int) -> list[Piece]:
    """Lines of a file with their numbers."""
    lines = file.text.rstrip("\n").split("\n")
    shown = lines[:limit]
    digits = len(str(file.start_line + len(shown)))
    rest = Content(" " * (digits + 1))
    pieces = [
        Piece(code, Content.styled(f"{number:>{digits}} ", _NUMBER), rest, "fold")
        for number, code in enumerate(code_lines("\n".join(shown), path=file.path), file.start_line)
    ]
    if len(lines) > limit:
        pieces.append(_muted(f"… {len(lines) - limit:,} more lines"))
    return pieces


def text_pieces(text: str, limit: int, *, colour: bool = False, style: str = "") -> list[Piece]:
    """Plain lines: the first and, when there are too many, the last; very long lines cut."""
    raw = text.split("\n")
    dropped = len(raw) - limit
    if dropped > 0:
        head = max(1, limit // 3)
        tail = limit - head
        before = _plain_pieces("\n".join(map(clip_line, raw[:head])), colour, style)
        after = _plain_pieces("\n".join(map(clip_line, raw[-tail:])), colour, style)
        return [*before, _muted(f"… {dropped:,} more lines"), *after]
    return _plain_pieces("\n".join(map(clip_line, raw)), colour, style)


def todo_pieces(todos: tuple[Todo, ...]) -> list[Piece]:
    """A to-do list: done struck through, the one in progress marked."""
    looks = {
        "completed": ("✓ ", "$text-success", "strike $text-muted"),
        "in_progress": ("▸ ", "$text-accent", "bold"),
        "pending": ("☐ ", MUTED, ""),
    }
    pieces: list[Piece] = []
    for todo in todos:
        glyph, glyph_style, style = looks[todo.status]
        words = todo.active_form if todo.status == "in_progress" and todo.active_form else todo.content
        pieces.append(Piece(safe_content(words, "label", style), Content.styled(glyph, glyph_style), Content("  ")))
    return pieces


def content_text(content: ResultContent) -> str:
    """What the model got, as text; images by name."""
    if isinstance(content, str):
        return content
    return "\n".join(b.text if isinstance(b, TextBlock) else f"[image: {b.name or b.media_type}]" for b in content)


def _plain_pieces(text: str, colour: bool, style: str) -> list[Piece]:
    content = safe_content(text, "output", style, colour=colour)
    return [Piece(line, wrap="fold") for line in content.split("\n", allow_blank=True)]


def _muted(text: str) -> Piece:
    return Piece(Content.styled(text, MUTED), wrap="crop", silent=True)
