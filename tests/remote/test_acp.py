"""The agent for editors, driven by the protocol's own client classes: over pipes, and as a program."""

import asyncio
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import acp
import pytest
from acp import schema

from rein_tui.harness.protocol.ports import Prompter
from rein_tui.harness.providers.scripted import ScriptedCall, ScriptedProvider, Step
from rein_tui.remote.acp_agent import ReinAgent
from tests.fakes.engines import TablePermissions, TestTool, echo, hang
from tests.remote.stage import MemoryBench, until


class AcpBench(MemoryBench):
    async def close(self) -> None:
        for session in self.sessions_open.values():
            await session.close()


class Editor:
    """The client's side: collects updates, answers permission requests with the named option."""

    def __init__(self, *choices: str) -> None:
        self.updates: list[Any] = []
        self.asked: list[tuple[schema.ToolCallUpdate, list[schema.PermissionOption]]] = []
        self._choices = list(choices)

    async def session_update(self, session_id: str, update: Any, **_: Any) -> None:
        self.updates.append(update)

    async def request_permission(
        self, session_id: str, tool_call: schema.ToolCallUpdate, options: list[schema.PermissionOption], **_: Any
    ) -> schema.RequestPermissionResponse:
        self.asked.append((tool_call, options))
        choice = self._choices.pop(0) if self._choices else "once"
        if choice == "no dialogs":
            raise acp.RequestError.method_not_found("session/request_permission")
        if not choice:
            return schema.RequestPermissionResponse(outcome=schema.DeniedOutcome(outcome="cancelled"))
        return schema.RequestPermissionResponse(outcome=schema.AllowedOutcome(outcome="selected", option_id=choice))

    def text(self) -> str:
        return "".join(u.content.text for u in self.updates if isinstance(u, schema.AgentMessageChunk))

    def statuses(self) -> list[str]:
        calls = (schema.ToolCallStart, schema.ToolCallProgress)
        return [str(u.status) for u in self.updates if isinstance(u, calls)]


@asynccontextmanager
async def connected(bench: MemoryBench, editor: Editor) -> AsyncGenerator[Any]:
    """An editor and our agent, with real sockets between them."""

    def open_bench(cwd: Path, additional: tuple[Path, ...], mcp: tuple[str, ...], prompter: Prompter) -> Any:
        bench._prompter = prompter  # pyright: ignore[reportPrivateUsage]
        return bench

    agent = ReinAgent(open_bench, "0")
    running: list[asyncio.Task[None]] = []
    writers: list[asyncio.StreamWriter] = []
    run: Any = acp.run_agent
    connect: Any = acp.connect_to_agent

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        running.append(asyncio.create_task(run(agent, writer, reader)))

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    reader, writer = await asyncio.open_connection("127.0.0.1", server.sockets[0].getsockname()[1])
    writers.append(writer)
    connection: Any = connect(editor, writer, reader)
    try:
        await connection.initialize(protocol_version=acp.PROTOCOL_VERSION)
        yield connection
    finally:
        await agent.close()
        await connection.close()
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        for side in writers:
            side.close()
            await asyncio.gather(side.wait_closed(), return_exceptions=True)
        server.close()
        await server.wait_closed()


def asks() -> TablePermissions:
    return TablePermissions({"Write": "ask"})


def write() -> ScriptedCall:
    return ScriptedCall(name="Write", input={"text": "x"})


async def test_a_turn_with_a_permission_request() -> None:
    bench = AcpBench(
        lambda: ScriptedProvider([Step(text="I write.", calls=(write(),)), Step(text=" Done.")]), permissions=asks
    )
    editor = Editor("once")
    async with connected(bench, editor) as connection:
        session = await connection.new_session(cwd="/", mcp_servers=[])
        done = await connection.prompt(session_id=session.session_id, prompt=[acp.text_block("write it")])
        assert done.stop_reason == "end_turn"
        await until(lambda: editor.text() == "I write. Done.")
        assert next(o.option_id for o in editor.asked[0][1]) == "once"
        assert editor.statuses() == ["pending", "in_progress", "completed"]
        await connection.load_session(cwd="/", session_id=session.session_id, mcp_servers=[])
        await until(lambda: any(isinstance(u, schema.UserMessageChunk) for u in editor.updates))


async def test_a_denial_and_a_dialog_that_was_closed() -> None:
    steps = [Step(calls=(write(),)), Step(text="Well.", calls=(write(),)), Step(text="never")]
    bench = AcpBench(lambda: ScriptedProvider(steps), permissions=asks)
    editor = Editor("deny", "")
    async with connected(bench, editor) as connection:
        session = await connection.new_session(cwd="/", mcp_servers=[])
        done = await connection.prompt(session_id=session.session_id, prompt=[acp.text_block("write it")])
        assert done.stop_reason in ("end_turn", "cancelled")
        await until(lambda: editor.statuses().count("failed") == 2)
        assert "never" not in editor.text()


