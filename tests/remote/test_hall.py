"""What a server keeps: sessions that come and go, whose they are, whose seat is whose, the tokens."""

import asyncio
import json
import os
import stat
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from rein_tui.harness.protocol.errors import ConfigError, ReinError, StartError, StoreError
from rein_tui.harness.protocol.events import Event, Notice, TurnFinished
from rein_tui.harness.protocol.mcp import HasMcp
from rein_tui.harness.protocol.policy import TrustReply, TrustRequest
from rein_tui.harness.protocol.ports import Harness, Insight, Prompt, Shared
from rein_tui.harness.protocol.workbench import Extensible, ProbesModels
from rein_tui.harness.providers.scripted import ScriptedProvider, Step
from rein_tui.remote.hall import Hall, Limits
from rein_tui.remote.principals import Principals
from rein_tui.remote.questions import Patience, Seat
from rein_tui.remote.remote_session import RemoteSession
from rein_tui.remote.server_run import Listening
from rein_tui.remote.tokens import tokens_of
from rein_tui.remote.wire import RoleChanged, ServerFrame, encode
from tests.fakes.engines import MemoryFacts, ScriptedPerson
from tests.remote.stage import MemoryBench, served, told, turn, until


def talker(text: str = "Hi.") -> MemoryBench:
    return MemoryBench(lambda: ScriptedProvider([Step(text=text)] * 9))


# --- sessions come and go -----------------------------------------------------------------------------------


async def test_a_full_server_closes_what_nobody_uses() -> None:
    bench = talker()
    async with served(bench, limits=Limits(sessions=2, patience=Patience(empty=0))) as server:
        for _ in range(5):
            hub = await server.hall.open("", "owner")
            hub.run(Prompt(text="go"))
            await hub.idle()
        assert len(bench.journals) == 5
        assert len(bench.sessions_open) == 2
        again = await server.hall.open("s1", "owner")
        assert any(isinstance(fact, TurnFinished) for fact in again.story.facts()), "closed, not forgotten"
        watched = await (await server.client()).open("s1")
        other = await (await server.client()).open()
        with pytest.raises(StartError, match="in use"):
            await server.hall.open("", "owner")
        assert {watched.info.id, other.info.id} == set(bench.sessions_open)


class AskingBench(MemoryBench):
    """Each new session asks first whether its folder is trusted."""

    async def open(self, session_id: str = "") -> Harness:
        await self._prompter.trust(TrustRequest(id="trust", root="/", items=()))
        return await super().open(session_id)


class Undecided(ScriptedPerson):
    """Looks at the question of trust until `decided`."""

    def __init__(self) -> None:
        super().__init__()
        self.looks, self.decided = asyncio.Event(), asyncio.Event()

    async def trust(self, request: TrustRequest) -> TrustReply:
        self.looks.set()
        await self.decided.wait()
        return TrustReply(trusted=True)


async def test_a_question_of_trust_holds_up_nobody_else() -> None:
    bench = AskingBench(lambda: ScriptedProvider([Step(text="Hi.")]))
    async with served(bench, limits=Limits(sessions=2)) as server:
        undecided = Undecided()
        waiting = asyncio.create_task((await server.client(undecided)).open())
        await undecided.looks.wait()
        async with asyncio.timeout(10):
            quick = await (await server.client()).open()
        with pytest.raises(StartError, match="2 sessions are in use"):
            await (await server.client()).open()  # the one that still opens has its place
        assert not waiting.done()
        undecided.decided.set()
        assert {quick.info.id, (await waiting).info.id} == set(bench.sessions_open)


async def test_one_session_opens_once_for_all_who_come_at_once() -> None:
    bench = talker()
    bench.journals["s1"] = MemoryFacts("s1")
    hall = Hall(bench)
    hubs = await asyncio.gather(*(hall.open("s1", "owner") for _ in range(5)))
    fresh = await asyncio.gather(*(hall.open("", "owner", key="once") for _ in range(5)))
    assert len(set(map(id, hubs))) == len(set(map(id, fresh))) == 1
    assert len(bench.sessions_open) == 2
    await hall.close()


