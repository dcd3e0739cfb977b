"""Whether a person trusts a folder: everything that a yes would enable, by kind, before any of it is read or run."""

from collections.abc import Iterator
from typing import ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from rein_tui.harness.protocol.policy import TrustItem, TrustKind, TrustReply, TrustRequest

from .hints import hint_line
from .later import after_refresh
from .lines import BLANK, Piece
from .modal import Modal
from .permission_modal_view import SeenView, give_rest
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
    """Answers with the person's reply; whatever closes it without a clear yes is a no. A yes needs all of it seen."""

    FIRST = "OptionList"
    IS_QUESTION = True

    DEFAULT_CSS = """
    TrustModal {
        & > .frame { border: round $warning; max-height: 100%; padding: 0 2; }
        & SeenView { margin: 1 0; }
        & OptionList { height: auto; border: none; background: transparent; padding: 0; }
        & .frame > Static { height: auto; }
        & #rest { margin-bottom: 1; color: $text-accent; }
    }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("n,1", "answer(False)", "No"),
        Binding("y,2", "answer(True)", "Trust"),
        Binding("escape", "answer(False)", "No"),
        Binding("pagedown,space", "page(1)", "Down", show=False, priority=True),
        Binding("pageup", "page(-1)", "Up", show=False, priority=True),
        Binding("end", "page(1000)", "End", show=False, priority=True),
        Binding("home", "page(-1000)", "Beginning", show=False, priority=True),
    ]

    def __init__(self, request: TrustRequest, *, grace: float = 0.0) -> None:
        super().__init__(grace=grace)
        self._request = request
        self._view = SeenView()

    def compose(self) -> ComposeResult:
        request = self._request
        with Vertical(classes="frame") as frame:
            frame.border_title = Content("Changed since you trusted it" if request.changed else "A new folder")
            frame.border_subtitle = hint_line(("enter", "answer"), ("page down", "scroll"), ("esc", "no"))
            yield Static(self._question())
            yield self._view
            yield Static(id="rest")
            yield OptionList(
                _row("n", "No, work without its settings", "nor its CLAUDE.md; its deny and ask rules hold"),
                _row("y", "Trust this folder", self._until()),
                compact=True,
            )

    def on_mount(self) -> None:
        """List everything."""
        listed = list(self._listed())
        self._view.show(lambda _: listed)
        self._tell()
        after_refresh(self, self._settle)

    def on_resize(self, event: events.Resize) -> None:
        """Another size: the list gets what the rest leaves."""
        self._fit_soon()

    def _settle(self) -> None:
        """Once the lines are counted: make room for saying that there are more, before any room is given away."""
        self._tell()
        self._fit_soon()

    def _fit_soon(self) -> None:
        after_refresh(self, lambda: give_rest(self.query_one(".frame"), self._view, self.size.height))

    def _tell(self) -> None:
        unseen = self._view.unseen
        rest = self.query_one("#rest", Static)
        rest.update(Content(f"▼ {unseen} more lines: page down, end" if unseen else ""))
        rest.display = bool(unseen)

    @on(SeenView.Seen)
    def _saw(self, event: SeenView.Seen) -> None:
        event.stop()
        self._tell()
        self._fit_soon()

    def _question(self) -> Content:
        folder = safe_content(self._request.root, "path", "bold $text")
        words = "It is not as you trusted it. " if self._request.changed else ""
        return Content.assemble("Do you trust ", folder, f"? {words}Nothing of it ran yet. Trusting it enables:")

    def _until(self) -> str:
        return "until one of these changes" if self._request.can_remember else "for this session only"

    def _listed(self) -> Iterator[Piece]:
        """Everything by kind, what runs first; every character of it, however long it is."""
        shown: list[TrustKind] = [kind for kind in _KINDS if self._of(kind)]
        for number, kind in enumerate(shown):
            if number:
                yield BLANK
            items, words = self._of(kind), _KINDS[kind]
            style = "bold $text-warning" if kind in _GRAVE else "bold $text"
            yield Piece(Content.assemble((words, style), (f"  {len(items)}", "$text-muted")))
            for item in items:
                yield from self._item(item)

    def _of(self, kind: TrustKind) -> list[TrustItem]:
        return [item for item in self._request.items if item.kind == kind]

    def _item(self, item: TrustItem) -> Iterator[Piece]:
        detail = f"{safe_text(item.detail, 'label')}: " if item.detail else ""
        where = safe_text(item.where.removeprefix(f"{self._request.root}/"), "path")
        *lines, last = safe_content(item.title, "prompt", "$text").split("\n", allow_blank=True)
        last = Content.assemble(last, (f"  {where}", "$text-disabled"))
        first, *more = [*lines, last]
        gutter = Content("    ")
        yield Piece(Content.assemble((detail, "$text-primary"), first), Content.styled("  • ", "$text-muted"), gutter)
        for line in more:
            yield Piece(line, gutter, gutter)

    def action_answer(self, trusted: bool) -> None:
        """Answer and close; a yes to what was not all seen shows more of it. Clicks have their grace too."""
        if not self.is_ready:
            return
        if trusted and self._view.unseen:
            self.action_page(1)
        else:
            self.dismiss(TrustReply(trusted=trusted))

    def action_page(self, pages: int) -> None:
        """Scroll the list."""
        rows = pages * max(1, self._view.size.height - 1)
        self._view.scroll_relative(y=rows, animate=False, immediate=True)

    @on(OptionList.OptionSelected)
    def _selected(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        self.action_answer(event.option_index == 1)


def _row(key: str, words: str, note: str) -> Option:
    label = Content.assemble((f" {key} ", "bold $primary"), (f"{words:<34}", "$text"), (note, "$text-muted"))
    return Option(label)
