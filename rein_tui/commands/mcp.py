"""The command that shows the MCP servers."""

from typing import TYPE_CHECKING

from rein_tui.harness.protocol.mcp import HasMcp

from .registry import Command

if TYPE_CHECKING:
    from rein_tui.app import ReinApp


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
