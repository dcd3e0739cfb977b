"""What a compaction leaves in the conversation besides the summary, and what a rewind takes from that."""

from rein_tui.harness.context.surviving import Survivors
from rein_tui.harness.protocol.displays import TextDisplay, Todo
from rein_tui.harness.protocol.events import (
    Fact,
    FileChanged,
    PromptAdded,
    Rewound,
    TodosChanged,
    ToolCallFinished,
    ToolCallStarted,
)
from rein_tui.harness.protocol.messages import Message, TextBlock

SKILLS = {"review", "deploy", "big"}


def called(turn: int, name: str, given: dict[str, str], content: str = "ok", shown: str = "") -> list[Fact]:
    call_id = f"{name}{turn}{given}"
    display = TextDisplay(text=shown or content)
    done = ToolCallFinished(turn=turn, call_id=call_id, name=name, outcome="ok", content=content, display=display)
    return [ToolCallStarted(turn=turn, call_id=call_id, name=name, input=given), done]


def skill(turn: int, name: str, content: str, shown: str = "") -> list[Fact]:
    return called(turn, "Skill", {"skill": name}, content, shown)


def told(facts: list[Fact], window: int = 200_000) -> dict[str, str]:
    survivors = Survivors(SKILLS.__contains__)
    for fact in facts:
        survivors.note(fact)
    return dict(survivors.texts(window))


def test_todos_plan_files_and_skills_survive() -> None:
    todos = (Todo(content="write", status="completed"), Todo(content="test", status="in_progress"))
    typed = Message(role="user", blocks=(TextBlock(text="<command-name>"), TextBlock(text="Deploy with care.")))
    story: list[Fact] = [
        *called(1, "Read", {"file_path": "/p/a.py"}),
        *called(1, "ExitPlanMode", {"plan": "1. do it"}),
        TodosChanged(turn=1, todos=todos),
        *skill(1, "review", "Base folder: /s\n\nReview all.", "Review all."),
        *skill(2, "review", "The skill review is already in this conversation.", "Review all."),
        *skill(2, "a-command", "no skill"),
        PromptAdded(turn=2, message=typed, source="deploy"),
        FileChanged(turn=2, call_id="c", path="/p/b.py"),
    ]
    found = told(story)
    assert list(found) == ["plan", "to-do list", "files", "skill deploy", "skill review"]
    assert found["plan"].endswith("1. do it")
    assert "- [in_progress] test" in found["to-do list"]
    assert found["files"].splitlines()[1:] == ["/p/b.py", "/p/a.py"]
    assert "Deploy with care." in found["skill deploy"]
    assert found["skill review"].endswith("Base folder: /s\n\nReview all.")
    assert list(told([*story, Rewound(turn=3, to_turn=1)])) == ["plan", "to-do list", "files"]
    assert told([*story, Rewound(turn=3, to_turn=0)]) == {}


def test_what_is_done_is_not_told_and_skills_keep_within_a_share_of_the_window() -> None:
    done = TodosChanged(turn=1, todos=(Todo(content="write", status="completed"),))
    story: list[Fact] = [done, *skill(1, "review", "r" * 9000), *skill(1, "big", "b" * 90_000)]
    assert set(told(story)) == {"skill review", "skill big"}
    assert len(told(story)["skill big"]) < 5000 * 3.6 + 200
    small = told(story, window=8000)
    assert list(small) == ["skill big"]
    assert len(small["skill big"]) < 800 * 3.6 + 200


def test_a_call_that_failed_or_of_a_subagent_leaves_nothing() -> None:
    start, end = called(1, "ExitPlanMode", {"plan": "no"})
    assert isinstance(end, ToolCallFinished)
    assert told([start, ToolCallFinished(turn=1, call_id=end.call_id, name="ExitPlanMode", outcome="denied")]) == {}
    inner = ToolCallStarted(turn=1, parent="a", call_id="x", name="Read", input={"file_path": "/p/x"})
    assert told([inner, ToolCallFinished(turn=1, parent="a", call_id="x", name="Read", outcome="ok")]) == {}
