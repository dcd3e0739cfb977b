"""The session over the scripted model: one wish from prompt to rest, and every way in which it can end."""

import asyncio
from contextlib import aclosing

import pytest

from rein_tui.harness.folds import closing_facts
from rein_tui.harness.protocol.base import JsonObject
from rein_tui.harness.protocol.decisions import PermissionReply
from rein_tui.harness.protocol.errors import Failure
from rein_tui.harness.protocol.events import (
    Event,
    GrantAdded,
    MessageFinished,
    PermissionDecided,
    PermissionResolved,
    PromptAdded,
    SessionStarted,
    TextDelta,
    ToolCallFinished,
    ToolCallStarted,
    ToolOutputDelta,
    TurnFailed,
    TurnFinished,
    TurnInterrupted,
)
from rein_tui.harness.protocol.hooks import HookOutcome
from rein_tui.harness.protocol.messages import TextBlock, ToolResultBlock
from rein_tui.harness.protocol.models import Retrying
from rein_tui.harness.protocol.ports import Prompt
from rein_tui.harness.providers.scripted import ScriptedCall, ScriptedProvider, Step
from tests.fakes.engines import (
    QuietHooks,
    Rig,
    ScriptedPerson,
    TablePermissions,
    TestTool,
    echo,
    hang,
    kinds,
    rig,
)


async def told(rig: Rig, text: str = "do it") -> list[Event]:
    async with aclosing(rig.session.run(Prompt(text=text))) as events:
        return [event async for event in events]


def call(name: str, text: str, call_id: str = "") -> ScriptedCall:
    return ScriptedCall(name=name, input={"text": text}, id=call_id)


async def test_a_wish_leads_to_tools_and_an_answer() -> None:
    provider = ScriptedProvider([Step(text="Reading.", calls=(call("Read", "a"),)), Step(text="Done.")])
    events = await told(rig(provider))
    facts = [k for k in kinds(events) if not k.endswith("Delta")]
    assert facts == [
        "SessionStarted",
        "TurnStarted",
        "TitleChanged",
        "PromptAdded",
        "ContextPrepared",
        "StepStarted",
        "MessageFinished",
        "ToolCallRequested",
        "PermissionDecided",
        "ToolCallStarted",
        "ToolCallFinished",
        "StepFinished",
        "StepStarted",
        "MessageFinished",
        "StepFinished",
        "TurnFinished",
    ]
    assert "".join(e.text for e in events if isinstance(e, TextDelta)) == "Reading.Done."
    second = provider.requests[1].messages
    assert isinstance(second[2].blocks[0], ToolResultBlock)
    assert second[2].blocks[0].content == "a"


async def test_every_fact_is_stored_before_it_is_told() -> None:
    rigged = rig(ScriptedProvider([Step(calls=(call("Read", "a"),)), Step(text="x")]))
    async with aclosing(rigged.session.run(Prompt(text="go"))) as events:
        async for event in events:
            if not type(event).__name__.endswith("Delta"):
                assert event in rigged.journal.facts
    assert rigged.session.history() == rigged.journal.facts


async def test_reading_calls_run_side_by_side_and_writing_calls_alone() -> None:
    gate = asyncio.Barrier(3)

    async def meet(text: str, context: object) -> str:
        await gate.wait()
        return text

    read = TestTool("Read", meet)
    write = TestTool("Write", echo, read_only=False)
    calls = (call("Read", "1"), call("Read", "2"), call("Read", "3"), call("Write", "4"), call("Write", "5"))
    provider = ScriptedProvider([Step(calls=calls), Step(text="ok")])
    await told(rig(provider, read, write))
    assert (read.most_at_once, write.most_at_once) == (3, 1)
    results = [b for b in provider.requests[1].messages[-1].blocks if isinstance(b, ToolResultBlock)]
    assert [r.content for r in results] == ["1", "2", "3", "4", "5"]


async def test_what_cannot_run_is_answered_and_the_turn_goes_on() -> None:
    calls = (
        ScriptedCall(name="Nope"),
        ScriptedCall(name="Read", input={"wrong": 1}),
        ScriptedCall(name="Read", malformed='{"text": '),
    )
    provider = ScriptedProvider([Step(calls=calls), Step(text="ok")])
    events = await told(rig(provider))
    finished = [e for e in events if isinstance(e, ToolCallFinished)]
    assert [f.outcome for f in finished] == ["invalid"] * 3
    assert "no tool 'Nope'" in str(finished[0].content)
    assert 'missing required field "text"' in str(finished[1].content)
    assert "not one JSON object" in str(finished[2].content)
    assert isinstance(events[-1], TurnFinished)


