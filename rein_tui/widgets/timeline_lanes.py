"""How the timeline draws: four lanes on one axis with totals, a row with a bar for each span, the verdict in a line."""

from collections.abc import Sequence
from dataclasses import dataclass

from textual.content import Content
from textual.widget import Widget

from .figures import short_duration
from .inspector_timing import span_bar
from .lines import EMPTY, joined
from .rows import ListRow, columns, fit
from .safe import safe_content
from .timeline_spans import LANES, Lane, Scale, Span, TurnSpan, covered, density

STYLES: dict[Lane, str] = {
    "model": "$text-primary",
    "tool": "$text-success",
    "hook": "$text-secondary",
    "you": "$text-accent",
}
NAMES: dict[Lane, str] = {"model": "model", "tool": "tools", "hook": "hooks", "you": "you"}
_VERDICTS: dict[Lane, str] = {
    "model": "the model",
    "tool": "tools",
    "hook": "hooks",
    "you": "waiting for you",
}
_HEIGHTS = "▁▂▃▄▅▆▇█"
_NAME, _TOTAL = 6, 14


def headline(turns: Sequence[TurnSpan], count: int, spans: Sequence[Span], scale: Scale, now: float) -> Content:
    """Which turn, how long, and where most of the time went."""
    if not turns:
        return EMPTY
    if len(turns) > 1:
        name = Content.assemble((f"session  {count} turns", "bold"))
    else:
        number = f"turn {turns[0].turn}" + (f" of {count}" if count > 1 else "")
        name = Content.assemble((f"{number}  ", "bold"), safe_content(turns[0].text, "label", "$text-muted"))
    name = name.truncate(60, ellipsis=True) if name.cell_length > 60 else name
    totals = {lane: covered(scale.place(s) for s in spans if s.lane == lane) for lane in LANES}
    lane = max(LANES, key=lambda one: totals[one])
    if not totals[lane]:
        return name
    parts = [
        Content.styled(short_duration(totals[lane]), f"bold {STYLES[lane]}"),
        Content(f" of {short_duration(scale.whole)} {'went' if turns[-1].end else 'goes'} to {_VERDICTS[lane]}"),
    ]
    longest = max((s for s in spans if s.lane == lane), key=lambda span: span.length(now))
    if lane in {"hook", "tool"} and longest.length(now) > totals[lane] / 2:
        parts.append(safe_content(f": {longest.words}", "label", "$text-muted"))
    verdict = joined(parts)
    return Content("\n").join([name, verdict.truncate(100, ellipsis=True) if verdict.cell_length > 100 else verdict])


class Lanes(Widget):
    """One line a lane, the axis below: the fuller a cell, the more of its time is covered."""

    DEFAULT_CSS = "Lanes { height: 5; padding: 0 1; margin-bottom: 1; }"

    def __init__(self) -> None:
        super().__init__()
        self._spans: Sequence[Span] = ()
        self._scale = Scale((), 0.0)
        self._marked: Span | None = None
        self._drawn: tuple[int, list[Content]] = 0, []

    def show(self, spans: Sequence[Span], scale: Scale) -> None:
        """Draw these."""
        self._spans, self._scale = spans, scale
        self._drawn = 0, []
        self.refresh()

    def mark(self, span: Span | None) -> None:
        """Point at this span on the axis."""
        self._marked = span
        self.refresh()

    def render(self) -> Content:
        width = max(40, self.size.width)
        room = width - _NAME - _TOTAL - 2
        if self._drawn[0] != room:
            self._drawn = room, [self._lane(lane, room) for lane in LANES]
        return Content("\n").join([*self._drawn[1], self._axis(room)])

    def _lane(self, lane: Lane, room: int) -> Content:
        places = [self._scale.place(span) for span in self._spans if span.lane == lane]
        shares = density(places, self._scale.whole, room)
        bar = "".join(_HEIGHTS[min(7, int(share * 8))] if share > 0 else " " for share in shares)
        total = covered(places)
        percent = f"{100 * total / self._scale.whole:.0f} %" if self._scale.whole else ""
        figures = joined([fit(Content(short_duration(total)), 8, "right"), fit(Content(percent), 6, "right")])
        style = STYLES[lane] if total else "$text-disabled"
        return joined(
            [
                fit(Content.styled(NAMES[lane], style), _NAME),
                Content(" "),
                Content.styled(bar, f"{STYLES[lane]} on $foreground 5%"),
                Content(" "),
                figures.stylize("" if total else "$text-disabled"),
            ]
        )

    def _axis(self, room: int) -> Content:
        """Seconds from the left edge, turns' borders, and where the marked span is."""
        whole = self._scale.whole
        cells = [" "] * room
        for border in self._scale.borders:
            cells[min(room - 1, int(border / whole * room)) if whole else 0] = "╵"
        end = short_duration(whole)
        axis = f"0{''.join(cells)[1 : room - len(end)]}{end}"
        line = Content.styled(axis, "$text-disabled")
        if self._marked is not None and whole and self._scale.has(self._marked):
            start, stop = (int(moment / whole * room) for moment in self._scale.place(self._marked))
            start = min(start, room - 1)
            stop = min(room, max(start + 1, stop))
            marks = "".join("▔" if cell in " ╵" else cell for cell in axis[start:stop])  # the figures stay
            line = joined([line[:start], Content.styled(marks, "bold $accent"), line[stop:]])
        return joined([Content(" " * (_NAME + 1)), line])


@dataclass(slots=True)
class Axis:
    """What all rows share: the scale of their bars, and the time until which open ones go."""

    scale: Scale
    now: float


class SpanRow(ListRow):
    """One span: what it was, its bar on the common scale, how long."""

    def __init__(self, span: Span, axis: Axis) -> None:
        self.span = span
        self._axis = axis

    @property
    def source(self) -> str:
        return f"{self.span.lane}: {self.span.words} {short_duration(self.span.length(self._axis.now))}"

    def draw(self, width: int) -> Content:
        span = self.span
        bar_room = max(8, width * 2 // 5 if width >= 72 else width // 3)
        label = Content.assemble(
            (f"{NAMES[span.lane]:<6}", STYLES[span.lane]),
            safe_content(f"  {span.words}" if span.parent else span.words, "label"),
            "  ",
            safe_content(span.note if width >= 72 else "", "label", "$text-muted"),
        )
        scale = self._axis.scale
        bar = span_bar(*scale.place(span), scale.whole, bar_room, STYLES[span.lane])
        length = short_duration(span.length(self._axis.now)) + ("" if span.end else " …")
        return columns(width, label, [(bar, bar_room), (Content.styled(length, "$text-muted"), 8)], gap=1)
