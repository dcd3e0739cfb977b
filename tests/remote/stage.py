"""A real server on a free loopback port, over sessions on fakes; and clients for it."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing, asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import uvicorn
from websockets.asyncio.client import ClientConnection, connect

from rein_tui.harness.protocol.base import JsonObject
from rein_tui.harness.protocol.errors import ConfigError, ProviderError, StoreError
from rein_tui.harness.protocol.events import ContextPrepared, Event, Fact, SessionStarted, SourceKind
from rein_tui.harness.protocol.messages import ToolSpec
from rein_tui.harness.protocol.models import ModelInfo, Provider
from rein_tui.harness.protocol.ports import MOST_LISTED, AsideAnswer, Harness, Prompt, Prompter, SessionInfo
from rein_tui.harness.protocol.workbench import CommandInfo, ExportForm, FoundServer, ModelChoice
from rein_tui.harness.session import Session
from rein_tui.harness.store.export import export
from rein_tui.harness.turn.surroundings import Surroundings
from rein_tui.remote.address import Address, Backoff
from rein_tui.remote.client import RemoteWorkbench
from rein_tui.remote.connection import Reception
from rein_tui.remote.guard import Guard, Tokens, doors_of
from rein_tui.remote.hall import Hall, Limits
from rein_tui.remote.link import SocketLink
from rein_tui.remote.questions import EdgePrompter, Patience
from rein_tui.remote.server import Desk, create_app
from tests.fakes.engines import MemoryFacts, ScriptedPerson, TablePermissions, TestTool, rig

TOKEN = "a-token-that-is-long-enough"
OTHERS_TOKEN = "another-token-long-enough"
PATIENCE = 20.0


class RecordedAdjustments:
    """ports.Adjustments that only remembers; work named `gone` had ended already."""

    def __init__(self) -> None:
        self.folders: list[str] = []
        self.stopped: list[str] = []
        self.switched: list[tuple[str, str, bool]] = []

    async def add_folder(self, folder: Path) -> None:
        if folder.name == "nowhere":
            raise ConfigError("there is no such folder", where=str(folder))
        self.folders.append(str(folder))

    async def change_folder(self, folder: Path) -> Path:
        return Path("/shop") / folder

    async def ask_aside(self, question: str) -> AsideAnswer:
        if not question:
            raise ProviderError("no model", kind="connection")
        return AsideAnswer(text=f"{question} 42")

    async def switch_source(self, kind: SourceKind, name: str, on: bool) -> None:
        self.switched.append((kind, name, on))

    async def stop_work(self, work_id: str) -> bool:
        self.stopped.append(work_id)
        return work_id != "gone"


class MemoryBench:
    """workbench.Workbench over sessions on fakes; `make` gives the provider of each session."""

    def __init__(
        self,
        make: Callable[[], Provider],
        *tools: TestTool,
        permissions: Callable[[], TablePermissions] = TablePermissions,
        prompter: Prompter | None = None,
        cwd: str = "/",
    ) -> None:
        self.cwd = cwd
        self.choice: ModelChoice | None = ModelChoice(kind="demo", model="scripted")
        self.sessions_open: dict[str, Session] = {}
        self.journals: dict[str, MemoryFacts] = {}
        self.renamed: dict[str, str] = {}
        self.deleted: list[str] = []
        self._make = make
        self._tools = tools
        self._permissions = permissions
        self._prompter: Prompter = prompter or EdgePrompter()

    async def prepare(self) -> None:
        return

    async def open(self, session_id: str = "") -> Harness:
        if session_id in self.sessions_open:
            return self.sessions_open[session_id]
        if session_id and session_id not in self.journals:
            raise StoreError("There is no such session.", where=session_id)
        fresh = session_id or f"s{len(self.journals) + 1}"
        journal = self.journals.setdefault(fresh, MemoryFacts(fresh))
        return self._session(fresh, journal, "resume" if session_id else "startup")

    def _session(self, session_id: str, journal: MemoryFacts, source: Any) -> Session:
        made = rig(self._make(), *self._tools, permissions=self._permissions(), past=())
        made.parts.prompter = self._prompter
        parts = made.parts
        around = Surroundings(
            context=lambda: ContextPrepared(system=parts.system_prompt or "Be useful.", tools=parts.tools.specs())
        )
        past = list(journal.facts)
        session = Session(
            made.parts, journal, SessionStarted(session_id=session_id, cwd=self.cwd, source=source), around, past
        )
        session.adjustments = RecordedAdjustments()
        self.sessions_open[session_id] = session
        return session

    def restarted(self) -> "MemoryBench":
        """The same journals under a new program."""
        bench = MemoryBench(self._make, *self._tools, permissions=self._permissions, prompter=self._prompter)
        bench.journals = {}
        for name, journal in self.journals.items():
            bench.journals[name] = MemoryFacts(name)
            bench.journals[name].facts = list(journal.facts)
        return bench

    async def begin(self, session_id: str) -> Harness:
        if session_id in self.journals:
            raise StoreError("There is already such a session.", where=session_id)
        journal = self.journals[session_id] = MemoryFacts(session_id)
        return self._session(session_id, journal, "startup")

    async def release(self, session_id: str) -> bool:
        session = self.sessions_open.pop(session_id, None)
        if session is not None:
            await session.close("other")
        return session is not None

    async def fork(self, session_id: str, turn: int) -> Harness:
        facts = [f for f in self.journals[session_id].facts if f.turn <= turn]
        fresh = f"s{len(self.journals) + 1}"
        self.journals[fresh] = journal = MemoryFacts(fresh)
        journal.facts += facts
        return self._session(fresh, journal, "fork")

    def sessions(self, search: str = "", everywhere: bool = False, limit: int = MOST_LISTED) -> Sequence[SessionInfo]:
        return [SessionInfo(id=i, title=self.renamed.get(i, "")) for i in self.journals if i not in self.deleted]

    def export(self, session_id: str, form: ExportForm) -> bytes:
        return export(form, SessionInfo(id=session_id), self.facts(session_id))

    def facts(self, session_id: str) -> Sequence[Fact]:
        if session_id not in self.journals:
            raise StoreError("There is no such session.", where=session_id)
        return list(self.journals[session_id].facts)

    def commands(self) -> Sequence[CommandInfo]:
        return (CommandInfo(name="review", summary="Review the changes"),)

    def rename(self, session_id: str, title: str) -> None:
        self.renamed[session_id] = title

    def delete(self, session_id: str) -> None:
        self.deleted.append(session_id)

    def undelete(self, session_id: str) -> None:
        self.deleted.remove(session_id)

    async def find_servers(self) -> tuple[FoundServer, ...]:
        return (FoundServer(url="http://127.0.0.1:11434/v1", flavour="ollama"),)

    async def models(self) -> tuple[ModelInfo, ...]:
        return (ModelInfo(id="scripted"),)

    async def choose(self, choice: ModelChoice, api_key: str = "") -> None:
        self.choice = choice


@dataclass
class Served:
    """A running server. `cut` breaks all its connections at once."""

    port: int
    hall: Hall
    bench: MemoryBench
    reception: Reception
    transports: "Relay"
    clients: list[RemoteWorkbench] = field(default_factory=list[RemoteWorkbench])

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.port}/ws/chat"

    def address(self, token: str = TOKEN) -> Address:
        return Address(url=self.url, token=lambda: token)

    async def client(
        self,
        prompter: Prompter | None = None,
        *,
        client: str = "",
        token: str = TOKEN,
        relayed: bool = False,
        **more: Any,
    ) -> RemoteWorkbench:
        """A prepared workbench of a client; `relayed` ones can be cut off."""
        url = f"ws://127.0.0.1:{self.transports.port}/ws/chat" if relayed else self.url
        address = Address(url=url, token=lambda: token)
        link = SocketLink(address, client or f"client-{len(self.clients)}", backoff=Backoff(0.01, 0.1, PATIENCE))
        bench = RemoteWorkbench(link, prompter or ScriptedPerson(), **more)
        self.clients.append(bench)
        await bench.prepare()
        return bench

    def raw(self, token: str = TOKEN, **options: Any) -> connect:
        """A bare WebSocket connection with the token in its header."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return connect(self.url, additional_headers=headers | options.pop("headers", {}), proxy=None, **options)


