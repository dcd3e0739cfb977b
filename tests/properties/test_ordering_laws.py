"""The ordering laws hold for random scripts, random answers and an interrupt at any event."""

import asyncio
from contextlib import aclosing

from hypothesis import given, settings
from hypothesis import strategies as st

from rein_tui.harness.folds import closing_facts
from rein_tui.harness.protocol.decisions import Outcome, PermissionReply
from rein_tui.harness.protocol.errors import Failure
from rein_tui.harness.protocol.events import DELTAS, TURN_ENDS, Event, TurnStarted, fact_encoder
from rein_tui.harness.protocol.hooks import HookOutcome
from rein_tui.harness.protocol.ports import Prompt
from rein_tui.harness.providers.scripted import ScriptedCall, ScriptedProvider, Step
from rein_tui.harness.store.codec import fact_decoder
from rein_tui.harness.turn.conversation import Conversation
from tests.fakes.engines import QuietHooks, ScriptedPerson, TablePermissions, TestTool, echo, hang, rig
from tests.laws import check_turn
from tests.properties.test_conversation import assert_valid

calls = st.builds(
    ScriptedCall,
    name=st.sampled_from(["Read", "Write", "Hang", "Nope"]),
    input=st.sampled_from([{"text": "a"}, {"text": "b"}, {}]),
)
steps = st.builds(
    Step,
    text=st.sampled_from(["", "hello there", "x" * 50]),
    thinking=st.sampled_from(["", "hm"]),
    calls=st.lists(calls, max_size=4).map(tuple),
    cut=st.integers(0, 9).map(lambda n: n == 0),
    hang=st.integers(0, 9).map(lambda n: n == 0),
    error=st.sampled_from([None, None, None, None, Failure(message="down", kind="server")]),
)
replies = st.builds(
    PermissionReply,
    answer=st.sampled_from(["once", "session", "deny", "stop"]),
    rules=st.just(("Write",)),
    words=st.sampled_from(["", "rather not"]),
    input=st.sampled_from([None, None, {"text": "edited"}, {"bad": 1}]),
)
outcomes = st.sampled_from(["allow", "ask", "deny"])
hook_answers = st.fixed_dictionaries(
    {},
    optional={
        "PreToolUse": st.sampled_from(
            [
                HookOutcome(context=("c",)),
                HookOutcome(stop=True, stop_reason="enough"),
                HookOutcome(updated_input={"text": "rewritten"}),
                HookOutcome(updated_input={"bad": 1}),
            ]
        ),
        "PostToolUse": st.sampled_from([HookOutcome(blocked=True, reason="look again"), HookOutcome(stop=True)]),
        "UserPromptSubmit": st.sampled_from([HookOutcome(blocked=True, reason="no"), HookOutcome(context=("x",))]),
        "PermissionRequest": st.sampled_from(
            [HookOutcome(permission={"behavior": "allow"}), HookOutcome(permission={"behavior": "deny"})]
        ),
        "Stop": st.just(HookOutcome(blocked=True, reason="go on")),
    },
)


async def one_turn(
    script: list[Step],
    answers: list[PermissionReply],
    table: dict[str, Outcome],
    hooks: dict[str, HookOutcome],
    interrupt_at: int,
) -> tuple[list[Event], list[Event]]:
    rigged = rig(
        ScriptedProvider([*script, *[Step(text="done")] * 3]),
        TestTool("Read", echo),
        TestTool("Write", echo, read_only=False),
        TestTool("Hang", hang, read_only=False),
        permissions=TablePermissions(table),
        hooks=QuietHooks(dict(hooks)),
        person=ScriptedPerson(*answers),
        max_steps=8,
    )
    seen: list[Event] = []
    async with aclosing(rigged.session.run(Prompt(text="go"))) as events:
        pending = asyncio.ensure_future(anext(events, None))
        while True:
            done, _ = await asyncio.wait([pending], timeout=0 if len(seen) < interrupt_at else None)
            if not done:
                # Nothing comes by itself any more (a hanging tool, model or person), or not yet: let others run.
                await asyncio.sleep(0)
                interrupt_at -= 1
                if len(seen) >= interrupt_at:
                    rigged.session.interrupt("property")
                continue
            event = pending.result()
            if event is None:
                break
            seen.append(event)
            if len(seen) >= interrupt_at:
                rigged.session.interrupt("property")
            pending = asyncio.ensure_future(anext(events, None))
    return seen, list(rigged.journal.facts)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(steps, max_size=4),
    st.lists(replies, min_size=1, max_size=3),
    st.dictionaries(st.sampled_from(["Read", "Write", "Hang"]), outcomes),
    hook_answers,
    st.integers(1, 60),
)
def test_every_story_keeps_the_laws(
    script: list[Step],
    answers: list[PermissionReply],
    table: dict[str, Outcome],
    hooks: dict[str, HookOutcome],
    interrupt_at: int,
) -> None:
    seen, stored = asyncio.run(one_turn(script, answers, table, hooks, interrupt_at))
    turn = seen[next(i for i, e in enumerate(seen) if isinstance(e, TurnStarted)) :]
    check_turn(turn)
    facts = [e for e in seen if not isinstance(e, DELTAS)]
    assert facts == stored, "what is told is what is stored, in the same order"
    assert [fact_decoder.decode(fact_encoder.encode(f)) for f in facts] == facts
    assert_valid(Conversation(facts).messages())
    assert closing_facts(facts) == []
    for cut in range(len(facts)):
        closed = [*facts[:cut], *closing_facts(facts[:cut])]
        assert_valid(Conversation(closed).messages())
        starts = [i for i, e in enumerate(closed) if isinstance(e, TurnStarted)]
        if starts:
            assert isinstance(closed[-1], TURN_ENDS)
            check_turn(closed[starts[0] :])
