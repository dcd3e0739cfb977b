"""Whatever a hook prints: it is read without crashing, can be stored, and a broken gate never says yes."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rein_tui.harness.hooks.merge import FinishedRun, merge
from rein_tui.harness.hooks.output import interpret
from rein_tui.harness.hooks.points import POINTS
from rein_tui.harness.hooks.runners import Raw
from rein_tui.harness.hooks.spill import Spill
from rein_tui.harness.protocol.decisions import Source
from rein_tui.harness.protocol.events import HookFired, fact_encoder
from rein_tui.harness.protocol.hooks import HookPoint, HookRun, HookSpec
from rein_tui.harness.store.codec import fact_decoder

from .conftest import Bench, command

SPILL = Spill(Path("/nonexistent/spill"), "run")

LEAVES: st.SearchStrategy[Any] = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=4),
    st.sampled_from(["deny", "allow", "ask", "block", "approve", "defer", "PreToolUse", "Stop"]),
)
VALUES = st.recursive(LEAVES, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner))
OWN = st.dictionaries(
    st.sampled_from(
        """hookEventName permissionDecision permissionDecisionReason updatedInput additionalContext decision
        updatedToolOutput sessionTitle suppressOriginalPrompt initialUserMessage""".split()
    ),
    VALUES | st.just({"behavior": "allow"}),
    max_size=4,
)
OUTPUTS = st.fixed_dictionaries(
    {},
    optional={
        "continue": VALUES,
        "stopReason": VALUES,
        "decision": VALUES,
        "reason": VALUES,
        "systemMessage": VALUES,
        "additional_context": VALUES,
        "hookSpecificOutput": OWN | VALUES,
    },
)


def spec(point: HookPoint) -> HookSpec:
    """Some command handler."""
    source = Source(layer="user", path="s.json", line=1)
    return HookSpec(id="h", point=point, handler="command", config={"command": "hook"}, source=source)


@settings(max_examples=120, deadline=None)
@given(st.sampled_from(list(POINTS)), OUTPUTS, st.sampled_from([0, 1, 2]), st.booleans())
def test_any_object(point: HookPoint, output: dict[str, Any], code: int, is_ascii: bool) -> None:
    raw = Raw(exit_code=code, stdout=json.dumps(output, ensure_ascii=is_ascii), stderr="err")
    effect = interpret(spec(point), raw, {"tool_response": {}}, SPILL)
    run = HookRun(
        id="r",
        hook=spec(point),
        started=0.0,
        duration=0.0,
        result=effect.result,
        parsed=effect.parsed,
        updated_input=effect.updated_input,
        reason=effect.reason,
        context=effect.context,
        message=effect.message,
    )
    fact = HookFired(run=run)
    assert fact_decoder.decode(fact_encoder.encode(fact)) == fact
    outcome = merge([FinishedRun(0, run, effect)])
    if effect.fault:
        assert outcome.verdict == ("ask" if POINTS[point].is_gate else None)
        assert outcome.updated_input is None or not POINTS[point].is_gate
    if code == 2 and point == "PreToolUse":
        assert outcome.verdict == "deny"


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(list(POINTS)), st.text(max_size=40), st.sampled_from([0, 1, 2, 127]))
def test_any_text(point: HookPoint, text: str, code: int) -> None:
    effect = interpret(spec(point), Raw(exit_code=code, stdout=text), {}, SPILL)
    assert effect.permission != "allow"


@pytest.mark.parametrize(
    "text", ["{" * 5000, '{"a":' * 300 + "1" + "}" * 300, '{"a": NaN}', '{"a": Infinity}', '{"a":1,}']
)
def test_bad_json_is_bad_output(text: str) -> None:
    assert interpret(spec("PreToolUse"), Raw(exit_code=0, stdout=text), {}, SPILL).fault == "bad_output"


async def test_a_cut_emoji_and_a_huge_number(bench: Bench) -> None:
    own = r'{"command": "\ud83d", "n": 99999999999999999999}'
    text = r'{"systemMessage": "cut \ud83d", "hookSpecificOutput": {"updatedInput": ' + own + "}}"
    outcome = await bench.run(command(f"cat <<'EOF'\n{text}\nEOF"))
    assert (outcome.messages, outcome.updated_input) == (("cut ?",), {"command": "?", "n": 1e20})
    assert fact_encoder.encode(HookFired(run=outcome.runs[0]))
