"""The real screen over a recording: keys that play, a scrubber in place of the prompt, questions as they were asked."""

import asyncio
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, cast

from textual import events, on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.content import Content
from textual.screen import Screen
from textual.widget import Widget

from rein_tui.app import ReinApp
from rein_tui.attention import Attention
from rein_tui.commands.registry import Registry
from rein_tui.harness.context.listing import project_files
from rein_tui.harness.places import Places
from rein_tui.harness.protocol.decisions import PermissionRequest
from rein_tui.harness.protocol.events import SessionStarted
from rein_tui.modal_prompter import ask_modal
from rein_tui.replay.questions import PLAYER, ReplayedPermission, ReplayedQuestion
from rein_tui.replay.recording import ReplayHarness, ReplayWorkbench
from rein_tui.replay.tape import Asked
from rein_tui.screen import MainScreen
from rein_tui.widgets.composer import FileIndex, History
from rein_tui.widgets.modal import Modal
from rein_tui.widgets.scrubber import Scrubber, Stand

_COMMANDS = frozenset(
    "help keys palette status inspector hooks timeline context theme config density open mouse copy export exit".split()
)
"""Commands that make sense where nothing runs."""

SETTLED = 0.05
"""Seconds that a question must stay open to be put up: who skips through a story does not want them all."""

_HINTS = "space play · ← → step · [ ] call · { } turn · + - speed · F1 keys · q leave"


class ReplayScreen(MainScreen):
    """The main screen without a prompt."""

    AUTO_FOCUS = "Scrubber"
    BINDINGS: ClassVar[list[BindingType]] = PLAYER
    DEFAULT_CSS = """
    ReplayScreen { & #main > Composer { display: none; } & > Scrubber { dock: bottom; } }
    """

    def compose(self) -> ComposeResult:
        yield from super().compose()
        yield cast("ReplayApp", self.rein).new_scrubber()

    async def show_dock(self, tab: str) -> Widget:
        """Show this tab; the keys that play go on working, Tab goes there."""
        pane = await super().show_dock(tab)
        self.query_one(Scrubber).focus()
        return pane

    def fold_dock(self) -> bool:
        """Fold the dock; false when it was folded."""
        was_open = super().fold_dock()
        self.query_one(Scrubber).focus()
        return was_open

    def on_key(self, event: events.Key) -> None:
        """There is no prompt that typing could belong to."""
        event.prevent_default()

    def on_paste(self, event: events.Paste) -> None:
        """Nor a paste."""
        event.prevent_default()


