"""Hooks in whole sessions: real tools, real processes, the scripted model; what each moment is told and can change."""

import asyncio
import json
from collections.abc import Callable
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest

from rein_tui.harness.hooks.points import POINTS
from rein_tui.harness.idle import IdleNotice
from rein_tui.harness.places import Places
from rein_tui.harness.protocol.base import JsonObject
from rein_tui.harness.protocol.errors import Failure
from rein_tui.harness.protocol.events import (
    Event,
    HookFired,
    ModeChanged,
    PermissionRequested,
    PromptAdded,
    TitleChanged,
    TurnFinished,
)
from rein_tui.harness.protocol.hooks import HookRun
from rein_tui.harness.protocol.messages import TextBlock
from rein_tui.harness.protocol.models import ModelRequest
from rein_tui.harness.providers.scripted import ScriptedCall, Step
from tests.harness.plugins.sessions import DONE, Stage, bash, staged

ALWAYS = {"session_id", "transcript_path", "cwd", "hook_event_name"}
OWN: dict[str, set[str]] = {
    "SessionStart": {"source", "model"},
    "Setup": {"trigger"},
    "UserPromptSubmit": {"permission_mode", "prompt_id", "prompt"},
    "PreToolUse": {"permission_mode", "prompt_id", "tool_name", "tool_input", "tool_use_id"},
    "PostToolUse": {
        *("permission_mode prompt_id tool_name tool_input tool_use_id".split()),
        *("tool_response duration_ms".split()),
    },
    "PostToolUseFailure": {
        *("permission_mode prompt_id tool_name tool_input tool_use_id".split()),
        *("error is_interrupt duration_ms".split()),
    },
    "PostToolBatch": {"permission_mode", "prompt_id", "tool_calls"},
    "CwdChanged": {"permission_mode", "prompt_id", "old_cwd", "new_cwd"},
    "SubagentStart": {"permission_mode", "prompt_id", "agent_id", "agent_type"},
    "SubagentStop": {
        *("permission_mode prompt_id agent_id agent_type agent_transcript_path stop_hook_active".split()),
        *("last_assistant_message background_tasks session_crons".split()),
    },
    "Stop": {
        *("permission_mode prompt_id stop_hook_active last_assistant_message".split()),
        *("background_tasks session_crons".split()),
    },
    "StopFailure": {"permission_mode", "prompt_id", "error", "error_details", "last_assistant_message"},
}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    return folder


def configure(places: Places, **handlers: JsonObject) -> None:
    """One handler for each of these moments, in the person's settings."""
    places.config.mkdir(parents=True, exist_ok=True)
    hooks = {point: [{"hooks": [handler]}] for point, handler in handlers.items()}
    places.user_settings.write_text(json.dumps({"hooks": hooks}))


def says(own: JsonObject) -> JsonObject:
    """A command that prints this for its moment."""
    program = f"print({json.dumps(json.dumps({'hookSpecificOutput': own}))})"
    return {"type": "command", "command": "python3", "args": ["-c", program]}


def runs(stage: Stage, point: str) -> list[HookRun]:
    return [e.run for e in stage.events if isinstance(e, HookFired) and e.run.hook.point == point]


def inputs(stage: Stage) -> dict[str, JsonObject]:
    """What the last run of each moment was told."""
    return {e.run.hook.point: json.loads(e.run.stdin) for e in stage.events if isinstance(e, HookFired)}


async def test_every_moment_is_told_what_it_should_be(places: Places, project: Path) -> None:
    configure(places, **{point: {"type": "command", "command": "true"} for point in POINTS})
    look = ScriptedCall(
        name="Agent", input={"description": "look", "prompt": "look", "subagent_type": "general-purpose"}
    )
    steps = [
        bash("mkdir sub && cd sub"),
        bash("echo out; exit 3"),
        Step(calls=(look,)),
        Step(text="the agent is done"),
        Step(calls=(ScriptedCall(name="Bash", input={"command": "sleep 60", "run_in_background": True}),)),
        DONE,
        Step(error=Failure(message="too busy", kind="overloaded")),
    ]
    wishes: dict[str, Any] = {"setup": "init", "allow": ("Bash", "Agent"), "effort": "high"}
    async with staged(places, project, steps, **wishes) as stage:
        await stage.say("hello")
        await stage.say("again")
        told = inputs(stage)
    for point, own in OWN.items():
        optional = {"effort", "session_title"} if point != "Setup" else {"effort"}
        inside = {"agent_id", "agent_type"} if "agent_id" in told[point] else set[str]()
        assert set(told[point]) - optional - inside == (ALWAYS | own) - inside, point
    assert told["CwdChanged"]["new_cwd"] == str(project / "sub") == told["Stop"]["cwd"]
    assert told["PostToolUseFailure"]["error"].splitlines()[0] == "Exit code 3"
    assert told["Stop"]["background_tasks"] == [
        {"id": "shell_1", "type": "shell", "status": "running", "description": "sleep 60"}
    ]
    assert (told["SubagentStop"]["agent_type"], told["SubagentStop"]["last_assistant_message"]) == (
        "general-purpose",
        "the agent is done",
    )
    transcript = Path(told["SubagentStop"]["agent_transcript_path"])
    assert '"the agent is done"' in transcript.read_text()
    assert (told["StopFailure"]["error"], told["StopFailure"]["last_assistant_message"]) == ("overloaded", "too busy")
    first, second = (json.loads(run.stdin)["prompt_id"] for run in runs(stage, "UserPromptSubmit"))
    assert first != second == told["StopFailure"]["prompt_id"]
    records = [json.loads(line) for line in Path(told["Stop"]["transcript_path"]).read_text().splitlines()]
    assert [r["promptId"] for r in records if "promptId" in r] == [first, second]


