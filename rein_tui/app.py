"""The app: themes, keys, commands, preferences and the way out. What happens in a session is the desk's business.

Its import costs Textual and our widgets, nothing else; its constructor reads the preferences. Everything that can wait
begins after the first paint.
"""

import os
import time
from collections.abc import Callable, Coroutine, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from textual import on
from textual.binding import Binding, BindingType
from textual.events import Key
from textual.screen import Screen

from rein_tui import terminal
from rein_tui.attention import Attention
from rein_tui.beginning import Beginning
from rein_tui.commands import builtin_commands
from rein_tui.commands.mcp import servers_of
from rein_tui.commands.registry import Command, Registry
from rein_tui.desk import Desk
from rein_tui.harness.context.listing import project_files
from rein_tui.harness.places import Places
from rein_tui.harness.protocol.errors import ReinError
from rein_tui.harness.protocol.events import Fact, Notice
from rein_tui.harness.protocol.ports import FileFinder, FindsFiles
from rein_tui.harness.protocol.workbench import Elsewhere, Extensible, Workbench
from rein_tui.keymap import Action, key_name, read_keymap
from rein_tui.leaving import Leaving
from rein_tui.mentions import Mentions
from rein_tui.modal_prompter import ModalPrompter, ask_modal
from rein_tui.preferences import read_preferences, save_preferences
from rein_tui.screen import MainScreen
from rein_tui.sending import send
from rein_tui.status_refresh import StatusRefresh
from rein_tui.terminal_app import TerminalApp
from rein_tui.widgets.clipboard import copy_to_system, osc52
from rein_tui.widgets.composer import Composer, FileIndex, History
from rein_tui.widgets.safe import safe_text
from rein_tui.widgets.theme import TERMINAL_THEMES, THEMES
from rein_tui.widgets.wishes import Copied, LinkOpened

if TYPE_CHECKING:
    from rein_tui.widgets.modal import Modal

ResultT = TypeVar("ResultT")

_COMMANDS = builtin_commands()
_LOOKS = frozenset({"inspector", "hooks", "timeline", "context"})
_KEYS = ("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN", "LOCAL_LLM_API_KEY")
_HINT = 2.0
"""Seconds that a hint stays."""