async def test_an_ask_really_asks_and_words_reach_the_model() -> None:
    person = ScriptedPerson(PermissionReply(answer="deny", words="use the other file"))
    provider = ScriptedProvider([Step(calls=(call("Write", "a"),)), Step(text="ok")])
    rigged = rig(provider, permissions=TablePermissions({"Write": "ask"}), person=person)
    events = await told(rigged)
    finished = next(e for e in events if isinstance(e, ToolCallFinished))
    assert finished.outcome == "denied"
    assert "use the other file" in str(finished.content)
    assert not any(isinstance(e, ToolCallStarted) for e in events)
    assert isinstance(events[-1], TurnFinished)


async def test_stop_ends_the_turn_and_answers_the_calls_that_were_not_reached() -> None:
    person = ScriptedPerson(PermissionReply(answer="stop"))
    provider = ScriptedProvider([Step(calls=(call("Write", "a"), call("Write", "b"))), Step(text="never")])
    events = await told(rig(provider, permissions=TablePermissions({"Write": "ask"}), person=person))
    assert [e.outcome for e in events if isinstance(e, ToolCallFinished)] == ["denied", "denied"]
    end = events[-1]
    assert isinstance(end, TurnFinished)
    assert end.reason == "denied"
    assert len(provider.requests) == 1


async def test_an_edited_input_is_checked_again_run_and_told_to_the_model() -> None:
    person = ScriptedPerson(PermissionReply(answer="once", input={"text": "edited"}))
    tool = TestTool("Write", echo, read_only=False)
    rigged = rig(
        ScriptedProvider([Step(calls=(call("Write", "a"),)), Step(text="ok")]),
        tool,
        permissions=TablePermissions({"Write": "ask"}),
        person=person,
    )
    events = await told(rigged)
    assert tool.ran == ["edited"]
    started = next(e for e in events if isinstance(e, ToolCallStarted))
    assert started.edited_by == ("you",)
    assert rigged.permissions.queries[-1].input == {"text": "edited"}
    assert "edited the input" in next(e for e in events if isinstance(e, ToolCallFinished)).added[0]


async def test_a_grant_for_the_session_answers_the_next_call() -> None:
    person = ScriptedPerson(PermissionReply(answer="session", rules=("Write",)))
    provider = ScriptedProvider([Step(calls=(call("Write", "a"), call("Write", "b"))), Step(text="ok")])
    events = await told(rig(provider, permissions=TablePermissions({"Write": "ask"}), person=person))
    assert sum(isinstance(e, PermissionResolved) for e in events) == 1
    assert sum(isinstance(e, GrantAdded) for e in events) == 1
    assert [e.outcome for e in events if isinstance(e, ToolCallFinished)] == ["ok", "ok"]


async def test_where_nobody_can_answer_an_ask_is_denied_and_says_so() -> None:
    provider = ScriptedProvider([Step(calls=(call("Write", "a"),)), Step(text="ok")])
    events = await told(rig(provider, permissions=TablePermissions({"Write": "ask"}), interactive=False))
    last = [e for e in events if isinstance(e, PermissionDecided)][-1]
    assert (last.decision.outcome, last.decision.decided_by) == ("deny", "unattended")
    assert "Nobody can answer" in str(next(e for e in events if isinstance(e, ToolCallFinished)).content)


async def test_a_hook_rewrites_the_input() -> None:
    hooks = QuietHooks({"PreToolUse": HookOutcome(updated_input={"text": "rewritten"}, context=("by a hook",))})
    tool = TestTool("Read", echo)
    events = await told(rig(ScriptedProvider([Step(calls=(call("Read", "a"),)), Step(text="k")]), tool, hooks=hooks))
    assert tool.ran == ["rewritten"]
    assert next(e for e in events if isinstance(e, ToolCallFinished)).added == ("by a hook",)


async def test_a_hook_that_rewrites_badly_runs_nothing() -> None:
    hooks = QuietHooks({"PreToolUse": HookOutcome(updated_input={"nonsense": 1})})
    tool = TestTool("Read", echo)
    events = await told(rig(ScriptedProvider([Step(calls=(call("Read", "a"),)), Step(text="k")]), tool, hooks=hooks))
    assert tool.ran == []
    assert next(e for e in events if isinstance(e, ToolCallFinished)).outcome == "invalid"


