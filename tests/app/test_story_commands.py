"""/cost, /todos, /memory and /diff: folds over a session's story."""

from rein_tui.commands import builtin_commands
from rein_tui.commands.story import changed_rows, cost_rows, memory_rows, todo_rows
from rein_tui.harness.protocol.displays import Todo
from rein_tui.harness.protocol.events import (
    BackgroundFinished,
    BackgroundStarted,
    Fact,
    FileChanged,
    MessageFinished,
    PromptAdded,
    TodosChanged,
    TurnFinished,
    TurnInterrupted,
)
from rein_tui.harness.protocol.messages import Message, TextBlock, Usage
from rein_tui.harness.providers.prices import AS_OF


def answered(usage: Usage, parent: str = "") -> MessageFinished:
    message = Message(role="assistant", blocks=())
    return MessageFinished(step=1, message=message, stop_reason="end_turn", usage=usage, parent=parent)


STORY: list[Fact] = [
    PromptAdded(message=Message(role="user", blocks=(TextBlock(text="be brief"),)), origin="memory", source="/w/C.md"),
    TodosChanged(todos=(Todo(content="old", status="pending"),)),
    TodosChanged(todos=(Todo(content="look", status="completed"), Todo(content="mend", status="in_progress"))),
    BackgroundStarted(task_id="b1", title="npm run dev"),
    BackgroundStarted(task_id="b2", title="sleep 9"),
    BackgroundFinished(task_id="b2", exit_code=0),
    FileChanged(call_id="1", path="/w/a.py", added=3, removed=1),
    FileChanged(call_id="2", path="/w/a.py", added=1),
    answered(Usage(input_tokens=600, output_tokens=50, cost_usd=0.25)),
    answered(Usage(input_tokens=400, cost_usd=0.25), parent="call_1"),
    TurnFinished(usage=Usage(input_tokens=1000, output_tokens=50, cost_usd=0.5), steps=1, duration=3.0),
    answered(Usage(input_tokens=200, cache_read_tokens=900)),
    TurnInterrupted(usage=Usage(input_tokens=200, cache_read_tokens=900), steps=1, duration=1.0),
]


def test_what_the_story_says() -> None:
    cost = dict(cost_rows(STORY))
    assert (cost["input"], cost["from cache"], cost["requests"]) == ("1.2k tokens", "900 tokens", "3")
    assert "0.5" in cost["cost"]
    assert cost["subagents"] == "400 tokens in 1 of these requests, $0.25"
    assert todo_rows(STORY) == [("✓", "look"), ("▸", "mend")]
    assert memory_rows(STORY) == [("8 chars", "/w/C.md")]
    assert changed_rows(STORY) == [("+4 −1", "/w/a.py")]


def test_an_empty_story_says_nothing() -> None:
    assert dict(cost_rows([]))["cost"] == "no price is known for this model"
    assert (todo_rows([]), memory_rows([]), changed_rows([])) == ([], [], [])


def test_a_sum_says_what_it_leaves_out_and_how_old_its_prices_are() -> None:
    told = Message(role="assistant", blocks=())
    used = Usage(input_tokens=9)
    local = MessageFinished(step=1, message=told, stop_reason="end_turn", model="qwen:7b", usage=used)
    cost = dict(cost_rows([*STORY, local]))
    assert cost["cost"] == "$0.50, without qwen:7b: no price is known"
    assert AS_OF in cost["prices"]


def test_no_name_is_taken_twice() -> None:
    names = [name for command in builtin_commands() for name in (command.name, *command.aliases)]
    assert len(names) == len(set(names))
