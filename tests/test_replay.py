"""Replay: playing to the end is loading all of it, wherever one jumped before; nothing runs."""

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from textual.pilot import Pilot

from rein_tui.cli.replay import read_recording
from rein_tui.harness.places import Places
from rein_tui.harness.protocol import events as ev
from rein_tui.harness.protocol.decisions import PermissionReply
from rein_tui.harness.protocol.errors import StoreError
from rein_tui.harness.protocol.events import DELTAS, Event, Fact
from rein_tui.harness.protocol.messages import Message, TextBlock
from rein_tui.harness.protocol.ports import Prompt, SessionInfo
from rein_tui.harness.store.bundle import make_bundle
from rein_tui.harness.store.store import Store
from rein_tui.replay.app import ReplayApp
from rein_tui.replay.questions import ReplayedPermission, ReplayedQuestion
from rein_tui.replay.recording import ReplayHarness
from rein_tui.replay.tape import LONGEST, Tape, deltas_of
from rein_tui.widgets.scrubber import Scrubber
from tests import stories
from tests.app.driving import screen_text
from tests.harness.store.stories import fill
from tests.pty_program import on_pty
from tests.stories import Hold, Story

INSTANTLY = 1e9
PATIENCE = 500


def recorded(*turns: tuple[str, Story], pace: float = 0.5) -> tuple[Fact, ...]:
    """Stories as a session stores them: facts only, questions answered, a fact every `pace` seconds."""
    facts: list[Fact] = [ev.SessionStarted(session_id="s1", cwd="/w/shop", model=stories.MODEL, branch="main")]
    for number, (prompt, story) in enumerate(turns, 1):
        said = Message(role="user", blocks=(TextBlock(text=prompt),))
        told: list[Fact] = [ev.TurnStarted(text=prompt), ev.PromptAdded(message=said)]
        for beat in story:
            if isinstance(beat, (Hold, *DELTAS)):
                continue
            told.append(beat)  # pyright: ignore[reportArgumentType]  neither hold nor delta
            if isinstance(beat, ev.PermissionRequested):
                reply = PermissionReply(answer="once", words="but carefully")
                told.append(
                    ev.PermissionResolved(
                        request_id=beat.request.id, call_id=beat.request.call_id, reply=reply, waited=6.2
                    )
                )
        told.append(ev.TurnFinished(duration=3.0, steps=1))
        facts += [msgspec.structs.replace(fact, turn=number) for fact in told]
    return tuple(msgspec.structs.replace(f, time=1_790_000_000.0 + n * pace) for n, f in enumerate(facts))


SESSION = recorded(("fix the token check", stories.fix()), ("say hello", stories.greeting()))


# --- the tape -----------------------------------------------------------------------------------------------


def test_times_keep_gaps_and_cut_long_waits():
    facts = tuple(ev.Notice(text="x", time=when) for when in (0.0, 1.0, 1.0, 600.0, 599.0, float("nan")))
    assert Tape(facts).times == (0.0, 0.0, 1.0, 1.0, 1.0 + LONGEST, 1.0 + LONGEST, 1.0 + LONGEST)
    assert Tape(()).times == (0.0,)


def test_prose_takes_time_where_the_recording_has_none():
    facts = recorded(("hello", stories.fix()), pace=0.0)
    tape = Tape(facts)
    assert tape.length > 0
    assert tape.position_at(tape.length) == len(facts)
    assert tape.position_at(-1) == 0


@given(st.integers(0, len(SESSION)))
def test_jumps_go_forward_and_back_and_stay_inside(position: int):
    tape = Tape(SESSION)
    for forward, back in (
        (tape.next_step, tape.previous_step),
        (tape.next_call, tape.previous_call),
        (tape.next_turn, tape.previous_turn),
    ):
        assert position < forward(position) or position == forward(position) == len(SESSION)
        assert back(position) < position or position == back(position) == 0
    assert tape.times[tape.position_at(tape.times[position])] == tape.times[position]
    assert 0 <= tape.turn_at(position) <= tape.turns == 2


@given(st.sampled_from(SESSION), st.floats(0, 10))
def test_made_up_deltas_join_to_what_was_said(fact: Fact, seconds: float):
    deltas = deltas_of(fact, seconds)
    assert all(d.turn == fact.turn and d.parent == fact.parent for d in deltas)
    if isinstance(fact, ev.MessageFinished):
        assert "".join(d.text for d in deltas if isinstance(d, ev.TextDelta)) == fact.message.text


# --- the harness --------------------------------------------------------------------------------------------


