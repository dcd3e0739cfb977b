"""The JSON that a hook reads on standard input."""

import json

from rein_tui.harness.protocol.base import JsonObject
from rein_tui.harness.protocol.hooks import HookCall

from .context import HookContext
from .points import POINTS

COMMON_FIELDS = frozenset(
    "session_id transcript_path cwd permission_mode hook_event_name prompt_id effort agent_id agent_type".split()
)
"""Fields that the session adds to every payload."""


def build_payload(call: HookCall, context: HookContext) -> JsonObject:
    """The whole payload of one moment: the fields that all share, then its own."""
    payload: JsonObject = {
        "session_id": context.session_id,
        "transcript_path": context.transcript_path,
        "cwd": call.cwd or context.cwd(),
    }
    if POINTS[call.point].sends_mode:
        payload["permission_mode"] = context.mode()
    payload["hook_event_name"] = call.point
    if prompt_id := context.prompt_id():
        payload["prompt_id"] = prompt_id
    if effort := context.effort():
        payload["effort"] = {"level": effort}
    if call.agent_id:
        payload["agent_id"] = call.agent_id
    if call.agent_type:
        payload["agent_type"] = call.agent_type
    if call.point in ("Stop", "SubagentStop"):
        payload |= {"background_tasks": context.background_tasks(), "session_crons": []}
    if call.point == "SubagentStop":
        payload["agent_transcript_path"] = context.agent_transcript(call.agent_id)
    return payload | call.payload


def encode_payload(payload: JsonObject) -> bytes:
    """Compact JSON with a newline, as `read -r` and `grep '"tool_name":"Bash"'` expect."""
    try:
        return json.dumps(payload, ensure_ascii=False, separators=(",", ":"), default=str).encode() + b"\n"
    except UnicodeEncodeError:
        # A lone surrogate cannot be UTF-8; escaped it can travel.
        return json.dumps(payload, separators=(",", ":"), default=str).encode() + b"\n"
