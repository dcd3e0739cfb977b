"""One server: connected, kept up to date, called, reconnected. All of it in one task of its own.

The SDK's context is entered and left in that task; calls come from wherever they come and wait for their answer.
Whatever the server does, other servers and the session go on.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from ...protocol.base import JsonObject
from ...protocol.errors import ReinError
from ...protocol.mcp import McpCondition
from .calls import Call, Calls
from .config import ServerConfig
from .failures import McpFailure, in_words, is_expected, leaves, load_sdk, sdk_errors
from .host import Desk
from .log import ServerLog

if TYPE_CHECKING:
    from mcp.client import Client
    from mcp.client.session import IncomingMessage
    from mcp.types import (
        CallToolResult,
        GetPromptResult,
        LoggingMessageNotificationParams,
        Prompt,
        ReadResourceResult,
        Resource,
        Tool,
    )

Part: TypeAlias = Literal["tools", "resources", "prompts"]
ALL_PARTS: frozenset[Part] = frozenset({"tools", "resources", "prompts"})

MOST_PAGES, MOST_ITEMS = 50, 1000
"""Pages and items of one list that are looked at."""

RETRIES = 5
"""How often a remote server is tried again, each time after twice the wait."""

_FIRST_WAIT = 1.0
_SETTLE = 0.25
"""Seconds between two refreshes: a server may announce changes as fast as it likes."""


@dataclass(frozen=True, slots=True)
class Dial:
    """How to reach a server: makes the SDK's transport. `start_timeout` is in seconds.

    Its parameters are the log, what hears of the end of the output, what hears of a refused login, and whether a
    person waits for one.
    """

    transport: Callable[
        [ServerLog, Callable[[str], None], Callable[[int], None], bool], AbstractAsyncContextManager[Any]
    ]
    start_timeout: float = 30.0
    idle_timeout: float = 1800.0
    call_timeout: float = 100_000.0


@dataclass(slots=True)
class Lists:
    """What a server offers."""

    tools: list["Tool"] = field(default_factory=list["Tool"])
    resources: list["Resource"] = field(default_factory=list["Resource"])
    prompts: list["Prompt"] = field(default_factory=list["Prompt"])


class Connection:
    """A server and what is known about it. `changed` hears of every new state, and of new lists."""

    def __init__(
        self, config: ServerConfig, dial: Dial, desk: Desk, changed: "Callable[[Connection], Awaitable[None]]"
    ) -> None:
        self.config = config
        self.log = ServerLog()
        self.lists = Lists()
        self.condition: McpCondition = "disabled"
        self.error = ""
        self.hint = ""
        self.client: Client | None = None
        self._dial = dial
        self._desk = desk
        self._changed = changed
        self._calls = Calls(dial.idle_timeout)
        desk.around, desk.hold = self._calls.latest, self._calls.hold
        self._task: asyncio.Task[None] | None = None
        self._stop: Callable[[], None] | None = None
        self._stopping = asyncio.Event()
        self._wake = asyncio.Event()
        self._stale: set[Part] = set()
        self._lost = ""
        self._refused = False

    # --- from outside ---------------------------------------------------------------------------------------

    def start(self, *, login: bool = False) -> None:
        """Begin, unless it runs. `login`: a person waits and will use the browser."""
        if self._task is None or self._task.done():
            self._stopping.clear()
            self.condition, self.error, self.hint = "starting", "", ""
            self._task = asyncio.create_task(self._run(login), name=f"mcp {self.config.name}")

    async def stop(self) -> None:
        """End the server and wait until it has gone."""
        self._stopping.set()
        if self._stop is not None:
            self._stop()
        if self._task is not None:
            await asyncio.wait({self._task})
            self._task.result()

    @property
    def is_connected(self) -> bool:
        """Whether it can be called now."""
        return self.condition == "connected"

    @property
    def instructions(self) -> str:
        """What the server says about its use."""
        return (self.client.instructions or "")[:2048] if self.client is not None and self.is_connected else ""

    @property
    def version(self) -> str:
        """Name and version, as the server gives them; neither is verified."""
        info = self.client.server_info if self.client is not None and self.is_connected else None
        return f"{info.name} {info.version}" if info is not None else ""

    @property
    def protocol(self) -> str:
        """The protocol's version in use."""
        return self.client.protocol_version if self.client is not None and self.is_connected else ""

    async def put(self, condition: McpCondition, error: str = "", hint: str = "") -> None:
        """Set the state and tell about it."""
        self.condition, self.error, self.hint = condition, error, hint
        await self._changed(self)

    # --- its life -------------------------------------------------------------------------------------------

    async def _run(self, login: bool) -> None:
        await self.put("starting")
        try:
            await load_sdk()
        except ReinError as problem:
            await self.put("failed", problem.message, problem.hint)
            return
        attempt = 0
        while not self._stopping.is_set():
            was_connected = await self._once(login)
            attempt = 0 if was_connected else attempt + 1
            if self._stopping.is_set() or not self._tries_again(attempt, was_connected):
                return
            await self.put("waiting", self.error, self.hint)
            await self._pause(_FIRST_WAIT * 2 ** max(0, attempt - 1))
        self.client = None

    def _tries_again(self, attempt: int, was_connected: bool) -> bool:
        """Remote servers come back; a process that ended stays ended until a person wants it again."""
        if self.config.transport == "stdio" or self.condition == "needs_login":
            return False
        return was_connected or (bool(self._lost) and attempt < RETRIES)

    async def _pause(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._stopping.wait()
        except TimeoutError:
            return

    async def _once(self, login: bool) -> bool:
        """Connect, serve until it ends, and say why; whether it was connected."""
        import anyio

        self._lost, self._refused, self._stale = "", False, set()
        was_connected = False
        scope = anyio.CancelScope(deadline=anyio.current_time() + (self._dial.start_timeout if not login else 360))
        self._stop = scope.cancel
        problem: BaseException | None = None
        try:
            with scope:
                async with self._connected(login) as client:
                    scope.deadline = float("inf")
                    was_connected = True
                    await self._load(client, ALL_PARTS)
                    await self.put("connected")
                    await self._serve(client)
        except (*sdk_errors(), ReinError, ExceptionGroup) as caught:
            if not is_expected(caught):
                raise
            problem = caught
        finally:
            self._stop, self.client = None, None
            self._calls.end()
        await self._tell_end(problem, timed_out=scope.cancelled_caught and not self._stopping.is_set())
        return was_connected

    async def _tell_end(self, problem: BaseException | None, *, timed_out: bool) -> None:
        self.lists = Lists()
        if self._stopping.is_set():
            await self.put("disabled")
        elif self._refused:
            await self.put("needs_login", "It wants you to log in.", f"/mcp, then reconnect {self.config.name}.")
        elif timed_out:
            seconds = f"{self._dial.start_timeout:g} s"
            hint = "MCP_TIMEOUT (milliseconds) gives servers more time to start."
            await self.put("failed", self._with_last_words(f"It did not answer within {seconds}"), hint)
        else:
            first = leaves(problem or RuntimeError("It ended"))[0]
            if isinstance(first, ReinError):
                await self.put("failed", first.message, first.hint)
            else:
                await self.put("failed", self._lost or in_words(first))

    def _with_last_words(self, text: str) -> str:
        return f"{text}. It said: {self.log.last_words[:300]}" if self.log.last_words else f"{text}."

    @asynccontextmanager
    async def _connected(self, login: bool) -> "AsyncGenerator[Client]":
        from mcp.client import Client

        transport = self._dial.transport(self.log, self._output_ended, self._login_refused, login)
        client = Client(
            transport,
            list_roots_callback=self._desk.roots,
            elicitation_callback=self._desk.elicit,
            sampling_callback=self._desk.sample,
            logging_callback=self._logged,
            message_handler=self._heard,
            log_level="info",
        )
        async with client:
            self.client = client
            yield client

    def _output_ended(self, reason: str) -> None:
        self._lost = reason
        self._wake.set()

    def _login_refused(self, _: int) -> None:
        self._refused = True

    async def _serve(self, client: "Client") -> None:
        """Refresh what changes until the connection is lost or this is cancelled."""
        import anyio

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._listen, client)
            while not self._lost:
                await self._wake.wait()
                self._wake.clear()
                stale, self._stale = frozenset(self._stale), set()
                if stale and not self._lost:
                    await self._load(client, stale)
                    await self._changed(self)
                    await anyio.sleep(_SETTLE)
            tasks.cancel_scope.cancel()

    async def _listen(self, client: "Client") -> None:
        """Newer servers tell of changes only who listens; older ones tell everybody, see `_heard`."""
        from mcp.client.subscriptions import ListenNotSupportedError, SubscriptionLost

        try:
            async with client.listen(
                tools_list_changed=True, prompts_list_changed=True, resources_list_changed=True
            ) as changes:
                async for change in changes:
                    self._note_stale(type(change).__name__)
        except (ListenNotSupportedError, SubscriptionLost):
            return
        except sdk_errors() as problem:
            self.log.add(f"[changes are not heard of: {in_words(problem)}]")

    def _note_stale(self, kind: str) -> None:
        for part in ALL_PARTS:
            if part[:-1] in kind.lower():
                self._stale.add(part)
        self._wake.set()

    async def _heard(self, message: "IncomingMessage") -> None:
        if isinstance(message, Exception):
            self.log.add(f"[{in_words(message)}]")
        elif message.method.endswith("/list_changed"):
            self._note_stale(message.method)

    async def _logged(self, params: "LoggingMessageNotificationParams") -> None:
        self.log.add(f"{params.level}: {params.data}")

    # --- lists ----------------------------------------------------------------------------------------------

    async def _load(self, client: "Client", parts: frozenset[Part]) -> None:
        """Read these lists anew; one that cannot be read stays as it was."""
        offered = client.server_capabilities
        try:
            async with asyncio.timeout(self._dial.start_timeout):
                if "tools" in parts and offered.tools is not None:
                    self.lists.tools = await _pages(client.list_tools, lambda page: page.tools)
                if "resources" in parts and offered.resources is not None:
                    self.lists.resources = await _pages(client.list_resources, lambda page: page.resources)
                if "prompts" in parts and offered.prompts is not None:
                    self.lists.prompts = await _pages(client.list_prompts, lambda page: page.prompts)
        except sdk_errors() as problem:
            self.log.add(f"[a list could not be read: {in_words(problem)}]")

    # --- calls ----------------------------------------------------------------------------------------------

    async def call(self, tool: str, arguments: JsonObject, call: Call | None = None) -> "CallToolResult":
        """Run a tool. Raises McpFailure. Cancelling tells the server."""
        client, call = self._ready(), call or Call()
        limit = self.config.call_timeout or self._dial.call_timeout
        return await self._guarded(
            client.call_tool(tool, arguments, limit, call.progress, meta=None), call, f"the tool {tool}"
        )

    async def read(self, uri: str) -> "ReadResourceResult":
        """Read a resource. Raises McpFailure."""
        return await self._guarded(self._ready().read_resource(uri), Call(), f"the resource {uri}")

    async def prompt(self, name: str, arguments: dict[str, str]) -> "GetPromptResult":
        """Fill in a prompt. Raises McpFailure."""
        return await self._guarded(self._ready().get_prompt(name, arguments), Call(), f"the prompt {name}")

    def _ready(self) -> "Client":
        if self.client is None or not self.is_connected:
            state = self.error or self.condition.replace("_", " ")
            raise McpFailure(f"The MCP server {self.config.name} is not connected: {state}", hint="See /mcp.")
        return self.client

    async def _guarded(self, work: Awaitable[Any], call: Call, what: str) -> Any:
        name, started = self.config.name, time.monotonic()
        try:
            async with self._calls.running(call):
                return await work
        except sdk_errors() as problem:
            if isinstance(problem, TimeoutError):
                text = f"nothing was heard for {time.monotonic() - max(call.heard, started):.0f} s"
            else:
                text = self._lost or in_words(problem)
            if _means_lost(problem):
                self._lost = self._lost or text
                self._wake.set()
            raise McpFailure(f"The MCP server {name} failed at {what}: {text}") from problem


async def _pages(read: Callable[..., Awaitable[Any]], items_of: Callable[[Any], list[Any]]) -> list[Any]:
    """All pages of a list, within reason."""
    found: list[Any] = []
    cursor: str | None = None
    for _ in range(MOST_PAGES):
        page = await read(cursor=cursor, cache_mode="refresh")
        found += items_of(page)
        cursor = page.next_cursor
        if cursor is None or len(found) >= MOST_ITEMS:
            break
    return found[:MOST_ITEMS]


def _means_lost(problem: Exception) -> bool:
    """Whether an error says that the connection itself is gone."""
    import anyio
    import httpx2
    from mcp.shared.exceptions import MCPError
    from mcp.types import CONNECTION_CLOSED

    if isinstance(problem, MCPError):
        return problem.code == CONNECTION_CLOSED or problem.message == "Session terminated"
    gone = (anyio.ClosedResourceError, anyio.BrokenResourceError, anyio.EndOfStream, httpx2.TransportError)
    return isinstance(problem, (*gone, ConnectionError))