async def test_what_rests_for_long_is_closed() -> None:
    bench = talker()
    hall = Hall(bench, limits=Limits(idle=-1, patience=Patience(empty=0)))
    first = await hall.open("", "owner")
    first.run(Prompt(text="go"))
    await first.idle()
    second = await hall.open("", "owner")
    assert set(bench.sessions_open) == {second.id}
    await hall.close()


async def test_a_classic_conversation_ends_with_its_connection() -> None:
    bench = talker()
    async with served(bench) as server:
        async with server.raw() as socket:
            await socket.send('{"type":"message","content":"go"}')
            while json.loads(await socket.recv())["type"] != "turn_complete":
                pass
        await until(lambda: not bench.sessions_open)


async def test_a_system_prompt_holds_from_its_message_on() -> None:
    provider = ScriptedProvider([Step(text="Hi.")] * 4)
    bench = MemoryBench(lambda: provider)
    async with served(bench) as server:
        async with server.raw() as socket:
            for wish in (None, "You are a pirate.", None, "You are a poet."):
                await socket.send(json.dumps({"type": "message", "content": "go", "system_prompt": wish}))
                while json.loads(await socket.recv())["type"] != "turn_complete":
                    pass
        assert [request.system for request in provider.requests] == [
            "Be useful.",
            "You are a pirate.",
            "You are a pirate.",
            "You are a poet.",
        ]


# --- the connection of a screen -----------------------------------------------------------------------------


async def test_to_prepare_twice_connects_once() -> None:
    async with served(talker()) as server:
        remote = await server.client(relayed=True)
        await remote.prepare()
        session = await remote.open()
        await told(session.start())
        notices: list[str] = []
        listening = asyncio.create_task(_notices(session.asides(), notices))
        server.transports.cut()
        await until(lambda: len(notices) > 1)
        assert notices == ["The connection is lost; trying again.", "Connected again."]
        assert isinstance((await turn(session, "go"))[-1], TurnFinished)
        listening.cancel()


async def _notices(events: AsyncGenerator[Event], found: list[str]) -> None:
    async for event in events:
        if isinstance(event, Notice):
            found.append(event.text)


async def test_a_session_without_a_turn_begins_anew_with_its_server() -> None:
    bench = talker()
    async with served(bench) as old:
        remote = await old.client(relayed=True)
        session = await remote.open()
        await told(session.start())
        fresh = bench.restarted()
        fresh.journals.clear()  # nothing was said, so nothing was kept
        async with served(fresh, names=(f"127.0.0.1:{old.transports.port}",)) as new:
            old.transports.retarget(new.port)
            old.transports.cut()
            events: list[Event] = await turn(session, "go")
            assert isinstance(events[-1], TurnFinished)
            assert list(new.bench.sessions_open) == [session.info.id]


async def test_a_session_that_is_gone_says_so() -> None:
    bench = talker()
    async with served(bench) as old:
        remote = await old.client(relayed=True)
        session = await remote.open()
        await told(session.start())
        await turn(session, "go")
        fresh = bench.restarted()
        fresh.journals.clear()
        async with served(fresh, names=(f"127.0.0.1:{old.transports.port}",)) as new:
            old.transports.retarget(new.port)
            old.transports.cut()
            texts: list[str] = []
            await asyncio.wait_for(_notices(session.asides(), texts), 20)
            assert texts[-1] == "There is no such session."


# --- whose it is --------------------------------------------------------------------------------------------


