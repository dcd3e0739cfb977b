"""The inspector: every request to the model and every tool call, one row each, and all there is to know about it.

It folds stored facts, follows the chat's cursor when the screen says so, and posts what is to happen elsewhere.
"""

from collections.abc import Sequence
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content

from rein_tui.harness.protocol.events import DELTAS, Event, Fact

from .block import Block
from .dock import Dock
from .inspector_pages import RESPONSE, RESULT, WHY, Wire, as_curl, leaves_of
from .inspector_records import CallRecord, Record, Records, StepRecord
from .inspector_rows import RecordRow, provenance, title
from .list_pane import ListPane
from .page import Leaf
from .rows import columns
from .stack import Entry
from .wishes import Copied


class Inspector(ListPane):
    """Rows of steps and calls; details in up to eight tabs. `wire` rebuilds the request of a turn and step."""

    EMPTY = "Every request to the model and every tool call will stand here, with all that happened to it:\n\n" + (
        "what was sent and answered, the input and who changed it, why it was allowed or not, where the time went."
    )

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("c", "curl", "Copy the request as curl", show=False, id="inspector.curl"),
    ]

    def __init__(self, *, wire: Wire | None = None, id: str | None = None) -> None:
        super().__init__(id=id)
        self.wire = wire
        self._records = Records()
        self._entries: dict[Record, Entry[Block]] = {}

    # --- story ----------------------------------------------------------------------------------------------

    def load(self, facts: Sequence[Fact]) -> None:
        """Start over from a whole history."""
        self._records = Records()
        for fact in facts:
            self._records.apply(fact)
        records = list(self._records.walk())
        self._entries = dict(zip(records, self.rows.load(map(RecordRow, records)), strict=True))
        self.set_class(not records, "-empty")
        if self.is_detailed:
            self.close_details()

    async def apply(self, event: Event) -> None:
        """Fold one live event; deltas say nothing that stays."""
        if isinstance(event, DELTAS):
            return
        change = self._records.apply(event)
        if change is None:
            return
        record, is_new = change
        if not is_new:
            self.changed(self._entries[record])
            return
        self.remove_class("-empty")
        above = self._entries.get(record.above) if record.above is not None else None
        self._entries[record] = self.rows.add(RecordRow(record), above)

    # --- going places ---------------------------------------------------------------------------------------

    def show_call(self, call_id: str) -> bool:
        """Put the cursor on a call; false when it is not known."""
        return self._go_to(self._records.calls.get(call_id))

    def show_step(self, turn: int, step: int) -> bool:
        """Put the cursor on a request to the model; false when it is not known."""
        return self._go_to(self._records.steps.get((turn, "", step)))

    def _go_to(self, record: Record | None) -> bool:
        entry = self._entries.get(record) if record is not None else None
        if entry is not None:
            self.rows.set_cursor(entry)
        return entry is not None

    # --- details --------------------------------------------------------------------------------------------

    def head(self, row: Block) -> Content:
        """Name and provenance."""
        record = _record(row)
        figures = provenance(record) if isinstance(record, CallRecord) else Content("")
        width = max(20, self.size.width - 2)
        return columns(width, title(record), [(figures, min(14, figures.cell_length))])

    def leaves(self, row: Block) -> Sequence[Leaf]:
        """The tabs that say something about the record."""
        return leaves_of(_record(row), self.wire)

    def kind(self, row: Block) -> str:
        """Steps and calls keep a tab of their own."""
        return type(_record(row)).__name__

    def first_tab(self, row: Block) -> int:
        """The answer of a step; why a call was let through, or what came of it."""
        record = _record(row)
        if isinstance(record, StepRecord):
            return RESPONSE
        failed = isinstance(record, CallRecord) and record.finished is not None and record.finished.outcome == "error"
        return RESULT if failed else WHY

    def asked(self, what: str) -> None:
        """Jump to the chat, or copy as curl."""
        row = self.rows.row
        if row is None:
            return
        record = _record(row)
        if what == "jump":
            call_id = record.requested.call_id if isinstance(record, CallRecord) else ""
            self.post_message(Dock.CallRequested(call_id, record.turn))
        elif what == "curl":
            self.action_curl()

    def action_curl(self) -> None:
        """Copy the request of the row as a command line for curl."""
        record = _record(self.rows.row) if self.rows.row is not None else None
        step = record.step if isinstance(record, CallRecord) else record
        if self.wire is None or not isinstance(step, StepRecord) or step.parent:
            return
        request = self.wire(step.turn, step.step)
        if request is not None:
            self.post_message(Copied(as_curl(request)))


def _record(row: Block) -> Record:
    assert isinstance(row, RecordRow)
    return row.record