class ReplayApp(ReinApp):
    """Plays one recording. Read only: no prompt, no model, no tool, no hook, no write but the person's preferences."""

    def __init__(self, harness: ReplayHarness, *, places: Places | None = None) -> None:
        super().__init__(ReplayWorkbench(harness), places=places, clock=lambda: harness.clock)
        self.registry = Registry(command for command in self.registry.all() if command.name in _COMMANDS)
        self.attention = _Quiet(self)
        self.harness = harness
        harness.moved = self._moved
        harness.jumped = self._jumped
        self._asked: Asked | None = None
        self._asking: asyncio.Task[None] | None = None

    def get_default_screen(self) -> Screen[Any]:
        """The main screen, with a scrubber."""
        self.main = ReplayScreen(FileIndex(partial(project_files, Path())), History(None), self._clock)
        return self.main

    async def begin_session(self) -> None:
        """Put the recording on the desk; it plays."""
        self.main.add_class("-sidebar-off")
        self.main.chat.set_empty(Content.styled(_HINTS, "$text-muted"))
        await self.desk.open()
        await self.beginning.tell()

    def new_scrubber(self) -> Scrubber:
        """A scrubber that shows where the recording is."""
        tape = self.harness.tape
        scrubber = Scrubber([(tape.times[mark.position], mark.kind) for mark in tape.marks])
        scrubber.show(self._stand())
        return scrubber

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Keys of commands that are not there do nothing."""
        return action != "command" or self.registry.get(str(parameters[0])) is not None

    # --- moving ---------------------------------------------------------------------------------------------

    def _stand(self) -> Stand:
        harness, tape = self.harness, self.harness.tape
        return Stand(
            seconds=harness.seconds,
            length=tape.length,
            speed=harness.speed,
            is_playing=harness.is_playing,
            turn=tape.turn_at(harness.position),
            turns=tape.turns,
            told=harness.position,
            total=len(tape.facts),
        )

    def _moved(self) -> None:
        stand = self._stand()
        for screen in self.screen_stack:
            for scrubber in screen.query(Scrubber):
                scrubber.show(stand)
        asked = self.harness.tape.asked_at(self.harness.position)
        if asked != self._asked:
            self._asked = asked
            self._put_question(asked)

    def _jumped(self) -> None:
        self.main.load(self.harness.history())

    def _withdraw_question(self) -> None:
        if self._asking is not None:
            self._asking.cancel()
            self._asking = None

    def _put_question(self, asked: Asked | None) -> None:
        self._withdraw_question()
        if asked is not None:
            self._asking = asyncio.create_task(self._ask_again(asked))

    async def _ask_again(self, asked: Asked) -> None:
        await asyncio.sleep(SETTLED)
        await ask_modal(self, self._modal(asked))

    def _modal(self, asked: Asked) -> Modal[Any]:
        if isinstance(asked.request, PermissionRequest):
            folder = next((fact.cwd for fact in self.harness.history() if isinstance(fact, SessionStarted)), "")
            return ReplayedPermission(asked.request, asked, self.new_scrubber(), folder)
        return ReplayedQuestion(asked.request, asked, self.new_scrubber())

    @on(Scrubber.Sought)
    def _sought(self, event: Scrubber.Sought) -> None:
        tape = self.harness.tape
        self.harness.go_to(tape.position_at(event.share * tape.length))

    @on(Scrubber.Toggled)
    def _toggled(self) -> None:
        self.harness.toggle()

    # --- keys -----------------------------------------------------------------------------------------------

    def action_play(self) -> None:
        """Play or pause."""
        self.harness.toggle()

    def action_step(self, direction: int) -> None:
        """One step on or back, paused."""
        harness = self.harness
        if direction > 0:
            harness.step()
        else:
            harness.interrupt()
            harness.go_to(harness.tape.previous_step(harness.position))

    def action_call(self, direction: int) -> None:
        """To the next call, or the one before."""
        tape, position = self.harness.tape, self.harness.position
        self.harness.go_to(tape.next_call(position) if direction > 0 else tape.previous_call(position))

    def action_turn(self, direction: int) -> None:
        """To the next turn, or the one before."""
        tape, position = self.harness.tape, self.harness.position
        self.harness.go_to(tape.next_turn(position) if direction > 0 else tape.previous_turn(position))

    def action_ends(self, end: bool) -> None:
        """To the start or the end."""
        self.harness.go_to(len(self.harness.tape.facts) if end else 0)

    def action_faster(self, steps: int) -> None:
        """The next speed up or down."""
        self.harness.go_faster(steps)

    def action_hide_question(self) -> None:
        """Look at what is below; the question comes back when it is asked again."""
        self._withdraw_question()

    # --- leaving --------------------------------------------------------------------------------------------

    def action_stop(self) -> None:
        """Esc folds the dock, and else goes back to the scrubber."""
        self.main.fold_dock()

    def action_copy_or_leave(self) -> None:
        """Ctrl+C copies what is selected, else leaves."""
        selected = self.screen.get_selected_text()
        if selected:
            self.copy(selected)
            self.screen.clear_selection()
        else:
            self.leave()

    def action_quit_replay(self) -> None:
        """Leave."""
        self.leave()

    def leave(self) -> None:
        """Exit; there is nothing to go on with."""
        self.exit("")


class _Quiet(Attention):
    """Nobody is needed."""

    def call(self, what: str) -> None:
        """Say nothing."""
