"""Commands that read the story so far: /cost, /todos, /diff. Folds over facts; they change nothing."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from rein_tui.harness.protocol.events import (
    Fact,
    FileChanged,
    MessageFinished,
    PromptAdded,
    SideAnswered,
    TodosChanged,
    TurnFailed,
    TurnFinished,
    TurnInterrupted,
)
from rein_tui.harness.protocol.messages import TextBlock, Usage
from rein_tui.widgets.figures import short_cost, short_count, short_duration

from .registry import Command

if TYPE_CHECKING:
    from rein_tui.app import ReinApp

_BESIDE = {
    "title": "titles",
    "summary": "compaction",
    "page": "web pages",
    "hook": "hooks",
    "server": "MCP servers",
    "aside": "asides",
    "": "beside",
}
_MARKS = {"pending": "☐", "in_progress": "▸", "completed": "✓"}
"""As in the chat."""


def cost_rows(facts: Sequence[Fact]) -> list[tuple[str, str]]:
    """What the session used, and what of it its subagents did."""
    answers = [fact for fact in facts if isinstance(fact, MessageFinished)]
    ends = [fact for fact in facts if isinstance(fact, TurnFinished | TurnInterrupted | TurnFailed) and not fact.parent]
    beside = [fact for fact in facts if isinstance(fact, SideAnswered)]
    used = sum((fact.usage for fact in [*answers, *beside]), Usage())
    rows = [
        *_money(used.cost_usd, _unpriced(facts)),
        ("input", f"{short_count(used.input_tokens)} tokens"),
        ("from cache", f"{short_count(used.cache_read_tokens)} tokens"),
        ("into cache", f"{short_count(used.cache_write_tokens)} tokens"),
        ("output", f"{short_count(used.output_tokens)} tokens"),
        ("requests", str(len(answers) + len(beside))),
        ("time", short_duration(sum(fact.duration for fact in ends))),
    ]
    rows += _shares([("subagents", fact.usage) for fact in answers if fact.parent])
    return rows + _shares([(_BESIDE[fact.purpose], fact.usage) for fact in beside])


def _shares(requests: Sequence[tuple[str, Usage]]) -> list[tuple[str, str]]:
    """What each kind of these requests used of it all."""
    rows: list[tuple[str, str]] = []
    for kind in dict.fromkeys(kind for kind, _ in requests):
        all_used = [usage for each, usage in requests if each == kind]
        used = sum(all_used, Usage())
        cost = f", {short_cost(used.cost_usd)}" if used.cost_usd is not None else ""
        tokens = short_count(used.context_tokens)
        rows.append((kind, f"{tokens} tokens in {len(all_used)} of these requests{cost}"))
    return rows


def _money(cost: float | None, unpriced: list[str]) -> list[tuple[str, str]]:
    """The sum, what it leaves out, and how old the prices are."""
    from rein_tui.harness.providers.prices import AS_OF

    if cost is None:
        return [("cost", "no price is known for this model")]
    without = f", without {', '.join(unpriced)}: no price is known" if unpriced else ""
    return [("cost", short_cost(cost) + without), ("prices", f"as of {AS_OF}; `prices` in your settings go first")]


def _unpriced(story: Iterable[Fact]) -> list[str]:
    """Models that answered and whose price is not known."""
    answers = [fact for fact in story if isinstance(fact, MessageFinished | SideAnswered) and fact.usage.context_tokens]
    return list(dict.fromkeys(fact.model for fact in answers if fact.usage.cost_usd is None and fact.model))


def todo_rows(facts: Sequence[Fact]) -> list[tuple[str, str]]:
    """The model's list as it stands."""
    last = next((fact for fact in reversed(facts) if isinstance(fact, TodosChanged)), None)
    return [(_MARKS[todo.status], todo.content) for todo in last.todos] if last is not None else []


def memory_rows(facts: Iterable[Fact]) -> list[tuple[str, str]]:
    """The memory files that the model was given, with their size as told last."""
    added = [fact for fact in facts if isinstance(fact, PromptAdded) and fact.origin == "memory" and not fact.parent]
    told = {fact.source: f"{short_count(_length(fact))} chars" for fact in added}
    return [(size, path) for path, size in told.items()]


def _length(fact: PromptAdded) -> int:
    return sum(len(block.text) for block in fact.message.blocks if isinstance(block, TextBlock))


def changed_rows(facts: Iterable[Fact]) -> list[tuple[str, str]]:
    """The files that the session changed, in order, with lines added and removed in all."""
    lines: dict[str, tuple[int, int]] = {}
    for fact in facts:
        if isinstance(fact, FileChanged):
            added, removed = lines.get(fact.path, (0, 0))
            lines[fact.path] = (added + fact.added, removed + fact.removed)
    return [(f"+{added} −{removed}", path) for path, (added, removed) in lines.items()]


async def show_rows(app: "ReinApp", title: str, rows: list[tuple[str, str]], nothing: str, width: int = 12) -> None:
    """A sheet of them, or what to say without any."""
    from textual.content import Content

    from rein_tui.widgets.sheet import Sheet, table

    await app.ask(Sheet(title, table(rows, width=width) if rows else Content(nothing)))


async def _cost(app: "ReinApp", _: str) -> None:
    await show_rows(app, "Cost of this session", cost_rows(app.desk.history()), "")


async def _todos(app: "ReinApp", _: str) -> None:
    await show_rows(app, "To do", todo_rows(app.desk.history()), "the model keeps no list", width=1)


async def _changed(app: "ReinApp", _: str) -> None:
    from rein_tui.widgets.nearby import nearby

    folder = app.desk.current.harness.info.cwd if app.desk.current is not None else ""
    rows = [(lines, nearby(path, folder)) for lines, path in changed_rows(app.desk.history())]
    await show_rows(app, "Files changed", rows, "nothing was changed")


COMMANDS = (
    Command("cost", "Tokens, money and time of this session", _cost, aliases=("usage", "stats"), family="help"),
    Command("todos", "The model's to-do list", _todos, family="help"),
    Command("diff", "The files that this session changed", _changed, family="help"),
)
