"""What requests about the inside of a session do: its hooks, its MCP servers; and what the house brings."""

from rein_tui.harness.protocol.errors import StartError
from rein_tui.harness.protocol.mcp import HasMcp, McpServers
from rein_tui.harness.protocol.ports import Harness, Insight
from rein_tui.harness.protocol.workbench import Extensible, ProbesModels, Workbench

from .wire import insight_requests as ask


async def about_house(bench: Workbench, request: ask.ProbeModel | ask.ListExtensions | ask.ReloadExtensions) -> object:
    """The answer of a workbench. Raises ReinError."""
    match request:
        case ask.ProbeModel() if isinstance(bench, ProbesModels):
            return await bench.probe()
        case ask.ListExtensions() if isinstance(bench, Extensible):
            return tuple(bench.extensions())
        case ask.ReloadExtensions() if isinstance(bench, Extensible):
            return tuple(await bench.reload_extensions())
        case _:
            raise StartError("That cannot be asked here.")


async def about_session(harness: Harness, request: ask.Rehearse | ask.ListMcp | ask.SuggestMcp | ask.McpDo) -> object:
    """The answer of a session. Raises ReinError."""
    if isinstance(request, ask.Rehearse):
        told = await harness.rehearse(request.run) if isinstance(harness, Insight) else None
        return ask.Rehearsed(runs=told[0], outcome=told[1]) if told is not None else None
    servers = harness.mcp if isinstance(harness, HasMcp) else None
    if isinstance(request, ask.ListMcp):
        if servers is None:
            return ask.McpView()
        return ask.McpView(states=tuple(servers.states()), commands=tuple(servers.commands()))
    if isinstance(request, ask.SuggestMcp):
        return tuple(await servers.suggest(request.query)) if servers is not None else ()
    if servers is None:
        raise StartError("This session has no MCP servers.")
    await _do(servers, request)
    return None


async def _do(servers: McpServers, request: ask.McpDo) -> None:
    match request.action:
        case "reconnect":
            await servers.reconnect(request.name)
        case "log_out":
            await servers.log_out(request.name)
        case "approve":
            await servers.approve(request.name)
        case "deny":
            await servers.deny(request.name)
        case "on" | "off":
            await servers.switch(request.name, request.action == "on")