async def test_playing_tells_every_fact_in_order_and_then_rests():
    harness = ReplayHarness(Tape(SESSION), SessionInfo(id="s1"), speed=INSTANTLY)
    told: list[Event] = []
    async for event in harness.asides():
        told.append(event)
        if harness.is_over:
            break
    assert tuple(event for event in told if not isinstance(event, DELTAS)) == SESSION
    assert any(isinstance(event, ev.TextDelta) for event in told)
    assert harness.history() == SESSION


async def test_nothing_can_be_run():
    harness = ReplayHarness(Tape(SESSION), SessionInfo(id="s1"))
    told = [event async for event in harness.run(Prompt(text="rm -rf /"))]
    assert isinstance(told[-1], ev.TurnFailed)
    assert harness.permissions is None
    wake = ReplayHarness(Tape((ev.Notice(text="go on", code="wake"),)), SessionInfo(id="s"), speed=INSTANTLY)
    async for event in wake.asides():
        assert isinstance(event, ev.Notice)
        assert event.code == "woken"
        break


# --- the screen ---------------------------------------------------------------------------------------------


class Booth:
    """One replay under test."""

    def __init__(self, app: ReplayApp, pilot: Pilot[Any]) -> None:
        self.app, self.pilot, self.harness = app, pilot, app.harness

    async def until(self, condition: Callable[[], object]) -> None:
        for _ in range(PATIENCE):
            if condition():
                await self.pilot.pause()
                return
            await self.pilot.pause()
        raise AssertionError(f"it never came true:\n{self.text()}")

    async def at(self, position: int) -> None:
        await self.until(lambda: self.harness.position == position)

    def text(self) -> str:
        return screen_text(self.app)


@asynccontextmanager
async def booth(
    facts: Sequence[Fact] = SESSION, *, speed: float = 1.0, is_playing: bool = False, size: tuple[int, int] = (120, 36)
) -> AsyncGenerator[Booth]:
    harness = ReplayHarness(Tape(tuple(facts)), SessionInfo(id="s1", title="fix"), speed=speed, is_playing=is_playing)
    app = ReplayApp(harness)
    async with app.run_test(size=size) as pilot:
        stage = Booth(app, pilot)
        await stage.until(lambda: app.desk.current is not None)
        yield stage


async def test_playing_to_the_end_shows_what_loading_shows():
    async with booth(speed=INSTANTLY) as live:
        await live.pilot.press("f2")
        await live.pilot.press("space")
        await live.until(lambda: live.harness.is_over and not live.harness.is_playing)
        played = live.text()
        await live.until(lambda: "say hello" in live.text())
        played = live.app.export_screenshot()
        shown = live.text()
    async with booth(speed=INSTANTLY) as loaded:
        await loaded.pilot.press("f2", "end")
        await loaded.at(len(SESSION))
        await loaded.until(lambda: loaded.text() == shown)
        assert _anonymous(loaded.app.export_screenshot()) == _anonymous(played)


def _anonymous(svg: str) -> str:
    import re

    return re.sub(r"terminal-\d+", "terminal", svg)


@settings(max_examples=8, deadline=None)
@given(moves=st.lists(st.sampled_from(["right", "left", "]", "[", "}", "{", "home", "space"]), max_size=8))
async def test_wherever_one_went_before_a_place_looks_the_same(moves: list[str]):
    async with booth(size=(100, 30)) as stage:
        for key in moves:
            await stage.pilot.press(key)
        stage.harness.interrupt()
        await stage.pilot.pause()
        stage.harness.go_to(len(SESSION) - 4)
        await stage.at(len(SESSION) - 4)
        wandered = stage.text()
    async with booth(size=(100, 30)) as stage:
        stage.harness.go_to(len(SESSION) - 4)
        await stage.at(len(SESSION) - 4)
        assert stage.text() == wandered


async def test_steps_calls_turns_and_speed():
    async with booth() as stage:
        tape = stage.harness.tape
        await stage.pilot.press("right")
        await stage.at(tape.next_step(0))
        await stage.pilot.press("]")
        await stage.at(tape.next_call(1))
        await stage.until(lambda: "src/auth/tokens.py" in stage.text())
        await stage.pilot.press("}")
        await stage.at(tape.next_turn(tape.next_turn(0)))
        assert "turn 2/2" in stage.text()
        await stage.pilot.press("{")
        await stage.at(tape.next_turn(0))
        await stage.pilot.press("+", "+", "-")
        assert stage.harness.speed == 2
        await stage.until(lambda: "×2" in stage.text())
        await stage.pilot.press("left")
        await stage.at(tape.previous_step(tape.next_turn(0)))
        assert not stage.harness.is_playing


