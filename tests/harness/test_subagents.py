"""Subagents: nested stories under one call, their questions, their limits, their ends."""

from collections.abc import Sequence
from contextlib import aclosing

from rein_tui.harness.agents import builtin_agents
from rein_tui.harness.protocol.agents import AgentSpec
from rein_tui.harness.protocol.decisions import PermissionReply
from rein_tui.harness.protocol.events import (
    AgentFinished,
    AgentStarted,
    ContextPrepared,
    Event,
    StepFinished,
    StepStarted,
    ToolCallFinished,
    ToolCallRequested,
    ToolOutputDelta,
    TurnFinished,
    TurnInterrupted,
)
from rein_tui.harness.protocol.messages import ToolResultBlock
from rein_tui.harness.protocol.models import ModelRequest, Provider
from rein_tui.harness.protocol.ports import Prompt
from rein_tui.harness.protocol.tools import Workspace
from rein_tui.harness.providers.scripted import ScriptedCall, ScriptedProvider, Step
from rein_tui.harness.tools.agent import Agent
from rein_tui.harness.tools.background import Background
from rein_tui.harness.tools.toolbox import Toolbox
from rein_tui.harness.turn.subagents import AgentLimits, Subagents
from tests.fakes.engines import Rig, ScriptedPerson, TablePermissions, TestTool, echo, hang, rig
from tests.laws import check_turn


def agent_rig(
    provider: Provider,
    *tools: TestTool,
    permissions: TablePermissions | None = None,
    person: ScriptedPerson | None = None,
    limits: AgentLimits | None = None,
) -> Rig:
    rigged = rig(provider, permissions=permissions, person=person or ScriptedPerson())
    toolbox = Toolbox(tools or (TestTool("Read", echo), TestTool("Write", echo, read_only=False)))

    async def same(name: str) -> str:
        return name

    def brief(spec: AgentSpec, _: Workspace) -> ContextPrepared:
        return ContextPrepared(system=f"You are {spec.name}.")

    rigged.parts.tools = toolbox
    subagents = Subagents(rigged.parts, builtin_agents, brief, same, limits=limits or AgentLimits())
    toolbox.add(Agent(subagents, Background()))
    return rigged


def by_story(inner: Sequence[Step], outer: Sequence[Step]) -> ScriptedProvider:
    """Answers requests of subagents from `inner` and the session's from `outer`, each in order."""
    waiting = {"inner": list(inner), "outer": list(outer)}

    def respond(request: ModelRequest) -> Step:
        return waiting["inner" if request.system.startswith("You are") else "outer"].pop(0)

    return ScriptedProvider(respond)


def agent_call(kind: str = "general-purpose", call_id: str = "") -> ScriptedCall:
    return ScriptedCall(
        name="Agent", input={"description": "look", "prompt": "look around", "subagent_type": kind}, id=call_id
    )


async def told(rigged: Rig) -> list[Event]:
    async with aclosing(rigged.session.run(Prompt(text="go"))) as events:
        return [event async for event in events]


def read(text: str) -> ScriptedCall:
    return ScriptedCall(name="Read", input={"text": text})


async def test_an_agent_works_in_its_own_story_and_reports() -> None:
    provider = by_story(
        [Step(calls=(read("a"),)), Step(text="found it")], [Step(calls=(agent_call(),)), Step(text="ok")]
    )
    events = await told(agent_rig(provider))
    nested = [e for e in events if e.parent]
    assert isinstance(nested[0], AgentStarted)
    finished = nested[-1]
    assert isinstance(finished, AgentFinished)
    assert (finished.calls, finished.outcome) == (1, "ok")
    assert len({e.parent for e in nested}) == 1
    check_turn([e for e in events if not e.parent][1:])
    inner = provider.requests[1]
    assert [m.text for m in inner.messages] == ["look around"]
    result = provider.requests[-1].messages[-1].blocks[0]
    assert isinstance(result, ToolResultBlock)
    assert result.content == "found it"


async def test_agents_of_one_message_work_side_by_side() -> None:
    provider = by_story(
        [Step(text="one"), Step(text="two")], [Step(calls=(agent_call(), agent_call("Explore"))), Step(text="ok")]
    )
    events = await told(agent_rig(provider))
    started = [i for i, e in enumerate(events) if isinstance(e, AgentStarted)]
    first_end = next(i for i, e in enumerate(events) if isinstance(e, AgentFinished))
    assert all(i < first_end for i in started)