class ReinApp(TerminalApp[str]):
    """The whole screen over one workbench. Returns the command line that resumes the session, or nothing.

    `prompter` is the one that the workbench's sessions ask; without `places` nothing is stored between runs.
    `first_look` is how the session `open_id` ends: it stands on the screen until that is open.
    `attach_name` is by which name others join this terminal: empty when they cannot yet, None when they never can.
    `wants_attach` says at the end that the screen shall come back so that they can.
    """

    TITLE = "rein-tui"
    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = [
        *(
            Binding(c.key, f"command('{c.name}')", c.summary, id=c.name, show=False, priority=True)
            for c in _COMMANDS
            if c.key
        ),
        Binding("ctrl+c", "copy_or_leave", "Copy · clear · twice: exit", id="leave", show=False, priority=True),
        Binding("escape", "stop", "Stop the turn · twice: rewind", id="stop", show=False),
    ]

    def __init__(
        self,
        workbench: Workbench,
        *,
        prompter: ModalPrompter | None = None,
        places: Places | None = None,
        project: Path | None = None,
        open_id: str = "",
        first_look: Sequence[Fact] = (),
        initial_prompt: str = "",
        notices: Sequence[Notice] = (),
        clock: Callable[[], float] = time.time,
    ) -> None:
        super().__init__()
        self.workbench = workbench
        self.registry = Registry(_COMMANDS)
        self.desk = Desk(self, workbench)
        self.beginning = Beginning(self, open_id=open_id, prompt=initial_prompt, notices=notices)
        self._has_left = False
        self.main: MainScreen
        self._prompter = prompter
        self._places = places
        self._project = project or Path.cwd()
        self._first_look = first_look
        self._clock = clock
        names = workbench.files if isinstance(workbench, Elsewhere) else partial(project_files, self._project)
        self.files = FileIndex(names, self._file_finder)
        self.leaving = Leaving(self)
        self.attach_name: str | None = None
        self.wants_attach = False
        self.attention = Attention(self)
        self.status_refresh = StatusRefresh(self)
        self._choose_theme()

    # --- starting ---

    def get_default_screen(self) -> Screen[Any]:
        """The main screen."""
        history = self._places.data / "history.jsonl" if self._places is not None else None
        past = History(history, [os.environ.get(name, "") for name in _KEYS])
        mentions = Mentions(self.files, partial(servers_of, self))
        self.main = MainScreen(mentions, past, self._clock, width=self.size.width)
        return self.main

    def get_key_display(self, binding: Binding) -> str:
        """Keys as people write them: F1, ctrl+p, enter, ↑."""
        return key_name(binding.key)

    def _choose_theme(self) -> None:
        """Before any style sheet is read: later, all of them would be read twice."""
        for theme in (*THEMES, *TERMINAL_THEMES):
            self.register_theme(theme)
        self.preferences, problems = read_preferences(self._preferences_path)
        self.beginning.notices += problems
        chosen = self.preferences.theme
        self.theme = chosen if chosen in self.available_themes else THEMES[0].name

    def get_css_variables(self) -> dict[str, str]:
        """None until it is known which theme: to work them out is a hundredth of a start."""
        return super().get_css_variables() if THEMES[0].name in self.available_themes else {}

    def refresh_css(self, animate: bool = True) -> None:
        """Style all of the screen anew; before there is one, only the next sheets are read in the new colours."""
        if self.screen_stack:
            super().refresh_css(animate)
        else:
            self.stylesheet.set_variables(self.get_css_variables())

    def on_mount(self) -> None:
        """Look right at once; everything else follows the first paint."""
        self._read_choices()
        self.main.chat.density = self.preferences.density
        if self._first_look:
            self.main.chat.show_ending(self._first_look)
            self._first_look = ()
        if self._prompter is not None:
            self._prompter.bind(self)
        self.call_after_refresh(self.start_work, self.beginning.begin())

    def _read_choices(self) -> None:
        if not self.preferences.motion or os.environ.get("NO_MOTION"):
            self.animation_level = "none"
        config = self._places.config if self._places is not None else None
        path = config / "rein-tui-keys.json" if config is not None else None
        keymap, problems = read_keymap(path, self.actions_bound() if path is not None and path.is_file() else {})
        self.beginning.notices += problems
        self.set_keymap(keymap)

    def actions_bound(self) -> dict[str, Action]:
        """What a keybindings file may rebind, by name."""
        from rein_tui.commands.keys import bound_actions

        return bound_actions()

    @property
    def _preferences_path(self) -> Path | None:
        return self._places.data / "preferences.json" if self._places is not None else None

    async def begin_session(self) -> None:
        """Open the session asked for at start, or a new one, and send the prompt given at start."""
        await self.beginning.open_session()

    def _file_finder(self) -> FileFinder | None:
        """What the settings of the session on the screen say about finding files."""
        harness = self.desk.current.harness if self.desk.current is not None else None
        return harness.file_finder if isinstance(harness, FindsFiles) else None

    def learn_file_commands(self) -> None:
        """Look for commands whose files came since the last turn."""
        if isinstance(self.workbench, Extensible):
            self.workbench.look_for_commands()
        self.register_file_commands()

    def register_file_commands(self) -> None:
        """Offer the commands that the workbench knows now, and no longer those that went."""
        from rein_tui.commands.files import file_command

        self.registry.replace("files", map(file_command, self.workbench.commands()))

    def start_work(self, work: Coroutine[Any, Any, None]) -> None:
        """Run beside the message loop, on the app, so that it outlives every screen. Exceptions are bugs: they show."""
        if self._has_left:  # what was asked for after that would be cancelled before its first step
            work.close()
            return
        self.run_worker(work, group="work", exit_on_error=True)

    async def on_unmount(self) -> None:
        """Leave nothing running, and no mark on the window."""
        self.attention.end()
        self.desk.interrupt_all()
        await self.files.close()

    # --- submitting ---

    async def submit(self, sent: Composer.Submitted) -> None:
        """Do what the person sent."""
        await send(self, sent)

    def run_command(self, name: str, argument: str = "") -> bool:
        """Run a command by name, beside the message loop, so that it may ask and wait. False when there is none."""
        command = self.registry.get(name)
        if command is not None:
            self.start_work(self._run(command, argument))
        return command is not None

    async def _run(self, command: Command, argument: str) -> None:
        try:
            await command.run(self, argument)
        except ReinError as error:
            await self.report(error)

    def action_command(self, name: str) -> None:
        """A key or a click asked for a command."""
        self.run_command(name)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Behind a modal keys mean nothing, but that a question lets the panes be looked at; ctrl+c is its own."""
        screen = self.screen
        if screen is self.main:
            return True
        from rein_tui.widgets.modal import Modal
        from rein_tui.widgets.sheet import Sheet

        if action == "copy_or_leave":
            return bool(screen.get_selected_text())
        if action != "command" or isinstance(screen, Sheet):
            return action != "command"
        return parameters[0] == "keys" or (parameters[0] in _LOOKS and isinstance(screen, Modal) and screen.IS_QUESTION)

    def action_press(self, key: str) -> None:
        """A click on a key's name does what the key does; on a page of keys, where the person was before."""
        from rein_tui.widgets.sheet import Sheet

        if isinstance(self.screen, Sheet) and key != "escape":
            self.screen.action_leave()
        self.post_message(Key(key, key if len(key) == 1 else None))

    async def ask(self, modal: "Modal[ResultT]") -> ResultT | None:
        """Put a modal up and wait for its answer; not from a message handler."""
        return await ask_modal(self, modal)

    # --- telling ---

    async def tell(self, notice: Notice) -> None:
        """Say something in the chat, where it belongs."""
        await self.main.apply(notice)

    async def report(self, error: ReinError) -> None:
        """Show an error in the chat: what happened, where, what to do next."""
        await self.tell(Notice(text=error.message, level="error", where=error.where, hint=error.hint))

    def hint(self, text: str) -> None:
        """A short word in the status line; gone after two seconds."""
        self.main.status.show_hint(text)
        if text:
            self.set_timer(_HINT, lambda: self.main.status.show_hint(""))

    def suggest(self, prompt: str) -> None:
        """Put a prompt to begin with where the person only has to send it; never in the place of their own words."""
        if not self.main.composer.text and not self.beginning.prompt:
            self.main.composer.text = prompt

    def watch_app_focus(self, before: bool, now: bool) -> None:
        """Someone looks again. A screen that came up while nobody did has no focus yet: its first key would be lost."""
        if not now or before:
            return
        self.attention.end()
        if self.screen.focused is None and self.screen.AUTO_FOCUS:
            first = next((widget for widget in self.screen.query(self.screen.AUTO_FOCUS) if widget.focusable), None)
            self.screen.set_focus(first, scroll_visible=False)

    def copy(self, text: str) -> None:
        """To the system's clipboard and the terminal's."""
        self.write_escape(osc52(text))
        self._clipboard = text
        self.start_work(self._copy_to_system(text))
        self.hint("copied")

    async def _copy_to_system(self, text: str) -> None:
        await copy_to_system(text)

    @on(Copied)
    def _copied(self, event: Copied) -> None:
        self.copy(event.text)

    @on(LinkOpened)
    def _link_opened(self, event: LinkOpened) -> None:
        self.run_command("open", " ".join(event.targets))

    async def preview(self, session_id: str, facts: Sequence[Fact], words: str = "") -> None:
        """Show a session without opening it, where these words of a search stand."""
        from rein_tui.preview import Preview

        title = next((info.title for info in self.desk.sessions() if info.id == session_id), session_id)
        await self.push_screen(Preview(safe_text(title, "label"), facts, words))

    @property
    def elsewhere(self) -> str:
        """Where the sessions run when that is not here; empty otherwise."""
        return self.workbench.place if isinstance(self.workbench, Elsewhere) else ""

    @property
    def user_settings(self) -> Path:
        """The settings file of the person's own."""
        return (self._places.config if self._places is not None else Path("~/.claude")) / "settings.json"

    @property
    def last_typed(self) -> float:
        """When the prompt last got a key; monotonic seconds."""
        return self.main.composer.area.last_typed

    # --- choices ---

    def choose(self, **changes: Any) -> None:
        """Change preferences and keep them."""
        for name, value in changes.items():
            setattr(self.preferences, name, value)
        save_preferences(self._preferences_path, self.preferences)

    def set_mouse(self, on: bool) -> None:
        """Take the mouse, or leave it to the terminal so that it selects as it is used to."""
        self.write_escape(terminal.MOUSE_ON if on else terminal.MOUSE_OFF)

    def write_escape(self, escape: str) -> None:
        """Write one of our own escape sequences to the terminal, if there is one."""
        if self._driver is not None and not self.is_headless:
            self._driver.write(escape)

    # --- stopping and leaving ---

    def action_stop(self) -> None:
        """Esc."""
        self.leaving.escape()

    def action_copy_or_leave(self) -> None:
        """Ctrl+C."""
        self.leaving.interrupt()

    async def action_quit(self) -> None:
        """Textual's own way out is ours too."""
        self.leave()

    def leave(self) -> None:
        """Exit, with the command line that resumes the session."""
        turns = self.desk.current
        told = turns is not None and (turns.has_prompted or turns.harness.info.turns > 0)
        self._has_left = True
        self.exit(f"rein-tui --resume {turns.harness.info.id}" if turns is not None and told else "")
