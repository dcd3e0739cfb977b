"""The card of a tool call, and the line that stands for a run of calls.

A card is one line (what, provenance, how long) and its details: live output while it runs, the diff, the command's
output or the error. In one line a call the details are folded; failures, denials and calls whose input a person or a
hook changed never fold by themselves, in no density.
"""

from collections import deque
from collections.abc import Sequence
from typing import Literal, TypeAlias

import msgspec
from textual.content import Content

from rein_tui.harness.protocol.displays import DiffDisplay, Display

from .chat_blocks import INDENT, ChatBlock, Look, NoteBlock
from .diff import diff_title
from .displays import display_pieces, display_text, text_pieces
from .figures import short_duration
from .lines import EMPTY, Piece, joined
from .nearby import nearby
from .safe import SafeStream, safe_content

CardState: TypeAlias = Literal[
    "preparing", "requested", "asking", "running", "ok", "error", "denied", "interrupted", "invalid"
]

LIVE_LINES = 5
FOLDED_LINES = 12
FULL_LINES = 60
_BAR = INDENT + Content.styled("│ ", "$text-muted 50%")
_GLYPHS: dict[CardState, tuple[str, str]] = {
    "error": ("✗", "$text-error"),
    "invalid": ("✗", "$text-error"),
    "denied": ("⊘", "$text-error"),
    "interrupted": ("■", "$text-warning"),
    "asking": ("?", "$text-warning"),
    "running": ("●", "$text-primary"),
    "requested": ("○", "$text-muted"),
    "preparing": ("○", "$text-muted"),
}
_STATES: dict[CardState, tuple[str, str]] = {
    "preparing": ("writing …", "$text-muted"),
    "requested": ("", ""),
    "asking": ("waiting for you", "bold $text-warning"),
    "running": ("running …", "$text-primary"),
    "denied": ("denied", "$text-error"),
    "interrupted": ("interrupted", "$text-warning"),
    "invalid": ("invalid", "$text-error"),
}


class LiveTail:
    """The last lines of output that is still coming."""

    def __init__(self) -> None:
        self._stream = SafeStream("output", colour=True)
        self._lines: deque[Content] = deque([EMPTY], LIVE_LINES + 1)
        self.count = 0

    def feed(self, text: str) -> None:
        """More output."""
        first, *more = self._stream.feed(text).split("\n", allow_blank=True)
        self._lines[-1] = joined([self._lines[-1], first])[-2000:]
        self._lines.extend(more)
        self.count += len(more)

    def pieces(self) -> list[Piece]:
        """The last lines, and how many there were before them."""
        lines = [line for line in self._lines if line.plain.strip()][-LIVE_LINES:]
        return [Piece(line, _BAR, _BAR, "crop") for line in lines]


class Run(msgspec.Struct):
    """Calls one after another with nothing between them: what the grouped density shows as one line."""

    cards: list["CardBlock"] = msgspec.field(default_factory=list["CardBlock"])
    folded: bool = True
    block: "RunBlock | None" = None

    @property
    def is_grouped(self) -> bool:
        """Whether there is anything to group."""
        grouped = (card for card in self.cards if card.may_group)
        return next(grouped, None) is not None and next(grouped, None) is not None  # not all: every card asks

    def release(self) -> None:
        """Let go of its blocks."""
        self.cards.clear()
        self.block = None


