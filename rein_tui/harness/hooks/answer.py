"""What a model's `{ok, reason, impossible}` means at each moment."""

from rein_tui.harness.protocol.base import JsonObject
from rein_tui.harness.protocol.hooks import HookSpec

from .effect import Effect
from .points import POINTS

_ENDS_TURN = ("PreToolUse", "PostToolUse")


def read_answer(spec: HookSpec, answer: JsonObject, effect: Effect) -> None:
    """Turn a prompt or agent handler's answer into its effect."""
    effect.parsed = answer
    if answer["ok"]:
        return
    reason = str(answer.get("reason") or "A hook's condition is not met.")
    how = POINTS[spec.point].on_block
    if how == "block":
        if answer.get("impossible") is True and spec.point in ("Stop", "SubagentStop"):
            effect.message = reason
            return
        effect.blocked, effect.reason = True, reason
    elif how == "deny":
        effect.permission, effect.reason = "deny", reason
    elif how == "feedback":
        effect.feedback = reason
    else:
        effect.problem = f"a model's judgement decides nothing at {spec.point}"
        return
    goes_on = spec.handler == "agent" or spec.config.get("continueOnBlock") is True
    if spec.point in _ENDS_TURN and not goes_on:
        effect.stop, effect.stop_reason = True, reason