async def test_sessions_stay_with_their_principal_when_the_server_starts_anew(tmp_path: Path) -> None:
    path = tmp_path / "data" / "principals.json"
    bench = talker()
    first = Hall(bench, principals=Principals(path))
    theirs = (await first.open("", "guest")).id
    mine = (await first.open("", "owner")).id
    await first.close()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    second = Hall(bench.restarted(), principals=Principals(path))
    assert (await second.open(theirs, "guest")).id == theirs
    for session, stranger in ((theirs, "owner"), (mine, "guest")):
        with pytest.raises(StoreError, match="no such session"):
            await second.open(session, stranger)
    await second.close()


def test_a_file_of_principals_that_is_none_gives_nothing_away(tmp_path: Path) -> None:
    path = tmp_path / "principals.json"
    path.write_text("[1]")
    with pytest.raises(ConfigError, match="cannot be understood"):
        Principals(path)


class Guest:
    def __init__(self, client: str) -> None:
        self.client = client
        self.heard: list[str] = []

    def post(self, frame: ServerFrame) -> None:
        if isinstance(frame, RoleChanged):
            self.heard.append(frame.role)


async def test_who_gets_an_empty_seat() -> None:
    seat = Seat("s", Patience(empty=60))
    one, two, three = Guest("one"), Guest("two"), Guest("three")
    assert seat.wish(one)
    assert not seat.wish(two)
    seat.leave(one, keep=True)
    assert not seat.fill(), "kept for whoever was cut off"
    assert not seat.wish(two, comes_back=True), "also when a watcher's connection broke with it"
    assert seat.wish(one, comes_back=True)
    seat.leave(one, keep=True)
    assert seat.wish(three), "who comes on purpose need not wait"
    seat.leave(three)
    assert seat.owner is two, "one who leaves on purpose leaves it to whoever waits"
    assert two.heard == ["owner"]
    again = Guest("two")
    assert seat.wish(again, comes_back=True)
    assert two.heard == ["owner", "observer"], "the half-open connection is told too"


async def test_two_clients_without_a_name_are_two() -> None:
    async with served(talker()) as server, server.raw() as one, server.raw() as two:
        roles: list[str] = []
        session = ""
        for socket in (one, two):
            await socket.send('{"type":"hello"}')
            await socket.recv()
            request = {"type": "open", "session": session}
            await socket.send(json.dumps({"type": "call", "id": 1, "request": request}))
            while (frame := json.loads(await socket.recv()))["type"] != "reply":
                pass
            roles.append(frame["result"]["role"])
            session = frame["result"]["info"]["id"]
        assert roles == ["owner", "observer"]


# --- tokens and where to listen -----------------------------------------------------------------------------


def test_a_token_that_was_made_goes_away_and_others_stay(tmp_path: Path) -> None:
    made, given = tmp_path / "run" / "made", tmp_path / "given"
    with tokens_of(None, made) as (tokens, said):
        assert tokens == {"owner": made.read_text().strip()}
        assert str(made) in said
    assert not made.exists()
    given.touch(0o600)
    given.write_text("alice 0123456789abcdef\nbob fedcba9876543210\n")
    made.touch()
    with tokens_of(given, made) as (tokens, _):
        assert set(tokens) == {"alice", "bob"}
    os.environ["REIN_TUI_TOKEN"] = "0123456789abcdef"
    with tokens_of(given, made) as (tokens, _):
        assert tokens == {"owner": "0123456789abcdef"}
        assert "REIN_TUI_TOKEN" not in os.environ, "what we start must not inherit it"
    assert made.exists()


def test_an_address_that_is_taken_or_none(tmp_path: Path) -> None:
    listener, listening = Listening(port=0).bound()
    with listener:
        assert f"127.0.0.1:{listening.port}" in listening.doors.hosts
        with pytest.raises(StartError, match="Cannot listen"):
            listening.bound()
    for port in (-1, 65536):
        with pytest.raises(StartError, match="is no port"):
            Listening(port=port).check()
    junk = tmp_path / "junk.pem"
    junk.write_text("no certificate")
    with pytest.raises(StartError, match="TLS cannot use"):
        Listening(cert=str(junk), key=str(junk)).check()


