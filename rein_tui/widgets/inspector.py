"""The inspector in a first form: one row a model step or tool call, its facts below."""

from collections.abc import Sequence

import msgspec
from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from rein_tui.harness.protocol.events import (
    Event,
    Fact,
    MessageFinished,
    PermissionDecided,
    PermissionResolved,
    ToolCallFinished,
    ToolCallRequested,
    ToolCallStarted,
)

from .figures import short_duration
from .safe import safe_content, safe_text


class Inspector(Vertical):
    """Rows above, the whole of the highlighted one below, as the facts say it."""

    DEFAULT_CSS = """
    Inspector {
        & > OptionList { height: 1fr; border: none; background: $background; padding: 0 1; }
        & > VerticalScroll { height: 1fr; padding: 0 1; border-top: solid $rule; }
    }
    """

    def __init__(self) -> None:
        super().__init__()
        self._facts: dict[str, list[Fact]] = {}

    def compose(self) -> ComposeResult:
        yield OptionList(compact=True)
        with VerticalScroll():
            yield Static(id="detail")

    def load(self, facts: Sequence[Fact]) -> None:
        """Start over from a whole history."""
        self._facts.clear()
        self.query_one(OptionList).clear_options()
        for fact in facts:
            self._fold(fact)

    async def apply(self, event: Event) -> None:
        """Fold one event."""
        self._fold(event)

    def _fold(self, event: Event) -> None:
        match event:
            case MessageFinished():
                self._add(f"step-{event.turn}-{event.step}-{event.time}", event)
            case (
                ToolCallRequested()
                | PermissionDecided()
                | PermissionResolved()
                | ToolCallStarted()
                | ToolCallFinished()
            ):
                self._add(event.call_id, event)
            case _:
                pass

    def _add(self, key: str, fact: Fact) -> None:
        rows = self.query_one(OptionList)
        known = key in self._facts
        self._facts.setdefault(key, []).append(fact)
        row = _row(self._facts[key])
        if known:
            rows.replace_option_prompt(key, row)
        else:
            rows.add_option(Option(row, id=key))

    @on(OptionList.OptionHighlighted)
    def _chosen(self, event: OptionList.OptionHighlighted) -> None:
        event.stop()
        facts = self._facts.get(event.option_id or "", [])
        pages = [msgspec.json.format(msgspec.json.encode(fact)).decode() for fact in facts]
        self.query_one("#detail", Static).update(safe_content("\n\n".join(pages)))


def _row(facts: list[Fact]) -> Content:
    first, last = facts[0], facts[-1]
    if isinstance(first, MessageFinished):
        usage = first.usage
        right = f"{short_duration(first.duration)} · {usage.context_tokens} tokens"
        return Content.assemble(
            ("model ", "$text-primary"), safe_text(first.model, "label"), "  ", (right, "$text-muted")
        )
    if not isinstance(first, ToolCallRequested):
        return Content(type(first).__name__)
    outcome = ""
    if isinstance(last, ToolCallFinished):
        outcome = f"{last.outcome} {short_duration(last.duration)}"
    name = safe_text(first.summary or first.name, "label")
    return Content.assemble(
        (f"{safe_text(first.name, 'label')} ", "$text-accent"), name, "  ", (outcome, "$text-muted")
    )
