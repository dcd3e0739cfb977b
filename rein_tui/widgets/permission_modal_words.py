"""Words to the model that go with an answer, beside the answer that they go with."""

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content
from textual.widgets import Input, Static

from .permission_modal_parts import ANSWERS, Choice

_HINT = "words to the model   ↑ ↓ another answer, enter gives it, esc goes back"


class WordsRow(Horizontal):
    """One line to write in; names the answer all the while, so that it cannot seem to belong to another one."""

    DEFAULT_CSS = """
    WordsRow {
        display: none; height: 1; margin-left: 1; background: $panel;
        & > Static { width: auto; padding: 0 1; text-style: bold; }
        & > Input { border: none; height: 1; background: $panel; padding: 0; }
        &.-open { display: block; }
    }
    """

    def compose(self) -> ComposeResult:
        """The answer, then the words."""
        yield Static()
        yield Input(placeholder=_HINT, compact=True)

    @property
    def words(self) -> str:
        """What was written; empty when nothing was."""
        return self.query_one(Input).value.strip()

    @property
    def is_open(self) -> bool:
        """Whether it was ever opened."""
        return self.has_class("-open")

    def open(self) -> None:
        """Show it and write in it."""
        self.add_class("-open")
        self.query_one(Input).focus()

    def show_answer(self, answer: Choice) -> None:
        """Which answer the words go with."""
        style = "$text-error" if answer == "deny" else "$text-success"
        self.query_one(Static).update(Content.styled(f"{ANSWERS[answer]}, and:", style))
