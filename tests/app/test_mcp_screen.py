"""The MCP screen over servers that a test plays: what it shows, and what its keys ask for."""

from collections.abc import Sequence

import msgspec
from textual import on
from textual.app import App, ComposeResult
from textual.pilot import Pilot
from textual.widgets import OptionList, Static

from rein_tui.harness.protocol.errors import ConfigError
from rein_tui.harness.protocol.mcp import McpServerState, McpSuggestion, McpToolState
from rein_tui.harness.protocol.workbench import CommandInfo
from rein_tui.widgets.mcp_screen import McpScreen
from rein_tui.widgets.wishes import Copied

TOOL = McpToolState(name="echo", description="Says [b]it[/b] again\x1b[31m.", read_only=True, tokens=40)
GOOD = McpServerState(
    name="good", scope="user", state="connected", tools=(TOOL,), tokens=40, log="hello from [/here]", summary="run me"
)
NEW = McpServerState(name="new", scope="project", state="unapproved", error="A project's server.", summary="npx new")
BAD = McpServerState(name="bad", scope="local", state="failed", error="It ended with exit code 3", summary="false")


class PlayedServers:
    """protocol.mcp.McpServers whose servers change as asked; `wishes` says what was."""

    def __init__(self, *states: McpServerState) -> None:
        self._states = {state.name: state for state in states}
        self.wishes: list[str] = []

    def states(self) -> Sequence[McpServerState]:
        """As they are now."""
        return tuple(self._states.values())

    def commands(self) -> Sequence[CommandInfo]:
        """None."""
        return ()

    async def suggest(self, query: str) -> Sequence[McpSuggestion]:
        """None."""
        return ()

    def _set(self, name: str, **changes: object) -> None:
        self._states[name] = msgspec.structs.replace(self._states[name], **changes)

    async def reconnect(self, name: str) -> None:
        """Connects, but for `bad`."""
        self.wishes.append(f"reconnect {name}")
        if name == "bad":
            raise ConfigError("It is still broken.", where=name)
        self._set(name, state="connected")

    async def log_out(self, name: str) -> None:
        """It wants one again."""
        self.wishes.append(f"log out {name}")
        self._set(name, state="needs_login", logged_in=False)

    async def approve(self, name: str) -> None:
        """It is connected then."""
        self.wishes.append(f"approve {name}")
        self._set(name, state="connected", error="")

    async def deny(self, name: str) -> None:
        """It is denied then."""
        self.wishes.append(f"deny {name}")
        self._set(name, state="denied")

    async def switch(self, name: str, on: bool) -> None:
        """On or off."""
        self.wishes.append(f"{'on' if on else 'off'} {name}")
        self._set(name, state="connected" if on else "disabled")


class Stand(App[None]):
    """Nothing but the screen."""

    def __init__(self, servers: PlayedServers) -> None:
        super().__init__()
        self.servers = servers
        self.copied: list[str] = []

    @on(Copied)
    def _copy(self, event: Copied) -> None:
        self.copied.append(event.text)

    def compose(self) -> ComposeResult:
        yield Static()

    def on_mount(self) -> None:
        self.push_screen(McpScreen(self.servers))


def seen(app: Stand, name: str) -> str:
    """The text of a part of the screen."""
    return str(app.screen.query_one(name, Static).visual)


def row(app: Stand, index: int) -> str:
    """One row of the list."""
    return str(app.screen.query_one(OptionList).get_option_at_index(index).prompt)


async def press(pilot: Pilot[None], *keys: str) -> None:
    """Press keys and let their work come to rest."""
    await pilot.press(*keys)
    for _ in range(4):
        await pilot.pause()


async def test_servers_with_their_tools_and_log() -> None:
    app = Stand(PlayedServers(GOOD, NEW, BAD))
    async with app.run_test(size=(100, 30)) as pilot:
        await pilot.pause()
        assert "good" in row(app, 0) and "1 tool, 40 tokens" in row(app, 0)
        assert "waits for your yes" in row(app, 1)
        page = seen(app, "#page")
        assert "echo reads only" in page and "Says [b]it[/b] again" in page and "\x1b" not in page
        await press(pilot, "l")
        assert "hello from [/here]" in seen(app, "#page")
        await press(pilot, "l", "down", "down")
        assert "It ended with exit code 3" in seen(app, "#page")


async def test_wishes() -> None:
    servers = PlayedServers(GOOD, NEW, BAD)
    app = Stand(servers)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        await press(pilot, "a", "x")
        assert "disabled" in row(app, 0)
        await press(pilot, "x", "r", "down", "a")
        assert "connected" in row(app, 1)
        await press(pilot, "d", "down", "r")
        assert "It is still broken." in seen(app, "#note")
        assert servers.wishes == [
            "off good", "on good", "reconnect good", "approve new", "deny new", "reconnect bad",
        ]  # fmt: skip
        await press(pilot, "escape")
        assert not isinstance(app.screen, McpScreen)


async def test_logging_out() -> None:
    app = Stand(PlayedServers(msgspec.structs.replace(GOOD, transport="http", logged_in=True)))
    async with app.run_test(size=(60, 20)) as pilot:
        await press(pilot)
        assert "o log out" in seen(app, "#keys")
        await press(pilot, "o", "o")
        assert app.servers.wishes == ["log out good"]
        assert "log out" not in seen(app, "#keys") and "log in" in seen(app, "#keys")


async def test_the_address_to_open_can_be_copied() -> None:
    app = Stand(PlayedServers(msgspec.structs.replace(GOOD, state="starting", address="https://x.org/?long")))
    async with app.run_test(size=(60, 20)) as pilot:
        await press(pilot, "y")
        assert "y copy the address" in seen(app, "#keys")
        assert app.copied == ["https://x.org/?long"]


async def test_an_agents_server_is_only_looked_at() -> None:
    app = Stand(PlayedServers(msgspec.structs.replace(GOOD, agent="reviewer")))
    async with app.run_test(size=(60, 20)) as pilot:
        await press(pilot, "r", "x", "a", "d")
        assert "agent reviewer" in row(app, 0)
        assert "starts and ends with the agent reviewer" in seen(app, "#note")
        assert not app.servers.wishes


async def test_no_servers() -> None:
    app = Stand(PlayedServers())
    async with app.run_test(size=(60, 20)) as pilot:
        await pilot.pause()
        assert "rein-tui mcp add" in seen(app, "#page")
        await press(pilot, "r", "a", "x", "l")
