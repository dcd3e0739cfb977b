"""A session's servers without a session: a toolbox, a person who answers as told, and everything that was told."""

import asyncio
import os
import sys
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from rein_tui.harness.places import Places
from rein_tui.harness.plugins.mcp.approval import Approvals
from rein_tui.harness.plugins.mcp.host import AskModel, Host
from rein_tui.harness.plugins.mcp.overview import Overview
from rein_tui.harness.plugins.mcp.reach import Reach
from rein_tui.harness.plugins.mcp.results import Keeping
from rein_tui.harness.plugins.mcp.servers import Servers
from rein_tui.harness.plugins.mcp.sources import ServerScene, find_servers
from rein_tui.harness.protocol.decisions import PermissionReply, PermissionRequest, QuestionReply, QuestionRequest
from rein_tui.harness.protocol.events import Event
from rein_tui.harness.protocol.mcp import McpServerState
from rein_tui.harness.protocol.policy import TrustReply, TrustRequest
from rein_tui.harness.protocol.tools import Tool, ToolContext, ToolResult, Workspace
from rein_tui.harness.settings.layers import Settings
from rein_tui.harness.tools.toolbox import Toolbox

NASTY = str(Path(__file__).with_name("nasty.py"))
NODE = Path(__file__).parents[4] / ".venv" / "node" / "node_modules" / "@modelcontextprotocol"

Answers = Callable[[QuestionRequest], QuestionReply]


def nasty(how: str) -> dict[str, Any]:
    """An entry for our own misbehaving server."""
    return {"command": sys.executable, "args": ["-S", NASTY, how]}


def decline(request: QuestionRequest) -> QuestionReply:
    """Nobody answers."""
    return QuestionReply(cancelled=True)


@dataclass(slots=True)
class Person:
    """A prompter that answers questions by a function and remembers them."""

    answers: Answers = decline
    asked: list[QuestionRequest] = field(default_factory=list[QuestionRequest])

    async def ask(self, request: PermissionRequest) -> PermissionReply:
        """Deny."""
        return PermissionReply(answer="deny")

    async def question(self, request: QuestionRequest) -> QuestionReply:
        """As told."""
        self.asked.append(request)
        return self.answers(request)

    async def trust(self, request: TrustRequest) -> TrustReply:
        """No."""
        return TrustReply()


@dataclass(slots=True)
class House:
    """Servers with everything around them."""

    servers: Servers
    people: Overview
    toolbox: Toolbox
    person: Person
    workspace: Workspace
    told: list[Event]

    def tool(self, name: str) -> Tool:
        """A tool that must be there."""
        tool = self.toolbox.get(name)
        assert tool is not None, f"{name} is not among {[t.name for t in self.toolbox]}"
        return tool

    async def call(self, name: str, **values: Any) -> ToolResult:
        """Call a tool as the gate does."""
        tool = self.tool(name)
        context = ToolContext("call_1", self.workspace, self.emit, self.person)
        return await tool.run(tool.parse(values), context)

    async def emit(self, event: Event) -> None:
        """Remember it."""
        self.told.append(event)

    def state(self, name: str) -> McpServerState:
        """How a server is."""
        return next(state for state in self.people.states() if state.name == name)

    async def until(self, fits: Callable[[], bool]) -> None:
        """Wait for news that make something true."""
        news = asyncio.Event()
        self.servers.on_change.append(news.set)
        async with asyncio.timeout(60):
            while not fits():
                await news.wait()
                news.clear()
        self.servers.on_change.remove(news.set)

    async def settled(self) -> None:
        """Wait until no server starts any more."""
        await self.until(lambda: all(state.state not in ("starting", "waiting") for state in self.people.states()))


@asynccontextmanager
async def open_house(
    places: Places,
    root: Path,
    entries: dict[str, Any],
    *,
    answers: Answers = decline,
    environment: dict[str, str] | None = None,
    settings: Settings | None = None,
    ask_model: AskModel | None = None,
    interactive: bool = True,
    start: bool = True,
) -> AsyncGenerator[House]:
    """Servers of a user's file, started, and ended at the end."""
    import json

    ambient = {**os.environ, **(environment or {})}
    root.mkdir(exist_ok=True)
    scene = ServerScene(places, root, ambient, given=(json.dumps({"mcpServers": entries}),) if entries else ())
    person, told, toolbox = Person(answers), list[Event](), Toolbox()
    workspace = Workspace(root=root, cwd=root, home=places.home)

    async def tell(event: Event) -> None:
        told.append(event)

    reach = Reach(places, str(root), "session-1", ambient, {})
    host = Host(person, lambda: [root], tell, ask_model=ask_model, interactive=interactive)
    servers = Servers(
        configs=find_servers(scene).configs,
        approvals=Approvals(places, root, settings or Settings(trusted=True), interactive),
        reach=reach,
        host=host,
        toolbox=toolbox,
        keeping=Keeping(root / "kept", reach.most_tokens),
        find_again=lambda brought: find_servers(replace(scene, plugins=brought)).configs,
    )
    house = House(servers, Overview(servers), toolbox, person, workspace, told)
    try:
        if start:
            servers.start()
            await house.settled()
        yield house
    finally:
        await servers.close()


def names(tools: Sequence[Tool] | Toolbox) -> set[str]:
    """The names of tools."""
    return {tool.name for tool in tools}
