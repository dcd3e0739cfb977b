"""The hook log: every hook that ran, that runs, or that did not run and why.

It folds stored facts; what runs now comes from deltas and is replaced by the fact. Running a hook again is somebody
else's work: the log asks for it and shows what came of it.
"""

from collections import Counter
from collections.abc import Sequence
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message
from textual.widgets import Input

from rein_tui.harness.protocol.events import Event, Fact, HookFired, HooksSkipped, HookStarted
from rein_tui.harness.protocol.hooks import HookOutcome, HookResult, HookRun

from .block import Block
from .dock import Dock
from .figures import short_duration
from .hook_log_pages import DRY, run_leaves, skipped_leaf
from .hook_log_rows import OUTCOMES, HookRow, RunningRow, RunRow, SkippedRow, outcome, short_source
from .list_pane import ListPane
from .page import Leaf
from .rows import columns
from .safe import safe_content
from .stack import Entry

FILTERS = ("event", "outcome", "source")


class HookLog(ListPane):
    """Rows of runs; filters by event, outcome, source and typed words; details that tell the whole story."""

    EMPTY = (
        "Every hook that runs will stand here: when and why, what it was told, "
        "what it said, what came of it.\n\nHooks are written in settings.json, below “hooks”."
    )

    DEFAULT_CSS = """
    HookLog {
        & > Input { display: none; height: 1; border: none; padding: 0 1; background: $surface; }
        &.-filtering > Input { display: block; }
    }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("e", "filter('event')", "Filter by event", show=False, id="hooks.event"),
        Binding("r", "filter('outcome')", "Filter by outcome", show=False, id="hooks.outcome"),
        Binding("s", "filter('source')", "Filter by source", show=False, id="hooks.source"),
        Binding("m", "toggle_skipped", "Show hooks that did not run", show=False, id="hooks.skipped"),
        Binding("slash", "type_filter", "Filter by words", show=False, id="hooks.words"),
        Binding("x", "clear_filters", "Clear the filters", show=False, id="hooks.clear"),
        Binding("escape", "end_filter", "End the filter by words", show=False, id="hooks.end_words"),
        Binding("t", "again", "Run again, dry", show=False, id="hooks.again"),
    ]

    class RerunRequested(Message):
        """The person wants to see what this hook does now with the same input; nothing may take effect."""

        def __init__(self, run: HookRun) -> None:
            super().__init__()
            self.run = run

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._all: list[HookRow] = []
        self._live: dict[str, RunningRow] = {}
        self._entries: dict[HookRow, Entry[Block]] = {}
        self._filters: dict[str, str] = {}
        self._words = ""
        self._shows_skipped = True
        self._counts: Counter[HookResult] = Counter()
        self._rerun: HookRun | None = None
        self._dry: dict[str, tuple[Sequence[HookRun], HookOutcome]] = {}

    def compose(self) -> ComposeResult:
        yield from super().compose()
        yield Input(placeholder="words of event, command, outcome, file", compact=True)

    # --- story ----------------------------------------------------------------------------------------------

    def load(self, facts: Sequence[Fact]) -> None:
        """Start over from a whole history."""
        self._all, self._live, self._counts, self._dry = [], {}, Counter(), {}
        for fact in facts:
            self._fold(fact)
        self._fill()
        if self.is_detailed:
            self.close_details()

    async def apply(self, event: Event) -> None:
        """Fold one live event."""
        if isinstance(event, HookStarted):
            row = self._live[event.run_id] = RunningRow(event)
            self._show(row)
            return
        row = self._fold(event)
        if row is None:
            return
        running = self._live.pop(row.run.id, None) if isinstance(row, RunRow) else None
        if running is not None:
            self._all.remove(running)
            entry = self._entries.pop(running, None)
            if entry is not None:
                self.rows.remove_entry(entry)
        if row in self._entries:
            self.changed(self._entries[row])
        else:
            self._show(row, known=True)

    def _fold(self, event: Event) -> HookRow | None:
        if isinstance(event, HookFired):
            row: HookRow = RunRow(event.run, event.call_id, event.turn)
            self._counts[event.run.result] += 1
        elif isinstance(event, HooksSkipped):
            last = self._all[-1] if self._all else None
            if isinstance(last, SkippedRow):
                last.events.append(event)
                return last
            row = SkippedRow(event)
        else:
            return None
        self._all.append(row)
        return row

    def _show(self, row: HookRow, *, known: bool = False) -> None:
        if not known:
            self._all.append(row)
        self.remove_class("-empty")
        if self._passes(row):
            self._entries[row] = self.rows.add(row)
        self._summarise()

    def _fill(self) -> None:
        chosen = self.rows.row
        shown = [row for row in self._all if self._passes(row)]
        self._entries = dict(zip(shown, self.rows.load(shown), strict=True))
        if isinstance(chosen, HookRow) and chosen in self._entries:
            self.rows.set_cursor(self._entries[chosen])
        self.set_class(not self._all, "-empty")
        self._summarise()

    def _summarise(self) -> None:
        runs = sum(self._counts.values())
        parts = [Content(f"{runs} run{'' if runs == 1 else 's'}")]
        for result, count in self._counts.most_common():
            words, style = OUTCOMES[result]
            if result != "nothing":
                parts.append(Content.styled(f"{count} {words}", style))
        filters = [f"{name}: {value}" for name, value in self._filters.items()]
        filters += [f"words: {self._words}"] if self._words else []
        line = Content(" · ").join(parts)
        if filters:
            shown = Content.assemble(safe_content("  ".join(filters), "label", "$text-warning"), "  x clears")
            line = shown + "\n" + line  # the filters first: what is cut in a narrow pane is the counting
        self.summary.update(line)
        self.summary.display = bool(self._all)

    # --- filters --------------------------------------------------------------------------------------------

    def _passes(self, row: HookRow) -> bool:
        if isinstance(row, SkippedRow) and not self._shows_skipped:
            return False
        if any(value not in _traits(row, name) for name, value in self._filters.items()):
            return False
        text = row.words.lower()
        return all(word in text for word in self._words.lower().split())

    def action_filter(self, name: str) -> None:
        """The next value of a filter, then none again."""
        values = sorted({trait for row in self._all for trait in _traits(row, name)})
        choices = ["", *values]
        now = self._filters.pop(name, "")
        following = choices[(choices.index(now) + 1) % len(choices)] if now in choices else ""
        if following:
            self._filters[name] = following
        self._fill()

    def action_toggle_skipped(self) -> None:
        """Show or hide hooks that did not run."""
        self._shows_skipped = not self._shows_skipped
        self._fill()

    def action_type_filter(self) -> None:
        """Type words to filter by."""
        self.add_class("-filtering")
        self.query_one("HookLog > Input", Input).focus()

    def action_clear_filters(self) -> None:
        """Show all rows again."""
        self._filters.clear()
        self._words = ""
        self.query_one("HookLog > Input", Input).value = ""
        self.remove_class("-filtering")
        self._fill()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Esc means something here only while words are typed."""
        return self.has_class("-filtering") if action == "end_filter" else True

    def action_end_filter(self) -> None:
        """No words after all; the other filters stay."""
        self._words = ""
        self.query_one("HookLog > Input", Input).value = ""
        self.remove_class("-filtering")
        self._fill()
        self.rows.focus()

    @on(Input.Changed, "HookLog > Input")
    def _type(self, event: Input.Changed) -> None:
        event.stop()
        self._words = event.value.strip()
        self._fill()

    @on(Input.Submitted, "HookLog > Input")
    def _typed(self, event: Input.Submitted) -> None:
        event.stop()
        self.set_class(bool(self._words), "-filtering")
        self.rows.focus()

    # --- details --------------------------------------------------------------------------------------------

    def head(self, row: Block) -> Content:
        """Which hook, and what became of it."""
        width = max(20, self.size.width - 2)
        if isinstance(row, RunRow):
            words, style = outcome(row.run)
            left = safe_content(row.run.hook.title, "label", "bold")
            figures = Content.assemble((words, style), (f" {short_duration(row.run.duration)}", "$text-muted"))
            return columns(width, left, [(figures, figures.cell_length)])
        return safe_content(row.source, "label", "$text-muted")

    def leaves(self, row: Block) -> Sequence[Leaf]:
        """The tabs of a run, or the reasons why hooks did not run."""
        if isinstance(row, RunRow):
            return run_leaves(row.run, self._dry.get(row.run.id))
        return [skipped_leaf(row.skipped)] if isinstance(row, SkippedRow) else []

    def asked(self, what: str) -> None:
        """Jump to the chat, or run again."""
        row = self.rows.row
        if what == "again":
            self.action_again()
        elif what == "jump" and isinstance(row, RunRow):
            self.post_message(Dock.CallRequested(row.call_id, row.turn))

    # --- running again --------------------------------------------------------------------------------------

    def action_again(self) -> None:
        """Ask for a dry run of the hook under the cursor."""
        row = self.rows.row
        if isinstance(row, RunRow):
            self._rerun = row.run
            self.post_message(self.RerunRequested(row.run))

    def show_dry(self, runs: Sequence[HookRun], outcome: HookOutcome) -> None:
        """What the dry run that was asked for last did."""
        if self._rerun is None:
            return
        run, self._rerun = self._rerun, None
        self._dry[run.id] = (runs, outcome)
        row = next((row for row in self._entries if isinstance(row, RunRow) and row.run is run), None)
        if row is not None:
            self.rows.set_cursor(self._entries[row])
            self.open_details()
            self.details.choose(DRY)


def _traits(row: HookRow, name: str) -> set[str]:
    """What a row is by one of the filters; hooks that did not run have several events and no outcome."""
    if isinstance(row, SkippedRow):
        hooks = [skip.hook for skip in row.skipped]
        return {h.point for h in hooks} if name == "event" else {short_source(h) for h in hooks if name == "source"}
    if name == "event":
        return {row.point}
    if not isinstance(row, RunRow):
        return set()
    return {outcome(row.run)[0] if name == "outcome" else short_source(row.run.hook)}
