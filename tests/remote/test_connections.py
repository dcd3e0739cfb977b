"""Connections that break, stall, race and come back: the story is shown once, every question has one answer."""

import asyncio
from collections.abc import Sequence
from contextlib import aclosing

import pytest

from rein_tui.harness.protocol.decisions import (
    Mode,
    PermissionReply,
    PermissionRequest,
    QuestionReply,
    QuestionRequest,
)
from rein_tui.harness.protocol.errors import ReinError
from rein_tui.harness.protocol.events import (
    DELTAS,
    Event,
    Notice,
    PermissionResolved,
    ToolCallFinished,
    TurnFailed,
    TurnFinished,
    TurnInterrupted,
)
from rein_tui.harness.protocol.policy import TrustReply, TrustRequest
from rein_tui.harness.protocol.ports import Harness, Prompt
from rein_tui.harness.providers.scripted import ScriptedCall, ScriptedProvider, Step
from rein_tui.remote.hall import Limits
from rein_tui.remote.questions import Patience
from rein_tui.remote.remote_session import RemoteSession
from tests.fakes.engines import ScriptedPerson, TablePermissions, TestTool
from tests.laws import check_turn, without_deltas
from tests.remote.stage import OTHERS_TOKEN, MemoryBench, served, told, turn, until


class SlowPerson:
    """Answers when told to."""

    def __init__(self) -> None:
        self.asked: list[PermissionRequest] = []
        self.withdrawn = 0
        self.go = asyncio.Event()
        self.reply = PermissionReply(answer="once")

    async def ask(self, request: PermissionRequest) -> PermissionReply:
        self.asked.append(request)
        try:
            await self.go.wait()
        except asyncio.CancelledError:
            self.withdrawn += 1
            raise
        return self.reply

    async def question(self, request: QuestionRequest) -> QuestionReply:
        return QuestionReply(cancelled=True)

    async def trust(self, request: TrustRequest) -> TrustReply:
        return TrustReply()


class Gate:
    """A tool act that waits to be let through."""

    def __init__(self) -> None:
        self.open = asyncio.Event()
        self.tool = TestTool("Read", self.act)

    async def act(self, text: str, _: object) -> str:
        await self.open.wait()
        return text


def asks() -> TablePermissions:
    return TablePermissions({"Write": "ask"})


def call(name: str) -> ScriptedCall:
    return ScriptedCall(name=name, input={"text": "x"})


def story_of(events: Sequence[Event]) -> list[Event]:
    """Facts, without what the connection says."""
    return [e for e in without_deltas(events) if not (isinstance(e, Notice) and e.code in ("connection", "role"))]


async def started(harness: Harness) -> RemoteSession:
    await told(harness.start())
    assert isinstance(harness, RemoteSession)
    return harness


async def test_a_cut_in_mid_stream_shows_the_story_once() -> None:
    gate = Gate()
    bench = MemoryBench(
        lambda: ScriptedProvider([Step(text="One. " * 50, calls=(call("Read"),)), Step(text="Two. " * 50)]), gate.tool
    )
    async with served(bench) as server:
        remote = await server.client(relayed=True)
        session = await started(await remote.open())
        going = asyncio.create_task(turn(session, "go"))
        await until(lambda: gate.tool.running)
        for _ in range(3):
            server.transports.cut()
            await until(lambda: any(h.story.listeners for h in server.hall.hubs("owner")) or True)
        gate.open.set()
        events = await going
        check_turn([e for e in events if not isinstance(e, Notice)])
        assert isinstance(events[-1], TurnFinished)
        truth = bench.sessions_open[session.id].history()
        assert list(session.history()) == list(truth)
        assert story_of(events) == [f for f in truth if f.turn == 1]


async def test_a_cut_while_everything_is_told() -> None:
    bench = MemoryBench(lambda: ScriptedProvider([Step(text="word " * 3000, chunk=5)], pace=0.0001))
    async with served(bench) as server:
        remote = await server.client(relayed=True)
        session = await started(await remote.open())
        deltas, events = 0, list[Event]()
        async with aclosing(session.run(Prompt(text="go"))) as story:
            async for event in story:
                events.append(event)
                deltas += isinstance(event, DELTAS)
                if deltas in (5, 50, 100):
                    server.transports.cut()
        assert isinstance(events[-1], TurnFinished)
        truth = bench.sessions_open[session.id].history()
        assert list(session.history()) == list(truth)


