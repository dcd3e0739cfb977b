"""The main screen: it lays the panes out, hands every event to each of them, and passes wishes on. Nothing else."""

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, ClassVar, Protocol, cast, runtime_checkable

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.geometry import Size
from textual.screen import Screen
from textual.widget import Widget

from rein_tui.commands.mcp import learn_prompts
from rein_tui.harness.protocol.events import Event, Fact
from rein_tui.panes import dock_tabs
from rein_tui.widgets.chat import Chat
from rein_tui.widgets.composer import Completer, Composer, History
from rein_tui.widgets.composer.sources import CommandHint
from rein_tui.widgets.dock import Dock, TabRow
from rein_tui.widgets.sidebar import Sidebar
from rein_tui.widgets.status import Status
from rein_tui.widgets.status_rows import StatusRows

if TYPE_CHECKING:
    from rein_tui.app import ReinApp
    from rein_tui.widgets.context_pane import ContextPane
    from rein_tui.widgets.hook_log import HookLog
    from rein_tui.widgets.welcome import Welcome


HELLO = Content.assemble(
    ("rein", "bold $primary"),
    ("-tui", "bold $text"),
    ("\n\nask anything, or begin with\n\n", "$text-muted"),
    *(
        part
        for key, words in (("@", "a file"), ("/", "a command"), ("!", "a shell line"), ("F1", "all keys"))
        for part in ((f"{key:>3}", "$text-primary"), (f"  {words:<14}\n", "$text-muted"))
    ),
)


_LOOK_EVERY = 2.0
"""Seconds after which completion looks for new command files again."""

_WIDTHS: list[tuple[int, str]] = [(0, "-slim"), (80, "-narrow"), (100, "-wide"), (112, "-roomy")]
"""Classes by the least width that they are for."""


@runtime_checkable
class Pane(Protocol):
    """Whatever folds the story: one live event, or a whole history at once."""

    async def apply(self, event: Event) -> None:
        """Fold one event."""
        ...

    def load(self, facts: Sequence[Fact]) -> None:
        """Start over from these."""
        ...


@runtime_checkable
class Follower(Protocol):
    """A pane that can show one call."""

    def show_call(self, call_id: str) -> object:
        """Go to this call."""
        ...


class _Body(Horizontal):
    """Holds others and draws nothing."""

    BLANK = True


class _Main(Vertical):
    """Holds others and draws nothing."""

    BLANK = True


