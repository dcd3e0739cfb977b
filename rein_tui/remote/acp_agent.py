"""The harness as an agent of the Agent Client Protocol: an editor drives it and answers its questions itself."""

import asyncio
import json
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from pathlib import Path
from typing import Any, Protocol, cast

import acp
from acp import schema

from rein_tui.harness.protocol.base import JsonObject
from rein_tui.harness.protocol.decisions import Mode
from rein_tui.harness.protocol.errors import ReinError
from rein_tui.harness.protocol.events import TURN_ENDS, Event, TurnEnd, TurnFailed
from rein_tui.harness.protocol.messages import Block, ImageBlock, TextBlock
from rein_tui.harness.protocol.ports import Harness, Prompt, Prompter
from rein_tui.harness.protocol.workbench import Workbench

from .acp_prompter import Editor, EditorPrompter, asking
from .acp_updates import Update, UpdateFold, commands_update, replayed, stop_reason

_MODES: dict[Mode, str] = {
    "default": "Ask before changes",
    "acceptEdits": "Accept edits",
    "plan": "Plan only",
    "dontAsk": "Deny what would ask",
}


class Bench(Workbench, Protocol):
    """A workbench that can be closed."""

    async def close(self) -> None:
        """End every session."""
        ...


OpenBench = Callable[[Path, tuple[Path, ...], tuple[str, ...], Prompter], Bench]
"""The house over a folder, with further folders and the editor's MCP servers as JSON."""


class ReinAgent:
    """Implements acp.Agent. One workbench a folder, one harness a session."""

    def __init__(self, open_bench: OpenBench, version: str) -> None:
        self._open_bench = open_bench
        self._version = version
        self._editor: Editor | None = None
        self._benches: dict[tuple[object, ...], Bench] = {}
        self._sessions: dict[str, Harness] = {}
        self._asides: set[asyncio.Task[None]] = set()
        self._prompter = EditorPrompter(self._connected)

    def on_connect(self, conn: Editor) -> None:
        """The editor is there."""
        self._editor = conn

    def _connected(self) -> Editor:
        if self._editor is None:
            raise RuntimeError("the editor is not connected yet")
        return self._editor

    async def initialize(
        self,
        protocol_version: int,
        client_capabilities: schema.ClientCapabilities | None = None,
        client_info: schema.Implementation | None = None,
        **kwargs: Any,
    ) -> schema.InitializeResponse:
        """Say what this agent can do."""
        return schema.InitializeResponse(
            protocol_version=min(protocol_version, acp.PROTOCOL_VERSION),
            agent_info=schema.Implementation(name="rein-tui", title="rein-tui", version=self._version),
            agent_capabilities=schema.AgentCapabilities(
                load_session=True,
                prompt_capabilities=schema.PromptCapabilities(image=True, embedded_context=True),
            ),
        )

    async def authenticate(self, method_id: str, **kwargs: Any) -> schema.AuthenticateResponse | None:
        """Keys are found as in a terminal; there is nothing to do here."""
        return None

    async def new_session(
        self,
        cwd: str,
        additional_directories: list[str] | None = None,
        mcp_servers: Sequence[Any] | None = None,
        **kwargs: Any,
    ) -> schema.NewSessionResponse:
        """A new session in a folder."""
        bench = self._bench(cwd, additional_directories, mcp_servers)
        harness = await self._opened(bench, "")
        return schema.NewSessionResponse(session_id=harness.info.id, modes=_modes(harness))

    async def load_session(
        self,
        cwd: str,
        session_id: str,
        mcp_servers: Sequence[Any] | None = None,
        additional_directories: list[str] | None = None,
        **kwargs: Any,
    ) -> schema.LoadSessionResponse | None:
        """A stored session; its story is told again."""
        harness = await self._opened(self._bench(cwd, additional_directories, mcp_servers), session_id)
        for update in replayed(harness.history()):
            await self._tell(session_id, update)
        return schema.LoadSessionResponse(modes=_modes(harness))

    async def set_session_mode(
        self, session_id: str, mode_id: str, **kwargs: Any
    ) -> schema.SetSessionModeResponse | None:
        """Change the permission mode to one that was offered; an editor cannot turn all questions off."""
        harness = self._session(session_id)
        if mode_id not in {mode.id for mode in _modes(harness).available_modes}:
            raise acp.RequestError.invalid_params({"mode": mode_id})
        try:
            await harness.set_mode(cast(Mode, mode_id))
        except ReinError as error:
            raise _request_error(error) from error
        return schema.SetSessionModeResponse()

    async def prompt(
        self, session_id: str, prompt: Sequence[Any], message_id: str | None = None, **kwargs: Any
    ) -> schema.PromptResponse:
        """One turn."""
        harness = self._session(session_id)
        asking.set(session_id)
        end = await self._turn(session_id, harness.run(_prompt(prompt)))
        if isinstance(end, TurnFailed):
            raise acp.RequestError.internal_error({"message": end.failure.message, "hint": end.failure.hint})
        return schema.PromptResponse(stop_reason=stop_reason(end))

    async def cancel(self, session_id: str, **kwargs: Any) -> None:
        """Stop the running turn."""
        self._session(session_id).interrupt("cancelled in the editor")

    async def close(self) -> None:
        """End every session."""
        for task in self._asides:
            task.cancel()
        await asyncio.gather(*self._asides, return_exceptions=True)
        for bench in self._benches.values():
            await bench.close()

    # --- within ---------------------------------------------------------------------------------------------

    def _bench(self, cwd: str, additional: list[str] | None, servers: Sequence[Any] | None) -> Bench:
        mcp = (json.dumps({"mcpServers": _servers(servers)}),) if servers else ()
        key = (cwd, *(additional or ()), *mcp)
        if key not in self._benches:
            folders = tuple(Path(folder) for folder in additional or ())
            try:
                self._benches[key] = self._open_bench(Path(cwd), folders, mcp, self._prompter)
            except ReinError as error:
                raise _request_error(error) from error
        return self._benches[key]

    async def _opened(self, bench: Bench, session_id: str) -> Harness:
        try:
            await bench.prepare()
            harness = await bench.open(session_id)
        except ReinError as error:
            raise _request_error(error) from error
        self._sessions[harness.info.id] = harness
        asking.set(harness.info.id)
        await self._pump(harness.info.id, harness.start())
        for work in (
            self._pump(harness.info.id, harness.asides()),
            self._tell(harness.info.id, commands_update(bench.commands())),
        ):
            task = asyncio.create_task(work)
            self._asides.add(task)
            task.add_done_callback(self._asides.discard)
        return harness

    def _session(self, session_id: str) -> Harness:
        harness = self._sessions.get(session_id)
        if harness is None:
            raise acp.RequestError.resource_not_found(session_id)
        return harness

    async def _turn(self, session_id: str, story: AsyncGenerator[Event]) -> TurnEnd:
        end: TurnEnd | None = None
        fold = UpdateFold()
        async with aclosing(story) as events:
            async for event in events:
                for update in fold.apply(event):
                    await self._tell(session_id, update)
                if isinstance(event, TURN_ENDS) and not event.parent:
                    end = event
        if end is None:
            raise RuntimeError("a turn without an end")
        return end

    async def _pump(self, session_id: str, story: AsyncGenerator[Event]) -> None:
        fold = UpdateFold()
        async with aclosing(story) as events:
            async for event in events:
                for update in fold.apply(event):
                    await self._tell(session_id, update)

    async def _tell(self, session_id: str, update: Update) -> None:
        await self._connected().session_update(session_id, update)


