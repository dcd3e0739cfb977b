"""The command that shows the MCP servers, and the commands that servers bring."""

from typing import TYPE_CHECKING

from rein_tui.harness.protocol.mcp import HasMcp, McpServers

from .files import file_command
from .registry import Command

if TYPE_CHECKING:
    from rein_tui.app import ReinApp


def learn_prompts(app: "ReinApp") -> None:
    """Servers come and go while the app runs: its commands are those that they bring now, and no others."""
    servers = servers_of(app)
    infos = servers.commands() if servers is not None else ()
    app.registry.replace("servers", map(file_command, infos))


def servers_of(app: "ReinApp") -> McpServers | None:
    """The servers of the session on the screen."""
    turns = app.desk.current
    harness = turns.harness if turns is not None else None
    return harness.mcp if isinstance(harness, HasMcp) else None


async def _mcp(app: "ReinApp", _: str) -> None:
    from rein_tui.widgets.mcp_screen import McpScreen

    servers = servers_of(app)
    if servers is None:
        app.hint("there are no MCP servers here to look at")
        return
    await app.ask(McpScreen(servers))


COMMANDS = (Command("mcp", "MCP servers: state, tools, log; start anew, approve, switch off", _mcp, family="model"),)
