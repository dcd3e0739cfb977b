"""Going back: rewind to a turn (conversation, code, both) and compact. What cannot be undone is said before."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from rein_tui.harness.protocol.events import Fact, FileChanged, Notice, Rewound, TurnStarted
from rein_tui.harness.protocol.ports import Harness
from rein_tui.harness.protocol.rewind import RewindPlan

from .registry import Command

if TYPE_CHECKING:
    from textual.content import Content

    from rein_tui.app import ReinApp
    from rein_tui.widgets.picker import Item

_MOST_SHOWN = 5
_VERBS = {"restore": "put back", "remove": "remove  "}
_OBSTACLES = {
    "": "",
    "changed_since": "changed since by somebody else",
    "not_kept": "cannot: what it held was not kept",
    "unreadable": "cannot: it cannot be read now",
}


async def _rewind(app: "ReinApp", _: str) -> None:
    from rein_tui.widgets.picker import Item, Picker

    turns = app.desk.current
    if turns is None:
        return
    prompts = prompts_of(app.desk.history())
    if not prompts:
        app.hint("nothing to go back to")
        return
    items = [Item(str(n), " ".join(text.split()), files) for n, text, files in _rows(app, prompts)]
    chosen = await app.ask(Picker("Go back to before …", items[::-1]))
    if chosen is None:
        return
    turn = int(chosen)
    plan = turns.harness.rewind_plan(turn - 1)
    folder = turns.harness.info.cwd
    what = await app.ask(Picker("What should go back?", _ways(plan), above=_consequences(plan, folder)))
    if what == "summarise":
        if not turns.compact("", from_turn=turn):
            app.hint("not while a turn runs")
    elif what:
        await _go_back(app, turns.harness, plan, what)
        if what in ("both", "conversation"):
            app.main.composer.text = dict(prompts)[turn]


async def _go_back(app: "ReinApp", harness: Harness, plan: RewindPlan, what: str) -> None:
    conversation, code = what in ("both", "conversation"), what in ("both", "code")
    also = await _asked_about(app, plan) if code else frozenset[str]()
    if also is None:
        return
    restored = await harness.rewind(plan.to_turn, conversation=conversation, code=code, also=also)
    app.desk.refresh()
    for path, reason in restored.left:
        await app.tell(Notice(text=f"{path} was left alone: {reason}", level="warning"))


async def _asked_about(app: "ReinApp", plan: RewindPlan) -> frozenset[str] | None:
    """The files that others changed since and that are to go back all the same; None: nothing at all is to go back."""
    from rein_tui.widgets.picker import Item, Picker

    changed = [step.path for step in plan.steps if step.obstacle == "changed_since"]
    if not changed:
        return frozenset()
    names = ", ".join(path.rpartition("/")[2] for path in changed[:3]) + (", …" if len(changed) > 3 else "")
    answer = await app.ask(
        Picker(
            f"Changed since by somebody else: {names}",
            [
                Item("keep", "leave them alone", "the other files go back"),
                Item("all", "put them back too", "what they hold now is kept aside"),
            ],
        )
    )
    return None if answer is None else frozenset(changed) if answer == "all" else frozenset()


def prompts_of(facts: Iterable[Fact]) -> list[tuple[int, str]]:
    """The prompts that still count, by turn."""
    prompts: dict[int, str] = {}
    for fact in facts:
        if isinstance(fact, TurnStarted) and not fact.parent:
            prompts[fact.turn] = fact.text
        elif isinstance(fact, Rewound) and fact.conversation:
            prompts = {turn: text for turn, text in prompts.items() if turn <= fact.to_turn}
    return sorted(prompts.items())


def _rows(app: "ReinApp", prompts: list[tuple[int, str]]) -> list[tuple[int, str, str]]:
    """Turn, prompt and the files that the turn changed."""
    changed: dict[int, dict[str, tuple[int, int]]] = {}
    for fact in app.desk.history():
        if isinstance(fact, FileChanged):
            files = changed.setdefault(fact.turn, {})
            added, removed = files.get(fact.path, (0, 0))
            files[fact.path] = (added + fact.added, removed + fact.removed)
    return [(turn, text, _changes(changed.get(turn, {}))) for turn, text in prompts]


def _changes(files: dict[str, tuple[int, int]]) -> str:
    if not files:
        return ""
    added, removed = (sum(column) for column in zip(*files.values(), strict=True))
    return f"{_names(list(files))} +{added} −{removed}"


def _names(paths: Sequence[str]) -> str:
    names = ", ".join(path.rpartition("/")[2] for path in paths[:3])
    return f"{len(paths)} file{'s' if len(paths) > 1 else ''}: {names}{', …' if len(paths) > 3 else ''}"


def _files(plan: RewindPlan) -> str:
    return _names([step.path for step in plan.steps]) if plan.steps else ""


def _consequences(plan: RewindPlan, folder: str) -> "Content | None":
    """What would become of each file, and the commands whose effects stay."""
    from textual.content import Content

    from rein_tui.widgets.nearby import nearby
    from rein_tui.widgets.safe import safe_text

    files = [
        (f"  {_VERBS[step.verb]} {safe_text(nearby(step.path, folder), 'path')}", _OBSTACLES[step.obstacle])
        for step in plan.steps
    ]
    commands = [(f"  $ {safe_text(' '.join(command.split()), 'label')}", "") for command in plan.commands]
    parts = [*_listed("Files", files), *_listed("Not undone, what these commands did", commands)]
    return Content("\n").join(parts) if parts else None


def _listed(title: str, rows: list[tuple[str, str]]) -> "list[Content]":
    """A title and the first rows, each with a word of warning."""
    from textual.content import Content

    if not rows:
        return []
    shown = [
        Content.assemble((text, "$text"), (f"  {warning}" if warning else "", "$text-warning"))
        for text, warning in rows[:_MOST_SHOWN]
    ]
    more = len(rows) - len(shown)
    rest = [Content.styled(f"  … and {more} more", "$text-muted")] if more > 0 else []
    return [Content.styled(title, "bold $text-muted"), *shown, *rest]


def _ways(plan: RewindPlan) -> "list[Item]":
    from rein_tui.widgets.picker import Item

    ways = [Item("conversation", "conversation", "files stay as they are")]
    if any(step.obstacle in ("", "changed_since") for step in plan.steps):
        ways.insert(0, Item("both", "conversation and code", _files(plan)))
        ways.append(Item("code", "code", "the conversation stays"))
    return [*ways, Item("summarise", "summarise from here", "what came before stays; files too")]


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
