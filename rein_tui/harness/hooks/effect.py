"""What one run comes to, once its exit code and output have been read."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

from rein_tui.harness.protocol.base import JsonObject
from rein_tui.harness.protocol.hooks import HookResult, HookSpec

Permission: TypeAlias = Literal["deny", "defer", "ask", "allow"]


@dataclass(slots=True, kw_only=True)
class Effect:
    """One run's say. Filled in while its output is read, and not changed afterwards.

    `permission` and `reason` decide about a call; `blocked` and `reason` about a moment. `feedback` goes to the
    model, `message` to the person, `context` into the conversation. `fault` is set when the run broke, `problem`
    when only a part of its output could not be used.
    """

    permission: Permission | None = None
    blocked: bool = False
    reason: str = ""
    stop: bool = False
    stop_reason: str = ""
    updated_input: JsonObject | None = None
    updated_output: JsonObject | str | None = None
    context: str = ""
    message: str = ""
    feedback: str = ""
    session_title: str = ""
    initial_prompt: str = ""
    request_answer: JsonObject | None = None
    parsed: JsonObject | None = None
    fault: HookResult | None = None
    problem: str = ""

    @property
    def result(self) -> HookResult:
        """The one word that the log shows."""
        if self.fault:
            return self.fault
        if self.stop:
            return "stopped"
        if self.permission == "deny":
            return "deny"
        if self.blocked or self.feedback:
            return "block"
        if self.request_answer is not None:
            return "deny" if self.request_answer["behavior"] == "deny" else "allow"
        if self.permission in ("ask", "defer"):
            return "ask"
        if self.updated_input is not None or self.updated_output is not None:
            return "rewrote"
        if self.permission == "allow":
            return "allow"
        if self.context or self.initial_prompt:
            return "context"
        return "message" if self.message or self.session_title else "nothing"

    @property
    def said_no(self) -> bool:
        """Whether the run clearly refused: then a flaw elsewhere in its output changes nothing."""
        return self.stop or self.blocked or bool(self.feedback) or self.permission == "deny"


def short_title(spec: HookSpec) -> str:
    """The handler's title in a few words, for sentences and labels."""
    words = " ".join(spec.title.split())
    return words if len(words) <= 60 else f"{words[:59]}…"
