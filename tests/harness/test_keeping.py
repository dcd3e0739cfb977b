"""A call that cannot be stored does not run, unless the person says so; asked once for each time the disk fails."""

from contextlib import aclosing

from rein_tui.harness.protocol.events import Event, QuestionAnswered, QuestionAsked, ToolCallFinished, TurnFinished
from rein_tui.harness.protocol.ports import Prompt
from rein_tui.harness.protocol.tools import ToolContext
from rein_tui.harness.providers.scripted import ScriptedCall, ScriptedProvider, Step
from rein_tui.harness.wiring.keeping import GO_ON, STOP, Keeping
from tests.fakes.engines import Rig, ScriptedPerson, TestTool, echo, kinds, rig
from tests.laws import check_turn


def keeping_rig(*turns: list[str], person: ScriptedPerson | None = None, interactive: bool = True) -> Rig:
    """A session whose model makes these calls, one list a turn, over a disk that is full."""
    steps: list[Step] = []
    for number, calls in enumerate(turns):
        steps.append(Step(calls=tuple(ScriptedCall(name="Write", input={"text": text}, id=text) for text in calls)))
        steps.append(Step(text=f"answer {number}"))
    made = rig(
        ScriptedProvider(steps), TestTool("Write", echo, read_only=False), person=person, interactive=interactive
    )
    made.parts.keep = Keeping(lambda: made.journal.problem).demand
    made.journal.problem = "The disk is full."
    return made


async def told(made: Rig) -> list[Event]:
    async with aclosing(made.session.run(Prompt(text="go"))) as events:
        story = [event async for event in events]
    check_turn([event for event in story if event.turn])
    return story


def outcomes(events: list[Event]) -> list[str]:
    return [event.outcome for event in events if isinstance(event, ToolCallFinished)]


async def test_a_disk_that_takes_all_is_never_asked_about() -> None:
    made = keeping_rig(["a"])
    made.journal.problem = ""
    assert outcomes(await told(made)) == ["ok"]
    assert not made.person.questions


async def test_the_person_is_asked_once_until_the_disk_works_again() -> None:
    made = keeping_rig(["a", "b"], ["c"], ["d"], ["e"], person=ScriptedPerson(says=GO_ON.label))
    first = await told(made)
    assert outcomes(first) == ["ok", "ok"]
    assert [k for k in kinds(first) if k in {"QuestionAsked", "QuestionAnswered"}] == [
        "QuestionAsked",
        "QuestionAnswered",
    ]
    assert outcomes(await told(made)) == ["ok"]
    assert len(made.person.questions) == 1
    made.journal.problem = ""
    assert outcomes(await told(made)) == ["ok"]
    made.journal.problem = "The disk is full."
    assert outcomes(await told(made)) == ["ok"]
    assert len(made.person.questions) == 2


async def test_a_no_ends_the_turn_and_the_next_one_asks_again() -> None:
    made = keeping_rig(["a", "b"], ["c"], person=ScriptedPerson(says=STOP.label))
    story = await told(made)
    assert outcomes(story) == ["denied", "denied"]
    end = story[-1]
    assert isinstance(end, TurnFinished)
    assert (end.reason, "The disk is full." in end.detail) == ("denied", True)
    story = await told(made)
    assert outcomes(story) == []  # the model answers in words
    assert outcomes(await told(made)) == ["denied"]
    assert len(made.person.questions) == 2


async def test_where_nobody_answers_nothing_runs() -> None:
    made = keeping_rig(["a"], interactive=False)
    story = await told(made)
    assert outcomes(story) == ["denied"]
    assert not made.person.questions
    end = story[-1]
    assert isinstance(end, TurnFinished)
    assert end.reason == "denied"
    assert "--no-session-persistence" in end.detail


async def test_calls_side_by_side_share_one_question() -> None:
    async def read(text: str, context: ToolContext) -> str:
        return text

    calls = tuple(ScriptedCall(name="Read", input={"text": text}, id=text) for text in "abc")
    provider = ScriptedProvider([Step(calls=calls), Step(text="done")])
    made = rig(provider, TestTool("Read", read), person=ScriptedPerson(says=GO_ON.label))
    made.parts.keep = Keeping(lambda: made.journal.problem).demand
    made.journal.problem = "The disk is full."
    story = await told(made)
    assert outcomes(story) == ["ok", "ok", "ok"]
    assert sum(isinstance(event, QuestionAsked | QuestionAnswered) for event in story) == 2