def _modes(harness: Harness) -> schema.SessionModeState:
    modes = [schema.SessionMode(id=mode, name=name) for mode, name in _MODES.items()]
    if harness.mode not in _MODES:
        modes.append(schema.SessionMode(id=harness.mode, name=harness.mode))
    return schema.SessionModeState(current_mode_id=harness.mode, available_modes=modes)


def _prompt(blocks: Sequence[Any]) -> Prompt:
    """A prompt of the editor's blocks: text and mentions as text, images and embedded files beside it."""
    words: list[str] = []
    beside: list[Block] = []
    for block in blocks:
        match block:
            case schema.TextContentBlock():
                words.append(block.text)
            case schema.ImageContentBlock():
                beside.append(ImageBlock(media_type=block.mime_type, data=block.data))
            case schema.ResourceContentBlock():
                words.append(f"@{block.uri.removeprefix('file://')}")
            case schema.EmbeddedResourceContentBlock(resource=schema.TextResourceContents() as resource):
                beside.append(TextBlock(text=f'<file path="{resource.uri}">\n{resource.text}\n</file>'))
            case _:
                words.append("(something that cannot be read here)")
    return Prompt(text=" ".join(words), blocks=tuple(beside))


def _servers(servers: Sequence[Any]) -> JsonObject:
    """The editor's MCP servers as settings name them."""
    found: JsonObject = {}
    for server in servers:
        match server:
            case schema.McpServerStdio():
                environment = {variable.name: variable.value for variable in server.env}
                found[server.name] = {"command": server.command, "args": list(server.args), "env": environment}
            case schema.HttpMcpServer() | schema.SseMcpServer():
                headers = {header.name: header.value for header in server.headers}
                found[server.name] = {"type": server.type, "url": str(server.url), "headers": headers}
            case _:
                continue
    return found


def _request_error(error: ReinError) -> acp.RequestError:
    return acp.RequestError(-32000, str(error))
