"""A prompt that is paid for again is told with its price, once a cause; what costs nothing is not."""

from collections.abc import Sequence

import pytest

from rein_tui.harness.protocol.events import (
    ContextPrepared,
    Event,
    Fact,
    MessageFinished,
    Notice,
    SourceSwitched,
    StepStarted,
)
from rein_tui.harness.protocol.messages import Message, TextBlock, Usage
from rein_tui.harness.protocol.ports import Prompt
from rein_tui.harness.providers.scripted import ScriptedProvider, Step
from tests.fakes.engines import Rig, rig

NOW = 1_000_000.0
WARM = Usage(input_tokens=10, output_tokens=90, cache_read_tokens=80_000, cache_write_tokens=3_900)
COLD = Usage(input_tokens=10, output_tokens=90, cache_write_tokens=84_000)


class Priced(ScriptedProvider):
    """Claude's side of the matter: prompts are kept, and cost."""

    def prompt_cost(self, model: str, tokens: int) -> tuple[float, float] | None:
        return (tokens * 4e-6, tokens * 4e-7) if model == "scripted" else None


def answered(ago: float, usage: Usage = WARM, model: str = "scripted") -> list[Fact]:
    message = Message(role="assistant", blocks=(TextBlock(text="x"),))
    done = MessageFinished(step=1, message=message, stop_reason="end_turn", usage=usage, time=NOW - ago)
    return [StepStarted(step=1, model=model, turn=1), done]


async def told(past: Sequence[Fact], *usages: Usage, provider: type[ScriptedProvider] = Priced) -> list[str]:
    stage = rig(provider([Step(text="y", usage=usage) for usage in usages]), past=past)
    stage.around.now = lambda: NOW
    events = [event for _ in usages for event in await one_turn(stage)]
    return [event.text for event in events if isinstance(event, Notice) and event.code == "cache_missed"]


async def one_turn(stage: Rig) -> list[Event]:
    return [event async for event in stage.session.run(Prompt(text="go"))]


async def test_a_cold_cache_is_told_before_the_turn_with_its_price_and_once() -> None:
    words = "The prompt cache is cold after 12 min: 84k tokens are sent anew for about $0.34 instead of $0.03."
    assert await told(answered(720), COLD, WARM) == [words]


async def test_a_warm_one_is_not_told() -> None:
    assert await told(answered(200), WARM, WARM) == []


async def test_what_the_server_lost_is_told_after_the_step() -> None:
    words = "The prompt cache was missed: the server no longer had what it should keep: 84k tokens"
    assert [text.partition(" were")[0] for text in await told(answered(10), WARM, COLD)] == [words]


async def test_another_model_starts_with_nothing() -> None:
    texts = await told(answered(10, model="opus"), COLD)
    assert texts == [
        "scripted has not seen this conversation: 84k tokens are sent anew for about $0.34 instead of $0.03."
    ]


@pytest.mark.parametrize(
    ("past", "provider"),
    [
        (answered(720), ScriptedProvider),
        (answered(720, Usage(input_tokens=84_000)), Priced),
        (answered(720, Usage(cache_read_tokens=3_000)), Priced),
        ([], Priced),
    ],
    ids=["local", "not cached", "little", "fresh"],
)
async def test_what_costs_nothing_is_not_told(past: Sequence[Fact], provider: type[ScriptedProvider]) -> None:
    assert await told(past, COLD, provider=provider) == []


async def test_changed_instructions_are_named() -> None:
    past = [ContextPrepared(system="Other.", turn=1), *answered(10)]
    texts = await told(past, COLD)
    assert [text.partition(": 84k")[0] for text in texts] == [
        "The prompt cache was missed: instructions or tools changed"
    ]


async def test_a_source_that_was_switched_is_the_reason_and_told_before() -> None:
    switched = SourceSwitched(kind="tool", name="Glob", on=False, time=NOW - 5)
    (text,) = await told([*answered(10), switched], COLD)
    assert text.startswith("What fills the window was switched, so the prompt cache no longer fits: 84k tokens are")