async def test_an_editor_without_dialogs_denies_and_the_turn_goes_on() -> None:
    bench = AcpBench(lambda: ScriptedProvider([Step(calls=(write(),)), Step(text="Pity.")]), permissions=asks)
    editor = Editor("no dialogs")
    async with connected(bench, editor) as agent:
        session = await agent.new_session(cwd="/", mcp_servers=[])
        done = await agent.prompt(session_id=session.session_id, prompt=[acp.text_block("go")])
        assert done.stop_reason == "end_turn"
        await until(lambda: editor.text() == "Pity.")
    assert editor.statuses() == ["pending", "failed"]


async def test_cancelling() -> None:
    tool = TestTool("Read", hang)
    read = ScriptedCall(name="Read", input={"text": "x"})
    bench = AcpBench(lambda: ScriptedProvider([Step(calls=(read,)), Step(text="?")]), tool)
    async with connected(bench, Editor()) as connection:
        session = await connection.new_session(cwd="/", mcp_servers=[])
        going = asyncio.create_task(connection.prompt(session_id=session.session_id, prompt=[acp.text_block("hang")]))
        await until(lambda: tool.running)
        await connection.cancel(session_id=session.session_id)
        assert (await going).stop_reason == "cancelled"


async def test_modes_and_what_is_not_there() -> None:
    bench = AcpBench(lambda: ScriptedProvider([]), TestTool("Read", echo))
    async with connected(bench, Editor()) as connection:
        session = await connection.new_session(cwd="/", mcp_servers=[])
        assert session.modes.current_mode_id == "default"
        await connection.set_session_mode(session_id=session.session_id, mode_id="plan")
        assert bench.sessions_open[session.session_id].mode == "plan"
        for mode in ("bypassPermissions", "nonsense"):
            with pytest.raises(acp.RequestError):
                await connection.set_session_mode(session_id=session.session_id, mode_id=mode)
        assert bench.sessions_open[session.session_id].mode == "plan"
        with pytest.raises(acp.RequestError):
            await connection.prompt(session_id="nobody", prompt=[acp.text_block("hello")])
        with pytest.raises(acp.RequestError):
            await connection.prompt(session_id=session.session_id, prompt=[acp.text_block("no model answers")])


async def test_a_loaded_session_tells_how_things_are_now_and_what_can_be_asked() -> None:
    bench = AcpBench(lambda: ScriptedProvider([Step(text="Hello.")]), TestTool("Read", echo))
    editor = Editor()
    async with connected(bench, editor) as connection:
        session = await connection.new_session(cwd="/", mcp_servers=[])
        offers = (schema.AvailableCommandsUpdate,)
        await until(lambda: any(isinstance(u, offers) for u in editor.updates))
        offered = next(u for u in editor.updates if isinstance(u, offers))
        assert [command.name for command in offered.available_commands] == ["review"]
        await connection.set_session_mode(session_id=session.session_id, mode_id="plan")
        await connection.prompt(session_id=session.session_id, prompt=[acp.text_block("hello")])
        await connection.set_session_mode(session_id=session.session_id, mode_id="default")
        modes = (schema.CurrentModeUpdate,)
        await until(lambda: len([u for u in editor.updates if isinstance(u, modes)]) == 2)
        editor.updates.clear()
        loaded = await connection.load_session(cwd="/", session_id=session.session_id, mcp_servers=[])
        await until(lambda: "Hello." in editor.text())
        assert loaded.modes.current_mode_id == "default"
        assert not any(isinstance(u, modes) for u in editor.updates)


@pytest.mark.slow
async def test_the_program_completes_the_demo(tmp_path: Path) -> None:
    editor = Editor()
    environment = {"HOME": str(tmp_path), "PATH": "/usr/bin:/bin:/usr/local/bin", "PYTHONPATH": str(Path.cwd())}
    spawn: Any = acp.spawn_agent_process
    async with spawn(
        editor,
        sys.executable,
        "-m",
        "rein_tui",
        "acp",
        "--demo",
        env=environment,
        cwd=str(tmp_path),
    ) as (connection, _):
        client: Any = connection
        await client.initialize(protocol_version=acp.PROTOCOL_VERSION)
        session = await client.new_session(cwd=str(tmp_path), mcp_servers=[])
        done = await client.prompt(session_id=session.session_id, prompt=[acp.text_block("go")])
        assert done.stop_reason == "end_turn"
        assert editor.asked
        diffs = [
            c for call, _ in editor.asked for c in call.content or [] if isinstance(c, schema.FileEditToolCallContent)
        ]
        assert diffs
        assert diffs[0].old_text
        assert "All checks pass" in editor.text()
