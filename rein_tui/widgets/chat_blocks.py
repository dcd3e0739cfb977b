"""The blocks of a chat: what a person said, what the model said and thought, notes between them.

Blocks form a tree (a subagent's blocks stand below the call that started it); the screen shows it in reading order.
A block knows its data and draws itself as pieces; what happened to it is decided by the fold (`chat_fold`).
"""

from collections.abc import Iterator, Sequence
from functools import cache

import msgspec
from textual.content import Content

from rein_tui.harness.protocol.displays import Todo

from .block import Block, Density
from .displays import todo_pieces
from .growing import GrowingMarkdown
from .lines import BLANK, EMPTY, Line, Piece
from .safe import safe_content, safe_text

INDENT = Content("  ")
NEST = Content.styled("│ ", "$text-muted 50%")
PROMPT_BAR = Content.styled("▌ ", "$primary")
STEER_BAR = Content.styled("▌ ", "$accent")
RULE = "$text-muted 60%"


class Look(msgspec.Struct):
    """How all blocks of one chat look; shared by them."""

    density: Density = "line"
    cwd: str = ""


class ChatBlock(Block):
    """A block of a chat and its place in the tree. `spaced` leaves a blank line above it."""

    kind = "note"

    def __init__(self, look: Look, turn: int) -> None:
        self.look = look
        self.turn = turn
        self.parent: ChatBlock | None = None
        self.children: list[ChatBlock] = []
        self.spaced = False
        self.rewound_by: ChatBlock | None = None
        self.nested = True

    @property
    def depth(self) -> int:
        """How many calls this block stands inside of; a receipt stands beside its call."""
        return 0 if self.parent is None else self.parent.depth + int(self.nested)

    @property
    def hidden(self) -> bool:
        """Whether the block is not to be seen just now."""
        if self.rewound_by is not None and self.rewound_by.folded:
            return True
        return self.parent is not None and (self.parent.hidden or (self.nested and self.parent.folds_inside))

    folds_inside = False
    """Whether the blocks nested in this one are not to be seen."""

    def walk(self) -> Iterator["ChatBlock"]:
        """This block and all below it, in reading order."""
        yield self
        for child in self.children:
            yield from child.walk()

    def release(self) -> None:
        """Let go of all other blocks."""
        self.parent = self.rewound_by = None
        self.children.clear()

    def draw(self, width: int) -> Sequence[Piece]:
        """The block itself, without gap and nesting."""
        raise NotImplementedError

    def pieces(self, width: int) -> Sequence[Piece]:
        """The block as it stands in the chat; nothing while hidden."""
        if self.hidden:
            return ()
        nest = self.nest
        pieces = self.draw(max(8, width - nest.cell_length))
        if self.spaced and pieces:
            pieces = [BLANK, *pieces]
        if nest:
            pieces = [piece.within(nest) for piece in pieces]
        return pieces

    @property
    def nest(self) -> Content:
        """The gutter that shows how deep this block stands."""
        return _nest(self.depth)


@cache
def _nest(depth: int) -> Content:
    return EMPTY.join([NEST] * depth)


@cache
def _prose_gutter(depth: int) -> tuple[Content, Piece]:
    """What stands left of prose at this depth, and the blank line above it; the same for thousands of blocks."""
    return _nest(depth) + INDENT, BLANK.within(_nest(depth))


class PromptBlock(ChatBlock):
    """What a person said: the prompt of a turn, or words to a running turn."""

    kind = "prompt"

    def __init__(self, look: Look, turn: int, text: str, mark: str = "", chips: Sequence[str] = ()) -> None:
        super().__init__(look, turn)
        self.text = text
        self.mark = mark
        self.chips = chips

    @property
    def source(self) -> str:
        return self.text

    def draw(self, width: int) -> Sequence[Piece]:
        bar = STEER_BAR if self.mark == "steer" else PROMPT_BAR
        style = "on $primary 7%"
        body = safe_content(self.text, "markdown", "bold").expand_tabs(4)
        pieces = [Piece(line, bar, bar, style=style) for line in body.split("\n", allow_blank=True)]
        if self.mark:
            pieces.insert(0, Piece(Content.styled(self.mark, "$text-muted"), bar, bar, style=style, silent=True))
        if self.chips:
            chips = safe_content(" · ".join(self.chips), "label", "$text-muted")
            pieces.append(Piece(chips, bar, bar, style=style, silent=True))
        return pieces


class ProseBlock(ChatBlock):
    """What the model said: markdown that may still grow."""

    kind = "prose"

    def __init__(self, look: Look, turn: int) -> None:
        super().__init__(look, turn)
        self.markdown: GrowingMarkdown

    def open(self) -> None:
        """Begin, once the block has its place in the tree."""
        gutter, blank = _prose_gutter(self.depth)
        self.markdown = GrowingMarkdown(gutter=gutter, lead=[blank] if self.spaced else [])

    @property
    def source(self) -> str:
        return self.markdown.text

    def estimate(self, width: int) -> int:
        return 0 if self.hidden else 2 + self.markdown.size * 3 // (2 * width)

    def lines(self, width: int) -> list[Line]:
        return [] if self.hidden else self.markdown.whole(width)

    def grow(self, lines: list[Line], width: int) -> None:
        if self.hidden:
            lines.clear()
        elif lines:
            self.markdown.grow(lines, width)
        else:
            lines[:] = self.markdown.whole(width)


