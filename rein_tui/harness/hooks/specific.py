"""The fields of a hook's JSON that belong to one moment."""

from dataclasses import dataclass, field

from rein_tui.harness.protocol.base import JsonObject
from rein_tui.harness.protocol.hooks import HookSpec

from .effect import Effect, short_title
from .points import POINTS
from .shapes import is_list, is_object


@dataclass(slots=True)
class Reading:
    """One output being read into one effect.

    `is_invalid` once a field has a value that it cannot have; `spare_reason` is the reason of a refusal that
    gives none itself.
    """

    spec: HookSpec
    payload: JsonObject
    effect: Effect
    problems: list[str] = field(default_factory=list[str])
    is_invalid: bool = False
    spare_reason: str = ""

    def reject(self, problem: str) -> None:
        """Note a field that does not fit the protocol."""
        self.problems.append(problem)
        self.is_invalid = True

    def text(self, data: JsonObject, key: str) -> str:
        """A text field; absent and null are empty."""
        value = data.get(key)
        if value is None or isinstance(value, str):
            return value or ""
        self.reject(f"`{key}` must be text")
        return ""

    def flag(self, data: JsonObject, key: str) -> bool | None:
        """A true-or-false field; absent and null are None."""
        value = data.get(key)
        if value is None or isinstance(value, bool):
            return value
        self.reject(f"`{key}` must be true or false")
        return None

    def object(self, data: JsonObject, key: str) -> JsonObject | None:
        """An object field; absent and null are None."""
        value = data.get(key)
        if value is None or is_object(value):
            return value
        self.reject(f"`{key}` must be an object")
        return None

    def block(self, reason: str) -> None:
        """Say no, in the way of this moment."""
        effect, point = self.effect, self.spec.point
        how = POINTS[point].on_block
        reason = reason or self.spare_reason or effect.message
        fallback = f"A {point} hook ({short_title(self.spec)}) refused without giving a reason."
        if point == "ConfigChange" and self.payload.get("source") == "policy_settings":
            self.problems.append("a change of policy cannot be blocked")
        elif how == "deny":
            effect.permission, effect.reason = "deny", reason or fallback
        elif how == "block":
            effect.blocked, effect.reason = True, reason or fallback
        elif how == "feedback":
            effect.feedback = reason or fallback
        elif how == "message":
            effect.message = "\n".join(dict.fromkeys(text for text in (effect.message, reason) if text))
        elif how == "refused":
            self.problems.append(f"`decision: block` is no answer to {point}")


def read_specific(reading: Reading, parsed: JsonObject) -> None:
    """Read `hookSpecificOutput`, or the texts that some hooks put beside it."""
    own = reading.object(parsed, "hookSpecificOutput")
    if own is None:
        # Some hooks write the context at the top; counted only when it is nowhere else.
        own = {"additionalContext": parsed.get("additionalContext") or parsed.get("additional_context")}
    name = own.get("hookEventName")
    point = reading.spec.point
    if name is not None and name != point and not (point == "SubagentStop" and name == "Stop"):
        reading.reject(f"hookEventName is {name!r}, but this is {point}")
        return
    if POINTS[point].takes_context:
        reading.effect.context = reading.text(own, "additionalContext")
    if point == "PreToolUse":
        _read_permission(reading, own)
    elif point == "PermissionRequest":
        _read_request(reading, own)
    elif point == "PostToolUse":
        _read_replacement(reading, own)
    elif point == "UserPromptSubmit":
        reading.effect.session_title = reading.text(own, "sessionTitle")
    elif point == "SessionStart":
        reading.effect.session_title = reading.text(own, "sessionTitle")
        reading.effect.initial_prompt = reading.text(own, "initialUserMessage")
    elif point in ("Stop", "SubagentStop") and reading.effect.context:
        # Context at the end of a turn means that the turn goes on.
        reading.effect.blocked = True


def _read_permission(reading: Reading, own: JsonObject) -> None:
    effect = reading.effect
    decision, reason = own.get("permissionDecision"), reading.text(own, "permissionDecisionReason")
    effect.updated_input = reading.object(own, "updatedInput")
    if decision == "deny":
        reading.block(reason)
    elif decision in ("defer", "ask", "allow"):
        effect.permission = decision
        effect.reason = reason
    elif decision is not None:
        reading.reject(f"unknown permissionDecision {decision!r}")


def _read_request(reading: Reading, own: JsonObject) -> None:
    answer = reading.object(own, "decision")
    if answer is None:
        return
    if answer.get("behavior") not in ("allow", "deny"):
        reading.reject(f"unknown behavior {answer.get('behavior')!r}")
        return
    updated = reading.object(answer, "updatedInput")
    rules = answer.get("updatedPermissions")
    if rules is not None and not is_list(rules):
        reading.reject("`updatedPermissions` must be a list")
        return
    reading.text(answer, "message")
    reading.flag(answer, "interrupt")
    if not reading.is_invalid:
        reading.effect.request_answer = answer
        reading.effect.updated_input = updated
        reading.effect.reason = reading.text(answer, "message")


def _read_replacement(reading: Reading, own: JsonObject) -> None:
    """A replacement for the tool's output; it has to look like that output."""
    is_mcp = str(reading.payload.get("tool_name", "")).startswith("mcp__")
    value = own.get("updatedToolOutput")
    if value is None and is_mcp:
        value = own.get("updatedMCPToolOutput")
    if value is None:
        return
    if is_mcp and is_list(value):
        value = {"content": value}
    if not (isinstance(value, str) or is_object(value)) or not (
        is_mcp or _same_shape(value, reading.payload.get("tool_response"))
    ):
        reading.problems.append("the replaced output does not have the tool's shape, so it was left as it was")
        return
    reading.effect.updated_output = value


def _same_shape(value: object, model: object) -> bool:
    if is_object(value) and is_object(model):
        return all(key in model and _same_shape(item, model[key]) for key, item in value.items())
    if isinstance(value, (int, float)) and isinstance(model, (int, float)):
        return isinstance(value, bool) == isinstance(model, bool)
    return model is None or type(value) is type(model)
