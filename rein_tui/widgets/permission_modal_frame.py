"""The frame around a call that is asked about: it shows all of it, knows what was seen, and scrolls."""

from collections.abc import Iterator
from functools import partial
from typing import ClassVar

from textual import events, on
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import OptionList, Static

from rein_tui.harness.protocol.displays import DiffDisplay

from .diff import DiffStyle, is_split
from .hints import hint_lines
from .later import after_refresh
from .modal import Modal, ResultT
from .permission_modal_parts import Proposal, body, bullets, headline, reason, trace
from .permission_modal_view import SeenView, give_rest
from .safe import safe_content

LOW = 26
"""Rows of a screen below which blank lines give way."""


class Choices(OptionList):
    """Rows to choose from. Keys that scroll belong to the call that is asked about."""

    DEFAULT_CSS = """
    Choices {
        height: auto; border: none; background: transparent; padding: 0;
        text-wrap: nowrap; text-overflow: ellipsis;
    }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("pagedown,ctrl+d,space", "screen.page(1)", "Page down", show=False),
        Binding("pageup,ctrl+u", "screen.page(-1)", "Page up", show=False),
        Binding("home", "screen.ends(False)", "Beginning", show=False),
        Binding("end", "screen.ends(True)", "End", show=False),
    ]


class CallModal(Modal[ResultT]):
    """Shows one proposal. Subclasses add what can be answered, and say which keys mean something now."""

    DEFAULT_CSS = """
    CallModal {
        align: center bottom;
        & > .frame { width: 100%; max-width: 128; margin: 0 1; padding: 0 1; border: round $accent; max-height: 100%; }
        &.-full > .frame { max-width: 100%; height: 100%; margin: 0; }
        &.-full #what { height: 1fr; }
        & .frame > Static { height: auto; }
        & #what, & #warnings, & #why, & #keys { margin-top: 1; }
    }
    CallModal.-slim > .frame { margin: 0; padding: 0 1; }
    CallModal.-low #what, CallModal.-low #warnings, CallModal.-low #why, CallModal.-low #keys { margin-top: 0; }
    """

    IS_QUESTION = True
    ESC: ClassVar[str] = "no, and stop"

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("question_mark", "trace", "All reasons"),
        Binding("f", "full", "Full screen"),
        Binding("t", "split", "Side by side or unified"),
        Binding("shift+down,j", "line(1)", "Down", show=False),
        Binding("shift+up,k", "line(-1)", "Up", show=False),
    ]

    def __init__(self, proposal: Proposal, *, folder: str = "", grace: float = 0.0) -> None:
        super().__init__(grace=grace)
        self.proposal = proposal
        self._folder = folder
        self.seen = SeenView()
        self.seen.id = "what"
        self._style: DiffStyle = "auto"
        self._is_traced = False

    def call_parts(self) -> Iterator[Static | SeenView]:
        """The parts of the frame that show the call, in order."""
        yield Static(id="head")
        yield self.seen
        yield Static(id="note")
        yield Static(id="warnings")
        yield Static(id="why")

    # --- what subclasses say --------------------------------------------------------------------------------

    def more_warnings(self) -> tuple[str, ...]:
        """Warnings that do not stand in the proposal."""
        return ()

    def notes(self) -> Iterator[str]:
        """Lines below the call that say what will happen besides."""
        yield from ()

    def more_keys(self) -> Iterator[tuple[str, str]]:
        """Keys and what they do, besides those for looking."""
        yield from ()

    # --- showing --------------------------------------------------------------------------------------------

    def show_proposal(self) -> None:
        """The proposal as it is now, from its beginning."""
        self.fill("#head", headline(self.proposal, self._folder))
        self.fill("#warnings", bullets("⚠", self.proposal.warnings(*self.more_warnings()), "$text-warning"))
        self.fill("#why", reason(self.proposal.decision, self._folder))
        self._is_traced = False
        self.seen.show(lambda width: body(self.proposal, width, self._style, self._folder))
        self.seen.unfold(None)
        self.tell()
        after_refresh(self, self._settle)

    def _settle(self) -> None:
        """Once the lines are counted: make room for saying that there are more, before any room is given away."""
        self.tell()
        self.fit_soon()

    def fill(self, selector: str, content: Content) -> None:
        """Put a text into its part; an empty part takes no room."""
        part = self.query_one(selector, Static)
        part.update(content)
        part.display = bool(content)

    def tell(self, urgent: str = "") -> None:
        """What is not seen yet, and the keys that mean something now."""
        unseen = self.seen.unseen
        rest = f"▼ {unseen} more line{'s' if unseen > 1 else ''}: page down, end" if unseen else ""
        lines = [line for line in (urgent or rest, *self.notes()) if line]
        self.fill("#note", safe_content("\n".join(lines), "prompt", "$text-accent"))
        keys = [("?", "reasons"), ("f", "full screen")]
        if isinstance(self.proposal.preview, DiffDisplay):
            keys.append(("t", "unified" if self._is_split() else "side by side"))
        esc = "fold the reasons" if self._is_traced else "leave full screen" if self.has_class("-full") else self.ESC
        hints = [] if self.has_class("-step") else [*self.more_keys(), *keys, ("esc", esc)]
        width = self.query_one(".frame").content_size.width or 60
        shown = hint_lines(hints, width)
        if self.has_class("-low") and shown.plain.count("\n") > 1:  # not all may fit: the way out is not what is cut
            shown = hint_lines([hints[-1], *hints[:-1]], width)
        self.fill("#keys", shown)

    def _is_split(self) -> bool:
        preview = self.proposal.preview
        return isinstance(preview, DiffDisplay) and is_split(preview, self.seen.size.width, self._style)

    def fit_soon(self) -> None:
        """Share the rows anew once the parts have their size; twice, for texts may wrap differently then."""
        self.set_class(self.size.height < LOW, "-low")
        after_refresh(self, self._fit)
        after_refresh(self, lambda: after_refresh(self, self._fit))

    def _fit(self) -> None:
        give_rest(self.query_one(".frame"), self.seen, self.size.height)

    def on_resize(self, event: events.Resize) -> None:
        """Another size: share the rows anew."""
        after_refresh(self, self.tell)
        self.fit_soon()

    @on(SeenView.Seen)
    def _saw(self, event: SeenView.Seen) -> None:
        event.stop()
        self.saw()

    def saw(self) -> None:
        """More of the call came into view."""
        self.tell()

    # --- looking --------------------------------------------------------------------------------------------

    def action_page(self, pages: int) -> None:
        """Scroll by pages."""
        self.seen.scroll_relative(y=pages * max(1, self.seen.size.height - 1), animate=False, immediate=True)

    def action_line(self, lines: int) -> None:
        """Scroll by lines."""
        self.seen.scroll_relative(y=lines, animate=False, immediate=True)

    def action_ends(self, end: bool) -> None:
        """To the beginning or the end."""
        self.seen.scroll_to(y=self.seen.max_scroll_y if end else 0, animate=False, immediate=True)

    def action_trace(self) -> None:
        """All reasons, below the call; once more folds them."""
        self._is_traced = not self._is_traced
        self.seen.unfold(partial(trace, self.proposal.decision, folder=self._folder) if self._is_traced else None)
        self.query_one("#why").display = not self._is_traced  # all reasons begin with it
        self.tell()
        self.fit_soon()

    def action_full(self) -> None:
        """The whole screen for it, or no longer."""
        self.toggle_class("-full")
        self.tell()
        self.fit_soon()

    def action_leave(self) -> None:
        """Out of a closer look, else without an answer."""
        if not self.fold_back():
            super().action_leave()

    def fold_back(self) -> bool:
        """Take away what was opened to look closer, the last thing first; false when nothing was."""
        if self._is_traced:
            self.action_trace()
        elif self.has_class("-full"):
            self.action_full()
        else:
            return False
        return True

    def action_split(self) -> None:
        """Both sides of a change, or one below the other."""
        if isinstance(self.proposal.preview, DiffDisplay):
            self._style = "unified" if self._is_split() else "split"
            self.seen.redraw()
            self.tell()
