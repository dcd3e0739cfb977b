"""A call under way: what is true of it so far, and the hooks that hear of it."""

from dataclasses import dataclass, field
from typing import Any, Literal

from ..protocol.base import JsonObject
from ..protocol.hooks import HookCall, HookOutcome, HookPoint
from ..protocol.messages import ToolUseBlock
from ..protocol.ports import Emit
from ..protocol.tools import InvalidInput, Tool
from .moments import fire
from .parts import Parts


class Refused(Exception):
    """The call will not run; `content` tells the model why."""

    def __init__(self, content: str, outcome: Literal["denied", "invalid"] = "denied") -> None:
        super().__init__(content)
        self.content = content
        self.outcome: Literal["denied", "invalid"] = outcome


@dataclass(slots=True)
class Underway:
    """One call between its parsing and its end; hooks and the person may put another input in its place.

    `added` is what the model is told beside the result, `pending` the summaries of the calls that wait behind this
    one. `stop` says whether the turn must end after it, and why.
    """

    use: ToolUseBlock
    tool: Tool
    parts: Parts
    tell: Emit
    input: JsonObject
    value: Any
    summary: str
    repaired: str = ""
    pending: tuple[str, ...] = ()
    edited_by: list[str] = field(default_factory=list[str])
    added: list[str] = field(default_factory=list[str])
    stop: Literal["", "denied", "hook"] = ""
    stop_detail: str = ""

    async def fire(self, point: HookPoint, **payload: Any) -> HookOutcome:
        """Tell the hooks of this point about the call; one of them may stop the turn."""
        if not self.parts.hooks.has(point):
            return HookOutcome()
        call = HookCall(
            point=point,
            subject=self.tool.name,
            call_id=self.use.id,
            agent_id=self.parts.agent.id,
            agent_type=self.parts.agent.type,
            payload={"tool_name": self.tool.name, "tool_input": self.input, **payload},
        )
        outcome = await fire(self.parts, call, self.tell)
        if outcome.stop:
            self.stop, self.stop_detail = "hook", outcome.stop_reason
        return outcome

    def replace_input(self, raw: JsonObject, by: str) -> None:
        """Take another input, by the name of who gave it; raises Refused when it does not parse."""
        normal = self.tool.normalize(raw, self.parts.workspace)
        try:
            self.value = self.tool.parse(normal)
        except InvalidInput as error:
            raise Refused(f"{by} changed the input to something that does not parse: {error}", "invalid") from error
        self.input = normal
        self.summary = self.tool.summarize(self.value)
        self.edited_by.append(by)
