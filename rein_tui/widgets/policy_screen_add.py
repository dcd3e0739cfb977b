"""A new rule: typed with a live check of what it would change, then kept in the place chosen."""

import asyncio
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from rein_tui.harness.protocol.decisions import Outcome, Scope
from rein_tui.harness.protocol.policy import RuleWish, ScopePlace
from rein_tui.harness.protocol.ports import Permissions

from .hints import KeyLine, hint_line
from .inspector_why import OUTCOME_STYLES
from .permission_modal_always import verdict
from .permission_modal_edit import PAUSE
from .safe import safe_content

_WHOSE: dict[Scope, str] = {
    "session": "this session only",
    "project": "everyone in this project",
    "user": "you, in every project",
    "local": "you, in this project",
}
_BEHAVIORS: tuple[Outcome, ...] = ("allow", "ask", "deny")


class AddPanel(Vertical):
    """`deny Bash(curl *)`: the first word says what the rule does, allow when it is left out."""

    DEFAULT_CSS = """
    AddPanel { height: auto; margin-top: 1; border-top: solid $border-blurred; }
    AddPanel > Static { height: auto; }
    AddPanel > Input { border: none; height: 1; background: $panel; padding: 0 1; }
    AddPanel OptionList > .option-list--option-highlighted {
        color: $block-cursor-foreground; background: $block-cursor-background; text-style: $block-cursor-text-style;
    }
    AddPanel > OptionList { text-wrap: nowrap; text-overflow: ellipsis; }
    AddPanel > OptionList { height: auto; border: none; background: transparent; padding: 0; }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "Back"),
        Binding("down", "place(1)", "Next place", priority=True),
        Binding("up", "place(-1)", "Place before", priority=True),
    ]

    class Wanted(Message):
        """Keep this rule there."""

        def __init__(self, rule: str, behavior: Outcome, scope: Scope) -> None:
            super().__init__()
            self.rule = rule
            self.behavior: Outcome = behavior
            self.scope: Scope = scope

    class Left(Message):
        """No new rule."""

    def __init__(self, permissions: Permissions, places: tuple[ScopePlace, ...], text: str = "") -> None:
        super().__init__()
        self._permissions = permissions
        self._places = places
        self._text = text
        self._verdict = Static(Content(""))

    def compose(self) -> ComposeResult:
        yield Input(self._text, placeholder="allow Bash(npm test *)   deny Read(//etc/**)   ask WebFetch", compact=True)
        yield self._verdict
        yield OptionList(*(self._row(place) for place in self._places), compact=True)
        yield KeyLine(hint_line(("enter", "keep the rule"), ("↑ ↓", "where"), ("esc", "back")))

    def _row(self, place: ScopePlace) -> Option:
        note = place.problem or place.path
        return Option(
            Content.assemble(
                (f"  {_WHOSE[place.scope]:<26}", "$text"),
                safe_content(note, "path", "$text-error" if place.problem else "$text-muted"),
            )
        )

    def on_mount(self) -> None:
        """Typing goes to the rule, arrows to the places."""
        self.query_one(Input).focus()
        self.query_one(OptionList).highlighted = 0

    @property
    def _wish(self) -> RuleWish:
        first, _, rest = self.query_one(Input).value.strip().partition(" ")
        behavior: Outcome | None = next((known for known in _BEHAVIORS if known == first.lower()), None)
        rule = rest.strip() if behavior else f"{first} {rest}".strip()
        place = self._places[self.query_one(OptionList).highlighted or 0]
        return RuleWish(rules=(rule,) if rule else (), behavior=behavior or "allow", scope=place.scope)

    @on(Input.Changed)
    @on(OptionList.OptionHighlighted)
    def _changed(self, event: Input.Changed | OptionList.OptionHighlighted) -> None:
        event.stop()
        self.run_worker(self._look(), group="rule", exclusive=True)

    async def _look(self) -> None:
        await asyncio.sleep(PAUSE)
        wish = self._wish
        if not wish.rules:
            self._verdict.update(Content(""))
            return
        check = await self._permissions.try_rules(wish)
        head = Content.assemble(
            (f"{wish.behavior} ", f"bold {OUTCOME_STYLES[wish.behavior]}"), safe_content(wish.rules[0], "path", "$text")
        )
        nothing = [Content.styled("changes no earlier call of this session", "$text-muted")]
        self._verdict.update(Content("\n").join([head, *(verdict(check) or nothing)]))

    def action_place(self, step: int) -> None:
        """Another place."""
        rows = self.query_one(OptionList)
        rows.highlighted = ((rows.highlighted or 0) + step) % len(self._places)

    @on(Input.Submitted)
    @on(OptionList.OptionSelected)
    def _submitted(self, event: Input.Submitted | OptionList.OptionSelected) -> None:
        event.stop()
        wish = self._wish
        if wish.rules:
            self.post_message(self.Wanted(wish.rules[0], wish.behavior, wish.scope))

    def action_leave(self) -> None:
        """No new rule."""
        self.post_message(self.Left())
