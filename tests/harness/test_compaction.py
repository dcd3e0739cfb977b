"""Compaction: room is made, nothing is lost, and it never goes round in circles."""

from collections.abc import Sequence
from contextlib import aclosing

from rein_tui.harness.protocol.errors import Failure
from rein_tui.harness.protocol.events import Compacted, Event, Notice, StepStarted, TurnFailed, TurnFinished
from rein_tui.harness.protocol.hooks import HookOutcome
from rein_tui.harness.protocol.messages import Usage
from rein_tui.harness.protocol.models import ModelRequest
from rein_tui.harness.protocol.ports import Prompt
from rein_tui.harness.providers.scripted import Respond, ScriptedCall, ScriptedProvider, Step
from rein_tui.harness.turn.compaction import WindowCompactor
from rein_tui.harness.turn.conversation import Conversation
from tests.fakes.engines import QuietHooks, Rig, kinds, rig
from tests.laws import check_turn


def compact_rig(
    respond: Respond | Sequence[Step], window: int = 1000, hooks: QuietHooks | None = None
) -> tuple[Rig, ScriptedProvider]:
    provider = ScriptedProvider(respond)
    rigged = rig(provider, hooks=hooks)
    rigged.parts.max_steps = 20
    compactor = WindowCompactor(lambda: window, lambda: [("CLAUDE.md", "Be kind.")])
    rigged.around.compactor = compactor
    rigged.around.watchers.append(compactor.note)
    return rigged, provider


async def told(rigged: Rig, text: str = "go") -> list[Event]:
    async with aclosing(rigged.session.run(Prompt(text=text))) as events:
        return [event async for event in events]


def is_summary(request: ModelRequest) -> bool:
    return "Summarise the conversation so far" in str(request.messages[-1])


FULL = Usage(input_tokens=900, output_tokens=10)
READ = ScriptedCall(name="Read", input={"text": "a"})


async def test_a_full_window_is_compacted_before_the_next_request() -> None:
    def respond(request: ModelRequest) -> Step:
        if is_summary(request):
            return Step(text="The task is clear.")
        if "hello" in request.messages[-1].text:
            return Step(text="Hello.", usage=Usage(input_tokens=100))
        done = "The task is clear." in str(request.messages)
        return Step(text="done", usage=Usage(input_tokens=100)) if done else Step(calls=(READ,), usage=FULL)

    rigged, provider = compact_rig(respond)
    await told(rigged, "hello " * 500)
    events = await told(rigged, "the long task")
    assert sum(isinstance(e, Compacted) for e in events) == 1
    assert isinstance(events[-1], TurnFinished)
    turn = [e for e in events if e.turn]
    check_turn(turn)
    last = provider.requests[-1].messages
    assert "The task is clear." in last[0].text
    assert "Be kind." in str(last)
    assert [m.role for m in last] == ["user", "assistant", "user"], "the last exchange is kept verbatim"


async def test_a_window_that_settings_make_smaller_is_what_the_kept_part_is_measured_by() -> None:
    def respond(request: ModelRequest) -> Step:
        if is_summary(request):
            return Step(text="In short.")
        return Step(text="word " * 300, usage=FULL) if len(request.messages) > 2 else Step(text="hello")

    rigged, _ = compact_rig(respond)
    compactor = WindowCompactor(lambda: 1_000_000, limit=600)
    rigged.around.compactor = compactor
    rigged.around.watchers[:] = [compactor.note]
    await told(rigged, "first")
    await told(rigged, "second")
    assert any(isinstance(e, Compacted) for e in await told(rigged, "third"))


async def test_a_summary_that_frees_nothing_is_not_made_again_and_again() -> None:
    def respond(request: ModelRequest) -> Step:
        return Step(text="long " * 50) if is_summary(request) else Step(calls=(READ,), usage=FULL)

    rigged, provider = compact_rig(respond)
    rigged.parts.max_steps = 12
    await told(rigged)
    summaries = sum(is_summary(r) for r in provider.requests)
    assert 1 <= summaries <= 6


async def test_a_failed_summary_leaves_everything_as_it_was() -> None:
    def respond(request: ModelRequest) -> Step:
        if is_summary(request):
            return Step(error=Failure(message="no", kind="server"))
        return Step(text="done") if len(request.messages) > 4 else Step(calls=(READ,), usage=FULL)

    rigged, provider = compact_rig(respond)
    events = await told(rigged)
    assert not any(isinstance(e, Compacted) for e in events)
    assert any(isinstance(e, Notice) and "could not be compacted" in e.text for e in events)
    assert isinstance(events[-1], TurnFinished)
    assert provider.requests[-1].messages[0].text == "go"


async def test_by_hand_it_is_a_turn_of_its_own_and_can_be_rewound_across() -> None:
    rigged, provider = compact_rig([Step(text="one"), Step(text="A summary."), Step(text="two")])
    await told(rigged, "first")
    async with aclosing(rigged.session.compact("the tests")) as events:
        seen = [e async for e in events]
    assert "Compacted" in kinds(seen)
    assert "the tests" in provider.requests[1].messages[-1].text
    await told(rigged, "second")
    assert "A summary." in provider.requests[2].messages[0].text
    await rigged.session.rewind(1)
    assert Conversation(rigged.session.history()).messages()[0].text == "first"


