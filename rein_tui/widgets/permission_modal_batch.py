"""Several questions of one message in a list: look at each, answer row by row, or all that were looked at."""

from collections.abc import Iterator, Sequence
from typing import ClassVar, Literal, TypeAlias

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from rein_tui.harness.protocol.displays import CommandDisplay

from .hints import KeyLine
from .permission_modal_frame import CallModal, Choices
from .permission_modal_parts import Proposal
from .safe import safe_text

Judgement: TypeAlias = Literal["once", "deny"]
Judged: TypeAlias = dict[int, Judgement]
"""Answers by row; rows without one are asked about as usual."""

_MARKS: dict[Judgement | None, tuple[str, str]] = {
    "once": ("✓ yes ", "bold $text-success"),
    "deny": ("✗ no  ", "bold $text-error"),
    None: ("  ?   ", "$text-disabled"),
}
_SHORT = 60
"""Characters of a command that a row shows whole."""


class BatchModal(CallModal[Judged]):
    """Answers with the rows that were judged; Esc goes back without any."""

    FIRST = "Choices"
    ESC = "back, nothing answered"

    DEFAULT_CSS = """
    BatchModal {
        & Choices { max-height: 40%; margin-bottom: 1; scrollbar-size-vertical: 1; }
        & .frame > #head { text-style: bold; }
        &.-low Choices { margin-bottom: 0; }
    }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "judge('once')", "Yes, once"),
        Binding("n", "judge('deny')", "No"),
        Binding("u", "judge('')", "Ask later"),
        Binding("A", "all", "Yes to all that were looked at"),
        Binding("escape,v", "leave", "Back"),
    ]

    def __init__(self, proposals: Sequence[Proposal], *, folder: str = "") -> None:
        super().__init__(proposals[0], folder=folder)
        self._proposals = tuple(proposals)
        self._judged: Judged = {}
        self._looked_at = {index for index, proposal in enumerate(proposals) if _is_in_row(proposal)}

    def compose(self) -> ComposeResult:
        with Vertical(classes="frame") as frame:
            frame.border_title = Content(f"{len(self._proposals)} calls of one message")
            yield Choices(compact=True)
            yield from self.call_parts()
            yield KeyLine(id="keys")

    def on_mount(self) -> None:
        """The first row first."""
        self._draw(0)
        self.show_proposal()

    def _draw(self, highlighted: int) -> None:
        rows = self.query_one(Choices)
        rows.set_options(Option(self._row(index)) for index in range(len(self._proposals)))
        rows.highlighted = highlighted

    def _row(self, index: int) -> Content:
        proposal = self._proposals[index]
        seen = ("  ", "") if index in self._looked_at else ("• ", "$text-accent")
        return Content.assemble(
            _MARKS[self._judged.get(index)],
            seen,
            (f"{safe_text(proposal.tool, 'label'):<10} ", "$text-primary"),
            (safe_text(_words(proposal), "path"), "$text"),
            ("  ⚠" if proposal.warnings() else "", "$text-warning"),
        )

    @property
    def _index(self) -> int:
        return self.query_one(Choices).highlighted or 0

    @on(OptionList.OptionHighlighted)
    def _moved(self, event: OptionList.OptionHighlighted) -> None:
        event.stop()
        proposal = self._proposals[event.option_index]
        if proposal is not self.proposal:
            self.proposal = proposal
            self.show_proposal()

    def saw(self) -> None:
        """A row counts as looked at when all of its call was on the screen."""
        if not self.seen.unseen and self._index not in self._looked_at:
            self._looked_at.add(self._index)
            self._draw(self._index)
        super().saw()

    def more_keys(self) -> Iterator[tuple[str, str]]:
        """Keys that answer."""
        yield "y", "yes"
        yield "n", "no"
        yield "u", "ask later"
        yield "A", "yes to all"
        yield "enter", f"send {len(self._judged)}"

    # --- answering ------------------------------------------------------------------------------------------

    def action_judge(self, judgement: Judgement | Literal[""]) -> None:
        """Answer this row and go to the next; a yes needs all of it on the screen first."""
        index = self._index
        if judgement == "once" and not self._may_pass(index):
            return
        if judgement:
            self._judged[index] = judgement
        else:
            self._judged.pop(index, None)
        self._draw(min(index + 1, len(self._proposals) - 1) if judgement else index)
        self.tell()

    def _may_pass(self, index: int) -> bool:
        if self._proposals[index].decision.outcome == "deny":
            self.tell("the rules deny this")
            return False
        if index not in self._looked_at:
            self.action_page(1)
            self.tell(f"▼ {self.seen.unseen} lines not seen yet: y shows more, end goes to the last")
            return False
        return True

    def action_all(self) -> None:
        """Yes to every row without an answer; those not looked at come up first."""
        open_rows = [index for index in range(len(self._proposals)) if index not in self._judged]
        fresh = [index for index in open_rows if index not in self._looked_at]
        if fresh:
            self.query_one(Choices).highlighted = fresh[0]
            self.tell(f"{len(fresh)} not looked at yet: A goes on once this one was seen to its end")
            return
        allowed = [index for index in open_rows if self._proposals[index].decision.outcome != "deny"]
        self._judged |= dict.fromkeys(allowed, "once")
        self._draw(self._index)
        self.tell()

    @on(OptionList.OptionSelected)
    def _sent(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        self.dismiss(dict(self._judged))


def _is_in_row(proposal: Proposal) -> bool:
    """Whether the row itself shows all of a call: one short command in plain letters."""
    preview = proposal.preview
    if not isinstance(preview, CommandDisplay):
        return False
    return len(preview.command) <= _SHORT and preview.command.isascii() and preview.command.isprintable()


def _words(proposal: Proposal) -> str:
    preview = proposal.preview
    if isinstance(preview, CommandDisplay):
        return preview.command
    return proposal.summary.removeprefix(f"{proposal.tool} ")