async def test_an_agent_that_only_reads_has_no_tool_that_writes() -> None:
    write = ScriptedCall(name="Write", input={"text": "x"})
    provider = by_story(
        [Step(calls=(write,)), Step(text="could not")], [Step(calls=(agent_call("Explore"),)), Step(text="ok")]
    )
    events = await told(agent_rig(provider))
    assert [e.outcome for e in events if isinstance(e, ToolCallFinished) and e.parent] == ["invalid"]
    assert "Write" not in {t.name for t in provider.requests[1].tools}


async def test_questions_of_an_agent_come_to_the_same_person_and_name_it() -> None:
    write = ScriptedCall(name="Write", input={"text": "x"})
    provider = by_story([Step(calls=(write,)), Step(text="done")], [Step(calls=(agent_call(),)), Step(text="ok")])
    rigged = agent_rig(provider, permissions=TablePermissions({"Write": "ask"}))
    await told(rigged)
    assert [r.agent_type for r in rigged.person.requests] == ["general-purpose"]


async def test_an_unknown_kind_is_answered_with_the_kinds_there_are() -> None:
    provider = by_story([], [Step(calls=(agent_call("wizard"),)), Step(text="ok")])
    events = await told(agent_rig(provider))
    finished = next(e for e in events if isinstance(e, ToolCallFinished))
    assert finished.outcome == "invalid"
    assert "general-purpose" in str(finished.content)


async def test_an_interrupt_ends_the_agent_and_everything_in_it() -> None:
    provider = by_story(
        [Step(calls=(ScriptedCall(name="Hang", input={"text": "x"}),))], [Step(calls=(agent_call(),)), Step(text="ok")]
    )
    rigged = agent_rig(provider, TestTool("Hang", hang, read_only=False))
    seen: list[Event] = []
    async with aclosing(rigged.session.run(Prompt(text="go"))) as events:
        async for event in events:
            seen.append(event)
            if isinstance(event, ToolOutputDelta):
                rigged.session.interrupt()
    assert isinstance(seen[-1], TurnInterrupted)
    requested = {e.call_id for e in seen if isinstance(e, ToolCallRequested)}
    assert {e.call_id for e in seen if isinstance(e, ToolCallFinished)} == requested
    for kind in (StepStarted, StepFinished):
        assert sum(isinstance(e, kind) and bool(e.parent) for e in seen) == 1
    assert [e.outcome for e in seen if isinstance(e, AgentFinished)] == ["interrupted"]


async def test_a_variable_names_the_model_of_all_agents() -> None:
    limits = AgentLimits.of({"CLAUDE_CODE_SUBAGENT_MODEL": "small", "CLAUDE_CODE_MAX_SUBAGENT_SPAWN_DEPTH": "x"})
    provider = by_story([Step(text="x")], [Step(calls=(agent_call(),)), Step(text="ok")])
    await told(agent_rig(provider, limits=limits))
    assert [request.model for request in provider.requests][1] == "small"
    assert limits.deepest == AgentLimits().deepest


async def test_agents_end_at_the_deepest_level() -> None:
    def respond(request: ModelRequest) -> Step:
        has_agents = any(t.name == "Agent" for t in request.tools)
        if has_agents and not any(isinstance(b, ToolResultBlock) for b in request.messages[-1].blocks):
            return Step(calls=(agent_call(),))
        return Step(text="deep enough")

    events = await told(agent_rig(ScriptedProvider(respond)))
    assert sum(isinstance(e, AgentStarted) for e in events) == 3
    assert isinstance(events[-1], TurnFinished)


async def test_a_no_that_stops_ends_the_agent_and_says_why() -> None:
    write = ScriptedCall(name="Write", input={"text": "x"})
    no = ScriptedPerson(PermissionReply(answer="stop"))
    provider = by_story([Step(calls=(write,))], [Step(calls=(agent_call(),)), Step(text="ok")])
    rigged = agent_rig(provider, permissions=TablePermissions({"Write": "ask"}), person=no)
    events = await told(rigged)
    answer = next(e for e in events if isinstance(e, ToolCallFinished) and e.name == "Agent")
    assert "the person said no to one of its calls" in str(answer.content)
    assert isinstance(events[-1], TurnFinished)
