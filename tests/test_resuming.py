"""The end of a session stands on the screen before the harness is there, and nothing moves when all of it is."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest

from rein_tui.app import ReinApp
from rein_tui.cli.options import parse_options
from rein_tui.cli.resuming import read_resumed
from rein_tui.harness.places import Places
from rein_tui.harness.protocol.errors import StoreError
from rein_tui.harness.protocol.events import Fact, Rewound, SessionStarted, StepStarted
from rein_tui.harness.store.ending import MOST
from rein_tui.harness.store.store import Store
from rein_tui.modal_prompter import ModalPrompter
from rein_tui.widgets.chat_blocks import Look
from rein_tui.widgets.chat_fold import ChatFold
from tests.app.driving import Stage
from tests.app.fake_harness import NOW, FakeWorkbench

from .harness.store.stories import a_turn, fill


def drawn(facts: Sequence[Fact]) -> list[tuple[str, str, bool]]:
    """What a chat shows of these facts."""
    fold = ChatFold(Look())
    for fact in facts:
        fold.apply(fact)
    return [(block.kind, block.source, block.rewound_by is not None) for block in fold.walk()]


@pytest.mark.parametrize("turns", [1, 3, MOST // 2])
def test_the_ending_is_drawn_as_the_end_of_the_whole_story(places: Places, turns: int) -> None:
    store = Store.open(places)
    session = fill(store, *(f"prompt {number}" for number in range(turns)))
    journal = store.open_session(session)
    journal.append(Rewound(to_turn=turns - 1, conversation=True))
    whole = drawn([fact for _, fact in store.read(session)])
    ending = drawn(store.ending(session))
    assert len(store.ending(session)) <= MOST + 1
    assert ending == whole[-len(ending) :]
    assert len(ending) > 20 or ending == whole
    store.close()


def test_a_turn_longer_than_a_screen_begins_with_one_of_its_steps(places: Places) -> None:
    store = Store.open(places)
    session = fill(store, "begin")
    journal = store.open_session(session)
    start, prompt, *step, end = a_turn(2, "go on")
    for fact in [start, prompt, *([StepStarted(step=1, turn=2), *step] * MOST), end]:
        journal.append(fact)
    ending = store.ending(session)
    assert [type(fact) for fact in ending[:2]] == [SessionStarted, StepStarted]
    assert drawn(ending)[1:] == drawn([fact for _, fact in store.read(session)])[-len(drawn(ending)) + 1 :]
    store.close()


async def test_the_ending_shows_first_and_who_reads_in_it_stays_there(places: Places) -> None:
    store = Store.open(places)
    session = fill(store, *(f"prompt {number}" for number in range(200)))
    resumed = read_resumed(parse_options(["--resume", session[:8]]), places)
    assert resumed.id == session
    ready = asyncio.Event()

    class Slow(FakeWorkbench):
        async def prepare(self) -> None:
            await ready.wait()

    prompter = ModalPrompter(typing_pause=0, grace=0)
    past = [fact for _, fact in store.read(session)]
    bench = Slow(lambda: [], prompter=prompter, stored=[store.info(session)], past=past)
    store.close()
    app = ReinApp(bench, prompter=prompter, open_id=session, first_look=resumed.ending, clock=lambda: NOW)
    async with app.run_test(size=(120, 36)) as pilot:
        stage = Stage(app, pilot, bench)
        await pilot.pause()
        assert not bench.opened
        assert "prompt 199" in stage.text()
        app.main.chat.surface.scroll_relative(y=-30)
        await pilot.pause()
        read = app.main.chat.surface.line_at(round(app.main.chat.surface.scroll_y))
        assert read is not None
        ready.set()
        await stage.until(lambda: bench.opened)
        await stage.settled()
        now = app.main.chat.surface.line_at(round(app.main.chat.surface.scroll_y))
        assert now is not None
        assert (now[0].block.source, now[1]) == (read[0].block.source, read[1])
        assert app.main.chat.surface.virtual_size.height > 1000
        app.exit()


def test_flags_name_a_session_or_say_that_there_is_none(
    places: Places, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    store = Store.open(places)
    session = fill(store, "here", cwd=str(tmp_path))
    store.close()
    assert read_resumed(parse_options([]), places).id == ""
    assert read_resumed(parse_options(["--continue"]), places).id == session
    copy = read_resumed(parse_options(["--continue", "--fork-session"]), places)
    assert copy.id not in {"", session}
    assert drawn(copy.ending) == drawn(read_resumed(parse_options(["--resume", session]), places).ending)
    with pytest.raises(StoreError, match="no session"):
        read_resumed(parse_options(["--resume", "nothing"]), places)
