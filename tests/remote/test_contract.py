"""The contract of ports.Harness: local and remote sessions pass the same stories."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing, asynccontextmanager
from pathlib import Path

import pytest

from rein_tui.harness.protocol.decisions import PermissionReply
from rein_tui.harness.protocol.errors import ConfigError, Failure, ProviderError
from rein_tui.harness.protocol.events import (
    DELTAS,
    Compacted,
    Event,
    ModeChanged,
    TextDelta,
    ToolCallFinished,
    TurnFailed,
    TurnFinished,
    TurnInterrupted,
)
from rein_tui.harness.protocol.ports import Adjustable, Harness, Prompt
from rein_tui.harness.protocol.workbench import Thinks
from rein_tui.harness.providers.scripted import ScriptedCall, ScriptedProvider, Step
from rein_tui.remote.client import RemoteWorkbench
from rein_tui.remote.hall import Hall
from rein_tui.remote.local_link import LocalLink
from rein_tui.remote.questions import EdgePrompter
from tests.fakes.engines import ScriptedPerson, TablePermissions, TestTool, hang
from tests.laws import check_turn, without_deltas
from tests.remote.stage import MemoryBench, served, told, turn, until

WAYS = ("local", "in_process", "socket")


@asynccontextmanager
async def a_session(
    way: str, *steps: Step, person: ScriptedPerson | None = None, tools: tuple[TestTool, ...] = ()
) -> AsyncGenerator[Harness]:
    """The same session beside the screen, in the same program behind a hall, and behind a server."""
    person = person or ScriptedPerson()
    prompter = person if way == "local" else EdgePrompter()
    bench = MemoryBench(
        lambda: ScriptedProvider(steps),
        *tools,
        permissions=lambda: TablePermissions({"Write": "ask"}),
        prompter=prompter,
    )
    if way == "local":
        yield await _started(await bench.open())
    elif way == "in_process":
        hall = Hall(bench)
        remote = RemoteWorkbench(LocalLink(hall, client="screen"), person)
        await remote.prepare()
        yield await _started(await remote.open())
        await hall.close()
        await remote.close()
    else:
        async with served(bench) as server:
            remote = await server.client(person)
            yield await _started(await remote.open())


async def _started(harness: Harness) -> Harness:
    await told(harness.start())
    return harness


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest) -> str:
    """Where the harness is."""
    return str(request.param)


def call(name: str, text: str = "hello") -> ScriptedCall:
    return ScriptedCall(name=name, input={"text": text})


async def test_a_turn_with_calls(way: str) -> None:
    steps = (Step(text="Reading. " * 20, calls=(call("Read"),)), Step(text="Done."))
    async with a_session(way, *steps) as harness:
        opening = list(harness.history())
        assert [type(e).__name__ for e in opening] == ["SessionStarted"]
        events = await turn(harness, "read it")
        check_turn(events)
        assert isinstance(events[-1], TurnFinished)
        assert harness.history() == [*opening, *without_deltas(events)]
        assert harness.info.turns == 1
        assert harness.info.title == "read it"


async def test_a_question_answered(way: str) -> None:
    person = ScriptedPerson(PermissionReply(answer="once"), PermissionReply(answer="deny", words="no"))
    steps = (Step(calls=(call("Write"),)), Step(calls=(call("Write"),)), Step(text="Well."))
    async with a_session(way, *steps, person=person) as harness:
        events = await turn(harness, "write")
        check_turn(events)
        assert [e.outcome for e in events if isinstance(e, ToolCallFinished)] == ["ok", "denied"]
        assert len(person.requests) == 2


async def test_an_interrupt_in_a_question(way: str) -> None:
    person = ScriptedPerson(hang=True)
    async with a_session(way, Step(calls=(call("Write"),)), person=person) as harness:
        story = asyncio.create_task(turn(harness, "write"))
        await until(lambda: person.requests)
        harness.interrupt("enough")
        events = await story
        check_turn(events)
        assert isinstance(events[-1], TurnInterrupted)
        assert events[-1].reason == "enough"


async def test_an_interrupt_in_a_tool_and_going_on(way: str) -> None:
    tool = TestTool("Read", hang)
    async with a_session(way, Step(calls=(call("Read"),)), Step(text="Yes?"), tools=(tool,)) as harness:
        story = asyncio.create_task(turn(harness, "hang"))
        await until(lambda: tool.running)
        harness.interrupt()
        events = await story
        check_turn(events)
        assert isinstance(events[-1], TurnInterrupted)
        assert isinstance((await turn(harness, "go on"))[-1], TurnFinished)


async def test_leaving_a_turn_early_interrupts_it(way: str) -> None:
    tool = TestTool("Read", hang)
    async with a_session(way, Step(calls=(call("Read"),)), Step(text="Yes?"), tools=(tool,)) as harness:
        async with aclosing(harness.run(Prompt(text="hang"))) as events:
            async for _ in events:
                if tool.running:
                    break
        await until(lambda: not tool.running)
        events = await turn(harness, "go on")
        check_turn(events)
        assert isinstance(events[-1], TurnFinished)


async def test_a_failing_model(way: str) -> None:
    async with a_session(way, Step(error=Failure(message="no such model", kind="not_found"))) as harness:
        events = await turn(harness, "hello")
        check_turn(events)
        assert isinstance(events[-1], TurnFailed)
        assert events[-1].failure.kind == "not_found"


async def test_steering(way: str) -> None:
    tool = TestTool("Read", hang)
    gate = asyncio.Event()

    async def wait(text: str, _: object) -> str:
        await gate.wait()
        return text

    tool = TestTool("Read", wait)
    async with a_session(way, Step(calls=(call("Read"),)), Step(text="Ok."), tools=(tool,)) as harness:
        story = asyncio.create_task(turn(harness, "begin"))
        await until(lambda: tool.running)
        harness.steer("the other one")
        for _ in range(20):
            await asyncio.sleep(0.001)
        gate.set()
        events = await story
        check_turn(events)
        assert "the other one" in str(events)


async def test_modes_and_asides(way: str) -> None:
    async with a_session(way) as harness:
        heard: list[Event] = []
        task = asyncio.create_task(_gather(harness, heard.append))
        await harness.set_mode("plan")
        assert harness.mode == "plan"
        await until(lambda: heard)
        assert isinstance(heard[0], ModeChanged)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_adjusting(way: str) -> None:
    async with a_session(way) as harness:
        assert isinstance(harness, Adjustable)
        adjustments = harness.adjustments
        assert adjustments is not None
        await adjustments.add_folder(Path("../lib"))
        with pytest.raises(ConfigError, match="no such folder") as told:
            await adjustments.add_folder(Path("/nowhere"))
        assert told.value.where == "/nowhere"
        assert await adjustments.change_folder(Path("sub")) == Path("/shop/sub")
        assert (await adjustments.ask_aside("how many?")).text == "how many? 42"
        with pytest.raises(ProviderError, match="no model"):
            await adjustments.ask_aside("")
        assert await adjustments.stop_work("call-1")
        assert not await adjustments.stop_work("gone")


async def test_thinking(way: str) -> None:
    async with a_session(way, Step(text="Hm.")) as harness:
        assert isinstance(harness, Thinks)
        assert (harness.effort, harness.thinking) == ("", False)
        harness.set_thinking(effort="high")
        harness.set_thinking(thinking=True)
        assert (harness.effort, harness.thinking) == ("high", True)
        assert isinstance((await turn(harness, "hello"))[-1], TurnFinished)


async def _gather(harness: Harness, take: Callable[[Event], object]) -> None:
    async with aclosing(harness.asides()) as events:
        async for event in events:
            take(event)


async def test_rewinding(way: str) -> None:
    async with a_session(way, Step(text="One."), Step(text="Two.")) as harness:
        await turn(harness, "one")
        await turn(harness, "two")
        assert (await asyncio.to_thread(harness.rewind_plan, 1)).to_turn == 1
        task = asyncio.create_task(_gather(harness, lambda _: None))
        await harness.rewind(1)
        await until(lambda: type(harness.history()[-1]).__name__ == "Rewound")
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_what_cannot_be_compacted_says_so(way: str) -> None:
    async with a_session(way) as harness:
        events = await told(harness.compact("tests"))
        assert isinstance(events[-1], TurnFailed)
        assert not any(isinstance(e, Compacted) for e in events)


async def test_deltas_join_to_the_whole_text(way: str) -> None:
    text = "word " * 400
    async with a_session(way, Step(text=text, chunk=3)) as harness:
        events = await turn(harness, "tell")
        shown = "".join(e.text for e in events if isinstance(e, TextDelta))
        assert text.endswith(shown)
        assert all(not isinstance(e, DELTAS) for e in harness.history())


async def test_sessions_run_side_by_side() -> None:
    bench = MemoryBench(lambda: ScriptedProvider([Step(text="Hello.", calls=(call("Read"),)), Step(text="Done.")]))
    async with served(bench) as server:
        remote = await server.client()
        sessions = [await _started(await remote.open()) for _ in range(3)]
        stories = await asyncio.gather(*(turn(s, f"turn of {s.info.id}") for s in sessions))
        for story, session in zip(stories, sessions, strict=True):
            check_turn(story)
            assert f"turn of {session.info.id}" in str(story)
