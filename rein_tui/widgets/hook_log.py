"""The hook log in a first form: one row a run, its output below."""

from collections.abc import Sequence

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from rein_tui.harness.protocol.events import Event, Fact, HookFired
from rein_tui.harness.protocol.hooks import HookRun

from .figures import short_duration
from .safe import safe_content, safe_text


class HookLog(Vertical):
    """Rows above, input and output of the highlighted run below."""

    DEFAULT_CSS = """
    HookLog {
        & > OptionList { height: 1fr; border: none; background: $background; padding: 0 1; }
        & > VerticalScroll { height: 1fr; padding: 0 1; border-top: solid $border-blurred; }
    }
    """

    def __init__(self) -> None:
        super().__init__()
        self._runs: list[HookRun] = []

    def compose(self) -> ComposeResult:
        yield OptionList(compact=True)
        with VerticalScroll():
            yield Static(Content.styled("no hook has run yet", "$text-muted"), id="detail")

    def load(self, facts: Sequence[Fact]) -> None:
        """Start over from a whole history."""
        self._runs = [fact.run for fact in facts if isinstance(fact, HookFired)]
        self.query_one(OptionList).set_options(Option(_row(run)) for run in self._runs)

    async def apply(self, event: Event) -> None:
        """Fold one event."""
        if isinstance(event, HookFired):
            self._runs.append(event.run)
            self.query_one(OptionList).add_option(Option(_row(event.run)))

    @on(OptionList.OptionHighlighted)
    def _chosen(self, event: OptionList.OptionHighlighted) -> None:
        event.stop()
        run = self._runs[event.option_index]
        parts = [("source", str(run.hook.source)), ("reason", run.reason), ("stdin", run.stdin)]
        parts += [("stdout", run.stdout), ("stderr", run.stderr)]
        pages = [Content.assemble((f"{n}\n", "bold $text-muted"), safe_content(t, "output")) for n, t in parts if t]
        self.query_one("#detail", Static).update(Content("\n\n").join(pages))


def _row(run: HookRun) -> Content:
    code = "" if run.exit_code is None else f"exit {run.exit_code} · "
    return Content.assemble(
        (f"{run.hook.point} ", "$text-accent"),
        safe_text(run.hook.title, "label"),
        (f"  {run.result} · {code}{short_duration(run.duration)}", "$text-muted"),
    )
