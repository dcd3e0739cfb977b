"""Editing a call before it runs: the command alone, or the input as JSON; checked against the rules while typing."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any, ClassVar, TypeAlias, cast

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.widgets import Static, TextArea

from rein_tui.harness.protocol.base import JsonObject
from rein_tui.harness.protocol.decisions import Outcome
from rein_tui.harness.protocol.policy import CallCheck

from .hints import KeyLine, hint_line
from .inspector_why import OUTCOME_STYLES
from .permission_modal_parts import Proposal, edited
from .safe import safe_content

Check: TypeAlias = Callable[[JsonObject], Awaitable[CallCheck]]

PAUSE = 0.05
"""Seconds without a key after which the text is checked."""

_WORDS: dict[Outcome, str] = {
    "allow": "a rule allows this",
    "ask": "asks, as before",
    "deny": "would be denied",
}


class Editor(TextArea):
    """A text that Enter finishes; ctrl+j and shift+enter begin a line."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "take", "Use it", priority=True),
        Binding("ctrl+j,shift+enter,alt+enter", "newline", "New line", priority=True),
    ]

    DEFAULT_CSS = """
    Editor { height: auto; max-height: 12; border: none; background: $panel; padding: 0 1; scrollbar-size-vertical: 1; }
    """

    class Taken(Message):
        """Enter."""

    def __init__(self, text: str) -> None:
        super().__init__(text, soft_wrap=True, tab_behavior="focus", compact=True, highlight_cursor_line=False)

    def action_take(self) -> None:
        """The text is as wanted."""
        self.post_message(self.Taken())

    def action_newline(self) -> None:
        """Begin a line."""
        self.insert("\n")


class EditPanel(Vertical):
    """Posts the edited call, or that the edit is dropped."""

    DEFAULT_CSS = """
    EditPanel { height: auto; margin-top: 1; }
    EditPanel > Static { height: auto; }
    """

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "leave", "Drop the edit")]

    class Edited(Message):
        """The call as it shall be; the same as before when nothing was changed."""

        def __init__(self, proposal: Proposal) -> None:
            super().__init__()
            self.proposal = proposal

    class Grown(Message):
        """It needs another number of rows."""

    class Left(Message):
        """The edit is dropped."""

    def __init__(self, proposal: Proposal, check: Check) -> None:
        super().__init__()
        self._proposal = proposal
        self._check = check
        command = proposal.input.get("command")
        self._command = command if proposal.tool == "Bash" and isinstance(command, str) else None
        self._verdict = Static(Content(""))

    def compose(self) -> ComposeResult:
        what = "the command" if self._command is not None else "the input, as JSON"
        yield Static(Content.styled(f"Edit {what}", "bold $text"))
        text = self._command
        yield Editor(json.dumps(self._proposal.input, indent=2, ensure_ascii=False) if text is None else text)
        yield self._verdict
        yield KeyLine(hint_line(("enter", "use"), ("ctrl+j", "new line"), ("esc", "drop the edit")))

    def on_mount(self) -> None:
        """Begin at the end of a command; at the beginning of JSON."""
        editor = self.query_one(Editor)
        editor.focus()
        if self._command is not None:
            editor.move_cursor(editor.document.end)

    def on_resize(self) -> None:
        """The question shares the rows anew."""
        self.post_message(self.Grown())

    @on(TextArea.Changed)
    def _changed(self, event: TextArea.Changed) -> None:
        event.stop()
        self.run_worker(self._look(), group="edit", exclusive=True)

    async def _look(self) -> None:
        await asyncio.sleep(PAUSE)
        self._tell(await self._checked())

    @on(Editor.Taken)
    def _taken(self, event: Editor.Taken) -> None:
        event.stop()
        self.run_worker(self._take(), group="edit", exclusive=True)

    async def _take(self) -> None:
        if self._input() == self._proposal.input:
            self.post_message(self.Left())
            return
        check = await self._checked()
        proposal = edited(check)
        if proposal is None:
            self._tell(check)
        else:
            self.post_message(self.Edited(proposal))

    async def _checked(self) -> CallCheck:
        value = self._input()
        return CallCheck(input={}, problem=value) if isinstance(value, str) else await self._check(value)

    def _input(self) -> JsonObject | str:
        """The input as edited, or what is wrong with it."""
        text = self.query_one(Editor).text
        if self._command is not None:
            return {**self._proposal.input, "command": text} if text.strip() else "There is no command."
        try:
            value: Any = json.loads(text)
        except ValueError as error:
            return f"Not JSON: {error}"
        return cast(JsonObject, value) if isinstance(value, dict) else "The input must be a JSON object."

    def _tell(self, check: CallCheck) -> None:
        decision = check.decision
        if decision is None:
            self._verdict.update(safe_content(f"✗ {check.problem}", "prompt", "$text-error"))
            return
        style = OUTCOME_STYLES[decision.outcome]
        words = f"{_WORDS[decision.outcome]}: {decision.reason}"
        self._verdict.update(
            Content.assemble((f"{decision.outcome}  ", f"bold {style}"), safe_content(words, "prompt", "$text-muted"))
        )

    def action_leave(self) -> None:
        """Drop the edit."""
        self.post_message(self.Left())