async def test_from_a_turn_on_what_came_before_stays_and_a_rewind_goes_across() -> None:
    rigged, provider = compact_rig([Step(text=t) for t in ("one", "two", "three", "A summary.", "four")])
    for words in ("first", "second", "third"):
        await told(rigged, words)
    whole = rigged.session.conversation().messages()
    async with aclosing(rigged.session.compact(from_turn=2)) as events:
        assert "Compacted" in kinds([e async for e in events])
    asked = str(provider.requests[3].messages)
    assert "second" in asked
    assert "first" not in asked
    await told(rigged, "fourth")
    sent = provider.requests[4].messages
    assert [m.role for m in sent] == ["user", "assistant", "user"]
    assert (sent[0].text, sent[1].text) == ("first", "one")
    assert "A summary." in sent[2].text
    assert "second" not in str(sent)
    for turn, count in ((3, 6), (2, 4), (1, 2)):
        await rigged.session.rewind(turn)
        assert Conversation(rigged.session.history()).messages() == whole[:count]


async def test_a_short_conversation_is_compacted_when_a_person_asks() -> None:
    rigged, _ = compact_rig([Step(text="one"), Step(text="A summary that is longer than what it stands for.")])
    await told(rigged, "hi")
    async with aclosing(rigged.session.compact()) as events:
        assert "Compacted" in kinds([e async for e in events])


async def test_sizes_before_and_after_count_what_no_summary_makes_smaller() -> None:
    rigged, _ = compact_rig([Step(text="word " * 400, usage=Usage(input_tokens=5000)), Step(text="short")], 100_000)
    await told(rigged, "first")
    async with aclosing(rigged.session.compact()) as events:
        (done,) = [e async for e in events if isinstance(e, Compacted)]
    assert done.tokens_before >= 5000
    assert 4000 < done.tokens_after < done.tokens_before - 300, "tools and system prompt are still there"


async def test_a_hook_can_stop_it() -> None:
    hooks = QuietHooks({"PreCompact": HookOutcome(blocked=True, reason="not now")})
    rigged, _ = compact_rig([Step(text="one")], hooks=hooks)
    await told(rigged)
    async with aclosing(rigged.session.compact()) as events:
        seen = [e async for e in events]
    assert "Compacted" not in kinds(seen)
    assert any(isinstance(e, Notice) and e.hint == "not now" for e in seen)


async def test_an_interrupt_restores_the_exact_state() -> None:
    rigged, _ = compact_rig([Step(text="one"), Step(hang=True)])
    await told(rigged)
    before = rigged.session.conversation().messages()
    async with aclosing(rigged.session.compact()) as events:
        seen: list[Event] = []
        async for event in events:
            seen.append(event)
            rigged.session.interrupt()
    assert kinds(seen)[-1] == "TurnInterrupted"
    assert rigged.session.conversation().messages() == before


async def test_a_model_that_calls_or_says_nothing_is_asked_again_with_one_text() -> None:
    steps = [Step(text="one"), Step(calls=(READ,)), Step(text=""), Step(text="In short.")]
    rigged, provider = compact_rig(steps, window=20_000)
    await told(rigged, "hello " * 300)
    async with aclosing(rigged.session.compact()) as events:
        seen = kinds([e async for e in events])
    assert "Compacted" in seen
    assert "ToolCallRequested" not in seen
    asked = provider.requests[1:]
    assert [len(request.messages) for request in asked] == [3, 1, 1]
    assert all("<conversation>" in request.messages[0].text for request in asked[1:])


async def test_no_summary_is_an_error_and_changes_nothing() -> None:
    rigged, provider = compact_rig([Step(text="one"), *[Step(text=" ")] * 3])
    await told(rigged, "hello")
    before = rigged.session.conversation().messages()
    async with aclosing(rigged.session.compact()) as events:
        failed = [e async for e in events][-1]
    assert isinstance(failed, TurnFailed)
    assert "no summary" in failed.failure.message
    assert len(provider.requests) == 4
    assert rigged.session.conversation().messages() == before


async def test_a_summary_request_that_is_too_long_is_cut_and_sent_again() -> None:
    def respond(request: ModelRequest) -> Step:
        if not is_summary(request):
            return Step(text="one")
        too_long = len(str(request.messages)) > 6000
        return Step(error=Failure(message="too long", kind="too_long", status=400)) if too_long else Step(text="short")

    rigged, _ = compact_rig(respond, window=20_000)
    for _ in range(3):
        await told(rigged, "hello " * 700)
    async with aclosing(rigged.session.compact()) as events:
        assert "Compacted" in kinds([e async for e in events])


async def test_a_request_that_is_too_long_is_compacted_once_and_sent_again() -> None:
    def respond(request: ModelRequest) -> Step:
        if is_summary(request):
            return Step(text="short")
        if len(request.messages) >= 3 and "short" not in str(request.messages):
            return Step(error=Failure(message="prompt is too long", kind="too_long", status=400))
        return Step(text="fine")

    rigged, _ = compact_rig(respond)
    await told(rigged, "one")
    events = await told(rigged, "two")
    assert isinstance(events[-1], TurnFinished)
    assert sum(isinstance(e, StepStarted) for e in events) == 2


async def test_a_request_that_stays_too_long_fails_with_its_reason() -> None:
    def respond(request: ModelRequest) -> Step:
        if is_summary(request):
            return Step(text="short")
        return Step(error=Failure(message="prompt is too long", kind="too_long", status=400))

    rigged, _ = compact_rig(respond)
    assert isinstance((await told(rigged, "one"))[-1], TurnFailed)
    assert isinstance((await told(rigged, "two"))[-1], TurnFailed)
