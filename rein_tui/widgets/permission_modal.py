"""The permission question: what will happen, why it asks, and every answer there is.

`y` once, `s` this session, `a` always (in a step of its own), `n` no, Esc no and stop. Nothing is approved that was
not all on the screen: the first yes to something longer shows the rest of it.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, ClassVar, cast

from textual import on
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Input, OptionList
from textual.widgets.option_list import Option

from rein_tui.harness.protocol.base import JsonObject
from rein_tui.harness.protocol.decisions import Answer, PermissionReply, PermissionRequest, Scope, Suggestion
from rein_tui.harness.protocol.policy import CallCheck

from .hints import KeyLine
from .permission_modal_always import AlwaysPanel
from .permission_modal_batch import BatchModal, Judged
from .permission_modal_edit import EditPanel
from .permission_modal_frame import CallModal, Choices
from .permission_modal_parts import (
    CHOICES,
    KEYS,
    Choice,
    Docket,
    Proposal,
    Waiting,
    answer_row,
    may,
    query_for,
    title,
)
from .permission_modal_words import WordsRow


class PermissionModal(CallModal[PermissionReply]):
    """Choices with the person's reply; Esc denies and stops the turn."""

    FIRST = "Choices"

    DEFAULT_CSS = """
    PermissionModal {
        & Choices { margin-top: 1; }
        &.-step Choices, &.-step WordsRow { display: none; }
        &.-grace Choices { opacity: 40%; }
        &.-low Choices, &.-low AlwaysPanel, &.-low EditPanel, &.-low AlwaysPanel OptionList { margin-top: 0; }
    }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y,1", "answer('once')", "Yes, once"),
        Binding("s,2", "answer('session')", "Yes, this session"),
        Binding("a,3", "answer('always')", "Always …"),
        Binding("n,4", "answer('deny')", "No"),
        Binding("tab", "words", "Words to the model"),
        Binding("e", "edit", "Edit the call"),
        Binding("v", "batch", "Questions that wait"),
        Binding("i", "ignore", "Ignore the broken hook"),
        Binding("g", "show_session", "Show the session that asks"),
        Binding("left", "suggest(-1)", "Other rule", show=False),
        Binding("right", "suggest(1)", "Other rule", show=False),
        Binding("up", "highlight(-1)", "Answer above", show=False),
        Binding("down", "highlight(1)", "Answer below", show=False),
        Binding("escape", "leave", "No, and stop"),
        Binding("ctrl+c", "stop", "No, and stop", show=False, priority=True),
    ]

    def __init__(self, request: PermissionRequest, *, docket: Docket | None = None, grace: float = 0.0) -> None:
        self._docket = docket or Docket()
        super().__init__(Proposal.of(request), folder=self._docket.folder, grace=grace)
        self._request = request
        self._suggested = 0
        self._is_ignoring = False

    # --- on the screen --------------------------------------------------------------------------------------

    def compose(self) -> ComposeResult:
        with Vertical(classes="frame") as frame:
            frame.border_title = Content(title(self._request, self._docket))
            if self._docket.total > 1:
                frame.border_subtitle = Content(f"{self._docket.number} of {self._docket.total}")
            yield from self.call_parts()
            yield Choices(compact=True)
            yield WordsRow()
            yield KeyLine(id="keys")

    def on_mount(self) -> None:
        """Show the call."""
        self._show()

    def _show(self) -> None:
        """The safest useful answer is highlighted; never a lasting one."""
        self.show_proposal()
        doubtful = self.proposal.warnings(*self.more_warnings()) or self.proposal.broken_hooks
        self._draw_answers("deny" if doubtful else "once")

    def more_warnings(self) -> tuple[str, ...]:
        """Those of the request, about the call as the model asked for it."""
        return () if self.proposal.edited else self._request.warnings

    def notes(self) -> Iterator[str]:
        """Hooks that will not run again."""
        if self._is_ignoring:
            names = ", ".join(str(verdict.source) for verdict in self.proposal.broken_hooks)
            yield f"with your answer, this hook runs no more in this session: {names}"

    def more_keys(self) -> Iterator[tuple[str, str]]:
        """Keys that answer or change."""
        yield "tab", "add words"
        yield "e", "edit"
        if self._docket.waiting:
            yield "v", f"{len(self._docket.waiting)} more wait" if len(self._docket.waiting) > 1 else "1 more waits"
        if self.proposal.broken_hooks:
            yield "i", "run the hook" if self._is_ignoring else "ignore the hook"
        if self._docket.show is not None:
            yield "g", "show its session"

    # --- answers --------------------------------------------------------------------------------------------

    def _draw_answers(self, highlight: Choice) -> None:
        answers = self.query_one(Choices)
        answers.set_options(
            Option(answer_row(choice, self.proposal, self._suggestion), disabled=not may(choice, self.proposal))
            for choice in CHOICES
        )
        answers.highlighted = CHOICES.index(highlight if may(highlight, self.proposal) else "deny")

    @property
    def _suggestion(self) -> Suggestion | None:
        known = self.proposal.suggestions
        return known[self._suggested % len(known)] if known else None

    @property
    def _highlighted(self) -> Choice:
        return CHOICES[self.query_one(Choices).highlighted or 0]

    @on(OptionList.OptionSelected, "Choices")
    def _selected(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        self.action_answer(CHOICES[event.option_index])

    @on(Input.Submitted, "WordsRow Input")
    def _said_words(self, event: Input.Submitted) -> None:
        event.stop()
        self.action_answer(self._highlighted)

    def action_answer(self, choice: Choice) -> None:
        """Answer; a yes to what was not all seen shows the rest of it first. Clicks have their grace too."""
        if not self.is_ready or not may(choice, self.proposal):
            return
        suggestion = self._suggestion
        self.seen.note_seen()  # a key may come between a paint and the word that it was painted
        if choice != "deny" and self.seen.unseen:
            self._show_rest(choice)
        elif choice == "always" and suggestion is not None:
            query = query_for(self._request, self.proposal.input)
            known = [one for one in self.proposal.suggestions if one.lasting]
            chosen = known.index(suggestion) if suggestion in known else 0
            panel = AlwaysPanel(known, chosen, query, self._docket.permissions)
            panel.folder = self._docket.folder
            self._step(panel)
        else:
            self._reply(choice, suggestion.rules if choice == "session" and suggestion else ())

    def _show_rest(self, choice: Choice) -> None:
        if self.has_class("-full"):
            self.action_page(1)
        else:
            self.action_full()
        self.tell(f"▼ {self.seen.unseen} lines not seen yet: {KEYS[choice]} shows more, end goes to the last")

    def _reply(self, answer: Answer, rules: tuple[str, ...] = (), scope: Scope = "session") -> None:
        proposal = self.proposal
        hooks = tuple(verdict.hook_id for verdict in proposal.broken_hooks)
        self.dismiss(
            PermissionReply(
                answer=answer,
                rules=rules,
                scope=scope,
                input=proposal.input if proposal.edited and answer not in ("deny", "stop") else None,
                words=self.query_one(WordsRow).words,
                ignore_hooks=hooks if self._is_ignoring else (),
            )
        )

    def action_suggest(self, step: int) -> None:
        """Another rule for this session, or always."""
        if len(self.proposal.suggestions) > 1:
            self._suggested += step
            self._draw_answers(self._highlighted)

    def action_show_session(self) -> None:
        """Bring the session that asks onto the screen; the question stays."""
        if self._docket.show is not None:
            self._docket.show()

    def action_ignore(self) -> None:
        """Whether the hook that failed shall be left out from now on."""
        if self.proposal.broken_hooks:
            self._is_ignoring = not self._is_ignoring
            self.tell()
            self.fit_soon()

    def action_words(self) -> None:
        """Words that go with the highlighted answer."""
        self.query_one(WordsRow).open()
        self.fit_soon()

    def action_highlight(self, step: int) -> None:
        """Another answer for the words that are being written."""
        answers = self.query_one(Choices)
        if step > 0:
            answers.action_cursor_down()
        else:
            answers.action_cursor_up()

    @on(OptionList.OptionHighlighted, "Choices")
    def _name_answer(self) -> None:
        self.query_one(WordsRow).show_answer(self._highlighted)

    def action_leave(self) -> None:
        """Out of a step or a closer look; from the question itself: no, and the turn stops."""
        if self.has_class("-step"):
            self._end_step()
        elif self.query_one(WordsRow).is_open and not self.query_one(Choices).has_focus:
            self.query_one(Choices).focus()
        elif not self.fold_back():
            self._reply("stop")

    def action_stop(self) -> None:
        """No, and the turn stops, wherever the person is."""
        self._reply("stop")

    # --- steps ----------------------------------------------------------------------------------------------

    def _step(self, panel: Widget) -> None:
        self.add_class("-step")
        self.query_one(".frame").mount(panel)
        self.query_one("#why").display = not self.has_class("-low")
        self.tell()
        self.fit_soon()

    def _end_step(self) -> None:
        self.remove_class("-step")
        self.query("AlwaysPanel, EditPanel").remove()
        self.query_one("#why").display = True
        self.query_one(Choices).focus()
        self.tell()
        self.fit_soon()

    @on(AlwaysPanel.Granted)
    def _granted(self, event: AlwaysPanel.Granted) -> None:
        event.stop()
        self._reply("always", event.rules, event.scope)

    def action_edit(self) -> None:
        """Change the call before it runs."""
        if self._docket.permissions is not None:
            self._step(EditPanel(self.proposal, self._check))
        else:
            self.tell("this call cannot be edited here")

    def action_batch(self) -> None:
        """All questions of this message in one list."""
        if self._docket.waiting:
            rows = [self.proposal, *(waiting.proposal for waiting in self._docket.waiting)]
            app = cast("App[object]", cast("Any", self).app)
            app.push_screen(BatchModal(rows, folder=self._docket.folder), self._judged)

    def _judged(self, judged: Judged | None) -> None:
        """Choices to calls that wait are kept until their turn comes; the one to this call is given now."""
        left: list[Waiting] = []
        for index, waiting in enumerate(self._docket.waiting, 1):
            answer = (judged or {}).get(index)
            if answer is None or self._docket.settle is None:
                left.append(waiting)
            else:
                self._docket.settle(waiting, PermissionReply(answer=answer))
        self._docket = replace(self._docket, waiting=tuple(left))
        if judged and 0 in judged:
            self._reply(judged[0])
        else:
            self.tell()

    async def _check(self, tool_input: JsonObject) -> CallCheck:
        permissions = self._docket.permissions
        if permissions is None:
            return CallCheck(input=tool_input, problem="The rules cannot be asked here.")
        return await permissions.check(query_for(self._request, tool_input))

    @on(EditPanel.Edited)
    def _edited(self, event: EditPanel.Edited) -> None:
        event.stop()
        self._end_step()
        self.proposal = event.proposal
        self._suggested = 0
        self._show()

    @on(EditPanel.Grown)
    @on(AlwaysPanel.Grown)
    def _grown(self, event: EditPanel.Grown | AlwaysPanel.Grown) -> None:
        event.stop()
        self.fit_soon()

    @on(EditPanel.Left)
    @on(AlwaysPanel.Left)
    def _left(self, event: EditPanel.Left | AlwaysPanel.Left) -> None:
        event.stop()
        self._end_step()
