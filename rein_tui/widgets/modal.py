"""The base of our modal screens: a frame, Esc, and a moment of grace before a question takes keys.

A question that opens while someone types must not read that typing as an answer. For `grace` seconds after it opens
a modal shows itself dim, has no focus and answers to no key; what was typed stays in the prompt.
"""

from typing import ClassVar, TypeVar

from textual import events
from textual.binding import Binding, BindingType
from textual.screen import ModalScreen

ResultT = TypeVar("ResultT")


class Modal(ModalScreen[ResultT]):
    """A framed modal. `FIRST` selects what gets the focus once the grace is over."""

    AUTO_FOCUS = ""
    HORIZONTAL_BREAKPOINTS = [(0, "-slim"), (80, "-wide")]  # noqa: RUF012  Textual's own form
    FIRST: ClassVar[str] = ""
    IS_QUESTION: ClassVar[bool] = False
    """Whether someone waits for the answer."""

    DEFAULT_CSS = """
    Modal {
        align: center middle; background: $background 60%;
        & Static { link-style: none; }
        & > .frame {
            width: 80%; max-width: 100; min-width: 50; height: auto; max-height: 90%; padding: 1 2;
            background: $surface; border: round $border; border-title-color: $text; border-subtitle-color: $text-muted;
        }
        &.-grace > .frame { border: round $border-blurred; color: $text-muted; }
    }
    Modal.-slim > .frame { width: 100%; min-width: 20; padding: 0 1; margin: 0; }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "Close"),
        Binding("ctrl+c", "stop", "Close", show=False, priority=True),
    ]

    def __init__(self, *, grace: float = 0.0) -> None:
        super().__init__()
        self._grace = grace
        self.is_ready = grace <= 0

    def on_mount(self) -> None:
        """Begin the grace."""
        if self.is_ready:
            self.end_grace()
        else:
            self.add_class("-grace")
            self.set_timer(self._grace, self.end_grace)

    def end_grace(self) -> None:
        """Take keys from now on."""
        self.is_ready = True
        self.remove_class("-grace")
        first = next(iter(self.query(self.FIRST)), None) if self.FIRST else None
        if first is not None:  # else it was closed before it stood
            first.focus()
        self.refresh_bindings()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """No action before the grace is over."""
        return self.is_ready

    def on_click(self, event: events.Click) -> None:
        """A click beside the frame closes it; a question stays, lest a stray click answers."""
        if event.widget is self and not self.IS_QUESTION:
            self.action_leave()

    def action_stop(self) -> None:
        """Ctrl+C: close, whatever is open in it."""
        self.dismiss(None)

    def action_leave(self) -> None:
        """Close without an answer."""
        self.dismiss(None)
