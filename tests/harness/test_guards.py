"""Guards: circles are seen, promises without a call and empty answers get one more chance, nothing else is touched."""

from contextlib import aclosing

import pytest

from rein_tui.harness.protocol.events import Event, Notice, PromptAdded, TurnFinished
from rein_tui.harness.protocol.messages import Message, StopReason, TextBlock, ToolUseBlock
from rein_tui.harness.protocol.models import Completed
from rein_tui.harness.protocol.ports import Prompt
from rein_tui.harness.providers.scripted import ScriptedCall, ScriptedProvider, Step
from rein_tui.harness.turn.guards import END_AFTER, TELL_AFTER, Advice, Guards, is_promise
from tests.fakes.engines import Rig, rig


def said(text: str, stop_reason: StopReason = "end_turn") -> Completed:
    blocks = (TextBlock(text=text),) if text else ()
    return Completed(message=Message(role="assistant", blocks=blocks), stop_reason=stop_reason)


def called(*calls: tuple[str, object]) -> Completed:
    blocks = tuple(ToolUseBlock(id=str(n), name=name, input={"x": value}) for n, (name, value) in enumerate(calls))
    return Completed(message=Message(role="assistant", blocks=blocks), stop_reason="tool_use")


def run(*messages: Completed) -> list[Advice | None]:
    guards, advices = Guards(), list[Advice | None]()
    for message in messages:
        guards, advice = guards.after(message)
        advices.append(advice)
    return advices


def kinds(advices: list[Advice | None]) -> str:
    return "".join("." if advice is None else advice.kind[0] for advice in advices)


def test_the_same_call_three_times_is_told_and_five_times_ends_the_turn() -> None:
    assert (TELL_AFTER, END_AFTER) == (3, 5)
    advices = run(*[called(("Read", 1))] * 6)
    assert kinds(advices) == "..t.ee"
    assert advices[2] is not None
    assert "Read call 3 times" in advices[2].words


def test_going_round_between_known_calls_is_the_same() -> None:
    a, b = called(("Read", 1)), called(("Grep", 2))
    assert kinds(run(a, b, a, b, a, b)) == "...t.e"


def test_something_new_between_is_progress() -> None:
    test = called(("Bash", "pytest"))
    edits = [called(("Edit", n)) for n in range(6)]
    assert kinds(run(*[step for edit in edits for step in (test, edit)])) == "." * 12


def test_the_same_call_with_another_input_or_beside_a_new_one_is_another() -> None:
    assert kinds(run(*[called(("Read", n)) for n in range(6)])) == "......"
    assert kinds(run(*[called(("Read", 1), ("Grep", n)) for n in range(6)])) == "......"


def test_waiting_for_a_task_is_no_circle() -> None:
    assert kinds(run(*[called(("TaskOutput", "t1"))] * 8)) == "." * 8


def test_the_order_of_keys_does_not_matter_and_malformed_calls_count() -> None:
    one = ToolUseBlock(id="1", name="Read", input={"a": 1, "b": 2})
    two = ToolUseBlock(id="2", name="Read", input={"b": 2, "a": 1})
    bad = ToolUseBlock(id="3", name="Read", malformed="{")
    messages = [
        Completed(message=Message(role="assistant", blocks=(call,)), stop_reason="tool_use")
        for call in (one, two, one, bad, bad, bad)
    ]
    assert kinds(run(*messages)) == "..t..t"


def test_an_empty_answer_is_asked_again_once_and_then_told() -> None:
    advices = run(said("  \n"), said(""))
    assert kinds(advices) == "te"
    assert advices[0] is not None
    assert advices[0].code == "empty_answer"


def test_a_promise_is_nudged_once() -> None:
    assert kinds(run(said("I'll now edit the file."), said("I'll now edit the file."))) == "t."


def test_without_tools_or_at_another_end_nothing_is_said() -> None:
    assert Guards().after(said("I'll now edit the file."), offered=False)[1] is None
    assert Guards().after(said("I'll now edit the file.", "max_tokens"))[1] is None
    assert Guards().after(said("", "refusal"))[1] is None


@pytest.mark.parametrize(
    "text",
    [
        "I'll read the file.",
        "Let me check the tests first.",
        "The bug is in a.py.\n\nI will now fix it:",
        "Sure! Now I’ll run the tests…",
        "I am going to search for it.",
        "Okay. Let's look at the config",
    ],
)
def test_promises(text: str) -> None:
    assert is_promise(text)


@pytest.mark.parametrize(
    "text",
    [
        "Done. The tests pass.",
        "Let me know if you need anything else.",
        "Should I edit the file?",
        "I'll change it if you agree.",
        "I will read it once you give me the path.",
        "I read the file. It will run.",
        "You can now run it with `make`.",
        "I would edit a.py, but it is read-only.",
        "I'll explain. " + "The loop asks the model and runs what it calls. " * 15 + "I'll run it.",
    ],
)
def test_no_promises(text: str) -> None:
    assert not is_promise(text)


# --- in the loop --------------------------------------------------------------------------------------------


async def told(rig: Rig) -> list[Event]:
    async with aclosing(rig.session.run(Prompt(text="do it"))) as events:
        return [event async for event in events]


def words_of(events: list[Event]) -> list[str]:
    return [event.message.text for event in events if isinstance(event, PromptAdded) and event.origin == "system"]


def same(name: str) -> Step:
    return Step(calls=(ScriptedCall(name=name, input={"text": "a"}),))


async def test_a_model_that_repeats_itself_is_told_then_stopped() -> None:
    events = await told(rig(ScriptedProvider([same("Read")] * 9)))
    assert len(words_of(events)) == 1
    (notice,) = (event for event in events if isinstance(event, Notice))
    assert notice.code == "repeated_call"
    last = events[-1]
    assert isinstance(last, TurnFinished)
    assert (last.reason, last.steps) == ("repeating", END_AFTER)


async def test_a_model_that_is_told_may_go_on_another_way() -> None:
    events = await told(rig(ScriptedProvider([same("Read"), same("Read"), same("Read"), Step(text="I see. Done.")])))
    last = events[-1]
    assert isinstance(last, TurnFinished)
    assert last.reason == "end_turn"


async def test_a_promise_and_an_empty_answer_get_one_more_request_each() -> None:
    provider = ScriptedProvider([Step(text="I'll now read the file."), Step(text=""), same("Read"), Step(text="Done.")])
    events = await told(rig(provider))
    assert len(words_of(events)) == 2
    assert len(provider.requests) == 4
    assert isinstance(events[-1], TurnFinished)