async def test_a_cut_in_mid_question_asks_again_and_counts_one_answer() -> None:
    bench = MemoryBench(lambda: ScriptedProvider([Step(calls=(call("Write"),)), Step(text="Done.")]), permissions=asks)
    async with served(bench) as server:
        person = SlowPerson()
        remote = await server.client(person, relayed=True)
        session = await started(await remote.open())
        going = asyncio.create_task(turn(session, "go"))
        await until(lambda: person.asked)
        server.transports.cut()
        person.go.set()
        events = await going
        replies = [e.reply.answer for e in events if isinstance(e, PermissionResolved)]
        assert replies == ["once"]
        assert list(session.history()) == list(bench.sessions_open[session.id].history())


async def test_another_screen_of_the_same_person_takes_over_after_a_crash() -> None:
    bench = MemoryBench(
        lambda: ScriptedProvider([Step(text="Look:", calls=(call("Write"),)), Step(text="Done.")]), permissions=asks
    )
    limits = Limits(patience=Patience(answer=20, empty=0.0))
    async with served(bench, limits=limits) as server:
        first = SlowPerson()
        dying = await server.client(first, relayed=True)
        lost = await started(await dying.open())
        going = asyncio.create_task(turn(lost, "go"))
        await until(lambda: first.asked)
        second = SlowPerson()
        remote = await server.client(second)
        session = await remote.open(lost.id)
        assert isinstance(session, RemoteSession)
        assert session.role == "observer"
        watching = asyncio.create_task(told(session.start()))
        server.transports.is_down = True
        server.transports.cut()
        await until(lambda: second.asked)  # the owner left for good: who wished for the seat has it now
        second.go.set()
        events = await watching
        assert isinstance(events[-1], TurnFinished)
        assert [e.outcome for e in events if isinstance(e, ToolCallFinished)] == ["ok"]
        going.cancel()
        await asyncio.gather(going, return_exceptions=True)
        assert list(session.history()) == list(bench.sessions_open[session.id].history())


async def test_nobody_answers_then_policy_denies() -> None:
    bench = MemoryBench(lambda: ScriptedProvider([Step(calls=(call("Write"),)), Step(text="Pity.")]), permissions=asks)
    async with served(bench, limits=Limits(patience=Patience(answer=0.05, empty=0.05))) as server:
        person = SlowPerson()
        session = await started(await (await server.client(person)).open())
        events = await turn(session, "go")
        resolved = [e.reply for e in events if isinstance(e, PermissionResolved)]
        assert [(r.answer, r.answered_by) for r in resolved] == [("deny", "policy")]
        await until(lambda: person.withdrawn)


async def test_two_clients_race_and_the_first_answer_counts() -> None:
    bench = MemoryBench(lambda: ScriptedProvider([Step(calls=(call("Write"),)), Step(text="Done.")]), permissions=asks)
    async with served(bench) as server:
        owner, thief = SlowPerson(), SlowPerson()
        session = await started(await (await server.client(owner)).open())
        going = asyncio.create_task(turn(session, "go"))
        await until(lambda: owner.asked)
        other = await server.client(thief, claim=True)
        taken = await other.open(session.id)
        assert isinstance(taken, RemoteSession)
        await until(lambda: thief.asked and owner.withdrawn)
        thief.reply = PermissionReply(answer="deny", words="mine now")
        owner.go.set()
        thief.go.set()
        events = await going
        replies = [e.reply.words for e in events if isinstance(e, PermissionResolved)]
        assert replies == ["mine now"]
        assert session.role == "observer"