class Relay:
    """A TCP relay in front of a server: its connections can be cut, as a network does."""

    def __init__(self, target: int) -> None:
        self._target = target
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None
        self.port = 0
        self.is_down = False

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._relay, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    def retarget(self, port: int) -> None:
        self._target = port

    async def _relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.is_down:
            writer.transport.abort()
            return
        there, back = await asyncio.open_connection("127.0.0.1", self._target)
        self._writers |= {writer, back}
        for source, sink in ((reader, back), (there, writer)):
            task = asyncio.create_task(self._copy(source, sink))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _copy(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await source.read(65536):
                sink.write(data)
                await sink.drain()
        sink.close()

    def cut(self) -> None:
        for writer in self._writers:
            writer.transport.abort()
        self._writers.clear()

    async def close(self) -> None:
        self.cut()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()


async def no_tools() -> tuple[ToolSpec, ...]:
    return (ToolSpec(name="Read", description="Read a file.", input_schema={"type": "object"}),)


def plain_settings() -> JsonObject:
    return {"model": "sonnet"}


@asynccontextmanager
async def served(
    bench: MemoryBench,
    *,
    limits: Limits | None = None,
    stall: float = 30.0,
    auth_seconds: float = 2.0,
    names: tuple[str, ...] = (),
) -> AsyncGenerator[Served]:
    """A server over this bench, on a free port."""
    hall = Hall(bench, limits=limits or Limits(patience=Patience(answer=PATIENCE, empty=PATIENCE)))
    reception = Reception(
        hall, lambda token, address: "", version="0", project="/", stall=stall, auth_seconds=auth_seconds
    )
    app = create_app(reception, Desk(no_tools, plain_settings))
    tokens = Tokens({"owner": TOKEN, "other": OTHERS_TOKEN})
    guard = Guard(app, tokens, doors_of("127.0.0.1", 0), largest_body=hall.limits.body)
    reception.authenticate = guard.principal
    config = uvicorn.Config(
        guard,  # pyright: ignore[reportArgumentType]
        host="127.0.0.1",
        port=0,
        ws_max_size=hall.limits.message,
        ws_per_message_deflate=False,
        log_level="error",
        timeout_graceful_shutdown=2,
        ws_ping_interval=None,
    )
    server = uvicorn.Server(config)
    config.load()
    server.lifespan = config.lifespan_class(config)
    await server.startup()
    port: int = server.servers[0].sockets[0].getsockname()[1]
    relay = Relay(port)
    await relay.start()
    doors = doors_of("127.0.0.1", port)
    through = doors_of("127.0.0.1", relay.port, extra=names)
    guard.open_doors(type(doors)(doors.hosts | through.hosts, doors.origins | through.origins))
    here = Served(port, hall, bench, reception, relay)
    try:
        yield here
    finally:
        for client in here.clients:
            await client.close()
        await relay.close()
        await server.shutdown()


async def told(story: AsyncGenerator[Event]) -> list[Event]:
    """All events of a generator."""
    async with asyncio.timeout(PATIENCE), aclosing(story) as events:
        return [event async for event in events]


async def turn(harness: Harness, text: str) -> list[Event]:
    """One turn."""
    return await told(harness.run(Prompt(text=text)))


async def until(condition: Callable[[], object]) -> None:
    """Let everything work until this holds."""
    async with asyncio.timeout(PATIENCE):
        while not condition():
            await asyncio.sleep(0.002)


__all__ = ["ClientConnection", "MemoryBench", "Served", "served", "told", "turn", "until"]
