"""Every moment × every form of output × every kind of exit code, with real processes."""

import json
import shlex
from typing import Any

import pytest

from rein_tui.harness.hooks.points import POINTS
from rein_tui.harness.protocol.base import JsonObject
from rein_tui.harness.protocol.hooks import HookOutcome, HookPoint

from .conftest import Bench, command

BLOCKING = {
    "UserPromptSubmit",
    "UserPromptExpansion",
    "Stop",
    "SubagentStop",
    "PreCompact",
    "PostToolBatch",
    "ConfigChange",
}
TELLS_MODEL = {"PostToolUse", "PostToolUseFailure"}
TELLS_PERSON = {"SessionStart", "SessionEnd", "SubagentStart", "PostCompact", "Setup"}
GATES = {"PreToolUse", "UserPromptSubmit"}
PLAIN_CONTEXT = {"SessionStart", "UserPromptSubmit", "UserPromptExpansion"}
TAKES_CONTEXT = {
    "PreToolUse",
    "PostToolUse",
    "PostToolUseFailure",
    "PostToolBatch",
    "UserPromptSubmit",
    "UserPromptExpansion",
    "Stop",
    "SubagentStop",
    "SubagentStart",
    "SessionStart",
    "Setup",
}
BAD = {"broken", "misnamed", "mistyped"}


def output(form: str, point: str) -> str:
    """What the hook prints."""
    forms: dict[str, Any] = {
        "empty": "",
        "plain": "hello",
        "array": '["a"]',
        "object": {},
        "block": {"decision": "block", "reason": "because"},
        "stop": {"continue": False, "stopReason": "enough"},
        "message": {"systemMessage": "look", "suppressOutput": True},
        "context": {"hookSpecificOutput": {"hookEventName": point, "additionalContext": "note"}},
        "broken": '{"decision": "bl',
        "misnamed": {"hookSpecificOutput": {"hookEventName": "Nope"}},
        "mistyped": {"continue": "no"},
    }
    return forms[form] if isinstance(forms[form], str) else json.dumps(forms[form])


def refusal(point: str, reason: str) -> JsonObject:
    """What saying no comes to at this moment."""
    if point == "PreToolUse":
        return {"result": "deny", "verdict": "deny", "reason": reason}
    if point in BLOCKING:
        return {"result": "block", "blocked": True, "reason": reason}
    if point in TELLS_MODEL:
        return {"result": "block", "feedback": (reason,)}
    if point in TELLS_PERSON:
        return {"result": "message", "messages": (reason,)}
    return {"result": "nothing"}


def broken(point: str, result: str) -> JsonObject:
    """What a run that cannot be trusted comes to."""
    return {"result": result, "verdict": "ask"} if point in GATES else {"result": result}


def said(point: str, form: str) -> JsonObject:
    """What valid output comes to, whatever the exit code but 2."""
    if form == "block":
        return refusal(point, "because")
    if form == "stop":
        return {"result": "stopped", "stop": True, "stop_reason": "enough"}
    if form == "message":
        return {"result": "message", "messages": ("look",)}
    if form == "context" and point in TAKES_CONTEXT:
        on = {"blocked": True, "result": "block"} if point in ("Stop", "SubagentStop") else {"result": "context"}
        return {"context": ("note",), **on}
    return {"result": "nothing"}


def expected(point: str, form: str, code: int) -> JsonObject:
    """The documented outcome."""
    is_json = form not in ("empty", "plain", "array", "broken")
    if point == "StopFailure" and is_json:
        return {"result": "nothing"}
    if code == 2:
        return expected_refusal(point, form)
    if code == 1 and not is_json:
        return broken(point, "failed")
    if form in BAD:
        found = broken(point, "bad_output")
        if form == "broken" and point in PLAIN_CONTEXT - GATES:
            found["context"] = (output(form, point),)
        return found
    if form in ("plain", "array") and point in PLAIN_CONTEXT:
        return {"result": "context", "context": (output(form, point),)}
    return said(point, form)


