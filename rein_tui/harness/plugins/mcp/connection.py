"""One server: connected, kept up to date, called, reconnected. All of it in one task of its own.

The SDK's context is entered and left in that task; calls come from wherever they come and wait for their answer.
Whatever the server does, other servers and the session go on.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from ...protocol.base import JsonObject
from ...protocol.errors import ReinError
from ...protocol.mcp import McpCondition
from .called import Called
from .calls import Call
from .config import ServerConfig
from .dial import Dial, Ending, Greeting
from .failures import McpFailure, addresses_wanted, in_words, is_expected, is_transient, leaves, load_sdk, sdk_errors
from .host import Desk
from .lists import ALL_PARTS, Lists, Part, parts_named
from .log import ServerLog

if TYPE_CHECKING:
    from mcp.client import Client
    from mcp.client.session import IncomingMessage
    from mcp.types import CallToolResult, LoggingMessageNotificationParams

RETRIES, FIRST_RETRIES = 5, 3
"""How often a remote server is tried again, each time after twice the wait: one that was there, one that never was."""

LOGIN = 330.0
"""Seconds to connect where a person logs in meanwhile."""

_FIRST_WAIT = 1.0
_SETTLE = 0.25
"""Seconds between two refreshes: a server may announce changes as fast as it likes."""


class Connection(Called):
    """A server and what is known about it. `changed` hears of every new state, and of new lists."""

    def __init__(
        self, config: ServerConfig, dial: Dial, desk: Desk, changed: "Callable[[Connection], Awaitable[None]]"
    ) -> None:
        super().__init__(config, dial)
        self.log = ServerLog()
        self.lists = Lists()
        self.greeting = Greeting()
        self._desk = desk
        self._changed = changed
        desk.around, desk.hold = self._calls.latest, self._calls.hold
        self._task: asyncio.Task[None] | None = None
        self._stop: Callable[[], None] | None = None
        self._stopping = asyncio.Event()
        self._stale: set[Part] = set()
        self._refused = False

    # --- from outside ---------------------------------------------------------------------------------------

    @property
    def is_new(self) -> bool:
        """Whether it was never started."""
        return self._task is None

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

    async def put(self, condition: McpCondition, error: str = "", hint: str = "") -> None:
        """Set the state and tell about it."""
        self.condition, self.error, self.hint = condition, error, hint
        await self._changed(self)

    async def call(self, tool: str, arguments: JsonObject, call: Call | None = None) -> "CallToolResult":
        """Run a tool. Raises McpFailure. One that wants an address visited first is called again after that."""
        call = call or Call()
        try:
            return await super().call(tool, arguments, call)
        except McpFailure as problem:
            wanted = addresses_wanted(problem.__cause__)
            if not wanted or not await self._desk.prepare(wanted, call.call_id, call.emit):
                raise
        return await super().call(tool, arguments, call)

    # --- its life -------------------------------------------------------------------------------------------

    async def _run(self, login: bool) -> None:
        """Connect and stay connected. A process that ended stays ended; an address is tried again."""
        await self.put("starting")
        try:
            await load_sdk()
        except ReinError as problem:
            await self.put("failed", problem.message, problem.hint)
            return
        attempt, retries = 0, FIRST_RETRIES
        while True:
            ending = await self._once(login)
            if ending.was_connected:
                attempt, retries = 0, RETRIES
            is_remote = self.config.transport != "stdio" and ending.condition == "failed"
            again = is_remote and (ending.was_connected or (ending.is_transient and attempt < retries))
            if not again or self._stopping.is_set():
                await self.put(ending.condition, ending.error, ending.hint)
                return
            await self.put("waiting", ending.error)
            if not await self._pause(_FIRST_WAIT * 2**attempt):
                await self.put("disabled")
                return
            attempt += 1

    async def _pause(self, seconds: float) -> bool:
        """Wait; false when it was stopped meanwhile."""
        try:
            async with asyncio.timeout(seconds):
                await self._stopping.wait()
        except TimeoutError:
            return True
        return False

    async def _once(self, login: bool) -> Ending:
        """Connect, serve until it ends, and say why."""
        import anyio

        self._lost, self._refused, self._stale = "", False, set()
        was_connected, problem = False, None
        scope = anyio.CancelScope(deadline=anyio.current_time() + (LOGIN if login else self._dial.start_timeout))
        self._stop = scope.cancel
        try:
            with scope:
                async with self._connected(login) as client:
                    scope.deadline = float("inf")
                    was_connected, self.greeting = True, Greeting.of(client)
                    await self.put("connected", await self._load(client, ALL_PARTS))
                    await self._serve(client)
        except (*sdk_errors(), ReinError, ExceptionGroup) as caught:
            if not is_expected(caught):
                raise
            problem = caught
        finally:
            self.log.address = ""
            self._stop, self.client, self.lists, self.greeting = None, None, Lists(), Greeting()
        if self._stopping.is_set():
            return Ending("disabled", was_connected=was_connected)
        return self._ending(problem, was_connected, timed_out=scope.cancelled_caught)

    def _ending(self, problem: Exception | None, was_connected: bool, *, timed_out: bool) -> Ending:
        if self._refused:
            failed = [leaf for leaf in leaves(problem) if isinstance(leaf, ReinError)] if problem is not None else []
            words = failed[0].message if failed else "It wants you to log in."
            return Ending("needs_login", words, f"/mcp, then log in to {self.config.name}.")
        if timed_out:
            said = f" It said: {self.log.last_words[:300]}" if self.log.last_words else ""
            error = f"It did not answer within {self._dial.start_timeout:g} s.{said}"
            return Ending("failed", error, "MCP_TIMEOUT (milliseconds) gives servers more time to start.")
        first = leaves(problem)[0] if problem is not None else None
        if isinstance(first, ReinError):
            return Ending("failed", first.message, first.hint, was_connected)
        error = self._lost or (in_words(first) if first is not None else "It ended.")
        return Ending("failed", error, "", was_connected, problem is not None and is_transient(problem))

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
                    await self.put("connected", await self._load(client, stale))
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

    def _note_stale(self, what: str) -> None:
        self._stale |= parts_named(what)
        self._wake.set()

    async def _heard(self, message: "IncomingMessage") -> None:
        if isinstance(message, Exception):
            self.log.add(f"[{in_words(message)}]")
        elif message.method.endswith("/list_changed"):
            self._note_stale(message.method)

    async def _logged(self, params: "LoggingMessageNotificationParams") -> None:
        self.log.add(f"{params.level}: {params.data}")

    async def _load(self, client: "Client", parts: frozenset[Part]) -> str:
        """Read these lists; what is wrong with one that could not be read, and then is as it was."""
        try:
            async with asyncio.timeout(self._dial.start_timeout):
                await self.lists.load(client, parts)
        except sdk_errors() as problem:
            said = f"A list of it could not be read: {in_words(problem)}"
            self.log.add(f"[{said}]")
            return said
        return ""
