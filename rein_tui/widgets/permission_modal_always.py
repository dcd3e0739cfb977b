"""Always: which rule, in whose file, and what else it would let pass. Nothing is kept before Enter here."""

import asyncio
from collections.abc import Sequence
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.widgets import OptionList, Static, TextArea
from textual.widgets.option_list import Option

from rein_tui.harness.protocol.decisions import PermissionQuery, Scope, Suggestion
from rein_tui.harness.protocol.policy import RuleCheck, RuleWish, ScopePlace
from rein_tui.harness.protocol.ports import Permissions

from .hints import KeyLine, hint_line
from .nearby import nearby
from .permission_modal_edit import PAUSE, Editor
from .safe import safe_content, safe_text

SCOPES: tuple[Scope, ...] = ("project", "user", "local")
_WHOSE = {
    "project": "everyone in this project",
    "user": "you, in every project",
    "local": "you, in this project",
}
_SHOWN_CALLS = 3


class AlwaysPanel(Vertical):
    """Posts the rules and the scope to keep them in, or that the person went back."""

    DEFAULT_CSS = """
    AlwaysPanel { height: auto; margin-top: 1; }
    AlwaysPanel > Static { height: auto; }
    AlwaysPanel Editor { max-height: 4; }
    AlwaysPanel OptionList { text-wrap: nowrap; text-overflow: ellipsis; }
    AlwaysPanel OptionList { height: auto; border: none; background: transparent; padding: 0; margin-top: 1; }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "Back"),
        Binding("tab,shift+tab", "swap", "Rule or place", priority=True),
        Binding("left", "suggest(-1)", "Other rule"),
        Binding("right", "suggest(1)", "Other rule"),
        *(Binding(str(number), f"place({number})", show=False) for number in (1, 2, 3)),
    ]

    class Granted(Message):
        """Keep these rules there."""

        def __init__(self, rules: tuple[str, ...], scope: Scope) -> None:
            super().__init__()
            self.rules = rules
            self.scope: Scope = scope

    class Grown(Message):
        """It needs another number of rows."""

    class Left(Message):
        """Back to the question."""

    def __init__(
        self, suggestions: Sequence[Suggestion], chosen: int, query: PermissionQuery, permissions: Permissions | None
    ) -> None:
        super().__init__()
        self._suggestions = suggestions
        self._chosen = chosen
        self._query = query
        self._permissions = permissions
        self._check: RuleCheck | None = None
        self.folder = ""
        self._places: dict[Scope, ScopePlace] = {scope: ScopePlace(scope=scope) for scope in SCOPES}
        self._label = Static(Content(""))
        self._verdict = Static(Content(""))

    def compose(self) -> ComposeResult:
        yield self._label
        yield Editor("\n".join(self._suggestions[self._chosen].rules))
        yield self._verdict
        yield OptionList(compact=True)
        yield KeyLine(hint_line(("enter", "keep"), ("tab", "edit the rule"), ("1 – 3", "place"), ("esc", "back")))

    async def on_mount(self) -> None:
        """Learn the places; the suggested one is highlighted."""
        if self._permissions is not None:
            self._places |= {place.scope: place for place in await self._permissions.places()}
        rows = self.query_one(OptionList)
        rows.set_options(self._row(number, scope) for number, scope in enumerate(SCOPES, 1))
        wanted = self._suggestions[self._chosen].scope
        free = [scope for scope in SCOPES if not self._places[scope].problem]
        best = wanted if wanted in free else "local" if "local" in free else free[0] if free else "local"
        rows.highlighted = SCOPES.index(best)
        rows.focus()
        self._describe()
        self._look()

    def on_resize(self) -> None:
        """The question shares the rows anew."""
        self.post_message(self.Grown())

    def _row(self, number: int, scope: Scope) -> Option:
        place = self._places[scope]
        note = place.problem or nearby(place.path, self.folder)
        label = Content.assemble(
            (f" {number} ", "bold $primary"),
            (f"{_WHOSE[scope]:<26}", "$text"),
            safe_content(note, "path", "$text-error" if place.problem else "$text-muted"),
        )
        return Option(label, id=scope, disabled=bool(place.problem))

    def _describe(self) -> None:
        suggestion = self._suggestions[self._chosen]
        count = len(self._suggestions)
        other = f"   ← → {self._chosen + 1} of {count}" if count > 1 else ""
        label = safe_text(suggestion.label, "label")
        self._label.update(
            Content.assemble(("Always allow ", "bold $text"), (label, "$text-muted"), (other, "$text-disabled"))
        )

    @property
    def rules(self) -> tuple[str, ...]:
        """The rules as they stand in the editor, one a line."""
        return tuple(line.strip() for line in self.query_one(Editor).text.splitlines() if line.strip())

    @property
    def _scope(self) -> Scope:
        highlighted = self.query_one(OptionList).highlighted
        return SCOPES[highlighted or 0]

    # --- trying the rule ------------------------------------------------------------------------------------

    @on(TextArea.Changed)
    @on(OptionList.OptionHighlighted)
    def _changed(self, event: TextArea.Changed | OptionList.OptionHighlighted) -> None:
        event.stop()
        self._look()

    def _look(self) -> None:
        self.run_worker(self._try(), group="rule", exclusive=True)

    async def _try(self) -> None:
        if self._permissions is None:
            return
        await asyncio.sleep(PAUSE)
        self._check = await self._permissions.try_rules(RuleWish(rules=self.rules, scope=self._scope), self._query)
        self._verdict.update(Content("\n").join(verdict(self._check)))

    # --- keys -----------------------------------------------------------------------------------------------

    def action_suggest(self, step: int) -> None:
        """The next suggestion."""
        self._chosen = (self._chosen + step) % len(self._suggestions)
        self.query_one(Editor).text = "\n".join(self._suggestions[self._chosen].rules)
        self._describe()

    def action_place(self, number: int) -> None:
        """Highlight a place; Enter keeps the rule there."""
        rows = self.query_one(OptionList)
        if not rows.get_option_at_index(number - 1).disabled:
            rows.highlighted = number - 1

    def action_swap(self) -> None:
        """Between the rule and the places."""
        editor, rows = self.query_one(Editor), self.query_one(OptionList)
        (rows if editor.has_focus else editor).focus()

    def action_leave(self) -> None:
        """Back to the question."""
        self.post_message(self.Left())

    @on(Editor.Taken)
    def _taken(self, event: Editor.Taken) -> None:
        event.stop()
        self.query_one(OptionList).focus()

    @on(OptionList.OptionSelected)
    def _kept(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        if self.rules:
            self.run_worker(self._keep(), group="keep", exclusive=True)

    async def _keep(self) -> None:
        """A rule that cannot be read is not kept: it would do nothing, or something else."""
        wish = RuleWish(rules=self.rules, scope=self._scope)
        check = await self._permissions.try_rules(wish, self._query) if self._permissions is not None else RuleCheck()
        if check.problem:
            self._verdict.update(Content("\n").join(verdict(check)))
        else:
            self.post_message(self.Granted(wish.rules, wish.scope))


def verdict(check: RuleCheck) -> list[Content]:
    """What the rules would do, in a few lines."""
    if check.problem:
        return [safe_content(f"✗ {check.problem}", "prompt", "$text-error")]
    lines: list[Content] = []
    if check.decision is not None:
        covered = check.decision.outcome == "allow"
        words = "✓ covers this call" if covered else f"✗ does not cover this call: {check.decision.reason}"
        lines.append(safe_content(words, "prompt", "$text-success" if covered else "$text-warning"))
    calls = check.would_change
    if calls:
        refused = sum(call.refused for call in calls)
        words = f"would have decided {len(calls)} earlier call{'s' if len(calls) > 1 else ''} of this session"
        style = "$text-warning" if refused else "$text-muted"
        lines.append(Content.styled(f"{words}, {refused} of them refused" if refused else words, style))
        for call in sorted(calls, key=lambda call: not call.refused)[:_SHOWN_CALLS]:
            mark = ("  ✗ ", "$text-error") if call.refused else ("  · ", "$text-muted")
            lines.append(Content.assemble(mark, safe_content(call.summary, "path", "$text-muted")))
    lines += [safe_content(f"! {finding.text}", "prompt", "$text-warning") for finding in check.findings]
    return lines