async def test_the_hooks_after_a_batch_are_told_what_really_ran(places: Places, project: Path) -> None:
    rewritten = says({"hookEventName": "PreToolUse", "updatedInput": {"command": "echo tame"}})
    configure(places, PreToolUse=rewritten, PostToolBatch={"type": "command", "command": "true"})
    async with staged(places, project, [bash("echo wild"), DONE], allow=("Bash",)) as stage:
        await stage.say("hello")
        (call,) = inputs(stage)["PostToolBatch"]["tool_calls"]
    assert call["tool_input"]["command"] == "echo tame"


async def test_a_hook_answers_for_the_person_and_its_rule_holds(places: Places, project: Path) -> None:
    rules = [{"toolName": "Bash", "ruleContent": "touch *"}]
    updates = [
        {"type": "addRules", "rules": rules, "behavior": "allow", "destination": "session"},
        {"type": "setMode", "mode": "acceptEdits", "destination": "session"},
        {"type": "setMode", "mode": "bypassPermissions", "destination": "session"},
        {"type": "makeTea"},
        "nonsense",
    ]
    decision = {"behavior": "allow", "updatedPermissions": updates}
    configure(places, PermissionRequest=says({"hookEventName": "PermissionRequest", "decision": decision}))
    async with staged(places, project, [bash("touch a"), bash("touch b"), DONE]) as stage:
        await stage.say("go")
        assert stage.session.mode == "acceptEdits"
    assert [outcome for _, outcome, _ in stage.finished()] == ["ok", "ok"]
    assert len(runs(stage, "PermissionRequest")) == 1
    asked = json.loads(runs(stage, "PermissionRequest")[0].stdin)
    assert {frozenset(entry) for entry in asked["permission_suggestions"]} == {
        frozenset({"type", "rules", "behavior", "destination"})
    }
    assert asked["permission_suggestions"][0]["rules"][0]["toolName"] == "Bash"
    assert not any(isinstance(event, PermissionRequested) for event in stage.events)
    assert [e.mode for e in stage.events if isinstance(e, ModeChanged)] == ["acceptEdits"]
    assert sum("wanted to change permissions" in text for text in stage.notices()) == 3


async def test_a_deny_rule_of_a_hook_holds_for_the_next_call(places: Places, project: Path) -> None:
    rules = [{"toolName": "Bash", "ruleContent": "touch b"}]
    updates = [{"type": "addRules", "rules": rules, "behavior": "deny", "destination": "session"}]
    decision = {"behavior": "allow", "updatedPermissions": updates, "updatedInput": {"command": "touch c"}}
    configure(places, PermissionRequest=says({"hookEventName": "PermissionRequest", "decision": decision}))
    async with staged(places, project, [bash("touch a"), bash("touch b"), DONE]) as stage:
        await stage.say("go")
    assert [outcome for _, outcome, _ in stage.finished()] == ["ok", "denied"]
    assert [path.name for path in project.iterdir()] == ["c"]


def judged(look: Callable[[ModelRequest], Step | None]) -> Callable[[ModelRequest], Step]:
    """A model that rests at once, except where it judges for a hook."""
    return lambda request: look(request) or DONE


def is_for_hook(request: ModelRequest) -> bool:
    first = request.messages[0].blocks[0]
    return isinstance(first, TextBlock) and "is the work done?" in first.text


