"""A modal over what files brought: plugins, skills and commands, agents; each with its story below the list."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.cells import cell_len
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
from .rows import fit
from .safe import safe_content, safe_text

_SIGNS = {
    "on": ("●", "$text-success"),
    "off": ("○", "$text-muted"),
    "broken": ("✗", "$text-error"),
    "offered": ("+", "$text-muted"),
}

_KEYS = (("space", "on, off or install"), ("u", "update"), ("x", "uninstall"))
_NONE = {
    "plugins": "No plugins, and no marketplace to get them from: /plugin marketplace add FOLDER-OR-REPOSITORY",
    "others": "Nothing yet. Commands and skills are files: .claude/commands/NAME.md, .claude/skills/NAME/SKILL.md.",
}


@dataclass(frozen=True, slots=True)
class Chosen:
    """What the person wants done with a row."""

    action: str
    row: ExtensionRow


class PluginScreen(Modal[Chosen]):
    """Space turns a plugin on or off or installs it, Enter uses a command or skill, u updates, x uninstalls.

    `problems` are marketplaces whose plugins are missing here, and why.
    """

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

    def __init__(
        self, title: str, rows: Sequence[ExtensionRow], problems: Sequence[str] = (), *, plugins: bool = False
    ) -> None:
        super().__init__()
        offered = sum(row.state == "offered" for row in rows)
        more = f" · {offered} more to install" if offered else ""
        self._title_text = f"{title} · {len(rows) - offered}{more}"
        self._rows = tuple(rows)
        self._problems = tuple(problems)
        self._about_plugins = plugins

    def compose(self) -> ComposeResult:
        with Vertical(classes="frame") as frame:
            frame.border_title = Content(safe_text(self._title_text, "label"))
            frame.border_subtitle = hint_line(*(_KEYS if self._about_plugins and self._rows else ()), ("esc", "close"))
            names = min(28, max((cell_len(safe_text(row.name, "label")) for row in self._rows), default=0))
            sources = min(20, max((cell_len(safe_text(_source(row), "label")) for row in self._rows), default=0))
            rows = OptionList(*(Option(_line(row, names, sources)) for row in self._rows))
            rows.display = bool(self._rows)
            yield rows
            for problem in self._problems:
                yield Static(
                    Content.styled(safe_text(f"Not read: {problem}", "label"), "$text-warning"), classes="wrong"
                )
            with VerticalScroll():
                nothing = Content(_NONE["plugins" if self._about_plugins else "others"])
                yield Static(_story(self._rows[0]) if self._rows else nothing, id="story")

    @on(OptionList.OptionHighlighted)
    def _show(self, highlighted: OptionList.OptionHighlighted) -> None:
        self.query_one("#story", Static).update(_story(self._rows[highlighted.option_index]))

    @on(OptionList.OptionSelected)
    def _take(self, selected: OptionList.OptionSelected) -> None:
        self.dismiss(Chosen("use", self._rows[selected.option_index]))

    def action_choose(self, action: str) -> None:
        """Answer with the row in sight, where it is a plugin's."""
        at = self.query_one(OptionList).highlighted
        if self._about_plugins and at is not None:
            self.dismiss(Chosen(action, self._rows[at]))


def _source(row: ExtensionRow) -> str:
    return "built in" if row.source == "builtin" else row.source


def _line(row: ExtensionRow, names: int, sources: int) -> Content:
    """A row in columns, `names` and `sources` cells wide."""
    sign, colour = _SIGNS[row.state]
    return Content.assemble(
        (f"{sign} ", colour),
        fit(safe_content(row.name, "label", "bold $text"), names),
        "  ",
        fit(safe_content(_source(row), "label", "$text-muted"), sources),
        "  ",
        safe_content(row.summary, "label", "$text-muted"),
    )


def _story(row: ExtensionRow) -> Content:
    lines = [Content(safe_text(row.summary, "label"))] if row.summary else []
    lines += [Content(safe_text(line, "label")) for line in row.details]
    if row.where:
        lines.append(Content.styled(safe_text(row.where, "path"), "$text-muted"))
    return Content("\n").join(lines)
