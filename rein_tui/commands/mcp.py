"""The command that shows the MCP servers, and the commands that servers bring."""

from typing import TYPE_CHECKING

from rein_tui.harness.protocol.mcp import HasMcp

from .files import file_command
from .registry import Command

if TYPE_CHECKING:
    from rein_tui.app import ReinApp


def learn_prompts(app: "ReinApp") -> None:
    """Servers come and go while the app runs: take over the commands that they bring now."""
    turns = app.desk.current
    harness = turns.harness if turns is not None else None
    servers = harness.mcp if isinstance(harness, HasMcp) else None
    app.registry.replace("servers", map(file_command, servers.commands() if servers is not None else ()))


async def _mcp(app: "ReinApp", _: str) -> None:
    from rein_tui.widgets.mcp_screen import McpScreen

    turns = app.desk.current
    harness = turns.harness if turns is not None else None
    servers = harness.mcp if isinstance(harness, HasMcp) else None
    if servers is None:
        app.hint("there are no MCP servers here to look at")
        return
    await app.ask(McpScreen(servers))


COMMANDS = (Command("mcp", "MCP servers: state, tools, log; start anew, approve, switch off", _mcp, family="model"),)