class MainScreen(Screen[None]):
    """Sidebar, chat and composer, dock, status line; folds down from 200 columns to 60."""

    AUTO_FOCUS = "PromptArea"
    BLANK = True  # its parts cover it: Textual would render and join all of its rows for each cell that changes
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("alt+up", "walk(-1)", "To the blocks of the chat", show=False, id="blocks.up"),
        Binding("alt+down", "walk(1)", "To the blocks of the chat", show=False, id="blocks.down"),
        Binding("ctrl+home", "scroll_chat('home')", "Top of the chat", show=False, id="scroll.top"),
        Binding("ctrl+end", "scroll_chat('end')", "End of the chat", show=False, id="scroll.end"),
        Binding("ctrl+f", "search_chat", "Search the chat", show=False, id="search"),
    ]
    HORIZONTAL_BREAKPOINTS = _WIDTHS

    DEFAULT_CSS = """
    MainScreen {
        layers: base over; background: $background;
        & #body { height: 1fr; }
        & #main { width: 3fr; min-width: 40; }
        & #main > Chat { height: 1fr; }
        & #main > Welcome { height: 1fr; }
        & Sidebar { display: none; }
        &.-roomy Sidebar, &.-sidebar-on Sidebar { display: block; }
        &.-sidebar-off Sidebar { display: none; }
        &.-slim Sidebar { layer: over; width: 34; height: 100%; background: $surface; }
        &.-slim.-docked #main, &.-narrow.-docked #main { display: none; }
        &.-slim Dock, &.-narrow Dock { width: 1fr; max-width: 1000; border-left: none; }
        &.-wide.-docked Sidebar { display: none; }
        &.-wide.-docked.-sidebar-on Sidebar { display: block; }
        &.-welcome Sidebar { display: none; }
        &.-welcome.-sidebar-on Sidebar { display: block; }
        &.-welcome #main > Chat, &.-welcome #main > Composer { display: none; }
    }
    """

    def __init__(self, files: Completer, history: History, clock: Callable[[], float], *, width: int = 0) -> None:
        # Textual sets this class with the first resize: after everything was laid out and painted without it.
        fits = [name for least, name in _WIDTHS if width and least <= width]
        super().__init__(classes=" ".join(fits[-1:]))
        self._files = files
        self._history = history
        self._looked = 0.0
        self._laid_out_for = Size(0, 0)
        self._is_shown = False
        self.chat = Chat(id="chat")
        self.composer = Composer(self._command_hints, files, history, id="composer")
        self.rows = StatusRows(id="rows")
        self.status = Status(clock=clock, id="status")
        self.sidebar = Sidebar(clock=clock, id="sidebar")
        self.dock = Dock(dock_tabs(lambda: self.rein.desk.insight), id="dock")

    @property
    def rein(self) -> "ReinApp":
        """The app, as what it is."""
        return cast("ReinApp", self.app)  # pyright: ignore[reportUnknownMemberType]  Textual leaves the type open

    def compose(self) -> ComposeResult:
        with _Body(id="body"):
            yield self.sidebar
            with _Main(id="main"):
                yield self.chat
                yield self.composer
            yield self.dock
        yield self.rows
        yield self.status

    def _command_hints(self) -> Sequence[CommandHint]:
        learn_prompts(self.rein)
        if time.monotonic() - self._looked > _LOOK_EVERY:
            self._looked = time.monotonic()
            self.rein.learn_file_commands()
        return [
            CommandHint(command.name, command.summary, command.argument, command.aliases)
            for command in self.rein.registry.all()
        ]

    def on_screen_resume(self, event: events.ScreenResume) -> None:
        """The first time there is nothing to do again: all was just styled, and the first resize lays it out."""
        if not self.stack_updates:
            self.stack_updates += 1
            event.prevent_default()

    def on_resize(self, event: events.Resize) -> None:
        """Textual tells of the first size three times before it shows the screen, and would lay out as often."""
        if event.size == self._laid_out_for and not self._is_shown:
            event.prevent_default()
        self._laid_out_for = event.size

    def on_show(self) -> None:
        """From here on a size that is told again means that all shall be painted again."""
        self._is_shown = True

    def on_mount(self) -> None:
        """Say what can be done while nothing was said yet."""
        self.chat.set_empty(HELLO)
        choice = self.rein.workbench.choice
        self.status.show_model(choice.model if choice is not None else "")

    # --- pumping ---

    @property
    def panes(self) -> list[Pane]:
        """Everything on the screen that folds the story."""
        return [self.chat, self.status, *(pane for pane in self.dock.panes.values() if isinstance(pane, Pane))]

    async def apply(self, event: Event) -> None:
        """One event, to every pane."""
        for pane in self.panes:
            await pane.apply(event)

    def load(self, facts: Sequence[Fact]) -> None:
        """A whole story, to every pane."""
        for pane in self.panes:
            pane.load(facts)

    # --- layout ---

    async def toggle_dock(self, tab: str) -> None:
        """Show this tab, or fold the dock when it shows it already."""
        if self.dock.shown == tab:
            self.fold_dock()
        else:
            await self.show_dock(tab)

    async def show_dock(self, tab: str) -> Widget:
        """Show this tab; a pane that is new catches up with the story."""
        pane, fresh = await self.dock.show(tab)
        if fresh and isinstance(pane, Pane):
            pane.load(self.rein.desk.history())
        self.add_class("-docked")
        target = pane if pane.can_focus else next((w for w in pane.query("*") if w.can_focus), None)
        if target is not None:
            target.focus()
        return pane

    def fold_dock(self) -> bool:
        """Fold the dock; false when it was folded."""
        was_open = bool(self.dock.shown)
        self.dock.fold()
        self.remove_class("-docked")
        if was_open:
            self.composer.area.focus()
        return was_open

    @property
    def dock_covers(self) -> bool:
        """Whether the dock is all there is to see."""
        return bool(self.dock.shown) and (self.has_class("-slim") or self.has_class("-narrow"))

    def toggle_sidebar(self) -> None:
        """Go to the sidebar, shown where it was hidden; from there, hide it."""
        if self.sidebar.display and self.sidebar.has_focus_within:
            self.hide_sidebar()
        elif self.sidebar.display:
            self.sidebar.focus_list()
        else:
            self.remove_class("-sidebar-off")
            self.add_class("-sidebar-on")
            self.call_after_refresh(self.sidebar.focus_list)

    def hide_sidebar(self) -> None:
        """Hide the sidebar."""
        self.remove_class("-sidebar-on")
        self.add_class("-sidebar-off")
        self.composer.area.focus()

    @on(TabRow.Clicked)
    async def _tab_clicked(self, event: TabRow.Clicked) -> None:
        await self.toggle_dock(event.tab)

    # --- the chat, from wherever the person is ---

    def action_walk(self, step: int) -> None:
        """Go to the chat and walk its blocks."""
        if not self.dock_covers:
            self.chat.surface.focus()
            self.chat.surface.action_cursor(step)

    def action_scroll_chat(self, where: str) -> None:
        """Scroll the chat; the focus stays."""
        surface = self.chat.surface
        scroll = {
            "page_up": surface.action_page_up,
            "page_down": surface.action_page_down,
            "home": surface.action_scroll_home,
            "end": surface.scroll_to_end,
        }
        scroll[where]()

    async def action_search_chat(self) -> None:
        """Search the chat."""
        if not self.dock_covers:
            await self.chat.action_search()

    # --- keys that nobody took ---

    def on_key(self, event: events.Key) -> None:
        """Typing belongs to the prompt, wherever the focus is; also before there is a focus at all.

        Bindings are looked at after this, by the app: a key that one of them takes is left alone.
        """
        if self.has_class("-welcome"):
            return
        if self.focused is None:  # at once, not when the messages before are through: Enter would find no prompt
            self.set_focus(self.composer.area)
        if not event.is_printable or event.key in self.active_bindings:
            return
        if event.character:
            event.stop()
            self.composer.insert(event.character)

    def on_paste(self, event: events.Paste) -> None:
        """So does a paste."""
        if not self.has_class("-welcome"):
            event.stop()
            self.composer.area.focus()
            self.composer.area.post_message(events.Paste(event.text))

    # --- wishes, passed on ---

    @on(Composer.Submitted)
    async def _submitted(self, event: Composer.Submitted) -> None:
        event.stop()
        await self.rein.submit(event)

    @on(Composer.TakeBackRequested)
    def _take_back(self, event: Composer.TakeBackRequested) -> None:
        event.stop()
        turns = self.rein.desk.current
        raw = turns.take_back() if turns is not None else self.rein.beginning.early.take_back()
        if raw is not None:
            self.composer.text = raw

    @on(Composer.EditorRequested)
    def _editor(self) -> None:
        self.rein.run_command("editor")

    @on(Composer.HistoryRequested)
    def _search_history(self) -> None:
        self.rein.run_command("history")

    @on(Composer.PageRequested)
    def _page_chat(self, event: Composer.PageRequested) -> None:
        self.action_scroll_chat(event.where)

    @on(Composer.ImageRequested)
    def _paste_image(self) -> None:
        self.rein.run_command("paste")

    def on_welcome_chosen(self, event: "Welcome.Chosen") -> None:
        """The person chose who should answer. (Found by its name: the welcome screen is imported when it shows.)"""
        from rein_tui.commands.model import choose_model

        event.stop()
        self.rein.start_work(choose_model(self.rein, event.choice, event.api_key))

    def on_welcome_left(self, event: "Welcome.Left") -> None:
        """The person keeps who answers now. (Found by its name, as above.)"""
        from rein_tui.commands.model import leave_welcome

        event.stop()
        self.rein.start_work(leave_welcome(self.rein))

    @on(Dock.EditorRequested)
    def _read_in_editor(self, event: Dock.EditorRequested) -> None:
        from rein_tui.commands.panes import read_in_editor

        self.rein.start_work(read_in_editor(self.rein, event.text, event.suffix))

    @on(Dock.CallRequested)
    def _show_in_chat(self, event: Dock.CallRequested) -> None:
        """From a pane to the block of the chat that it is about."""
        if self.dock_covers:
            self.fold_dock()
        if self.chat.show_call(event.call_id) or self.chat.show_turn(event.turn):
            self.chat.surface.focus()

    def on_hook_log_rerun_requested(self, event: "HookLog.RerunRequested") -> None:
        """Run a hook again, dry. (Found by its name: panes are imported when they show.)"""
        from rein_tui.commands.panes import rerun_hook

        event.stop()
        self.rein.start_work(rerun_hook(self.rein, event.run))

    def on_context_pane_toggled(self, event: "ContextPane.Toggled") -> None:
        """Take a source out of the window, or put it back. (Found by its name, as above.)"""
        from rein_tui.commands.panes import switch_source

        event.stop()
        self.rein.start_work(switch_source(self.rein, event.kind, event.name, event.on))

    @on(Chat.BlockSelected)
    async def _block_selected(self, event: Chat.BlockSelected) -> None:
        """The inspector follows the block cursor; Enter on a block opens it there."""
        pane = await self.show_dock("inspector") if isinstance(event, Chat.BlockOpened) else None
        pane = pane or self.dock.panes.get("inspector")
        if isinstance(pane, Follower) and event.call_id:
            pane.show_call(event.call_id)

    @on(Sidebar.Left)
    def _sidebar_left(self) -> None:
        if self.has_class("-slim"):
            self.hide_sidebar()
        self.composer.area.focus()

    @on(Sidebar.OpenRequested)
    async def _session_wish(self, event: Sidebar.OpenRequested) -> None:
        event.stop()
        if type(event) is Sidebar.OpenRequested and self.has_class("-slim"):
            self.hide_sidebar()
        await self.rein.desk.grant(event)

    @on(Sidebar.MoreRequested)
    def _more_sessions(self) -> None:
        self.rein.desk.list_more()

    @on(Sidebar.EverywhereToggled)
    def _session_folders(self) -> None:
        self.rein.desk.toggle_everywhere()

    @on(Sidebar.SearchChanged)
    def _session_search(self, event: Sidebar.SearchChanged) -> None:
        self.rein.desk.search(event.text)
