"""The same screen over a harness elsewhere, and a terminal that others on the machine join."""

import asyncio
import stat
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from rein_tui.app import ReinApp
from rein_tui.harness.protocol.decisions import Option, Question, QuestionRequest
from rein_tui.harness.protocol.events import Fact, ToolCallFinished, TurnFinished, TurnStarted
from rein_tui.harness.protocol.policy import TrustRequest
from rein_tui.harness.protocol.tools import ToolContext
from rein_tui.harness.providers.scripted import ScriptedCall, ScriptedProvider, Step
from rein_tui.modal_prompter import ModalPrompter
from rein_tui.remote.address import Address
from rein_tui.remote.client import RemoteWorkbench
from rein_tui.remote.connection import Reception
from rein_tui.remote.hall import Hall
from rein_tui.remote.link import SocketLink
from rein_tui.remote.local_link import LocalLink
from rein_tui.remote.questions import EdgePrompter
from rein_tui.remote.server_run import attach_socket, attachable
from rein_tui.remote.tokens import make_token, read_tokens
from rein_tui.widgets.permission_modal import PermissionModal
from rein_tui.widgets.trust_modal import TrustModal
from tests.app.driving import screen_text
from tests.fakes.engines import ScriptedPerson, TablePermissions, TestTool
from tests.remote.stage import TOKEN, MemoryBench, served, told, turn, until


def asking_bench(*steps: Step) -> MemoryBench:
    return MemoryBench(lambda: ScriptedProvider(steps), permissions=lambda: TablePermissions({"Write": "ask"}))


def write() -> ScriptedCall:
    return ScriptedCall(name="Write", input={"text": "x"})


class Screen:
    """An app over a remote workbench, under test."""

    def __init__(self, app: ReinApp, pilot: Pilot[Any]) -> None:
        self.app = app
        self.pilot = pilot

    async def until(self, condition: Callable[[], object]) -> None:
        async with asyncio.timeout(30):
            while not condition():
                await self.pilot.pause()

    async def say(self, text: str) -> None:
        self.app.main.composer.text = text
        await self.pilot.press("enter")

    def facts(self) -> list[Fact]:
        return list(self.app.desk.history())


@asynccontextmanager
async def screen(remote: RemoteWorkbench, prompter: ModalPrompter, open_id: str = "") -> AsyncGenerator[Screen]:
    app = ReinApp(remote, prompter=prompter, open_id=open_id)
    remote.lists.changed = app.desk.refresh
    async with app.run_test(size=(120, 36)) as pilot:
        stage = Screen(app, pilot)
        await stage.until(lambda: app.desk.current is not None)
        yield stage


async def test_the_full_screen_over_a_server(tmp_path: Path) -> None:
    bench = asking_bench(Step(text="I write.", calls=(write(),)), Step(text="It is written."))
    async with served(bench) as server:
        prompter = ModalPrompter(typing_pause=0, grace=0)
        remote = RemoteWorkbench(SocketLink(server.address(), "screen"), prompter)
        server.clients.append(remote)
        async with screen(remote, prompter) as stage:
            await stage.say("write it")
            await stage.until(lambda: isinstance(stage.app.screen, PermissionModal))
            await stage.pilot.press("y")
            await stage.until(lambda: any(isinstance(f, TurnFinished) for f in stage.facts()))
            await stage.until(lambda: "It is written." in screen_text(stage.app))
            assert [f.outcome for f in stage.facts() if isinstance(f, ToolCallFinished)] == ["ok"]


async def test_questions_come_over_a_connection_that_was_there_before_the_screen() -> None:
    async def confer(text: str, context: ToolContext) -> str:
        question = Question(question="Which colour?", header="Colour", options=(Option(label="Red"),))
        prompter = EdgePrompter()
        reply = await prompter.question(QuestionRequest(id="q", questions=(question,)))
        trust = await prompter.trust(TrustRequest(id="t", root="/shop", items=()))
        return f"{reply.answers} {trust.trusted}"

    calls = (ScriptedCall(name="Confer", input={"text": ""}),)
    steps = [Step(text="I ask.", calls=calls), Step(text="Heard.")]
    bench = MemoryBench(lambda: ScriptedProvider(steps), TestTool("Confer", confer))
    async with served(bench) as server:
        prompter = ModalPrompter(typing_pause=0, grace=0)
        remote = RemoteWorkbench(SocketLink(server.address(), "screen"), prompter)
        server.clients.append(remote)
        await asyncio.create_task(remote.prepare())
        async with screen(remote, prompter) as stage:
            await stage.say("ask")
            await stage.until(lambda: "Which colour?" in screen_text(stage.app))
            await stage.pilot.press("1")
            await stage.until(lambda: isinstance(stage.app.screen, TrustModal))
            await stage.pilot.press("n")
            await stage.until(lambda: any(isinstance(f, TurnFinished) for f in stage.facts()))
            said = [str(fact.content) for fact in stage.facts() if isinstance(fact, ToolCallFinished)]
            assert "{'Which colour?': 'Red'} False" in said[0]