def expected_refusal(point: str, form: str) -> JsonObject:
    if point == "PermissionRequest":
        found: JsonObject = {"result": "failed"}
    else:
        found = refusal(point, "because" if form == "block" and point not in TELLS_PERSON else "oops")
    if form == "stop":
        found |= {"stop": True, "stop_reason": "enough"}
        found["result"] = "failed" if point == "PermissionRequest" else "stopped"
    elif form == "message":
        found["messages"] = ("look\noops",) if point in TELLS_PERSON else ("look",)
        found["result"] = "message" if found["result"] == "nothing" else found["result"]
    elif form == "context" and point in TAKES_CONTEXT:
        found["context"] = ("note",)
        found["result"] = "context" if point in TELLS_PERSON else found["result"]
    elif form == "block" and point in TELLS_PERSON:
        found["messages"] = ("because\noops",)
    elif form in ("misnamed", "mistyped") and found["result"] in ("nothing", "message"):
        found["result"] = "bad_output"
    return found


def summary(outcome: HookOutcome) -> JsonObject:
    """What an outcome says, without what it does not."""
    (run,) = outcome.runs
    reason = "" if run.result in ("failed", "bad_output") else outcome.reason
    full = {
        "result": run.result,
        "verdict": outcome.verdict,
        "blocked": outcome.blocked,
        "reason": reason,
        "stop": outcome.stop,
        "stop_reason": outcome.stop_reason,
        "feedback": outcome.feedback,
        "messages": outcome.messages,
        "context": tuple(text.partition("\n")[2] for text in outcome.context),
    }
    return {key: value for key, value in full.items() if value}


FORMS = ["empty", "plain", "array", "object", "block", "stop", "message", "context", *sorted(BAD)]


@pytest.mark.parametrize("code", [0, 1, 2])
@pytest.mark.parametrize("point", list(POINTS))
async def test_every_form(bench: Bench, point: HookPoint, code: int) -> None:
    for form in FORMS:
        line = f"printf %s {shlex.quote(output(form, point))}; echo oops >&2; exit {code}"
        outcome = await bench.run(command(line), point=point)
        assert summary(outcome) == expected(point, form, code), f"{point} {form} {code}"


PRE_TOOL: list[tuple[JsonObject, str | None, str]] = [
    ({"permissionDecision": "allow", "permissionDecisionReason": "fine"}, "allow", "allow"),
    ({"permissionDecision": "ask", "permissionDecisionReason": "hm"}, "ask", "ask"),
    ({"permissionDecision": "deny", "permissionDecisionReason": "no"}, "deny", "deny"),
    ({"permissionDecision": "defer"}, "ask", "ask"),
    ({"permissionDecision": "maybe"}, "ask", "bad_output"),
    ({"permissionDecision": None}, None, "nothing"),
    ({"updatedInput": {"command": "ls -l"}}, None, "rewrote"),
    ({"permissionDecision": "allow", "updatedInput": {"command": "ls -l"}}, "allow", "rewrote"),
    ({"updatedInput": "ls -l"}, "ask", "bad_output"),
    ({"additionalContext": "note"}, None, "context"),
]


@pytest.mark.parametrize(("own", "verdict", "result"), PRE_TOOL)
@pytest.mark.parametrize("code", [0, 3])
async def test_permission_decisions(bench: Bench, own: JsonObject, verdict: str | None, result: str, code: int) -> None:
    text = json.dumps({"hookSpecificOutput": {"hookEventName": "PreToolUse", **own}})
    outcome = await bench.run(command(f"echo {shlex.quote(text)}; exit {code}"))
    assert (outcome.verdict, outcome.runs[0].result) == (verdict, result)
    if result == "rewrote":
        assert outcome.updated_input == {"command": "ls -l"}


async def test_exit_2_beats_an_allow(bench: Bench) -> None:
    allow = '{"hookSpecificOutput":{"hookEventName":"PreToolUse","permissionDecision":"allow"}}'
    outcome = await bench.run(command(f"echo '{allow}'; echo stop it >&2; exit 2"))
    assert (outcome.verdict, outcome.reason) == ("deny", "stop it")


