"""Every rule in force with its file and line, and a line to try calls on: the decision and all its reasons, live."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from rein_tui.harness.protocol.decisions import Decision, Rule
from rein_tui.harness.protocol.errors import ReinError
from rein_tui.harness.protocol.policy import PolicyOverview, RuleFinding
from rein_tui.harness.protocol.ports import Permissions

from .hints import KeyLine, hint_lines
from .inspector_why import decision_blocks
from .lines import Piece
from .modal import Modal
from .permission_modal_edit import PAUSE
from .permission_modal_view import SeenView
from .policy_screen_add import AddPanel
from .policy_screen_rows import CHANGEABLE, RuleRow, rule_rows
from .safe import safe_content

_KEYS = (
    ("/", "try a call"),
    ("a", "add a rule"),
    ("d", "take back"),
    ("shift+↑ ↓", "reasons"),
    ("esc", "close"),
)


class RuleList(OptionList):
    """The rules; the line for trying calls is above its first row."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j", "cursor_down", "Down", show=False),
        Binding("k", "cursor_up", "Up", show=False),
    ]


class PolicyScreen(Modal[None]):
    """Rules, grants and a tester. `trying` is a call to begin with; the line has the focus if `tests_first`."""

    DEFAULT_CSS = """
    PolicyScreen {
        & > .frame { width: 100%; max-width: 140; height: 100%; max-height: 100%; padding: 0 1; margin: 0 1; }
        & #call { border: none; height: 1; background: $panel; padding: 0 1; }
        & .frame > Static { height: auto; }
        & #trace { display: none; max-height: 50%; border-bottom: solid $border-blurred; }
        &.-trying #trace { display: block; }
        &.-adding #trace, &.-adding #keys { display: none; }
        & RuleList { height: 1fr; border: none; background: transparent; padding: 0; margin-top: 1; }
        & RuleList { scrollbar-size-vertical: 1; }
    }
    PolicyScreen.-slim > .frame { margin: 0; padding: 0 1; }
    PolicyScreen.-slim.-adding RuleList { display: none; }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash,ctrl+f", "try_call", "Try a call"),
        Binding("a", "add", "Add a rule"),
        Binding("d,delete", "revoke", "Take a rule back"),
        Binding("tab", "swap", "Rules or call", show=False),
        Binding("shift+down", "scroll_trace(1)", "Reasons down", show=False),
        Binding("shift+up", "scroll_trace(-1)", "Reasons up", show=False),
    ]

    def __init__(
        self,
        permissions: Permissions,
        *,
        trying: str = "",
        tests_first: bool = False,
        clock: Callable[[], float] = time.time,
    ) -> None:
        super().__init__()
        self._permissions = permissions
        self._trying = trying
        self._tests_first = tests_first
        self._clock = clock
        self._overview = PolicyOverview(mode="default")
        self._findings: tuple[RuleFinding, ...] = ()
        self._rows: list[RuleRow] = []
        self._doomed: Rule | None = None
        self._said = ""
        self._wanted_rule: Rule | None = None
        self._trace = SeenView()
        self._trace.id = "trace"

    def compose(self) -> ComposeResult:
        with Vertical(classes="frame") as frame:
            frame.border_title = Content("Permissions")
            placeholder = 'try a call: Bash(npm test)   Read(~/.ssh/config)   Edit {"file_path": "x"}'
            yield Input(self._trying, placeholder=placeholder, id="call", compact=True)
            yield Static(id="verdict")
            yield self._trace
            yield RuleList(compact=True)
            yield Static(id="note")
            yield KeyLine(id="keys")

    def on_mount(self) -> None:
        """Rules at once; what lint finds follows."""
        self.query_one("#note").display = self.query_one("#verdict").display = False
        self.query_one("#call" if self._tests_first else RuleList).focus()
        self.run_worker(self._read(), group="read")

    def on_resize(self) -> None:
        """Keys fit the width."""
        width = self.query_one(".frame").content_size.width or self.size.width - 4
        self.query_one("#keys", Static).update(hint_lines(_KEYS, width))

    # --- the rules ------------------------------------------------------------------------------------------

    async def _read(self) -> None:
        try:
            self._overview = await self._permissions.overview()
        except ReinError as error:
            self._tell(str(error))
        self.query_one(".frame").border_title = Content(f"Permissions · mode {self._overview.mode}")
        self._draw()
        self.run_worker(self._lint(), group="lint", exclusive=True)

    async def _lint(self) -> None:
        self._findings = await self._permissions.lint()
        if self._findings:
            self._draw()

    def _draw(self) -> None:
        rows = self.query_one(RuleList)
        kept, self._wanted_rule = self._wanted_rule or self._rule, None
        self._rows = rule_rows(self._overview, self._findings, self._clock())
        rows.set_options(Option(row.label, disabled=row.rule is None) for row in self._rows)
        rules = [row.rule for row in self._rows]
        first = next((index for index, rule in enumerate(rules) if rule is not None), None)
        rows.highlighted = rules.index(kept) if kept in rules and kept is not None else first

    @property
    def _rule(self) -> Rule | None:
        highlighted = self.query_one(RuleList).highlighted
        return self._rows[highlighted].rule if highlighted is not None and highlighted < len(self._rows) else None

    def _tell(self, text: str, style: str = "$text-error") -> None:
        note = self.query_one("#note", Static)
        note.update(safe_content(text, "prompt", style))
        note.display = bool(text)

    @on(OptionList.OptionHighlighted, "RuleList")
    def _moved(self, event: OptionList.OptionHighlighted) -> None:
        event.stop()
        said, self._said = self._said, ""
        self._doomed = None
        self._tell(said, "$text-success")

    # --- trying a call --------------------------------------------------------------------------------------

    @on(Input.Changed, "#call")
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        self.run_worker(self._try(event.value), group="try", exclusive=True)

    async def _try(self, text: str) -> None:
        await asyncio.sleep(PAUSE if text else 0)
        check = await self._permissions.check_text(text) if text.strip() else None
        decision = check.decision if check is not None else None
        self.set_class(decision is not None, "-trying")
        problem = check.problem if check is not None else ""
        line = self.query_one("#verdict", Static)
        line.update(safe_content(problem, "prompt", "$text-muted"))
        line.display = bool(problem)
        if decision is not None:
            self._trace.show(lambda width: list(_reasons(decision, width)))

    @on(Input.Submitted, "#call")
    def _tried(self, event: Input.Submitted) -> None:
        event.stop()
        self.query_one(RuleList).focus()

    def action_try_call(self) -> None:
        """To the line for calls."""
        self.query_one("#call").focus()

    def action_swap(self) -> None:
        """Between the line and the rules."""
        self.query_one(RuleList if self.query_one("#call").has_focus else "#call").focus()

    def action_scroll_trace(self, lines: int) -> None:
        """Scroll the reasons."""
        self._trace.scroll_relative(y=lines, animate=False, immediate=True)

    # --- changing -------------------------------------------------------------------------------------------

    def action_add(self) -> None:
        """Write a new rule."""
        if not self.query(AddPanel):
            self.add_class("-adding")
            self.query_one(".frame").mount(AddPanel(self._permissions, self._overview.places))

    @on(AddPanel.Wanted)
    def _wanted(self, event: AddPanel.Wanted) -> None:
        event.stop()
        self._change(lambda: self._add(event))

    async def _add(self, wanted: AddPanel.Wanted) -> str:
        rule = await self._permissions.add(wanted.rule, wanted.behavior, wanted.scope)
        await self._end_adding()
        self._wanted_rule = rule
        return f"{rule.behavior} {rule.text} holds now · {rule.source}"

    @on(AddPanel.Left)
    async def _left(self, event: AddPanel.Left) -> None:
        event.stop()
        await self._end_adding()

    async def _end_adding(self) -> None:
        await self.query(AddPanel).remove()
        self.remove_class("-adding")
        self.query_one(RuleList).focus()

    def action_revoke(self) -> None:
        """Take the highlighted rule back; the second press does it."""
        rule = self._rule
        if rule is None:
            return
        if rule.source.layer not in CHANGEABLE:
            self._tell(f"this rule cannot be taken back from here: {rule.source}")
        elif self._doomed != rule:
            self._doomed = rule
            where = f"out of {rule.source}" if rule.source.path else "from this session"
            self._tell(f"d again takes {rule.behavior} {rule.text} {where}", "$text-warning")
        else:
            self._doomed = None
            self._change(lambda: self._revoke(rule))

    async def _revoke(self, rule: Rule) -> str:
        found = await self._permissions.revoke(rule)
        return f"{rule.text} holds no more" if found else f"{rule.text} was not there any more"

    def _change(self, change: Callable[[], Awaitable[str]]) -> None:
        self.run_worker(self._changed(change), group="change")

    async def _changed(self, change: Callable[[], Awaitable[str]]) -> None:
        """Do it, read everything anew, and say what happened."""
        try:
            said = await change()
        except ReinError as error:
            self._tell(str(error))
            return
        await self._read()
        await self._try(self.query_one("#call", Input).value)
        self._said = said
        self._tell(said, "$text-success")

    def action_leave(self) -> None:
        """Close."""
        self.dismiss(None)


def _reasons(decision: Decision, width: int) -> Iterator[Piece]:
    for block in decision_blocks(decision):
        yield from block.pieces(width)
