"""Titles from the model: once, at rest, and never over one that a person or a hook gave."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import pytest

from rein_tui.harness.context.titles import clean_title
from rein_tui.harness.protocol.errors import ProviderError
from rein_tui.harness.protocol.events import (
    Fact,
    PromptAdded,
    TitleChanged,
    TurnFinished,
    TurnInterrupted,
    TurnStarted,
)
from rein_tui.harness.protocol.messages import Message, TextBlock
from rein_tui.harness.turn.titles import Titler


class Desk:
    """A titler over a model that answers, and what came of it."""

    def __init__(
        self,
        answer: Callable[[str], Awaitable[str]] | None = None,
        past: Sequence[Fact] = (),
        is_wanted: Callable[[], bool] = lambda: True,
    ) -> None:
        self.asked: list[str] = []
        self.titles: list[str] = []
        self._answer = answer
        self.titler = Titler(self._ask, self.titles.append, is_wanted=is_wanted, past=past, idle=0.0)

    async def _ask(self, prompt: str) -> str:
        self.asked.append(prompt)
        return await self._answer(prompt) if self._answer is not None else 'Title: "Fix the login timeout."'

    def turn(self, text: str = "please fix the login", end: Fact | None = None) -> None:
        for fact in (
            TurnStarted(text=text),
            TitleChanged(title=text, by="first_words"),
            PromptAdded(message=Message(role="user", blocks=(TextBlock(text=text),))),
            end or TurnFinished(),
        ):
            self.titler.note(fact)

    async def settled(self) -> None:
        for _ in range(5):
            await asyncio.sleep(0)


async def test_asked_once_after_the_first_turn() -> None:
    desk = Desk()
    desk.turn()
    await desk.settled()
    desk.turn("and then?")
    await desk.settled()
    assert desk.titles == ["Fix the login timeout"]
    assert len(desk.asked) == 1
    assert "please fix the login" in desk.asked[0]


@pytest.mark.parametrize("given", [TitleChanged(title="Mine", by="person"), TitleChanged(title="Mine", by="hook")])
async def test_a_title_that_was_given_stands(given: TitleChanged) -> None:
    early = Desk()
    early.titler.note(given)
    early.turn()
    await early.settled()
    assert early.asked == []

    async def given_meanwhile(_: str) -> str:
        late.titler.note(given)
        return "From the model"

    late = Desk(given_meanwhile)
    late.turn()
    await late.settled()
    assert (len(late.asked), late.titles) == (1, [])


async def test_who_goes_on_is_not_in_the_way_of_a_title() -> None:
    desk = Desk()
    desk.turn()
    desk.titler.note(TurnStarted(text="at once"))
    await desk.settled()
    assert desk.asked == []
    desk.titler.note(TurnFinished())
    await desk.settled()
    assert desk.titles == ["Fix the login timeout"]


async def test_not_after_a_turn_that_was_stopped_nor_where_it_is_not_wanted_nor_for_an_old_session() -> None:
    stopped, unwanted = Desk(), Desk(is_wanted=lambda: False)
    old = Desk(past=[TurnStarted(text="before")])
    stopped.turn(end=TurnInterrupted())
    for desk in (unwanted, old):
        desk.turn()
    for desk in (stopped, unwanted, old):
        await desk.settled()
        assert desk.asked == []


async def test_a_model_that_fails_or_is_slow_changes_nothing() -> None:
    async def fails(_: str) -> str:
        raise ProviderError("no", kind="server")

    async def hangs(_: str) -> str:
        await asyncio.Event().wait()
        return ""

    for answer in (fails, hangs):
        desk = Desk(answer)
        desk.turn()
        await desk.settled()
        await desk.titler.close()
        assert (len(desk.asked), desk.titles) == (1, [])


def test_whatever_a_model_answers_becomes_a_line() -> None:
    assert clean_title("<think>hm</think>\n**Fix it**\n\nbecause") == "Fix it"
    assert clean_title("…") == ""