class ThinkingBlock(ChatBlock):
    """What the model thought: one line, unfolded on demand."""

    kind = "thinking"
    foldable = True

    def __init__(self, look: Look, turn: int) -> None:
        super().__init__(look, turn)
        self.folded = True
        self.is_open = True
        self._parts: list[str] = []

    def feed(self, text: str) -> None:
        """More of it."""
        self._parts.append(text)

    @property
    def source(self) -> str:
        if len(self._parts) > 1:
            self._parts = ["".join(self._parts)]
        return self._parts[0] if self._parts else ""

    def draw(self, width: int) -> Sequence[Piece]:
        text = safe_text(self.source, "markdown").strip()
        words = len(text.split())
        label = "thinking …" if self.is_open else "thought"
        header = Content.assemble(
            ("▸ " if self.folded else "▾ ", "$text-muted"),
            (label, "italic $text-muted"),
            (f"  {words:,} word{'s' * (words > 1)}" if words else "", "$text-disabled"),
        )
        pieces = [Piece(header, wrap="crop", silent=True, header=True)]
        if not self.folded:
            bar = INDENT + Content.styled("│ ", RULE)
            lines = safe_content(text, "markdown", "italic $text-muted").expand_tabs(4).split("\n", allow_blank=True)
            pieces += [Piece(line, bar, bar) for line in lines]
        return pieces

    def estimate(self, width: int) -> int:
        return 1 + self.spaced if self.folded else super().estimate(width)


class NoteBlock(ChatBlock):
    """One dim line and what belongs to it: a hook's receipt, a notice, an error with its hint, a retry."""

    kind = "note"
    selectable = True

    def __init__(self, look: Look, turn: int, glyph: str, text: Content, style: str = "$text-muted") -> None:
        super().__init__(look, turn)
        self.glyph = glyph
        self.text = text
        self.style = style
        self.details: list[Content] = []
        self.run_id = ""

    @property
    def source(self) -> str:
        return "\n".join([self.text.plain, *(detail.plain for detail in self.details)])

    def draw(self, width: int) -> Sequence[Piece]:
        first = Content.styled(f"{self.glyph} ", self.style)
        rest = INDENT
        lines = self.text.stylize_before(self.style).split("\n", allow_blank=True)
        pieces = [Piece(line, rest if number else first, rest) for number, line in enumerate(lines)]
        for detail in self.details:
            lines = detail.stylize_before("$text-muted").split("\n", allow_blank=True)
            pieces += [Piece(line, rest, rest) for line in lines]
        return pieces


class BoundaryBlock(ChatBlock):
    """A rule across the chat: compaction, rewind, another session's start. `detail` unfolds."""

    kind = "boundary"

    def __init__(self, look: Look, turn: int, text: str, detail: str = "") -> None:
        super().__init__(look, turn)
        self.text = text
        self.detail = detail
        self.foldable = bool(detail)
        self.folded = True

    @property
    def source(self) -> str:
        return f"{self.text}\n{self.detail}" if self.detail else self.text

    def draw(self, width: int) -> Sequence[Piece]:
        sign = ("▸ " if self.folded else "▾ ") if self.foldable else ""
        label = safe_content(f" {sign}{self.text} ", "label", "$text-muted")
        line = max(0, width - label.cell_length - 3)
        rule = Content.styled("───", RULE) + label + Content.styled("─" * line, RULE)
        pieces = [Piece(rule, wrap="crop", logical=self.text, header=True)]
        if self.detail and not self.folded:
            bar = INDENT + Content.styled("│ ", RULE)
            body = safe_content(self.detail, "markdown", "$text-muted").expand_tabs(4)
            pieces += [Piece(line, bar, bar) for line in body.split("\n", allow_blank=True)]
        return pieces


class TodoBlock(ChatBlock):
    """The model's to-do list as it is now."""

    kind = "todos"
    foldable = True

    def __init__(self, look: Look, turn: int, todos: tuple[Todo, ...]) -> None:
        super().__init__(look, turn)
        self.todos = todos

    @property
    def source(self) -> str:
        return "\n".join(f"[{'x' if todo.status == 'completed' else ' '}] {todo.content}" for todo in self.todos)

    def draw(self, width: int) -> Sequence[Piece]:
        done = sum(todo.status == "completed" for todo in self.todos)
        sign = "▸ " if self.folded else "▾ "
        header = Content.assemble(
            (sign, "$text-muted"), ("To do", "bold"), (f"  {done} of {len(self.todos)} done", "$text-muted")
        )
        pieces = [Piece(header, wrap="crop", silent=True, header=True)]
        if not self.folded:
            pieces += [piece.within(INDENT) for piece in todo_pieces(self.todos)]
        return pieces