async def test_a_stop_hook_sends_the_model_on_and_the_guard_ends_it() -> None:
    hooks = QuietHooks({"Stop": HookOutcome(blocked=True, reason="tests are red")})
    provider = ScriptedProvider(lambda request: Step(text="done"))
    events = await told(rig(provider, hooks=hooks))
    assert len(provider.requests) == 9
    assert [c.payload["stop_hook_active"] for c in hooks.calls] == [False] + [True] * 8
    assert isinstance(events[-1], TurnFinished)


async def test_a_blocked_prompt_reaches_no_model() -> None:
    hooks = QuietHooks({"UserPromptSubmit": HookOutcome(blocked=True, reason="no secrets")})
    provider = ScriptedProvider([])
    events = await told(rig(provider, hooks=hooks))
    end = events[-1]
    assert isinstance(end, TurnFinished)
    assert (end.reason, end.detail) == ("hook", "no secrets")
    assert not provider.requests
    assert not any(isinstance(e, PromptAdded) for e in events)


async def test_steering_reaches_the_model_after_the_current_calls() -> None:
    provider = ScriptedProvider([Step(calls=(call("Read", "a"),)), Step(text="ok")])
    rigged = rig(provider)
    async with aclosing(rigged.session.run(Prompt(text="go"))) as events:
        async for event in events:
            if isinstance(event, ToolCallStarted):
                rigged.session.steer("rather b")
    blocks = provider.requests[1].messages[-1].blocks
    assert isinstance(blocks[0], ToolResultBlock)
    assert isinstance(blocks[1], TextBlock)
    assert blocks[1].text == "rather b"


async def test_an_interrupt_in_mid_stream_keeps_what_was_shown() -> None:
    provider = ScriptedProvider([Step(text="half an answer", hang=True), Step(text="ok")])
    rigged = rig(provider)
    async with aclosing(rigged.session.run(Prompt(text="go"))) as events:
        seen: list[Event] = []
        async for event in events:
            seen.append(event)
            if isinstance(event, TextDelta):
                rigged.session.interrupt("esc")
    assert isinstance(seen[-1], TurnInterrupted)
    partial = next(e for e in seen if isinstance(e, MessageFinished))
    assert partial.stop_reason == "incomplete"
    assert partial.message.text
    await told(rigged, "again")
    assert [m.role for m in provider.requests[1].messages] == ["user", "assistant", "user"]


async def test_an_interrupt_in_mid_call_answers_every_call() -> None:
    provider = ScriptedProvider([Step(calls=(call("Bash", "x"), call("Bash", "y"))), Step(text="ok")])
    rigged = rig(provider, TestTool("Bash", hang, read_only=False))
    async with aclosing(rigged.session.run(Prompt(text="go"))) as events:
        seen: list[Event] = []
        async for event in events:
            seen.append(event)
            if isinstance(event, ToolOutputDelta):
                rigged.session.interrupt()
    finished = [e for e in seen if isinstance(e, ToolCallFinished)]
    assert [f.outcome for f in finished] == ["interrupted", "interrupted"]
    assert "partly x" in str(finished[0].content)
    assert isinstance(seen[-1], TurnInterrupted)
    await told(rigged, "again")


async def test_an_interrupt_withdraws_the_question() -> None:
    provider = ScriptedProvider([Step(calls=(call("Write", "a"),)), Step(text="ok")])
    rigged = rig(provider, permissions=TablePermissions({"Write": "ask"}), person=ScriptedPerson(hang=True))
    async with aclosing(rigged.session.run(Prompt(text="go"))) as events:
        seen: list[Event] = []
        async for event in events:
            seen.append(event)
            if type(event).__name__ == "PermissionRequested":
                rigged.session.interrupt()
    assert kinds(seen)[-3:] == ["ToolCallFinished", "StepFinished", "TurnInterrupted"]


async def test_leaving_early_leaves_a_whole_story() -> None:
    provider = ScriptedProvider([Step(calls=(call("Bash", "x"),)), Step(text="ok")])
    rigged = rig(provider, TestTool("Bash", hang, read_only=False))
    async with aclosing(rigged.session.run(Prompt(text="go"))) as events:
        async for event in events:
            if isinstance(event, ToolOutputDelta):
                break
    assert closing_facts(rigged.journal.facts) == []
    assert isinstance(rigged.journal.facts[-1], TurnInterrupted)


async def test_a_provider_failure_ends_the_turn_with_what_to_do() -> None:
    failure = Failure(message="401", kind="auth", hint="set a key", status=401)
    events = await told(rig(ScriptedProvider([Step(error=failure)])))
    end = events[-1]
    assert isinstance(end, TurnFailed)
    assert end.failure.hint == "set a key"