async def test_a_question_shows_as_it_was_and_cannot_be_answered():
    asked = next(n for n, fact in enumerate(SESSION, 1) if isinstance(fact, ev.PermissionRequested))
    async with booth() as stage:
        stage.harness.go_to(asked)
        await stage.until(lambda: isinstance(stage.app.screen, ReplayedPermission))
        await stage.until(lambda: "recorded: yes, once · “but carefully”, after 6" in stage.text())
        await stage.pilot.press("y", "n", "enter", "a", "tab")
        assert isinstance(stage.app.screen, ReplayedPermission)
        assert stage.harness.position == asked
        await stage.pilot.press("escape")
        await stage.until(lambda: len(stage.app.screen_stack) == 1)
        await stage.pilot.press("left", "right")
        await stage.until(lambda: isinstance(stage.app.screen, ReplayedPermission))
        await stage.pilot.press("right")
        await stage.until(lambda: len(stage.app.screen_stack) == 1)
        await stage.pilot.press("left")
        await stage.until(lambda: isinstance(stage.app.screen, ReplayedPermission))
        await stage.pilot.press("home")
        await stage.until(lambda: len(stage.app.screen_stack) == 1)


async def test_a_tools_question_shows_too():
    facts = recorded(("ask me", stories.questioning()))
    asked = next(n for n, fact in enumerate(facts, 1) if isinstance(fact, ev.QuestionAsked))
    async with booth(facts) as stage:
        stage.harness.go_to(asked)
        await stage.until(lambda: isinstance(stage.app.screen, ReplayedQuestion))
        await stage.pilot.press("1", "enter")
        assert isinstance(stage.app.screen, ReplayedQuestion)
        await stage.pilot.press("end")
        await stage.until(lambda: len(stage.app.screen_stack) == 1)


async def test_the_scrubber_can_be_clicked():
    async with booth() as stage:
        await stage.pilot.click(Scrubber, offset=(60, 0))
        await stage.until(lambda: 0 < stage.harness.position < len(SESSION))
        await stage.pilot.click(Scrubber, offset=(1, 0))
        await stage.until(lambda: stage.harness.is_playing)
        await stage.pilot.press("space")
        assert not stage.harness.is_playing


async def test_typing_goes_nowhere_and_commands_that_would_act_are_not_there():
    async with booth() as stage:
        await stage.pilot.press("h", "i", "f8", "shift+tab")
        assert stage.app.main.composer.text == ""
        assert stage.app.registry.get("model") is None
        await stage.pilot.press("f3")
        await stage.until(lambda: stage.app.main.dock.shown == "hooks")
        await stage.pilot.press("escape")
        await stage.until(lambda: not stage.app.main.dock.shown)
        await stage.pilot.press("q")


async def test_an_empty_recording_rests():
    async with booth(()) as stage:
        await stage.pilot.press("space", "right", "left", "]", "{", "end")
        assert stage.harness.position == 0


# --- finding recordings -------------------------------------------------------------------------------------


def test_recordings_are_found_by_id_title_and_file(places: Places, tmp_path: Path):
    store = Store.open(places)
    session_id = fill(store, "first words", "second")
    facts = tuple(fact for _, fact in store.read(session_id))
    store.close()
    info, by_id = read_recording(session_id[:8], places)
    assert (info.id, by_id) == (session_id, facts)
    lines = tmp_path / "story.jsonl"
    lines.write_bytes(b"\n".join(ev.fact_encoder.encode(fact) for fact in facts))
    from_file, told = read_recording(str(lines), places)
    assert (from_file.id, from_file.turns, told) == (session_id, 2, facts)
    bundle = tmp_path / "report.zip"
    make_bundle(info, facts, version="0", home=str(places.home)).write(bundle)
    assert read_recording(str(bundle), places)[1] == facts
    with pytest.raises(StoreError, match="no session"):
        read_recording("nothing of this name", places)
    (tmp_path / "noise.jsonl").write_bytes(b"\x00\xff not json")
    with pytest.raises(StoreError):
        read_recording(str(tmp_path / "noise.jsonl"), places)


@pytest.mark.pty
def test_a_file_plays_in_a_real_terminal(places: Places, tmp_path: Path):
    story = tmp_path / "story.jsonl"
    story.write_bytes(b"\n".join(ev.fact_encoder.encode(fact) for fact in SESSION))
    environment = {"HOME": str(places.home), "REIN_TUI_DATA_DIR": str(places.data)}
    with on_pty(["replay", str(story), "--speed", "500"], tmp_path, environment) as program:
        program.until(lambda data: f"fact {len(SESSION)}/{len(SESSION)}".encode() in data)
        program.send(b"q")
        assert program.wait() == 0
    assert not places.database.exists(), "nothing was stored"