@pytest.mark.parametrize("kind", ["prompt", "agent"])
async def test_a_model_judges_whether_the_turn_may_end(kind: str, places: Places, project: Path) -> None:
    (project / "state.txt").write_text("half done\n")
    configure(places, Stop={"type": kind, "prompt": "is the work done? $ARGUMENTS", "timeout": 20})
    seen: list[ModelRequest] = []

    def look(request: ModelRequest) -> Step | None:
        if not is_for_hook(request):
            return None
        seen.append(request)
        if kind == "agent" and len(request.messages) == 1:
            return Step(calls=(ScriptedCall(name="Read", input={"file_path": str(project / "state.txt")}),))
        enough = sum(is_last(request) for request in seen) > 1
        return Step(text=json.dumps({"ok": enough, "reason": "" if enough else "state.txt says half done"}))

    def is_last(request: ModelRequest) -> bool:
        return kind == "prompt" or len(request.messages) > 1

    async with staged(places, project, judged(look)) as stage:
        await stage.say("go")
    assert [run.result for run in runs(stage, "Stop")] == ["block", "nothing"]
    assert json.loads(runs(stage, "Stop")[1].stdin)["stop_hook_active"] is True
    told = [
        b.text for e in stage.events if isinstance(e, PromptAdded) for b in e.message.blocks if isinstance(b, TextBlock)
    ]
    assert any("state.txt says half done" in text for text in told)
    if kind == "agent":
        assert {tool.name for request in seen for tool in request.tools} == {"Read", "Grep", "Glob"}
        assert "half done" in str(seen[1].messages[-1])
    else:
        assert seen[0].forced_schema is not None and not seen[0].tools


async def test_an_agent_that_answers_in_prose_is_asked_for_the_answer(places: Places, project: Path) -> None:
    configure(places, Stop={"type": "agent", "prompt": "is the work done?"})

    def look(request: ModelRequest) -> Step | None:
        if not is_for_hook(request):
            return None
        return Step(text='{"ok": true}' if request.forced_schema else "It looks fine to me.")

    async with staged(places, project, judged(look)) as stage:
        await stage.say("go")
    assert [run.result for run in runs(stage, "Stop")] == ["nothing"]


async def test_the_first_words_may_come_from_a_hook_where_nobody_types(places: Places, project: Path) -> None:
    own = {"hookEventName": "SessionStart", "initialUserMessage": "First look around."}
    configure(places, SessionStart=says(own))
    async with staged(places, project, [DONE], interactive=False) as stage:
        await stage.say("then work")
    texts = [b.text for m in stage.provider.requests[0].messages for b in m.blocks if isinstance(b, TextBlock)]
    assert texts.index("First look around.") < texts.index("then work")


async def test_a_prompt_that_a_hook_blocks_is_nobodys_title(places: Places, project: Path) -> None:
    configure(places, UserPromptSubmit={"type": "command", "command": "grep -q secret && exit 2 || exit 0"})
    async with staged(places, project, [DONE]) as stage:
        await stage.say("my secret is 1234")
        assert stage.provider.requests == []
        await stage.say("hello")
    assert [e.title for e in stage.events if isinstance(e, TitleChanged)] == ["hello"]
    assert [e.reason for e in stage.events if isinstance(e, TurnFinished)] == ["hook", "end_turn"]


async def test_an_idle_session_tells_its_hooks_once_nobody_comes(places: Places, project: Path) -> None:
    configure(places, Notification={"type": "command", "command": "true"})
    told: asyncio.Queue[Event] = asyncio.Queue()
    async with staged(places, project, [DONE]) as stage:
        clock = IdleNotice(stage.session.parts, told.put, seconds=0)
        clock.start()
        async with asyncio.timeout(20):
            while not isinstance(event := await told.get(), HookFired):
                pass
        patient = IdleNotice(stage.session.parts, told.put, seconds=3600)
        patient.start()
        await patient.stop()
    payload = json.loads(event.run.stdin)
    assert payload["notification_type"] == "idle_prompt" and payload["message"] and payload["title"]


async def test_compaction_tells_its_story_in_order(places: Places, project: Path) -> None:
    points = ("PreCompact", "PostCompact", "InstructionsLoaded", "SessionStart")
    configure(places, **{point: {"type": "command", "command": "true"} for point in points})
    (project / "CLAUDE.md").write_text("# Be brief")
    steps = [Step(text="a long answer " * 400), Step(text="summary")]
    async with staged(places, project, steps) as stage:
        await stage.say("a long question " * 400)
        stage.events.clear()
        async with aclosing(stage.session.compact("names")) as events:
            stage.events += [event async for event in events]
    assert stage.hooks() == list(points)
    told = inputs(stage)
    assert (told["PreCompact"]["trigger"], told["PreCompact"]["custom_instructions"]) == ("manual", "names")
    assert told["PostCompact"]["compact_summary"] and told["SessionStart"]["source"] == "compact"
    assert told["InstructionsLoaded"]["load_reason"] == "compact"


async def test_a_session_that_was_left_ends_once_and_begins_anew(places: Places, project: Path) -> None:
    configure(places, **{point: {"type": "command", "command": "true"} for point in ("SessionStart", "SessionEnd")})
    async with staged(places, project, [DONE, DONE]) as stage:
        await stage.say("hello")
        await stage.session.leave("clear")
        await stage.session.leave("clear")
        await stage.say("I am back")
        await stage.session.leave("clear")
        facts = stage.session.history()
    told = [json.loads(f.run.stdin) for f in facts if isinstance(f, HookFired)]
    assert [t.get("source") or t["reason"] for t in told] == ["startup", "clear", "resume", "clear"]
