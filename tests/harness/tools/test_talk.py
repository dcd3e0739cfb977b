"""TodoWrite, AskUserQuestion and the plan tools."""

import pytest

from rein_tui.harness.protocol.decisions import QuestionReply
from rein_tui.harness.protocol.displays import TextDisplay, TodoDisplay
from rein_tui.harness.protocol.events import ModeChanged, QuestionAnswered, QuestionAsked, TodosChanged
from rein_tui.harness.protocol.tools import InvalidInput

from .conftest import Bench, text_of

TODOS = [
    {"content": "a", "status": "completed", "activeForm": "doing a"},
    {"content": "b", "status": "in_progress", "activeForm": ""},
]
QUESTIONS = [
    {"question": "Which?", "header": "DB", "options": [{"label": "one"}, {"label": "two"}], "multiSelect": True}
]


async def test_todos(bench: Bench) -> None:
    first = await bench.call("TodoWrite", todos=TODOS)
    second = await bench.call("TodoWrite", todos=[])
    assert first.response is not None
    assert second.response is not None
    assert first.response == {"oldTodos": [], "newTodos": TODOS}
    assert second.response["oldTodos"] == TODOS
    assert isinstance(first.display, TodoDisplay)
    assert [len(event.todos) for event in bench.told(TodosChanged)] == [2, 0]
    assert bench.tool("TodoWrite").summarize(bench.tool("TodoWrite").parse({"todos": TODOS})) == "TodoWrite 1 of 2 done"


def test_a_bad_todo_is_named(bench: Bench) -> None:
    with pytest.raises(InvalidInput, match=r'missing required field "status" in todos\[0\]'):
        bench.tool("TodoWrite").parse({"todos": [{"content": "a"}]})
    with pytest.raises(InvalidInput, match=r"todos\[\.\.\.\]\.status|todos\[0\]\.status"):
        bench.tool("TodoWrite").parse({"todos": [{"content": "a", "status": "soon"}]})


async def test_a_question_is_answered(bench: Bench) -> None:
    bench.person.reply = QuestionReply(answers={"Which?": "two"})
    result = await bench.call("AskUserQuestion", questions=QUESTIONS)
    assert not result.is_error
    assert '"Which?"="two"' in text_of(result)
    assert result.response is not None
    assert result.response["answers"] == {"Which?": "two"}
    (request,) = bench.person.asked
    assert request.questions[0].multi_select
    assert [o.label for o in request.questions[0].options] == ["one", "two"]
    assert [type(event) for event in bench.events] == [QuestionAsked, QuestionAnswered]
    assert bench.tool("AskUserQuestion").requires_person


async def test_no_answer(bench: Bench) -> None:
    result = await bench.call("AskUserQuestion", questions=QUESTIONS)
    assert result.is_error
    assert bench.told(QuestionAnswered)[0].reply.cancelled


async def test_nobody_there(bench: Bench) -> None:
    tool = bench.tool("AskUserQuestion")
    result = await tool.run(tool.parse({"questions": QUESTIONS}), bench.context(interactive=False))
    assert "Nobody is there" in text_of(result)
    assert bench.events == []


async def test_a_hook_answers_for_the_person(bench: Bench) -> None:
    result = await bench.call("AskUserQuestion", questions=QUESTIONS, answers={"Which?": "one"})
    assert '"Which?"="one"' in text_of(result)
    assert bench.person.asked == []


def test_a_question_is_needed(bench: Bench) -> None:
    with pytest.raises(InvalidInput, match="empty"):
        bench.tool("AskUserQuestion").parse({"questions": []})


async def test_planning_and_back(bench: Bench) -> None:
    modes = bench.parts.modes
    assert modes is not None
    await bench.call("EnterPlanMode")
    await bench.call("EnterPlanMode")
    assert modes.mode == "plan"
    tool = bench.tool("ExitPlanMode")
    assert tool.requires_person
    value = tool.parse({"plan": "# do it"})
    assert await tool.preview(value, bench.context()) == TextDisplay(text="# do it", markdown=True)
    assert not (await tool.run(value, bench.context())).is_error
    assert modes.mode == "acceptEdits"
    assert [event.mode for event in bench.told(ModeChanged)] == ["plan", "acceptEdits"]
    assert (await bench.call("ExitPlanMode", plan="again")).is_error
