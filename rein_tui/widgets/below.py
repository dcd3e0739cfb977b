"""The one-line button that says how much new text waits below the view."""

from textual.message import Message
from textual.widgets import Static


class NewBelow(Static):
    """The button that says how much came below while the reader was further up."""

    class Pressed(Message):
        """It was clicked."""

    def on_click(self) -> None:
        """Go there."""
        self.post_message(self.Pressed())