async def test_observers_see_all_and_may_do_nothing() -> None:
    gate = Gate()
    bench = MemoryBench(lambda: ScriptedProvider([Step(calls=(call("Read"),)), Step(text="Done.")]), gate.tool)
    async with served(bench) as server:
        session = await started(await (await server.client()).open())
        watcher = await (await server.client(watch=True)).open(session.id)
        assert isinstance(watcher, RemoteSession)
        going = asyncio.create_task(turn(session, "go"))
        await until(lambda: gate.tool.running)
        late = await (await server.client(watch=True)).open(session.id)
        seen = asyncio.create_task(told(late.start()))
        watcher.interrupt("no")
        with pytest.raises(ReinError):
            await watcher.set_mode(_mode("plan"))
        refused = await turn(watcher, "me too")
        assert isinstance(refused[-1], TurnFailed)
        gate.open.set()
        assert isinstance((await going)[-1], TurnFinished)
        assert isinstance((await seen)[-1], TurnFinished)
        assert late.history() == session.history()


def _mode(mode: Mode) -> Mode:
    return mode


async def test_sessions_are_bound_to_their_principal() -> None:
    bench = MemoryBench(lambda: ScriptedProvider([Step(text="Hi.")]))
    async with served(bench) as server:
        session = await started(await (await server.client()).open())
        stranger = await server.client(token=OTHERS_TOKEN)
        with pytest.raises(ReinError, match="no such session"):
            await stranger.open(session.id)
        with pytest.raises(ReinError, match="no such session"):
            await stranger.fork(session.id, 0)
        with pytest.raises(ReinError, match="no such session"):
            await asyncio.to_thread(stranger.facts, session.id)
        own = await stranger.open()
        assert own.info.id != session.id


async def test_the_server_starts_anew_in_mid_turn() -> None:
    gate = Gate()
    bench = MemoryBench(
        lambda: ScriptedProvider([Step(text="One.", calls=(call("Read"),)), Step(text="Two.")]), gate.tool
    )
    async with served(bench) as old:
        remote = await old.client(relayed=True)
        session = await started(await remote.open())
        going = asyncio.create_task(turn(session, "go"))
        await until(lambda: gate.tool.running)
        async with served(bench.restarted(), names=(f"127.0.0.1:{old.transports.port}",)) as new:
            old.transports.retarget(new.port)
            old.transports.cut()
            events = await going
            assert isinstance(events[-1], TurnInterrupted | TurnFailed)
            assert list(session.history()) == list(new.bench.sessions_open[session.id].history())


async def test_the_line_of_turns() -> None:
    gate = Gate()
    bench = MemoryBench(
        lambda: ScriptedProvider([Step(calls=(call("Read"),)), Step(text="One."), Step(text="Two.")]), gate.tool
    )
    async with served(bench) as server:
        remote = await server.client()
        session = await started(await remote.open())
        hub = server.hall.hub(session.id, "owner")
        hub.run(Prompt(text="first"))
        await until(lambda: gate.tool.running)
        second = asyncio.create_task(turn(session, "second"))
        gate.open.set()
        events = await second
        assert "second" in str(events[0])
        assert [f.turn for f in session.history() if isinstance(f, TurnFinished)] == [1, 2]


async def test_lists_and_the_rest_of_the_workbench() -> None:
    bench = MemoryBench(lambda: ScriptedProvider([Step(text="Hi.")]))
    async with served(bench) as server:
        remote = await server.client(ScriptedPerson())
        session = await started(await remote.open())
        changes: list[int] = []
        remote.lists.changed = lambda: changes.append(1)
        remote.rename(session.id, "a title")
        await until(lambda: bench.renamed)
        remote.sessions()
        await until(lambda: changes)
        assert [i.id for i in remote.sessions()] == [session.id]
        assert (await remote.find_servers())[0].flavour == "ollama"
        assert (await remote.models())[0].id == "scripted"
        assert remote.commands()[0].name == "review"
        await turn(session, "hello")
        assert await asyncio.to_thread(remote.facts, session.id) == list(bench.facts(session.id))
        fork = await remote.fork(session.id, 1)
        assert [f.turn for f in fork.history() if isinstance(f, TurnFinished)] == [1]
        remote.delete(session.id)
        await until(lambda: bench.deleted)
