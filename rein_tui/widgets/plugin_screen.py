"""A modal over what files brought: plugins, skills and commands, agents; each with its story below the list."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from rein_tui.harness.protocol.workbench import ExtensionRow

from .hints import hint_line
from .modal import Modal
from .safe import safe_text

_SIGNS = {"on": ("●", "$text-success"), "off": ("○", "$text-muted"), "broken": ("✗", "$text-error")}

_NONE = {
    "plugins": "No plugins yet. /plugin marketplace add FOLDER-OR-REPOSITORY, then /plugin install NAME.",
    "others": "Nothing yet. Commands and skills are files: .claude/commands/NAME.md, .claude/skills/NAME/SKILL.md.",
}


@dataclass(frozen=True, slots=True)
class Chosen:
    """What the person wants done with a row."""

    action: str
    row: ExtensionRow


class PluginScreen(Modal[Chosen]):
    """Space turns a plugin on or off, Enter uses a command or skill, u updates, x uninstalls; Esc closes."""

    FIRST = "OptionList"

    DEFAULT_CSS = """
    PluginScreen {
        & > .frame { padding: 0 1 1 1; max-width: 110; max-height: 90%; }
        & OptionList {
            border: none; background: $surface; height: auto; max-height: 14; padding: 0; scrollbar-size-vertical: 1;
            text-wrap: nowrap; text-overflow: ellipsis;
            &:focus { border: none; }
        }
        & VerticalScroll { height: auto; max-height: 14; margin-top: 1; scrollbar-size-vertical: 1; }
    }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "choose('switch')", "On or off", show=False),
        Binding("u", "choose('update')", "Update", show=False),
        Binding("x", "choose('uninstall')", "Uninstall", show=False),
    ]

    def __init__(self, title: str, rows: Sequence[ExtensionRow], *, plugins: bool = False) -> None:
        super().__init__()
        self._title_text = title
        self._rows = tuple(rows)
        self._about_plugins = plugins

    def compose(self) -> ComposeResult:
        with Vertical(classes="frame") as frame:
            frame.border_title = Content(safe_text(f"{self._title_text} · {len(self._rows)}", "label"))
            keys = [("space", "on/off"), ("u", "update"), ("x", "uninstall")] if self._about_plugins else []
            frame.border_subtitle = hint_line(*keys, ("esc", "closes"))
            rows = OptionList(*(Option(_line(row)) for row in self._rows))
            rows.display = bool(self._rows)
            yield rows
            with VerticalScroll():
                yield Static(
                    _story(self._rows[0])
                    if self._rows
                    else Content(_NONE["plugins" if self._about_plugins else "others"])
                )

    @on(OptionList.OptionHighlighted)
    def _show(self, highlighted: OptionList.OptionHighlighted) -> None:
        self.query_one(Static).update(_story(self._rows[highlighted.option_index]))

    @on(OptionList.OptionSelected)
    def _take(self, selected: OptionList.OptionSelected) -> None:
        self.dismiss(Chosen("use", self._rows[selected.option_index]))

    def action_choose(self, action: str) -> None:
        """Answer with the row in sight, where it is a plugin's."""
        at = self.query_one(OptionList).highlighted
        if self._about_plugins and at is not None:
            self.dismiss(Chosen(action, self._rows[at]))


def _line(row: ExtensionRow) -> Content:
    sign, colour = _SIGNS[row.state]
    return Content.assemble(
        (f"{sign} ", colour),
        (safe_text(row.name, "label"), "bold"),
        "  ",
        (safe_text(row.source, "label"), "$text-muted"),
        "  ",
        safe_text(row.summary, "label"),
    )


def _story(row: ExtensionRow) -> Content:
    lines = [Content(safe_text(row.summary, "label"))] if row.summary else []
    lines += [Content(safe_text(line, "label")) for line in row.details]
    if row.where:
        lines.append(Content.styled(safe_text(row.where, "path"), "$text-muted"))
    return Content("\n").join(lines)
