"""A modal that picks one of many: type to filter, Enter to take. For palette, models, themes, sessions, history."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.cells import cell_len
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from .fuzzy import match
from .hints import hint_line
from .later import after_refresh
from .modal import Modal
from .safe import safe_text

LIMIT = 200


@dataclass(frozen=True, slots=True)
class Item:
    """One thing to pick: its key, its name, a word about it at the right, and a dim note."""

    key: str
    name: str
    note: str = ""
    right: str = ""


class Picker(Modal[str]):
    """Answers with the key of the item picked. `on_highlight` hears of each item passed, for a live preview.

    `open_ended`: what is typed may be taken as it stands, after the items that it fits. `above` stands over the items.
    """

    FIRST = "Input"

    DEFAULT_CSS = """
    Picker {
        align: center top;
        & > .frame { margin-top: 2; padding: 0 1 1 1; max-width: 90; max-height: 80%; }
        & Input { border: none; height: 1; margin: 1 1; background: $surface; padding: 0; }
        & OptionList {
            border: none; background: $surface; height: auto; max-height: 20; padding: 0; scrollbar-size-vertical: 1;
            text-wrap: nowrap; text-overflow: ellipsis;
        }
        & OptionList > .option-list--option-highlighted {
            color: $block-cursor-foreground; background: $block-cursor-background; text-style: $block-cursor-text-style;
        }
        & #nothing { padding: 0 1; color: $text-muted; display: none; }
        & #above {
            padding: 0 1; margin-bottom: 1; max-height: 14; text-wrap: nowrap; text-overflow: ellipsis;
        }
        & #whole { dock: bottom; height: 2; padding: 0 1; color: $text-muted; display: none; }
        &.-cut #whole { display: block; }
    }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down,ctrl+n", "move(1)", "Down"),
        Binding("up,ctrl+p", "move(-1)", "Up"),
        Binding("pagedown", "move(10)", "Page down", show=False),
        Binding("pageup", "move(-10)", "Page up", show=False),
    ]

    def __init__(
        self,
        title: str,
        items: Sequence[Item],
        *,
        current: str = "",
        on_highlight: Callable[[str], None] | None = None,
        open_ended: bool = False,
        above: Content | None = None,
    ) -> None:
        super().__init__()
        self._title_text = title
        self._items = tuple(items)
        self._shown: tuple[Item, ...] = ()
        self._current = current
        self._on_highlight = on_highlight
        self._open_ended = open_ended
        self._above = above

    def compose(self) -> ComposeResult:
        with Vertical(classes="frame") as frame:
            frame.border_title = Content(safe_text(self._title_text, "label"))
            frame.border_subtitle = Content("type to filter · ") + hint_line(("enter", "take"), ("esc", "close"))
            yield Input(placeholder="filter", compact=True)
            if self._above is not None:
                yield Static(self._above, id="above")
            yield OptionList(compact=True)
            yield Static(id="nothing")
            yield Static(id="whole")

    def on_mount(self) -> None:
        """Show everything, the current item highlighted."""
        self._filter("")
        keys = [item.key for item in self._shown]
        if self._current in keys:
            self.query_one(OptionList).highlighted = keys.index(self._current)

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        self._filter(event.value.strip())

    @on(Input.Submitted)
    def _taken(self, event: Input.Submitted) -> None:
        event.stop()
        index = self.query_one(OptionList).highlighted
        if index is not None and index < len(self._shown):
            self.dismiss(self._shown[index].key)

    @on(OptionList.OptionSelected)
    def _clicked(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        self.dismiss(self._shown[event.option_index].key)

    @on(OptionList.OptionHighlighted)
    def _passed(self, event: OptionList.OptionHighlighted) -> None:
        event.stop()
        if event.option_index >= len(self._shown):
            return
        item = self._shown[event.option_index]
        self.query_one("#whole", Static).update(Content(safe_text(item.note, "label")))
        if self._on_highlight is not None:
            self._on_highlight(item.key)

    def action_move(self, by: int) -> None:
        """Move the highlight."""
        rows = self.query_one(OptionList)
        if self._shown:
            rows.highlighted = max(0, min(len(self._shown) - 1, (rows.highlighted or 0) + by))

    def _filter(self, query: str) -> None:
        found: list[tuple[int, int, Item, tuple[int, ...]]] = []
        for order, item in enumerate(self._items):
            hit = match(query, item.name) if query else (0, ())
            if hit is None and (noted := match(query, item.note)) is not None:
                hit = (noted[0] - 1000, ())
            if hit is not None:
                found.append((-hit[0], order, item, hit[1]))
        found.sort(key=lambda entry: entry[:2])
        if self._open_ended and query and all(query != item.key for item in self._items):
            found.append((0, len(self._items), Item(query, query, "as it stands"), ()))
        self._shown = tuple(item for _, _, item, _ in found[:LIMIT])
        rows = self.query_one(OptionList)
        width = max(24, (rows.size.width or 84) - 2)
        names = [cell_len(safe_text(item.name, "label")) for _, _, item, _ in found[:LIMIT] if item.note]
        column = max((name for name in names if name <= width * 2 // 5), default=0)
        # Where a note does not fit its row, that of the highlighted one stands in full below the list.
        room = width - column - 4
        self.set_class(any(len(item.note) + len(item.right) > room for item in self._shown), "-cut")
        rows.set_options(Option(_row(item, marks, width, column)) for _, _, item, marks in found[:LIMIT])
        if self._shown:
            rows.highlighted = 0
        nothing = self.query_one("#nothing", Static)
        nothing.display = not self._shown
        nothing.update(Content("nothing fits" if self._items else "nothing here yet"))

    def on_resize(self) -> None:
        """Draw the rows for the new width, once it is known."""
        after_refresh(self, self._fit)

    def _fit(self) -> None:
        rows = self.query_one(OptionList)
        kept = rows.highlighted
        self._filter(self.query_one(Input).value.strip())
        rows.highlighted = kept


def _row(item: Item, marks: tuple[int, ...], width: int, column: int) -> Content:
    name = Content.styled(safe_text(item.name, "label"), "$text")
    for mark in marks:
        name = name.stylize("bold $text-primary", mark, mark + 1)
    if item.note:  # what is longer than most takes room from its own note, not from all
        name = name.truncate(max(column, min(name.cell_length, width // 2)), ellipsis=True, pad=True)
    row = Content.assemble(name, ("   " + safe_text(item.note, "label") if item.note else "", "$text-muted"))
    right = safe_text(item.right, "label")
    room = width - 1 - len(right)
    return Content.assemble(row.truncate(room, ellipsis=True, pad=True), (f" {right}", "$text-disabled"))
