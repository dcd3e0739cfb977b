"""Whether a person trusts a folder: everything that a yes would enable, by kind, before any of it is read or run."""

from collections.abc import Iterator
from typing import ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from rein_tui.harness.protocol.policy import TrustItem, TrustKind, TrustReply, TrustRequest

from .modal import Modal
from .safe import safe_content, safe_text

_KINDS: dict[TrustKind, str] = {
    "hook": "Hooks: programs that run by themselves",
    "mcp": "MCP servers: programs that start with a session",
    "helper": "Helpers: programs that give keys and lines",
    "environment": "Environment of commands and hooks",
    "allow": "Rules that allow without asking",
    "directory": "Folders besides this one",
    "mode": "Permission mode to begin with",
    "plugin": "Plugins and marketplaces",
    "frontmatter": "Commands, agents and skills that carry rules or hooks",
    "setting": "Other settings",
    "broken": "Files that cannot be read",
}
_GRAVE: frozenset[TrustKind] = frozenset({"hook", "mcp", "helper", "broken"})


class TrustModal(Modal[TrustReply]):
    """Answers with the person's reply; whatever closes it without a clear yes is a no."""

    FIRST = "OptionList"

    DEFAULT_CSS = """
    TrustModal {
        & > .frame { border: round $warning; height: auto; max-height: 95%; }
        & VerticalScroll { height: auto; max-height: 1fr; margin: 1 0; scrollbar-size-vertical: 1; }
        & OptionList { height: auto; border: none; background: transparent; padding: 0; }
        & .frame > Static { height: auto; }
    }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("n,1", "answer(False)", "No"),
        Binding("y,2", "answer(True)", "Trust"),
        Binding("escape,ctrl+c", "answer(False)", "No"),
        Binding("pagedown", "page(1)", "Down", show=False),
        Binding("pageup", "page(-1)", "Up", show=False),
    ]

    def __init__(self, request: TrustRequest, *, grace: float = 0.0) -> None:
        super().__init__(grace=grace)
        self._request = request

    def compose(self) -> ComposeResult:
        request = self._request
        with Vertical(classes="frame") as frame:
            frame.border_title = Content("Changed since you trusted it" if request.changed else "A new folder")
            frame.border_subtitle = Content("enter answers · page up/down scrolls · esc: no")
            yield Static(self._question())
            with VerticalScroll(can_focus=False):
                yield Static(Content("\n").join(self._listed()))
            yield OptionList(
                Option(_row("n", "No, work without its settings", "its deny and ask rules hold all the same")),
                Option(_row("y", "Trust this folder", self._until())),
                compact=True,
            )

    def _question(self) -> Content:
        folder = safe_content(self._request.root, "path", "bold $text")
        words = "It is not as you trusted it. " if self._request.changed else ""
        return Content.assemble("Do you trust ", folder, f"? {words}Nothing of it ran yet. Trusting it enables:")

    def _until(self) -> str:
        return "until one of these changes" if self._request.can_remember else "for this session only"

    def _listed(self) -> Iterator[Content]:
        shown: list[TrustKind] = [kind for kind in _KINDS if self._of(kind)]
        for number, kind in enumerate(shown):
            if number:
                yield Content("")
            items, words = self._of(kind), _KINDS[kind]
            style = "bold $text-warning" if kind in _GRAVE else "bold $text"
            yield Content.assemble((words, style), (f"  {len(items)}", "$text-muted"))
            for item in items:
                yield from self._item(item)

    def _of(self, kind: TrustKind) -> list[TrustItem]:
        return [item for item in self._request.items if item.kind == kind]

    def _item(self, item: TrustItem) -> Iterator[Content]:
        """One thing on lines of its own: every character of it is shown, however long it is."""
        detail = f"{safe_text(item.detail, 'label')}: " if item.detail else ""
        where = safe_text(item.where.removeprefix(f"{self._request.root}/"), "path")
        first, *more = safe_content(item.title, "prompt", "$text").split("\n", allow_blank=True)
        first = Content.assemble(("  • ", "$text-muted"), (detail, "$text-primary"), first)
        yield first if more else Content.assemble(first, (f"  {where}", "$text-disabled"))
        for line in more:
            yield Content.assemble("    ", line)
        if more:
            yield Content.styled(f"    {where}", "$text-disabled")

    def action_answer(self, trusted: bool) -> None:
        """Answer and close."""
        self.dismiss(TrustReply(trusted=trusted))

    def action_page(self, pages: int) -> None:
        """Scroll the list."""
        view = self.query_one(VerticalScroll)
        view.scroll_relative(y=pages * max(1, view.size.height - 1), animate=False)

    @on(OptionList.OptionSelected)
    def _selected(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        self.action_answer(event.option_index == 1)

    def on_key(self, event: events.Key) -> None:
        """Arrows reach the answers also when a click took the focus away."""
        if self.is_ready and event.key in ("up", "down") and not isinstance(self.focused, OptionList):
            self.query_one(OptionList).focus()


def _row(key: str, words: str, note: str) -> Content:
    return Content.assemble((f" {key} ", "bold $primary"), (f"{words:<34}", "$text"), (note, "$text-muted"))