async def test_a_retry_voids_what_was_shown() -> None:
    provider = ScriptedProvider([Step(text="x", retries=(Retrying(attempt=1, delay=0, reason="529"),))])
    events = await told(rig(provider))
    assert kinds(events).index("RequestRetried") < kinds(events).index("TextDelta")


async def test_the_step_limit_ends_the_turn() -> None:
    provider = ScriptedProvider(lambda request: Step(calls=(call("Read", "a"),)))
    end = (await told(rig(provider, max_steps=3)))[-1]
    assert isinstance(end, TurnFinished)
    assert (end.reason, end.steps) == ("max_turns", 3)


async def test_a_killed_session_is_closed_when_it_is_opened_again() -> None:
    provider = ScriptedProvider([Step(calls=(call("Read", "a"),)), Step(text="ok")])
    first = rig(provider)
    facts = await told(first)
    cut = next(i for i, f in enumerate(first.journal.facts) if isinstance(f, ToolCallStarted)) + 1
    past = first.journal.facts[:cut]
    assert facts
    again = ScriptedProvider([Step(text="I see")])
    second = rig(again, past=past)
    assert kinds(second.session.history())[-3:] == ["ToolCallFinished", "StepFinished", "TurnInterrupted"]
    assert len(second.journal.facts) == cut, "opening a session writes nothing"
    await told(second, "go on")
    result = again.requests[0].messages[2].blocks[0]
    assert isinstance(result, ToolResultBlock)
    assert result.is_error


async def test_two_turns_at_once_are_a_bug() -> None:
    rigged = rig(ScriptedProvider([Step(hang=True)]))
    async with aclosing(rigged.session.run(Prompt(text="a"))) as events:
        async for event in events:
            if type(event).__name__ == "StepStarted":
                with pytest.raises(RuntimeError):
                    await anext(rigged.session.run(Prompt(text="b")))
                rigged.session.interrupt()


async def test_a_command_of_the_persons_joins_the_conversation() -> None:
    provider = ScriptedProvider([Step(text="I see")])
    rigged = rig(provider, CommandTool())
    async with aclosing(rigged.session.run(Prompt(text="ls", kind="shell"))) as events:
        seen = [event async for event in events]
    assert [k for k in kinds(seen) if k.startswith(("Tool", "Turn", "Prompt"))] == [
        "TurnStarted",
        "ToolCallRequested",
        "ToolCallStarted",
        "ToolOutputDelta",
        "ToolCallFinished",
        "PromptAdded",
        "TurnFinished",
    ]
    assert not provider.requests
    await told(rigged, "what was that?")
    assert "<bash-input>ls</bash-input>" in provider.requests[0].messages[0].text


async def test_a_private_command_stays_private() -> None:
    provider = ScriptedProvider([Step(text="ok")])
    rigged = rig(provider, CommandTool())
    async with aclosing(rigged.session.run(Prompt(text="cat .env", kind="private_shell"))) as events:
        assert [e async for e in events]
    await told(rigged, "hello")
    assert "bash-input" not in provider.requests[0].messages[0].text


class CommandTool(TestTool):
    """A Bash whose input is a command."""

    def __init__(self) -> None:
        super().__init__("Bash", echo, read_only=False)

    def parse(self, raw: JsonObject) -> str:
        return str(raw["command"])


async def test_the_request_of_any_step_can_be_built_again() -> None:
    provider = ScriptedProvider([Step(calls=(call("Read", "a"),)), Step(text="ok")])
    rigged = rig(provider)
    await told(rigged)
    for step, sent in enumerate(provider.requests, 1):
        assert rigged.session.request_of(1, step) == provider.wire(sent)
    assert rigged.session.request_of(1, 9) is None


async def test_a_tool_that_is_a_question_is_not_asked_about_first() -> None:
    tool = TestTool("Ask", echo, asks_itself=True)
    provider = ScriptedProvider([Step(calls=(call("Ask", "a"),)), Step(text="ok")])
    permissions = TablePermissions({"Ask": "ask"}, decided_by="tool")
    rigged = rig(provider, tool, permissions=permissions)
    await told(rigged)
    assert tool.ran == ["a"]
    assert rigged.person.requests == []


async def test_a_model_chosen_before_the_first_prompt_is_the_one_that_the_story_opens_with() -> None:
    stage = rig(ScriptedProvider([Step(text="hi")]))
    stage.session.use_model(stage.parts.provider, "other")
    opened = [event.model for event in await told(stage) if isinstance(event, SessionStarted)]
    assert opened == ["other"]
