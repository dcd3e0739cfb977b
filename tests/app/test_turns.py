"""Prompts on their way: run, wait, steer, stop, fail; several sessions side by side."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

import pytest

from rein_tui.app import ReinApp
from rein_tui.harness.protocol.errors import StartError
from rein_tui.harness.protocol.events import (
    Event,
    MessageFinished,
    ModelChanged,
    TurnFinished,
    TurnInterrupted,
    TurnStarted,
)
from rein_tui.harness.protocol.messages import Message, TextBlock, Usage
from rein_tui.harness.protocol.ports import Prompt, SessionInfo
from rein_tui.turns import Turns
from rein_tui.widgets.permission_modal import PermissionModal
from tests import stories
from tests.app.driving import Stage, on_stage
from tests.app.fake_harness import NOW, SESSIONS, FakeHarness, FakeWorkbench


async def test_a_prompt_reaches_the_harness_and_the_composer_is_empty_again():
    async with on_stage() as stage:
        await stage.say("hello there")
        assert [prompt.text for prompt in stage.harness.prompts] == ["hello there"]
        assert stage.app.main.composer.text == ""
        assert stage.app.desk.current is not None
        assert stage.app.desk.current.state == "idle"


async def test_the_prompt_given_at_start_is_sent():
    async with on_stage(initial_prompt="explain this") as stage:
        await stage.until(lambda: stage.harness.prompts)
        assert stage.harness.prompts[0].text == "explain this"


async def test_enter_while_a_turn_runs_queues_and_the_queue_runs_after_it():
    async with on_stage(lambda: [stories.streaming()]) as stage:
        await stage.say("first")
        await stage.say("second")
        await stage.say("third")
        assert [prompt.text for prompt in stage.harness.prompts] == ["first"]
        assert "2 queued" in stage.text()
        stage.harness.go_on()
        await stage.until(lambda: len(stage.harness.prompts) == 3)
        await stage.settled()
        assert [prompt.text for prompt in stage.harness.prompts] == ["first", "second", "third"]
        assert "queued" not in stage.text()


async def test_up_on_an_empty_prompt_takes_the_last_queued_one_back():
    async with on_stage(lambda: [stories.streaming()]) as stage:
        await stage.say("first")
        await stage.say("second")
        await stage.pilot.press("up")
        await stage.settled()
        assert stage.app.main.composer.text == "second"
        assert stage.app.desk.current is not None
        assert not stage.app.desk.current.waiting


async def test_f8_and_ctrl_enter_steer_the_running_turn():
    async with on_stage(lambda: [stories.streaming()]) as stage:
        await stage.say("first")
        await stage.type("use tabs")
        await stage.pilot.press("f8")
        await stage.settled()
        await stage.type("no spaces")
        await stage.pilot.press("ctrl+enter")
        await stage.settled()
        assert stage.harness.steered == ["use tabs", "no spaces"]
        assert stage.app.main.composer.text == ""


async def test_steering_between_turns_is_an_ordinary_prompt():
    async with on_stage() as stage:
        await stage.type("go")
        await stage.pilot.press("f8")
        await stage.settled()
        assert [prompt.text for prompt in stage.harness.prompts] == ["go"]


async def test_esc_stops_the_turn_and_the_queue_waits_for_the_person():
    async with on_stage(lambda: [stories.streaming()]) as stage:
        await stage.say("first")
        await stage.say("second")
        await stage.pilot.press("escape")
        await stage.settled()
        assert any(isinstance(fact, TurnInterrupted) for fact in stage.harness.history())
        assert [prompt.text for prompt in stage.harness.prompts] == ["first"]
        assert "paused" in stage.text()
        await stage.pilot.press("enter")
        await stage.settled()
        assert [prompt.text for prompt in stage.harness.prompts] == ["first", "second"]


async def test_ctrl_c_drops_a_paused_queue():
    async with on_stage(lambda: [stories.streaming()]) as stage:
        await stage.say("first")
        await stage.say("second")
        await stage.pilot.press("escape")
        await stage.settled()
        await stage.pilot.press("ctrl+c")
        await stage.settled()
        assert "paused" not in stage.text()
        assert [prompt.text for prompt in stage.harness.prompts] == ["first"]


async def test_a_failed_turn_pauses_the_queue_too():
    async with on_stage(lambda: [[stories.Hold(), *stories.failing()]]) as stage:
        await stage.say("first")
        await stage.say("second")
        stage.harness.go_on()
        await stage.settled()
        assert stage.app.desk.current is not None
        assert stage.app.desk.current.is_paused
        assert len(stage.harness.prompts) == 1


async def test_shell_lines_go_to_the_harness_with_their_kind():
    async with on_stage() as stage:
        await stage.say("!ls")
        await stage.say("!!env")
        assert [(p.kind, p.text) for p in stage.harness.prompts] == [("shell", "ls"), ("private_shell", "env")]


async def test_a_path_is_no_command():
    async with on_stage() as stage:
        await stage.say("/usr/bin/env is what?")
        assert [prompt.text for prompt in stage.harness.prompts] == ["/usr/bin/env is what?"]


async def test_a_misspelt_command_is_answered_with_the_nearest_one():
    async with on_stage() as stage:
        await stage.type("/themee")
        await stage.pilot.press("enter")
        await stage.until(lambda: "/theme" in stage.text())
        assert not stage.harness.prompts


async def test_a_command_of_a_file_is_sent_as_a_prompt():
    async with on_stage() as stage:
        await stage.say("/review main")
        await stage.until(lambda: stage.harness.prompts)
        assert stage.harness.prompts[0].text == "/review main"


async def test_two_sessions_run_at_once_and_keep_their_own_story():
    async with on_stage(lambda: [stories.streaming()], stored=SESSIONS) as stage:
        await stage.say("first")
        first = stage.harness
        await stage.pilot.press("f6", "f6")
        await stage.settled()
        await stage.app.desk.open("a2")
        await stage.settled()
        assert stage.harness is not first
        await stage.app.desk.open(first.info.id)  # in the middle of its answer
        await stage.settled()
        assert "The cache ha" in stage.text()
        await stage.app.desk.open("a2")
        await stage.say("second")
        assert {info.state for info in stage.app.desk.sessions()} >= {"running"}
        first.go_on()
        await stage.until(lambda: first.history()[-1].turn == 1 and len(first.history()) > 5)
        await stage.app.desk.open(first.info.id)
        await stage.settled()
        assert stage.app.desk.current is not None
        assert stage.app.desk.current.harness is first


@pytest.mark.parametrize(
    ("tokens", "window", "offers"), [(130_000, 0, True), (6000, 8000, True), (6000, 200_000, False)]
)
async def test_a_large_session_that_is_opened_again_offers_to_compact(tokens: int, window: int, offers: bool):
    answer = Message(role="assistant", blocks=(TextBlock(text="long ago"),))
    past = [
        ModelChanged(model="m", context_window=window),
        TurnStarted(text="old", turn=1),
        MessageFinished(step=1, turn=1, message=answer, stop_reason="end_turn", usage=Usage(input_tokens=tokens)),
        TurnFinished(turn=1),
    ]
    async with on_stage(stored=SESSIONS, past=past) as stage:
        await stage.app.desk.open("a2")
        await stage.settled()
        assert ("/compact summarises it first" in stage.text()) is offers


async def test_a_question_of_a_session_that_is_not_on_the_screen_names_it_and_shows_it():
    async with on_stage(lambda: [stories.fix()], stored=SESSIONS) as stage:
        asking = stage.app.desk.current
        assert asking is not None
        await stage.app.desk.open("a2")
        await stage.settled()
        asking.submit(Prompt(text="fix it"), "fix it")
        await stage.until(lambda: isinstance(stage.app.screen, PermissionModal))
        question = stage.app.screen
        await stage.until(lambda: "g show its session" in stage.text())
        assert f" · in {asking.harness.info.title or asking.harness.info.id}" in stage.text()
        await stage.press("g")
        await stage.until(lambda: stage.app.desk.current is asking)
        assert stage.app.screen is question
        assert asking.state == "waiting"
        await stage.press("y")
        await stage.until(lambda: asking.state != "waiting" or stage.app.screen is not question)


async def test_a_session_that_cannot_be_opened_says_so_and_stays():
    async with on_stage() as stage:
        await stage.type("/resume nowhere")
        await stage.pilot.press("enter")
        await stage.until(lambda: "no such session" in stage.text())
        assert stage.app.desk.current is not None


class SlowHarness(FakeHarness):
    """Its story begins when it `may`, as with a SessionStart hook that takes its time."""

    may: asyncio.Event

    async def start(self) -> AsyncGenerator[Event]:
        await self.may.wait()
        async with aclosing(super().start()) as events:
            async for event in events:
                yield event


async def test_a_stop_while_the_session_begins_keeps_what_waits():
    harness = SlowHarness(SessionInfo(id="s1"), [], None)
    harness.may = asyncio.Event()
    tasks: list[asyncio.Task[None]] = []

    async def tell(turns: Turns, event: Event) -> None:
        pass

    turns = Turns(
        harness, tell=tell, changed=lambda turns: None, start=lambda work: tasks.append(asyncio.create_task(work))
    )
    turns.open()
    turns.submit(Prompt(text="hello"), "hello")
    assert turns.interrupt()
    harness.may.set()
    while turns.is_running:
        await asyncio.sleep(0)
    assert (turns.is_paused, turns.has_prompted, harness.prompts) == (True, False, [])
    turns.resume()
    while turns.is_running:
        await asyncio.sleep(0)
    assert [prompt.text for prompt in harness.prompts] == ["hello"]
    assert turns.has_prompted
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


class SlowBench(FakeWorkbench):
    """Opens when it `may`; then it cannot, if there is a `fault`."""

    def __init__(self, fault: StartError | None = None) -> None:
        super().__init__(lambda: [stories.greeting(), stories.greeting()])
        self.may = asyncio.Event()
        self._fault = fault

    async def open(self, session_id: str = "") -> FakeHarness:
        await self.may.wait()
        if self._fault is not None:
            raise self._fault
        return await super().open(session_id)


async def _early(stage: Stage) -> None:
    for text in ("first", "second", "third"):
        await stage.say(text)
    assert "3 queued" in stage.text()
    await stage.pilot.press("up")
    assert stage.app.main.composer.text == "third"
    await stage.until(lambda: "2 queued" in stage.text())


async def test_what_is_sent_before_a_session_is_open_is_sent_when_it_opens():
    bench = SlowBench()
    app = ReinApp(bench, clock=lambda: NOW)
    async with app.run_test(size=(120, 36)) as pilot:
        stage = Stage(app, pilot, bench)
        await _early(stage)
        bench.may.set()
        await stage.until(lambda: [f.text for f in app.desk.history() if isinstance(f, TurnStarted)][1:])
        started = [f.text for f in app.desk.history() if isinstance(f, TurnStarted)]
        assert started == ["first", "second"]
        assert app.main.composer.text == "third"
        await stage.until(lambda: "queued" not in stage.text())


async def test_what_waits_for_a_session_that_cannot_open_comes_back():
    bench = SlowBench(StartError("The server is closing."))
    app = ReinApp(bench, clock=lambda: NOW)
    async with app.run_test(size=(120, 36)) as pilot:
        stage = Stage(app, pilot, bench)
        await _early(stage)
        bench.may.set()
        await stage.until(lambda: app.main.composer.text == "first\nsecond\nthird")
        await stage.until(lambda: "The server is closing." in stage.text())
        await stage.say("again")
        assert app.main.composer.text == "again"
        assert "No session is open." in stage.text()