def test_a_server_without_a_name_of_its_own_says_what_is_missing() -> None:
    assert "--allow-host" in Listening(host="0.0.0.0").advice
    assert "--allow-host" in Listening(host="::").advice
    for named in (Listening(), Listening(host="192.0.2.1"), Listening(host="0.0.0.0", names=("devbox",))):
        assert not named.advice


# --- what stands behind a session ---------------------------------------------------------------------------


async def test_a_workbench_elsewhere_offers_what_the_screen_asks_for() -> None:
    async with served(talker()) as server:
        remote = await server.client()
        for port in (Extensible, ProbesModels):
            assert isinstance(remote, port)
        session = await remote.open()
        for port in (Insight, HasMcp, Shared):
            assert isinstance(session, port)
        await remote.learn()
        assert [info.name for info in remote.commands()] == ["review"]


async def test_a_watcher_is_told_and_may_claim() -> None:
    async with served(talker()) as server:
        session = await (await server.client()).open()
        watched = await (await server.client()).open(session.info.id)
        assert isinstance(watched, RemoteSession)
        assert watched.role == "observer"
        notices: list[str] = []
        listening = asyncio.create_task(_notices(watched.asides(), notices))
        await watched.claim()
        await until(lambda: watched.role == "owner")
        await until(lambda: len(notices) > 1)
        assert notices == [
            "You watch this session; who owns it prompts and answers.",
            "This session is yours now.",
        ]
        assert isinstance((await turn(watched, "go"))[-1], TurnFinished)
        listening.cancel()


async def test_watchers_hear_that_the_owner_left_and_that_the_server_closes() -> None:
    async with served(talker()) as server:
        owner = await server.client(relayed=True)
        session = await owner.open()
        watcher = await server.client(watch=True)
        watched = await watcher.open(await watcher.lists.named(session.info.id))
        notices: list[str] = []
        listening = asyncio.create_task(_notices(watched.asides(), notices))
        server.transports.cut()
        await until(lambda: any("connection broke" in notice for notice in notices))
        await until(lambda: server.hall.hub("s1", "owner").seat.owner is not None)  # it came back
        await owner.close()
        await until(lambda: "Its owner left." in notices)
        server.hall.interrupt("the server closes")
        await until(lambda: "The server is closing." in notices)
        listening.cancel()


async def test_a_session_is_named_by_the_beginning_of_its_id() -> None:
    bench = talker()
    async with served(bench) as server:
        remote = await server.client()
        for name in ("89f1aaaa-1", "89f1aabb-2", "3"):
            await bench.begin(name)
        assert await remote.lists.named("89f1aaaa") == "89f1aaaa-1"
        assert await remote.lists.named("3") == "3"
        for wrong in ("89f1aa", "89f", "nowhere", ""):
            with pytest.raises(StoreError, match=r"no such session|sessions there begin"):
                await remote.lists.named(wrong)


async def test_a_screen_elsewhere_sees_the_request_as_it_was_sent() -> None:
    bench = talker()
    async with served(bench) as server:
        remote = await server.client()
        session = await remote.open()
        assert isinstance(session, RemoteSession)
        await turn(session, "go")
        near = bench.sessions_open[session.id]
        sent = await asyncio.to_thread(session.request_of, 1, 1)
        assert sent is not None
        assert encode(sent) == encode(near.request_of(1, 1))
        assert await asyncio.to_thread(session.request_of, 9, 9) is None
        await session.mcp.look()
        assert not session.mcp.states()
        with pytest.raises(ReinError, match="no MCP servers"):
            await session.mcp.switch("x", True)
        with pytest.raises(ReinError, match="cannot be asked here"):
            await remote.probe()
        watcher = await (await server.client(watch=True)).open(session.id)
        assert isinstance(watcher, RemoteSession)
        with pytest.raises(ReinError, match="only watch"):
            await watcher.mcp.switch("x", True)
