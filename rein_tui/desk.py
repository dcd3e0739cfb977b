"""The desk: the sessions that are open, which one is on the screen, and what the sidebar may wish for them."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec

from rein_tui.commands.session import export_session, fork_from
from rein_tui.harness.protocol.errors import ReinError
from rein_tui.harness.protocol.events import (
    Event,
    Fact,
    HookFired,
    Notice,
    TitleChanged,
    TurnFailed,
    TurnFinished,
    TurnStarted,
)
from rein_tui.harness.protocol.ports import MOST_LISTED, Harness, Insight, SessionInfo
from rein_tui.harness.protocol.workbench import Clears, Searches, Workbench
from rein_tui.terminal import asked_for
from rein_tui.widgets.figures import short_count
from rein_tui.widgets.sidebar import Sidebar

if TYPE_CHECKING:
    from rein_tui.app import ReinApp
    from rein_tui.turns import Turns


_LARGE, _LARGE_SHARE = 100_000, 0.6
"""Tokens, or the share of the window, from which on a session is large."""
MOST_PICKED = 5000
"""Sessions to pick one from by its title."""


class Desk:
    """Several sessions may run at once; one is on the screen, the others go on and keep their place in the list."""

    def __init__(self, app: "ReinApp", workbench: Workbench) -> None:
        self._app = app
        self._workbench = workbench
        self._open: dict[str, Turns] = {}
        self._stored: tuple[SessionInfo, ...] = ()
        self._search = ""
        self._everywhere = False
        self._is_searching = False
        self._limit = MOST_LISTED
        self.current: Turns | None = None

    @property
    def harnesses(self) -> list[Harness]:
        """The open sessions, the one on the screen first."""
        return [turns.harness for turns in sorted(self._open.values(), key=lambda turns: turns is not self.current)]

    def history(self) -> Sequence[Fact]:
        """The story of the session on the screen."""
        return self.current.harness.history() if self.current is not None else ()

    @property
    def is_busy(self) -> bool:
        """Whether a turn runs in any open session."""
        return any(turns.is_running for turns in self._open.values())

    @property
    def insight(self) -> Insight | None:
        """What the session on the screen can tell beyond its facts."""
        harness = self.current.harness if self.current is not None else None
        return harness if isinstance(harness, Insight) else None

    # --- opening ---

    async def open(self, session_id: str = "") -> bool:
        """Bring a session onto the screen; an empty id begins a new one. False when it cannot be opened."""
        try:
            await self.bring(session_id)
        except ReinError as error:
            await self._app.report(error)
            return False
        return True

    async def look_at(self, session_id: str) -> None:
        """The same, without an answer: for a question that stays over it."""
        await self.open(session_id)

    async def bring(self, session_id: str) -> None:
        """The same. Raises ReinError when it cannot be opened."""
        known = self._open.get(session_id)
        if known is None or known.harness.info.read_only:  # perhaps it can be gone on with by now
            harness = await self._workbench.open(session_id)
            if known is None or harness is not known.harness:
                self._take(harness)
                await self._offer_to_compact(harness)
                return
        self._show(known)

    async def _offer_to_compact(self, harness: Harness) -> None:
        """A large session that is opened again says what every prompt sends, and how to make that less."""
        figures = self._app.main.status.figures
        share = figures.context / figures.window if figures.window else 0.0
        if harness.info.read_only or not harness.info.turns or max(share / _LARGE_SHARE, figures.context / _LARGE) < 1:
            return
        of = f", {share:.0%} of the window" if share else ""
        text = f"This session is large: each prompt sends {short_count(figures.context)} tokens{of}."
        await self._app.tell(Notice(text=text, hint="/compact summarises it first."))

    async def clear(self) -> None:
        """Bring a new session onto the screen in the place of the one that is there."""
        if self.current is None or not isinstance(self._workbench, Clears):
            await self.open()
            return
        try:
            self._take(await self._workbench.clear(self.current.harness.info.id))
        except ReinError as error:
            await self._app.report(error)

    async def fork(self, session_id: str, turn: int) -> None:
        """Bring a fork of a session onto the screen."""
        try:
            self._take(await self._workbench.fork(session_id, turn))
        except ReinError as error:
            await self._app.report(error)

    def _take(self, harness: Harness) -> None:
        from rein_tui.turns import Turns

        turns = Turns(harness, tell=self._tell, changed=self._changed, start=self._app.start_work)
        self._open[harness.info.id] = turns
        self._show(turns)
        turns.open()

    def _show(self, turns: "Turns") -> None:
        self.current = turns
        screen = self._app.main
        screen.composer.show_read_only(turns.harness.info.read_only)
        screen.load(turns.harness.history())
        screen.chat.catch_up(turns.unsettled.deltas())
        screen.status.show_mode(turns.harness.mode)
        screen.status.show_branch(turns.harness.info.branch)
        self._changed(turns)
        self._app.status_refresh.soon()
        self.refresh()

    async def _tell(self, turns: "Turns", event: Event) -> None:
        if not self._app.main.is_attached:  # the app is leaving; the story goes on to its end without a screen
            return
        if turns is self.current:
            await self._app.main.apply(event)
            self._app.status_refresh.note(event)
        if isinstance(event, HookFired) and (sequence := asked_for((event.run.parsed or {}).get("terminalSequence"))):
            self._app.write_escape(sequence)
        if isinstance(event, Notice) and event.code == "demo":
            self._app.suggest(event.hint)
        if isinstance(event, TurnStarted | TurnFinished | TurnFailed | TitleChanged):
            self.refresh()
            if isinstance(event, TurnFinished | TurnFailed):
                self._app.attention.call("is done")

    def _changed(self, turns: "Turns") -> None:
        """The state or the queue of a session moved."""
        if not self._app.main.is_attached:
            return
        if turns is self.current:
            screen = self._app.main
            screen.composer.show_queue([waiting.raw for waiting in turns.waiting], paused=turns.is_paused)
            screen.status.show_queue(len(turns.waiting), turns.is_paused)
        self._draw()

    # --- the list ---

    def refresh(self) -> None:
        """Read the list anew from the store."""
        if self._search:
            self._search_soon()
            return
        try:
            self._stored = tuple(self._workbench.sessions("", self._everywhere, self._limit))
        except ReinError as error:
            self._app.main.status.show_hint(error.message)
        self._draw()

    def search(self, text: str) -> None:
        """List the sessions whose text holds this."""
        self._search, self._limit = text.strip(), MOST_LISTED
        self._search_soon()

    def _search_soon(self) -> None:
        if not self._is_searching:
            self._is_searching = True
            self._app.start_work(self._find())

    async def _find(self) -> None:
        """Search beside the message loop: once for all letters that come while it searches."""
        asked: tuple[str, bool, int] | None = None
        try:
            while asked != (self._search, self._everywhere, self._limit):
                asked = (self._search, self._everywhere, self._limit)
                self._stored = tuple(await self._found(*asked))
        except ReinError as error:
            self._app.main.status.show_hint(error.message)
        finally:
            self._is_searching = False
        self._draw()

    async def _found(self, search: str, everywhere: bool, limit: int) -> Sequence[SessionInfo]:
        if search and isinstance(self._workbench, Searches):
            return await self._workbench.find(search, everywhere, limit)
        return self._workbench.sessions(search, everywhere, limit)

    def list_more(self) -> None:
        """Let the list go on."""
        self._limit += MOST_LISTED
        self.refresh()

    def toggle_everywhere(self) -> None:
        """List the sessions of all folders, or only those of this one."""
        self._everywhere, self._limit = not self._everywhere, MOST_LISTED
        self.refresh()

    def sessions(self) -> list[SessionInfo]:
        """The list as shown: what is stored, with the state of what is open."""
        listed = [self._live(info) for info in self._stored]
        known = {info.id for info in listed}
        fresh = [self._live(t.harness.info) for i, t in self._open.items() if i not in known and not self._search]
        return [*reversed(fresh), *listed]

    def all_sessions(self) -> list[SessionInfo]:
        """Those of this folder, or of all where the list shows all, whatever is searched for."""
        listed = self._workbench.sessions("", self._everywhere, MOST_PICKED)
        return [self._live(info) for info in listed]

    def _live(self, info: SessionInfo) -> SessionInfo:
        turns = self._open.get(info.id)
        return msgspec.structs.replace(info, state=turns.state) if turns is not None else info

    def _draw(self) -> None:
        if not self._app.main.is_attached:
            return
        current = self.current.harness.info.id if self.current is not None else ""
        has_more = len(self._stored) >= self._limit
        self._app.main.sidebar.show(self.sessions(), current, everywhere=self._everywhere, has_more=has_more)

    # --- what the sidebar wishes ---

    async def grant(self, wish: Sidebar.OpenRequested) -> None:
        """Do what the sidebar asks for a session."""
        try:
            match wish:
                case Sidebar.PreviewRequested():
                    await self._app.preview(wish.session_id, self._workbench.facts(wish.session_id), self._search)
                case Sidebar.ForkRequested():
                    self._app.start_work(fork_from(self._app, wish.session_id))
                case Sidebar.ExportRequested():
                    await export_session(self._app, wish.session_id, wish.path)
                case Sidebar.DeleteRequested():
                    await self._delete(wish.session_id)
                case Sidebar.UndeleteRequested():
                    self._workbench.undelete(wish.session_id)
                case Sidebar.RenameRequested():
                    self._workbench.rename(wish.session_id, wish.title)
                case _:
                    await self.open(wish.session_id)
                    self._app.main.composer.area.focus()
        except ReinError as error:
            await self._app.report(error)
        self.refresh()

    async def _delete(self, session_id: str) -> None:
        turns = self._open.get(session_id)
        if turns is not None and turns.is_running:
            turns.interrupt("session deleted")
        self._workbench.delete(session_id)
        self._open.pop(session_id, None)
        if self.current is turns and turns is not None:
            await self.open()

    def interrupt_all(self) -> None:
        """The app leaves: stop every running turn."""
        for turns in self._open.values():
            turns.interrupt("exit")
