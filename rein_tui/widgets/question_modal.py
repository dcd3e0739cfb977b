"""Questions to a person: options to pick, one or several, and always words of their own."""

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option as Row

from rein_tui.harness.protocol.decisions import Question, QuestionReply, QuestionRequest

from .hints import hint_line
from .later import after_refresh
from .lines import hung
from .modal import Modal
from .safe import safe_content, safe_text

_COLUMN = 32
"""The widest names of options beside which descriptions stand in a column."""


class QuestionModal(Modal[QuestionReply]):
    """One question after the other. Enter takes, Space ticks where several may be picked, Esc gives no answer.

    A question that was answered before begins with that answer. `session` names the one that asks, where another is on
    the screen.
    """

    FIRST = "OptionList"
    IS_QUESTION = True

    DEFAULT_CSS = """
    QuestionModal {
        align: center bottom;
        & > .frame { margin-bottom: 4; border: round $primary; }
        & OptionList { height: auto; max-height: 16; border: none; background: $surface; margin-top: 1; padding: 0; }
        & Input { border: none; height: 1; background: $panel; padding: 0 1; margin-top: 1; }
    }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "tick", "Tick", show=False),
        Binding("shift+tab,left", "back", "The question before", show=False),
        Binding("ctrl+d", "decline", "Say no", show=False, priority=True),
        *(Binding(str(n), f"pick({n})", f"Option {n}", show=False) for n in range(1, 10)),
    ]

    def __init__(self, request: QuestionRequest, *, session: str = "", grace: float = 0.0) -> None:
        super().__init__(grace=grace)
        self._session = session
        self._request = request
        self._at = 0
        self._ticked: set[int] = set()
        self._answers: dict[str, str] = {}

    def compose(self) -> ComposeResult:
        with Vertical(classes="frame"):
            yield Static(id="question")
            yield OptionList(compact=True)
            yield Input(placeholder="or answer in your own words", compact=True)

    def on_mount(self) -> None:
        """Ask the first question."""
        self._ask()

    def _ask(self) -> None:
        question = self._request.questions[self._at]
        given = self._answers.get(question.question, question.given)
        known = [number for number, option in enumerate(question.options) if option.label in given.split(", ")]
        self._ticked = set(known) if question.multi_select else set()
        frame = self.query_one(".frame", Vertical)
        title = safe_text(question.header or self._request.title or "Question", "label")
        count = f" {self._at + 1} of {len(self._request.questions)}" if len(self._request.questions) > 1 else ""
        where = f" · in {safe_text(self._session, 'label')}" if self._session else ""
        frame.border_title = Content(title + count + where)
        frame.border_subtitle = hint_line(*self._keys(question))
        self.query_one("#question", Static).update(self._words(question))
        self.query_one(Input).value = "" if known else given
        self._draw()
        rows = self.query_one(OptionList)
        rows.display = bool(question.options)
        rows.highlighted = next(iter(known), 0) if question.options else None
        if self.is_ready:
            (rows if question.options else self.query_one(Input)).focus()

    def _keys(self, question: Question) -> list[tuple[str, str]]:
        keys = [("enter", "send" if question.multi_select or not question.options else "pick")]
        if question.multi_select:
            keys.insert(0, ("space", "tick"))
        if question.options:
            keys.append(("tab", "write"))
        if self._request.can_decline:
            keys.append(("ctrl+d", "say no"))
        return [*keys, ("esc", "no answer")]

    def _words(self, question: Question) -> Content:
        """The question, and above it who asks, where neither the frame nor the question says so."""
        words = safe_content(question.question, "prompt", "bold $text")
        who = self._request.title
        if not who or not question.header or who in question.question:
            return words
        return Content.assemble(safe_content(who, "prompt", "$text-muted"), "\n\n", words)

    def end_grace(self) -> None:
        """Take keys; a question without options is answered in words at once."""
        super().end_grace()
        if not self._request.questions[self._at].options:
            self.query_one(Input).focus()

    def _draw(self) -> None:
        question = self._request.questions[self._at]
        rows = self.query_one(OptionList)
        kept = rows.highlighted
        drawn: list[Row] = []
        column = max((Content(safe_text(option.label, "label")).cell_length for option in question.options), default=0)
        for number, option in enumerate(question.options):
            box = ("[x] " if number in self._ticked else "[ ] ") if question.multi_select else ""
            name = Content.styled(safe_text(option.label, "label"), "$text")
            if option.description and column <= _COLUMN:
                name = name.pad_right(column - name.cell_length)
            label = Content.assemble((f"{number + 1} ", "$text-disabled"), box, name)
            if option.description:
                words = safe_content(option.description, "label", "$text-muted")
                label = hung(Content.assemble(label, "   "), words, max(24, rows.size.width or 40))
            drawn.append(Row(label))
        rows.set_options(drawn)
        rows.highlighted = kept

    def on_resize(self) -> None:
        """Descriptions wrap in their column, once the width is known."""
        after_refresh(self, self._draw)

    def action_tick(self) -> None:
        """Tick the highlighted option, where several may be picked."""
        highlighted = self.query_one(OptionList).highlighted
        if self._request.questions[self._at].multi_select and highlighted is not None:
            self._ticked ^= {highlighted}
            self._draw()

    def action_pick(self, number: int) -> None:
        """Pick by number, or tick."""
        question = self._request.questions[self._at]
        if number > len(question.options):
            return
        self.query_one(OptionList).highlighted = number - 1
        if question.multi_select:
            self.action_tick()
        else:
            self._take(question.options[number - 1].label)

    def action_back(self) -> None:
        """The question before."""
        if self._at:
            self._at -= 1
            self._ask()

    @on(OptionList.OptionSelected)
    def _picked(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        if not self.is_ready:
            return
        question = self._request.questions[self._at]
        chosen = sorted(self._ticked) if question.multi_select and self._ticked else [event.option_index]
        self._take(", ".join(question.options[index].label for index in chosen))

    @on(Input.Submitted)
    def _written(self, event: Input.Submitted) -> None:
        event.stop()
        question = self._request.questions[self._at]
        words = event.value.strip()
        ticked = [question.options[index].label for index in sorted(self._ticked)]
        if words or ticked or question.optional:
            self._take(", ".join([*ticked, words] if words else ticked))

    def _take(self, answer: str) -> None:
        self._answers[self._request.questions[self._at].question] = answer
        if self._at + 1 < len(self._request.questions):
            self._at += 1
            self._ask()
        else:
            self.dismiss(QuestionReply(answers=self._answers))

    def action_decline(self) -> None:
        """Say no to all of it, where that is an answer."""
        if self._request.can_decline:
            self.dismiss(QuestionReply(declined=True))

    def action_leave(self) -> None:
        """Give no answer."""
        self.dismiss(QuestionReply(cancelled=True))
