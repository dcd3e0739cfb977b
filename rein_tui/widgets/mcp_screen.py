"""Every MCP server with its state, tools and log: started anew, approved, refused, switched off and on."""

from collections.abc import Awaitable, Callable
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from rein_tui.harness.protocol.errors import ReinError
from rein_tui.harness.protocol.mcp import McpServers, McpServerState

from .hints import KeyLine, hint_lines
from .mcp_screen_rows import log_page, server_page, server_row
from .modal import Modal
from .safe import safe_content
from .wishes import Copied

_EVERY = 0.5
"""Seconds between two looks at the servers while this is open."""

_NONE = "There are no MCP servers here. Add one: rein-tui mcp add NAME COMMAND"


class McpScreen(Modal[None]):
    """Servers above, what is known about the highlighted one below."""

    FIRST = "OptionList"

    DEFAULT_CSS = """
    McpScreen {
        & > .frame { width: 100%; max-width: 120; height: 100%; max-height: 100%; padding: 0 1; margin: 0 1; }
        & OptionList { height: auto; max-height: 40%; border: none; background: transparent; padding: 0; }
        &.-none > .frame { height: auto; }
        &.-none VerticalScroll { height: auto; margin-top: 1; border-top: none; }
        & VerticalScroll { height: 1fr; border-top: solid $border-blurred; scrollbar-size-vertical: 1; }
        & #note, & #keys { height: auto; }
    }
    McpScreen.-slim > .frame { margin: 0; padding: 0 1; }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("r", "reconnect", "Start anew, log in"),
        Binding("o", "log_out", "Log out"),
        Binding("y", "copy", "Copy the address to open"),
        Binding("a", "approve", "Approve"),
        Binding("d", "deny", "Deny"),
        Binding("x,space", "switch", "Switch off or on"),
        Binding("l", "log", "Log or tools"),
        Binding("shift+down", "scroll_page(3)", "Page down", show=False),
        Binding("shift+up", "scroll_page(-3)", "Page up", show=False),
        Binding("j", "app.simulate_key('down')", "Down", show=False),
        Binding("k", "app.simulate_key('up')", "Up", show=False),
        Binding("q", "leave", "Close", show=False),
    ]

    def __init__(self, servers: McpServers) -> None:
        super().__init__()
        self._servers = servers
        self._states: tuple[McpServerState, ...] = ()
        self._shows_log = False

    def compose(self) -> ComposeResult:
        with Vertical(classes="frame") as frame:
            frame.border_title = Content("MCP servers")
            yield OptionList(compact=True)
            with VerticalScroll(can_focus=False):
                yield Static(id="page")
            yield Static(id="note")
            yield KeyLine(id="keys")

    def on_mount(self) -> None:
        """Look at once, and then again and again: servers come and go by themselves."""
        super().on_mount()
        self._look()
        self.set_interval(_EVERY, self._look)

    def on_resize(self) -> None:
        """Keys fit the width."""
        self._draw_keys()

    # --- showing --------------------------------------------------------------------------------------------

    def _look(self) -> None:
        states = tuple(self._servers.states())
        if (states == self._states and states) or not self.query("#page"):  # nothing new, or closed meanwhile
            return
        rows = self.query_one(OptionList)
        kept = rows.highlighted or 0
        self._states = states
        width = max((len(state.name) for state in states), default=0)
        rows.set_options(Option(server_row(state, min(width, 30))) for state in states)
        if states:
            rows.highlighted = min(kept, len(states) - 1)
        self._draw()

    @property
    def _state(self) -> McpServerState | None:
        highlighted = self.query_one(OptionList).highlighted
        return self._states[highlighted] if highlighted is not None and highlighted < len(self._states) else None

    @property
    def _is_projects(self) -> bool:
        return self._state is not None and self._state.scope == "project"

    def _draw(self) -> None:
        state, page = self._state, self.query_one("#page", Static)
        self.set_class(state is None, "-none")
        if state is None:
            page.update(Content(_NONE))
        else:
            page.update(log_page(state) if self._shows_log else server_page(state))
        self._draw_keys()

    def _draw_keys(self) -> None:
        state = self._state
        keys = [("esc", "close")]
        if state is not None:
            looks = [("l", "tools" if self._shows_log else "log"), ("shift+↑ ↓", "scroll")]
            keys = [*_keys_for(state), *looks, *keys]
        width = self.query_one(".frame").content_size.width or self.size.width - 4
        self.query_one("#keys", Static).update(hint_lines(keys, width))

    def _tell(self, text: str) -> None:
        note = self.query_one("#note", Static)
        note.update(safe_content(text, "prompt", "$text-error"))
        note.display = bool(text)

    @on(OptionList.OptionHighlighted)
    def _moved(self, event: OptionList.OptionHighlighted) -> None:
        event.stop()
        self._tell("")
        self._draw()

    # --- doing ----------------------------------------------------------------------------------------------

    def action_log(self) -> None:
        """The log instead of the tools, or the other way round."""
        self._shows_log = not self._shows_log
        self._draw()
        self.query_one(VerticalScroll).scroll_to(y=100_000 if self._shows_log else 0, animate=False)

    def action_scroll_page(self, lines: int) -> None:
        """Scroll what is known about the server."""
        self.query_one(VerticalScroll).scroll_relative(y=lines, animate=False)

    def action_reconnect(self) -> None:
        """Start the server anew; one that wants a login opens the browser."""
        self._do(self._servers.reconnect)

    def action_copy(self) -> None:
        """Copy the address that has to be opened: it is too long to be marked."""
        if self._state is not None and self._state.address:
            self.post_message(Copied(self._state.address))

    def action_log_out(self) -> None:
        """Forget the login of a server."""
        if self._state is not None and self._state.logged_in:
            self._do(self._servers.log_out)

    def action_approve(self) -> None:
        """Let a project's server run."""
        if self._is_projects:
            self._do(self._servers.approve)

    def action_deny(self) -> None:
        """Never run a project's server."""
        if self._is_projects:
            self._do(self._servers.deny)

    def action_switch(self) -> None:
        """Switch the server off in this project, or on."""
        state = self._state
        if state is not None:
            self._do(lambda name: self._servers.switch(name, state.state == "disabled"))

    def _do(self, what: Callable[[str], Awaitable[None]]) -> None:
        state = self._state
        if state is not None and state.agent:
            self._tell(f"{state.name} starts and ends with the agent {state.agent}.")
        elif state is not None:
            self._tell("")
            self.run_worker(self._done(what, state.name), group=f"mcp {state.name}")

    async def _done(self, what: Callable[[str], Awaitable[None]], name: str) -> None:
        try:
            await what(name)
        except ReinError as error:
            self._tell(str(error))
        self._look()


def _keys_for(state: McpServerState) -> list[tuple[str, str]]:
    """The keys that mean something for a server as it is."""
    if state.agent:
        return []
    keys = [("x", "switch on" if state.state == "disabled" else "switch off")]
    if state.state not in ("disabled", "denied", "unapproved", "blocked"):
        keys.append(("r", "log in" if state.state == "needs_login" else "start anew"))
    if state.address:
        keys.append(("y", "copy the address"))
    if state.logged_in:
        keys.append(("o", "log out"))
    if state.scope == "project":
        keys += [("a", "approve")] if state.state in ("unapproved", "denied") else []
        keys += [("d", "deny")] if state.state != "denied" else []
    return keys
