"""What a hook did, in words that fit its moment; the chat and the hook log say the same."""

from rein_tui.harness.protocol.hooks import HookPoint, HookResult, HookRun

_DID: dict[HookResult, str] = {
    "nothing": "changed nothing",
    "allow": "allowed the call",
    "deny": "denied the call",
    "ask": "wants you to decide",
    "block": "blocked",
    "rewrote": "rewrote the input",
    "context": "added context",
    "stopped": "stopped the turn",
    "message": "says",
    "timeout": "timed out",
    "failed": "failed",
    "bad_output": "printed output that cannot be read",
    "killed": "was killed",
}
_BLOCKED: dict[HookPoint, str] = {
    "PostToolUse": "objected",
    "PostToolUseFailure": "objected",
    "PostToolBatch": "stopped the turn",
    "Stop": "sent the model on",
    "SubagentStop": "sent the subagent on",
    "UserPromptSubmit": "blocked the prompt",
    "UserPromptExpansion": "blocked the command",
    "PreCompact": "stopped the compaction",
    "ConfigChange": "refused the change",
}


def did(run: HookRun) -> str:
    """The verb after the hook's name: `denied the call`, `sent the model on`."""
    if run.result == "block":
        return _BLOCKED.get(run.hook.point, _DID["block"])
    if run.result == "rewrote" and run.updated_input is None:
        return "rewrote the output"
    if run.result == "rewrote" and "command" in (run.updated_input or {}):
        return "rewrote the command"
    return _DID[run.result]