class CardBlock(ChatBlock):
    """One tool call."""

    kind = "call"
    foldable = True

    def __init__(self, look: Look, turn: int, call_id: str, name: str, summary: str, run: Run) -> None:
        super().__init__(look, turn)
        self.call_id = call_id
        self.name = name
        self.summary = summary
        self.run = run
        self.state: CardState = "requested"
        self.provenance = ""
        self.rule = ""
        self.edited_by: tuple[str, ...] = ()
        self.duration = 0.0
        self.progress = ""
        self.tail: LiveTail | None = None
        self.display: Display | None = None
        self.result = ""
        self.added: tuple[str, ...] = ()
        self.chosen: bool | None = None
        self.shows_result = True

    def release(self) -> None:
        super().release()
        self.run.release()

    # --- folding --------------------------------------------------------------------------------------------

    @property
    def never_folds(self) -> bool:
        """Failures, denials and changed calls stay visible whatever the density."""
        return self.state in {"error", "invalid", "denied", "interrupted"} or bool(self.edited_by)

    @property
    def may_group(self) -> bool:
        """Whether the grouped density may hide this card."""
        return self.state == "ok" and not self.never_folds and not self._alarms

    @property
    def folded(self) -> bool:  # pyright: ignore[reportIncompatibleVariableOverride]  # computed unless a person chose
        """Whether the details are hidden: as the person chose, else as the density says."""
        if self.chosen is not None:
            return self.chosen
        return not (self.look.density == "full" or self.never_folds)

    @folded.setter
    def folded(self, value: bool) -> None:
        self.chosen = value

    @property
    def is_grouped(self) -> bool:
        """Whether the line of the run stands for this card."""
        return self.look.density == "grouped" and self.run.folded and self.may_group and self.run.is_grouped

    @property
    def hidden(self) -> bool:
        if self.never_folds:
            return self.rewound_by is not None and self.rewound_by.folded
        return self.is_grouped or super().hidden

    @property
    def folds_inside(self) -> bool:  # pyright: ignore[reportIncompatibleVariableOverride]  # as the card folds
        """A call that is done folds what a subagent did in it; failures stay."""
        return self.state == "ok" and self.folded

    @property
    def _alarms(self) -> bool:
        """Whether something below this call must stay visible."""
        cards = (child for child in self.children if isinstance(child, CardBlock))
        return any(card.never_folds or card._alarms for card in cards)

    # --- drawing --------------------------------------------------------------------------------------------

    @property
    def source(self) -> str:
        return "\n".join(part for part in (self.title, self.body_text) if part)

    @property
    def searched(self) -> str:
        return "\n".join(part for part in (self.title, display_text(self.display) or self.result) if part)

    @property
    def title(self) -> str:
        """Name and summary, paths below the project shortened."""
        text = nearby(self.summary or self.name, self.look.cwd)
        return text if text.startswith(self.name) else f"{self.name} {text}"

    @property
    def body_text(self) -> str:
        """The result as text."""
        return self.result

    def draw(self, width: int) -> Sequence[Piece]:
        pieces = [Piece(self._header(width), wrap="crop", logical=self.title, header=True)]
        if self.state == "running" and self.tail is not None:
            pieces += self.tail.pieces()
        if not self.folded:
            pieces += [piece.within(_BAR) for piece in self._details(width - _BAR.cell_length)]
        return pieces

    def _header(self, width: int) -> Content:
        right = self._right(width // 2)
        glyph, glyph_style = _GLYPHS.get(self.state, ("▸" if self.folded else "▾", "$text-muted"))
        name, _, rest = self.title.partition(" ")
        left = Content.assemble(
            (f"{glyph} ", glyph_style),
            safe_content(name, "label", "bold"),
            " ",
            safe_content(rest, "path", "$text-muted" if self.state in {"requested", "preparing"} else ""),
        )
        if isinstance(self.display, DiffDisplay):
            left = joined([left, Content("  "), diff_title(self.display)])
        room = max(8, width - right.cell_length - 2)
        left = left.truncate(room, ellipsis=True) if left.cell_length > room else left
        return joined([left, Content(" " * max(2, width - left.cell_length - right.cell_length)), right])

    def _right(self, room: int) -> Content:
        """What stands at the right edge; what matters least gives way when there is no room for it."""
        words, style = _STATES.get(self.state, ("", ""))
        if self.progress and self.state == "running":
            words = self.progress
        inside = sum(isinstance(child, CardBlock) for child in self.children)
        took = short_duration(self.duration) if self.duration >= 0.0005 and self.state != "denied" else ""
        edited = "edited by " + ", ".join(self.edited_by) if self.edited_by else ""
        parts = [
            (edited, "$text-accent"),
            (f"{inside} call{'s' if inside > 1 else ''}" if inside else "", "$text-muted"),
            (self.provenance, "$text-muted"),
            (words, style),
            (took, "$text-disabled"),
        ]
        for least in (1, 4, 2):
            if sum(len(text) + 3 for text, _ in parts if text) > room:
                parts[least] = "", ""
        shown = [safe_content(text, "label", style) for text, style in parts if text]
        return Content("   ").join(shown) if shown else EMPTY

    def _details(self, width: int) -> list[Piece]:
        limit = FULL_LINES if self.look.density == "full" or self.chosen is False else FOLDED_LINES
        pieces: list[Piece] = []
        if self.display is not None and self.shows_result:
            pieces = display_pieces(self.display, width, limit)
        elif self.state == "denied" and self.shows_result:
            why = self._unsaid(nearby(self.result.removeprefix("Permission denied: "), self.look.cwd))
            lines = why.rstrip("\n").split("\n")[:limit] if why else []
            pieces = [Piece(safe_content(line, "output", "$text-muted")) for line in lines]
        elif self.result and self.shows_result:
            style = "$text-error" if self.state in {"error", "invalid"} else "$text-muted"
            pieces = text_pieces(self.result.rstrip("\n"), limit, style=style)
        if self.rule and self.look.density == "full":
            pieces.append(Piece(safe_content(self.rule, "label", "$text-muted"), wrap="crop", silent=True))
        for words in self.added:
            pieces += text_pieces(words, FOLDED_LINES, style="italic $text-muted")
        return pieces

    def _unsaid(self, why: str) -> str:
        """Why it was denied, without the reason that a hook's receipt below gives already."""
        head, colon, reason = why.partition("): ")
        words = reason.strip().rstrip(".")
        receipts = (child for child in self.children if isinstance(child, NoteBlock))
        return f"{head})" if colon and words and any(words in receipt.source for receipt in receipts) else why

    def estimate(self, width: int) -> int:
        if self.hidden:
            return 0
        return 1 if self.folded else 1 + min(FULL_LINES, self.result.count("\n") + 2)


class RunBlock(ChatBlock):
    """The line that stands for a run of calls in the grouped density; elsewhere only the space above the run."""

    kind = "run"
    foldable = True

    def __init__(self, look: Look, turn: int, run: Run) -> None:
        super().__init__(look, turn)
        self.run = run
        run.block = self

    @property
    def folded(self) -> bool:  # pyright: ignore[reportIncompatibleVariableOverride]  # the run knows, its cards ask it
        """Whether the line stands for its calls."""
        return self.run.folded

    @folded.setter
    def folded(self, value: bool) -> None:
        self.run.folded = value

    @property
    def selectable(self) -> bool:  # pyright: ignore[reportIncompatibleVariableOverride]  # only while there is a line
        """The cursor stands on it only while it stands for calls."""
        return self.look.density == "grouped" and self.run.is_grouped

    @property
    def source(self) -> str:
        return ""

    def estimate(self, width: int) -> int:
        return int(self.spaced)

    def draw(self, width: int) -> Sequence[Piece]:
        if not self.selectable:
            return ()
        cards = [card for card in self.run.cards if card.may_group]
        edits = sum(isinstance(card.display, DiffDisplay) for card in cards)
        parts = [f"{len(cards)} calls"]
        if edits:
            parts.append(f"{edits} edit{'s' if edits > 1 else ''}")
        names = list(dict.fromkeys(card.name for card in cards))
        parts.append(short_duration(sum(card.duration for card in cards)))
        line = Content.assemble(
            ("▸ " if self.run.folded else "▾ ", "$text-muted"),
            (" · ".join(parts), "bold"),
            "  ",
            safe_content(", ".join(names[:6]) + (" …" if len(names) > 6 else ""), "label", "$text-muted"),
        )
        return [Piece(line, wrap="crop", silent=True, header=True)]

    def pieces(self, width: int) -> Sequence[Piece]:
        pieces = super().pieces(width)
        return [Piece()] if not pieces and self.spaced and not self.hidden else pieces
