"""Laws of merging: order matters for rewrites only, and no is stronger than yes."""

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from rein_tui.harness.hooks.effect import Effect
from rein_tui.harness.hooks.merge import FinishedRun, merge
from rein_tui.harness.protocol.decisions import Source
from rein_tui.harness.protocol.hooks import HookOutcome, HookRun, HookSpec

words = st.sampled_from(["", "a", "b"])
effects = st.builds(
    Effect,
    permission=st.sampled_from([None, "deny", "defer", "ask", "allow"]),
    blocked=st.booleans(),
    reason=words,
    stop=st.booleans(),
    stop_reason=words,
    updated_input=st.none() | st.fixed_dictionaries({"n": st.integers(0, 3)}),
    context=words,
    message=words,
    feedback=words,
    request_answer=st.none() | st.sampled_from([{"behavior": "allow"}, {"behavior": "deny"}]),
)


def finished(order: int, effect: Effect) -> FinishedRun:
    """One run with nothing in it but its effect."""
    source = Source(layer="user", path="s.json", line=order)
    spec = HookSpec(
        id=str(order), point="PreToolUse", handler="command", config={"command": f"h{order}"}, source=source
    )
    run = HookRun(id=str(order), hook=spec, started=0, duration=0, result=effect.result)
    return FinishedRun(order, run, effect)


runs = st.lists(effects, max_size=6).map(lambda found: [finished(i, effect) for i, effect in enumerate(found)])


def without_rewrites(outcome: HookOutcome) -> HookOutcome:
    return replace(outcome, updated_input=None, updated_output=None)


@settings(deadline=None)
@given(runs, st.data())
def test_only_rewrites_depend_on_who_finishes_last(found: list[FinishedRun], data: st.DataObject) -> None:
    shuffled = data.draw(st.permutations(found))
    assert without_rewrites(merge(found)) == without_rewrites(merge(shuffled))


@settings(deadline=None)
@given(runs)
def test_the_strictest_decides(found: list[FinishedRun]) -> None:
    said = {one.effect.permission for one in found} - {None}
    expected = next((w for w in ("deny", "defer", "ask", "allow") if w in said), None)
    assert merge(found).verdict == ("ask" if expected == "defer" else expected)


@settings(deadline=None)
@given(runs, effects)
def test_one_more_hook_never_loosens(found: list[FinishedRun], more: Effect) -> None:
    rank = {None: 0, "allow": 0, "ask": 1, "deny": 2}
    before, after = merge(found), merge([*found, finished(len(found), more)])
    assert rank[after.verdict] >= rank[before.verdict]
    assert after.blocked >= before.blocked
    assert after.stop >= before.stop
    assert set(before.context) <= set(after.context)
    if before.permission is not None and before.permission["behavior"] == "deny":
        assert after.permission == before.permission


@settings(deadline=None)
@given(runs)
def test_the_last_rewrite_wins(found: list[FinishedRun]) -> None:
    rewrites = [one.effect.updated_input for one in found if one.effect.updated_input is not None]
    assert merge(found).updated_input == (rewrites[-1] if rewrites else None)


def test_nothing_adds_up_to_nothing() -> None:
    assert merge([]) == HookOutcome()
