"""/tasks: what is at work, subagents and commands in the background, and stopping one of it."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

import msgspec

from rein_tui.harness.protocol.events import AgentFinished, AgentStarted, BackgroundFinished, BackgroundStarted, Fact
from rein_tui.harness.protocol.ports import Adjustable

from .registry import Command

if TYPE_CHECKING:
    from rein_tui.app import ReinApp


class Work(msgspec.Struct, frozen=True):
    """A piece of work of the session. `id` is what stops it: of background work its own, of a subagent its call's."""

    id: str
    title: str
    is_running: bool = True


def works(facts: Iterable[Fact]) -> list[Work]:
    """What is at work and what was, in the order in which it began."""
    found: dict[str, Work] = {}
    agents: dict[str, str] = {}
    for fact in facts:
        match fact:
            case AgentStarted():
                agents[fact.agent_id] = fact.parent
                found[fact.parent] = Work(fact.parent, f"{fact.agent_type}: {' '.join(fact.prompt.split())}")
            case AgentFinished():
                _end(found, agents.get(fact.agent_id, ""))
            case BackgroundStarted():
                found[fact.task_id] = Work(fact.task_id, fact.title)
            case BackgroundFinished():
                _end(found, fact.task_id)
            case _:
                pass
    background = {f.call_id for f in facts if isinstance(f, BackgroundStarted) and f.kind == "agent"}
    return [work for work in found.values() if work.id not in background]


def _end(found: dict[str, Work], work_id: str) -> None:
    if work_id in found:
        found[work_id] = Work(work_id, found[work_id].title, is_running=False)


async def _tasks(app: "ReinApp", _: str) -> None:
    from rein_tui.widgets.picker import Item, Picker

    turns = app.desk.current
    found = works(tuple(app.desk.history()))
    if turns is None or not found:
        app.hint("no work in the background, and there was none")
        return
    adjustments = turns.harness.adjustments if isinstance(turns.harness, Adjustable) else None
    running = [work for work in found if work.is_running]
    items = [Item(work.id, work.title, "enter stops it" if adjustments else "", "runs") for work in running]
    items += [Item("", work.title, "", "ended") for work in reversed(found) if not work.is_running]
    chosen = await app.ask(Picker("At work", items))
    if chosen and adjustments is not None:
        app.hint("stopped" if await adjustments.stop_work(chosen) else "it had ended already")


COMMANDS = (
    Command("tasks", "Subagents and commands at work; stop one of them", _tasks, aliases=("bashes",), family="session"),
)
