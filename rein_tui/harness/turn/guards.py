"""Guards against models that turn in circles: pure folds over the steps of one turn.

They see messages and nothing else, say what to tell the model, and leave it to the loop to say it.
"""

import json
import re
from dataclasses import dataclass, replace
from typing import Literal

from ..protocol.messages import ToolUseBlock
from ..protocol.models import Completed

TELL_AFTER = 3
"""How often one and the same call may be made before the model is told."""

END_AFTER = 5
"""How often before the turn ends and the person decides."""

_WAITING = frozenset({"TaskOutput", "BashOutput", "AgentOutput", "TodoRead"})
"""Tools that are rightly asked the same again: something else changes meanwhile."""

_LONGEST_PROMISE = 500
_PROMISE = re.compile(
    r"\b(?:I(?:'ll|’ll| will| am going to|'m going to|’m going to)|let me|let's|let’s|now I(?:'ll|’ll| will)?)\s+"
    r"(?:now |first |then |next |start by |begin by |quickly |also |go ahead and )*"
    r"(?:read|look|check|open|edit|write|create|run|search|find|list|fix|update|add|change|modify|inspect|examine|"
    r"explore|use|call|execute|test|view|see|grep|analy[sz]e|implement|make|apply|replace|install|review|start)\w*\b"
    r"[^.?!\n]*(?:[.:…]|\.\.\.)?\s*$",
    re.IGNORECASE,
)
_CONDITION = re.compile(
    r"\b(?:if you|would you|shall I|should I|do you|once you|when you|after you|let me know)\b", re.I
)


@dataclass(frozen=True, slots=True)
class Advice:
    """What the loop should do: tell the model `words` and go on, or end the turn with `words` for the person."""

    kind: Literal["tell", "end"]
    words: str
    code: str


@dataclass(frozen=True, slots=True)
class Guards:
    """What is known of a turn so far. `repeats` counts steps in a row whose calls were all made before."""

    seen: frozenset[str] = frozenset()
    repeats: int = 0
    nudged: bool = False
    retried: bool = False

    def after(self, completed: Completed, *, offered: bool = True) -> "tuple[Guards, Advice | None]":
        """The guards after one more message of the model, and what to do about it, if anything.

        `offered` says whether the request offered tools at all.
        """
        calls = completed.message.tool_uses
        if calls:
            return self._after_calls(calls)
        if completed.stop_reason != "end_turn":
            return self, None
        text = completed.message.text.strip()
        if not text:
            return replace(self, retried=True), _STILL_EMPTY if self.retried else _EMPTY
        if offered and not self.nudged and is_promise(text):
            return replace(self, nudged=True), _NUDGE
        return self, None

    def _after_calls(self, calls: tuple[ToolUseBlock, ...]) -> "tuple[Guards, Advice | None]":
        keys = {key_of(call) for call in calls if call.name not in _WAITING}
        if not keys or not keys <= self.seen:
            # Something new was tried: what was done before may have another result now.
            return replace(self, seen=self.seen | keys, repeats=0 if keys else self.repeats), None
        repeats = self.repeats + 1
        made = repeats + 1
        names = ", ".join(dict.fromkeys(call.name for call in calls))
        advice = None
        if made >= END_AFTER:
            words = f"The model repeats the same {names} call and gets nowhere; the turn ends. Tell it how to go on."
            advice = Advice("end", words, "repeated_call")
        elif made == TELL_AFTER:
            words = (
                f"You have made the same {names} call {made} times with the same input. The result will not change. "
                "Do something else, or say in words what stands in the way."
            )
            advice = Advice("tell", words, "repeated_call")
        return replace(self, repeats=repeats), advice


def key_of(call: ToolUseBlock) -> str:
    """What makes two calls the same: tool and input, whatever the order of its keys."""
    return f"{call.name} {call.malformed or json.dumps(call.input, sort_keys=True, default=str)}"


def is_promise(text: str) -> bool:
    """Whether a short message ends in "I'll now edit the file." and the like, without a question or a condition."""
    last = text.strip().rpartition("\n")[2].strip()
    if len(text) > _LONGEST_PROMISE or "?" in last or _CONDITION.search(last):
        return False
    sentence = re.split(r"(?<=[.!])\s+", last)[-1]
    return _PROMISE.search(sentence) is not None


_NUDGE = Advice(
    "tell",
    "You said what you would do, but called no tool. Call it now. If the task is done, say so in one sentence.",
    "promised_call",
)
_EMPTY = Advice(
    "tell",
    "Your answer was empty. Go on with the task: call a tool, or answer in words.",
    "empty_answer",
)
_STILL_EMPTY = Advice(
    "end",
    "The model answered with nothing, twice; the turn ends. Ask in other words, or choose another model with /model.",
    "empty_answer",
)
