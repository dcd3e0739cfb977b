"""The line below a replay: where it is, how fast it goes, where turns and questions are. A click goes there."""

from collections.abc import Sequence
from dataclasses import dataclass

from textual import events
from textual.content import Content
from textual.message import Message
from textual.widget import Widget

_KNOB, _DONE, _LEFT = "●", "━", "─"
_SIGNS = {"turn": ("┃", "$text"), "call": ("", ""), "asked": ("?", "$text-accent"), "bad": ("×", "$text-error")}
_RANK = ("call", "turn", "asked", "bad")


@dataclass(frozen=True, slots=True)
class Stand:
    """What the scrubber shows. Seconds are of playing at normal speed; `turn` of `turns`, `told` of `total` facts."""

    seconds: float = 0.0
    length: float = 0.0
    speed: float = 1.0
    is_playing: bool = False
    turn: int = 0
    turns: int = 0
    told: int = 0
    total: int = 0


class Scrubber(Widget, can_focus=True):
    """One line. It knows nothing of what is played."""

    DEFAULT_CSS = """
    Scrubber { height: 1; padding: 0 1; background: $surface; color: $text-muted; }
    Scrubber:focus { background: $panel; }
    """

    class Sought(Message):
        """The person pointed at a time; `share` of the whole, 0 to 1."""

        def __init__(self, share: float) -> None:
            super().__init__()
            self.share = share

    class Toggled(Message):
        """The person clicked on play or pause."""

    def __init__(self, marks: Sequence[tuple[float, str]] = (), *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._marks = tuple(marks)
        self._stand = Stand()
        self._bar = (0, 1)
        self._is_dragged = False

    def show(self, stand: Stand) -> None:
        """Show this from now on."""
        if stand != self._stand:
            self._stand = stand
            self.refresh()

    def render(self) -> Content:
        stand = self._stand
        left = Content.assemble(
            ("⏸ " if stand.is_playing else "▶ ", "bold $primary"), (f"{_clock(stand.seconds)} ", "$text")
        )
        right = Content.assemble(
            (f" {_clock(stand.length)}", "$text"),
            (f"  ×{stand.speed:g}", "$text-primary" if stand.speed != 1 else ""),
            f"  turn {stand.turn}/{stand.turns}",
            f"  fact {stand.told}/{stand.total}" if self.size.width >= 90 else "",
        )
        room = max(4, self.size.width - left.cell_length - right.cell_length)
        self._bar = (left.cell_length, room)
        return Content.assemble(left, self._line(room), right)

    def _line(self, room: int) -> Content:
        length = self._stand.length or 1.0
        knob = min(room - 1, round(self._stand.seconds / length * (room - 1)))
        signs: dict[int, str] = {}
        for seconds, kind in self._marks:
            cell = min(room - 1, round(seconds / length * (room - 1)))
            signs[cell] = max(signs.get(cell, "call"), kind, key=_RANK.index)
        parts: list[tuple[str, str]] = []
        for cell in range(room):
            sign, colour = _SIGNS[signs.get(cell, "call")]
            if cell == knob:
                parts.append((_KNOB, "bold $primary"))
            elif sign:
                parts.append((sign, colour))
            else:
                parts.append((_DONE, "$primary") if cell < knob else (_LEFT, "$text-disabled"))
        return Content.assemble(*parts)

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """Go there; dragging goes on going."""
        event.stop()
        if event.x - self.gutter.left < self._bar[0]:
            self.post_message(self.Toggled())
        else:
            self._is_dragged = True
            self.capture_mouse()
            self._seek(event.x)

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """Drag."""
        if self._is_dragged:
            self._seek(event.x)

    def on_mouse_up(self, event: events.MouseUp) -> None:
        """Let go."""
        self._is_dragged = False
        self.release_mouse()

    def _seek(self, x: int) -> None:
        start, room = self._bar
        share = (x - self.gutter.left - start) / max(1, room - 1)
        self.post_message(self.Sought(min(1.0, max(0.0, share))))


def _clock(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