async def test_a_screen_that_leaves_lets_the_turn_go_on(tmp_path: Path) -> None:
    bench = asking_bench(Step(text="I write.", calls=(write(),)), Step(text="It is written."))
    async with served(bench) as server:
        prompter = ModalPrompter(typing_pause=0, grace=0)
        first = RemoteWorkbench(SocketLink(server.address(), "screen"), prompter)
        async with screen(first, prompter) as stage:
            await stage.say("write it")
            await stage.until(lambda: isinstance(stage.app.screen, PermissionModal))
        await first.close()
        session_id = next(iter(bench.sessions_open))
        prompter = ModalPrompter(typing_pause=0, grace=0)
        again = RemoteWorkbench(SocketLink(server.address(), "screen"), prompter)
        server.clients.append(again)
        async with screen(again, prompter, session_id) as stage:
            await stage.until(lambda: isinstance(stage.app.screen, PermissionModal))
            await stage.pilot.press("y")
            await stage.until(lambda: "It is written." in screen_text(stage.app))
            assert stage.facts() == list(bench.sessions_open[session_id].history())


async def test_leaving_before_a_word_of_the_turn_came_says_how_to_come_back() -> None:
    async with served(asking_bench(Step(text="Hello."))) as server:
        prompter = ModalPrompter(typing_pause=0, grace=0)
        url = f"ws://127.0.0.1:{server.transports.port}/ws/chat"
        link = SocketLink(Address(url=url, token=lambda: TOKEN), "screen")
        remote = RemoteWorkbench(link, prompter)
        server.clients.append(remote)
        async with screen(remote, prompter) as stage:
            await stage.until(lambda: stage.app.desk.current is not None and not stage.app.desk.current.is_running)
            server.transports.is_down = True
            server.transports.cut()
            await stage.say("hello")
            await stage.until(lambda: stage.app.desk.is_busy)
            stage.app.leave()
            assert stage.facts() == [f for f in stage.facts() if not isinstance(f, TurnStarted)]
            assert stage.app.return_value == f"rein-tui --resume {next(iter(server.bench.sessions_open))}"


async def test_a_terminal_is_joined_over_its_socket(tmp_path: Path) -> None:
    bench = asking_bench(Step(text="I write.", calls=(write(),)), Step(text="It is written."))
    hall = Hall(bench)
    person = ScriptedPerson()
    own = RemoteWorkbench(LocalLink(hall, client="screen"), person)
    path = tmp_path / "run" / "shop-1.sock"
    async with attach_socket(path, Reception(hall, lambda token, address: "")):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert attachable(path.parent) == [path]
        await own.prepare()
        session = await own.open()
        await told(session.start())
        joined = RemoteWorkbench(SocketLink(Address(socket=path), "second"), ScriptedPerson(), watch=True)
        await joined.prepare()
        watched = await joined.open(await joined.lists.on_screen())
        seen: list[object] = []
        watching = asyncio.create_task(_collect(watched.asides(), seen))
        assert isinstance((await turn(session, "go"))[-1], TurnFinished)
        await until(lambda: seen and isinstance(seen[-1], TurnFinished))
        assert watched.history() == session.history()
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
        await joined.close()
    assert attachable(path.parent) == []
    await hall.close()
    await own.close()


async def _collect(events: AsyncGenerator[object], found: list[object]) -> None:
    async for event in events:
        found.append(event)


def test_tokens_in_files(tmp_path: Path) -> None:
    path = tmp_path / "run" / "token"
    token = make_token(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert read_tokens(path) == {"owner": token}
    path.write_text(f"alice {token}\nbob {token}x\n")
    assert set(read_tokens(path)) == {"alice", "bob"}
    for text in ("", "short", f"a b {token}", f"alice {token}\nalice {token}"):
        path.write_text(text)
        with pytest.raises(Exception, match=r"token|Token"):
            read_tokens(path)
    path.write_text(token)
    path.chmod(0o644)
    with pytest.raises(Exception, match="Others may read"):
        read_tokens(path)
