"""Rehearsing hooks: the same selection, processes and merging, but nothing is told, stored or delivered.

What a command does to the disk or the network it does here too; only its session is out of reach.
"""

import dataclasses
import tempfile
from collections.abc import Iterable
from pathlib import Path

import msgspec

from rein_tui.harness.hooks.result_shapes import text_of, tool_response
from rein_tui.harness.protocol.base import JsonObject
from rein_tui.harness.protocol.events import Event, HookFired, ToolCallFinished, ToolCallRequested, ToolCallStarted
from rein_tui.harness.protocol.hooks import HookCall, HookOutcome, HookPoint, HookRun, HookSkip

from .engine import Hooks
from .payload import COMMON_FIELDS
from .points import POINTS, subject_of


class DryRun(msgspec.Struct, frozen=True, kw_only=True):
    """A rehearsal: what ran (`outcome.runs`), what did not, and what was written to the environment file."""

    call: HookCall
    outcome: HookOutcome
    skipped: tuple[HookSkip, ...] = ()
    exports: str = ""


async def dry_run(hooks: Hooks, call: HookCall) -> DryRun:
    """Run the matching hooks of a moment, asynchronous ones included and awaited."""
    with tempfile.TemporaryDirectory(prefix="rein-tui-hooks-") as folder:
        env_file = Path(folder) / "environment.sh"
        env_file.touch()
        context = dataclasses.replace(
            hooks.context,
            transcript_path=_transcript(hooks.context.transcript_path, folder),
            env_file=env_file,
            deliver=None,
            wake=None,
            tell=None,
        )
        selection, outcome = await hooks.rehearse(call, context)
        exports = env_file.read_text(errors="replace") if env_file.is_file() else ""
    return DryRun(call=call, outcome=outcome, skipped=tuple(selection.skipped), exports=exports)


def _transcript(path: str, folder: str) -> str:
    """The transcript at this path, else an empty one: hooks that read it would fail in a rehearsal alone."""
    if Path(path).is_file():
        return path
    empty = Path(folder) / "transcript.jsonl"
    empty.touch()
    return str(empty)


def call_of_run(run: HookRun) -> HookCall | None:
    """The moment that a recorded run was part of; None when its input was too long to be kept."""
    try:
        payload = msgspec.json.decode(run.stdin, type=JsonObject)
    except (msgspec.DecodeError, msgspec.ValidationError):
        return None
    return call_from(run.hook.point, payload)


def call_from(point: HookPoint, payload: JsonObject) -> HookCall:
    """A moment from a payload, whole or only its own fields."""
    own = {key: value for key, value in payload.items() if key not in COMMON_FIELDS}
    return HookCall(
        point=point,
        payload=own,
        subject=subject_of(point, payload),
        call_id=_text(payload, "tool_use_id"),
        agent_id=_text(payload, "agent_id"),
        agent_type=_text(payload, "agent_type"),
    )


def recorded_call(facts: Iterable[Event], call_id: str, point: HookPoint) -> HookCall | None:
    """A recorded tool call as a moment, as a hook saw it or rebuilt from the facts; None when there is no such call."""
    rebuilt: JsonObject | None = None
    for fact in facts:
        if isinstance(fact, HookFired) and fact.call_id == call_id and fact.run.hook.point == point:
            if (found := call_of_run(fact.run)) is not None:
                return found
        elif isinstance(fact, (ToolCallRequested, ToolCallStarted)) and fact.call_id == call_id:
            rebuilt = {"tool_name": fact.name, "tool_input": fact.input, "tool_use_id": call_id}
        elif isinstance(fact, ToolCallFinished) and fact.call_id == call_id and rebuilt is not None:
            if point == "PostToolUse":
                rebuilt["tool_response"] = tool_response(fact.name, fact.response, fact.content)
            elif point == "PostToolUseFailure":
                rebuilt["error"] = text_of(fact.content)
    return None if rebuilt is None else call_from(point, rebuilt)


def sample_payload(point: HookPoint) -> JsonObject:
    """An ordinary payload of a moment: every field that it always has."""
    tool: JsonObject = {"tool_name": "Bash", "tool_input": {"command": "ls"}}
    if POINTS[point].is_tool and point != "PermissionRequest":
        tool["tool_use_id"] = "toolu_sample"
    return (tool if POINTS[point].is_tool else {}) | _SAMPLES.get(point, {})


_SAMPLES: dict[HookPoint, JsonObject] = {
    "PostToolUse": {"tool_response": {"stdout": "", "stderr": "", "interrupted": False, "isImage": False}},
    "PostToolUseFailure": {"error": "Exit code 1"},
    "PermissionDenied": {"reason": "denied"},
    "PostToolBatch": {"tool_calls": []},
    "UserPromptSubmit": {"prompt": "hello"},
    "UserPromptExpansion": {
        "expansion_type": "slash_command",
        "command_name": "sample",
        "command_args": "",
        "command_source": "project",
        "prompt": "/sample",
    },
    "Stop": {"stop_hook_active": False, "last_assistant_message": "", "background_tasks": [], "session_crons": []},
    "SubagentStop": {
        "stop_hook_active": False,
        "agent_id": "agent-sample",
        "agent_type": "general-purpose",
        "agent_transcript_path": "",
        "last_assistant_message": "",
    },
    "SubagentStart": {"agent_id": "agent-sample", "agent_type": "general-purpose"},
    "StopFailure": {"error": "server", "last_assistant_message": ""},
    "SessionStart": {"source": "startup"},
    "SessionEnd": {"reason": "other"},
    "Setup": {"trigger": "init"},
    "PreCompact": {"trigger": "manual", "custom_instructions": ""},
    "PostCompact": {"trigger": "manual", "compact_summary": ""},
    "Notification": {"message": "Waiting for you", "notification_type": "idle_prompt"},
    "ConfigChange": {"source": "project_settings"},
    "InstructionsLoaded": {"file_path": "CLAUDE.md", "memory_type": "Project", "load_reason": "session_start"},
    "CwdChanged": {"old_cwd": "", "new_cwd": ""},
}


def _text(payload: JsonObject, key: str) -> str:
    value = payload.get(key)
    return value if isinstance(value, str) else ""
