"""Going back: rewind to a turn (conversation, code, both) and compact. What cannot be undone is said before."""

from typing import TYPE_CHECKING

from rein_tui.harness.protocol.events import Notice, Rewound, TurnStarted
from rein_tui.harness.protocol.rewind import RewindPlan

from .registry import Command

if TYPE_CHECKING:
    from rein_tui.app import ReinApp
    from rein_tui.widgets.picker import Item


async def _rewind(app: "ReinApp", _: str) -> None:
    from rein_tui.widgets.picker import Item, Picker

    turns = app.desk.current
    if turns is None:
        return
    prompts = _prompts(app)
    if not prompts:
        app.hint("nothing to go back to")
        return
    items = [Item(str(n), " ".join(text.split()), _files(turns.harness.rewind_plan(n - 1))) for n, text in prompts]
    chosen = await app.ask(Picker("Go back to before …", items[::-1]))
    if chosen is None:
        return
    turn = int(chosen)
    plan = turns.harness.rewind_plan(turn - 1)
    what = await app.ask(Picker(_warning(plan), _ways(plan)))
    if what == "summarise":
        await _compact(app, "")
    elif what:
        conversation, code = what in ("both", "conversation"), what in ("both", "code")
        restored = await turns.harness.rewind(turn - 1, conversation=conversation, code=code)
        app.main.load(turns.harness.history())
        app.desk.refresh()
        if conversation:
            app.main.composer.text = dict(prompts)[turn]
        for path, reason in restored.left:
            await app.tell(Notice(text=f"{path} was left alone: {reason}", level="warning"))


def _prompts(app: "ReinApp") -> list[tuple[int, str]]:
    """The prompts that still count, by turn."""
    prompts: dict[int, str] = {}
    for fact in app.desk.history():
        if isinstance(fact, TurnStarted) and not fact.parent:
            prompts[fact.turn] = fact.text
        elif isinstance(fact, Rewound) and fact.conversation:
            prompts = {turn: text for turn, text in prompts.items() if turn <= fact.to_turn}
    return sorted(prompts.items())


def _files(plan: RewindPlan) -> str:
    if not plan.steps:
        return ""
    names = ", ".join(step.path.rpartition("/")[2] for step in plan.steps[:3])
    return f"{len(plan.steps)} file{'s' if len(plan.steps) > 1 else ''}: {names}"


def _warning(plan: RewindPlan) -> str:
    if not plan.commands:
        return "What should go back?"
    shown = "; ".join(plan.commands[:3]) + ("; …" if len(plan.commands) > 3 else "")
    return f"What should go back? Not undone: {shown}"


def _ways(plan: RewindPlan) -> "list[Item]":
    from rein_tui.widgets.picker import Item

    ways = [Item("conversation", "conversation", "files stay as they are")]
    if plan.clear:
        ways.insert(0, Item("both", "conversation and code", _files(plan)))
        ways.append(Item("code", "code", "the conversation stays"))
    return [*ways, Item("summarise", "neither: summarise instead", "makes room, loses nothing on disk")]


async def _compact(app: "ReinApp", argument: str) -> None:
    turns = app.desk.current
    if turns is not None and not turns.compact(argument):
        app.hint("not while a turn runs")


COMMANDS = (
    Command(
        "rewind", "Go back to an earlier turn: conversation, code or both", _rewind, aliases=("undo", "checkpoint")
    ),
    Command("compact", "Summarise the conversation to make room", _compact, argument="[focus]"),
)