async def test_legacy_decisions(bench: Bench) -> None:
    approve = await bench.run(command("""echo '{"decision":"approve","reason":"ok"}'"""))
    block = await bench.run(command("""echo '{"decision":"block","reason":"not this"}'"""))
    assert (approve.verdict, block.verdict, block.reason) == ("allow", "deny", "not this")


async def test_a_denial_without_reason_uses_the_message(bench: Bench) -> None:
    own = {"hookEventName": "PreToolUse", "permissionDecision": "deny"}
    text = json.dumps({"hookSpecificOutput": own, "systemMessage": "rm is dangerous"})
    outcome = await bench.run(command(f"echo {shlex.quote(text)}"))
    assert (outcome.verdict, outcome.reason, outcome.messages) == ("deny", "rm is dangerous", ("rm is dangerous",))


async def test_permission_requests_are_answered_in_json(bench: Bench) -> None:
    answer = {"behavior": "deny", "message": "not now", "interrupt": True}
    text = json.dumps({"hookSpecificOutput": {"hookEventName": "PermissionRequest", "decision": answer}})
    outcome = await bench.run(command(f"echo {shlex.quote(text)}"), point="PermissionRequest")
    assert outcome.permission == answer
    bad = text.replace('"deny"', '"perhaps"')
    outcome = await bench.run(command(f"echo {shlex.quote(bad)}"), point="PermissionRequest")
    assert (outcome.permission, outcome.runs[0].result) == (None, "bad_output")


async def test_replaced_output_needs_the_tools_shape(bench: Bench) -> None:
    response = {"stdout": "secret", "stderr": "", "interrupted": False, "isImage": False}

    async def replace(value: Any) -> HookOutcome:
        text = json.dumps({"hookSpecificOutput": {"hookEventName": "PostToolUse", "updatedToolOutput": value}})
        line = f"echo {shlex.quote(text)}"
        return await bench.run(command(line), point="PostToolUse", tool_response=response)

    assert (await replace(response | {"stdout": "***"})).updated_output == response | {"stdout": "***"}
    for bad in ({"stdout": 5}, {"nonsense": "x"}, "text", ["x"]):
        outcome = await replace(bad)
        assert outcome.updated_output is None
        assert "shape" in outcome.runs[0].reason


async def test_prompt_and_session_fields(bench: Bench) -> None:
    own = {"hookEventName": "UserPromptSubmit", "sessionTitle": "Fix it", "suppressOriginalPrompt": True}
    text = json.dumps({"hookSpecificOutput": own})
    outcome = await bench.run(command(f"echo {shlex.quote(text)}"), point="UserPromptSubmit", prompt="hi")
    assert (outcome.session_title, outcome.blocked) == ("Fix it", False)
    assert outcome.runs[0].result == "message"
    own = {"hookEventName": "SessionStart", "sessionTitle": "Day", "initialUserMessage": "begin"}
    text = json.dumps({"hookSpecificOutput": own})
    outcome = await bench.run(command(f"echo {shlex.quote(text)}"), point="SessionStart", source="startup")
    assert (outcome.session_title, outcome.initial_prompt) == ("Day", "begin")
    assert outcome.runs[0].result == "context"


async def test_context_at_the_top_counts_only_alone(bench: Bench) -> None:
    both = {"additional_context": "top", "hookSpecificOutput": {"additionalContext": "own"}}
    outcome = await bench.run(command(f"echo {shlex.quote(json.dumps(both))}"), point="SessionStart")
    assert [text.partition("\n")[2] for text in outcome.context] == ["own"]
    outcome = await bench.run(command("""echo '{"additional_context":"top"}'"""), point="SessionStart")
    assert [text.partition("\n")[2] for text in outcome.context] == ["top"]


async def test_policy_changes_cannot_be_blocked(bench: Bench) -> None:
    policy = await bench.run(command("exit 2"), point="ConfigChange", source="policy_settings")
    project = await bench.run(command("exit 2"), point="ConfigChange", source="project_settings")
    assert (policy.blocked, project.blocked) == (False, True)
