"""EnterPlanMode and ExitPlanMode: think first, and let the person approve the plan."""

from typing import Annotated, Protocol

import msgspec

from ..protocol.decisions import Mode
from ..protocol.displays import TextDisplay
from ..protocol.errors import ConfigError
from ..protocol.events import ModeChanged
from ..protocol.tools import ToolContext, ToolResult
from .base import BaseTool, ToolInput, failed


class Modes(Protocol):
    """What has a permission mode: the permission engine."""

    @property
    def mode(self) -> Mode:
        """The mode in force."""
        ...

    def set_mode(self, mode: Mode) -> None:
        """Change it. Raises ConfigError for a mode that policy forbids."""
        ...


class PlanState:
    """The engine that has the mode, and the mode to go back to after planning."""

    def __init__(self, modes: Modes) -> None:
        self.modes = modes
        self.before: Mode = "default"


class EnterPlanModeInput(ToolInput, frozen=True, kw_only=True):
    """Nothing."""


class ExitPlanModeInput(ToolInput, frozen=True, kw_only=True):
    """The plan."""

    plan: Annotated[str, msgspec.Meta(description="The plan, as markdown")]


class EnterPlanMode(BaseTool[EnterPlanModeInput]):
    """From now on nothing is changed."""

    name = "EnterPlanMode"
    input_type = EnterPlanModeInput
    read_only = True

    def __init__(self, state: PlanState) -> None:
        self._state = state

    def summarize(self, value: EnterPlanModeInput) -> str:
        """One line."""
        return "EnterPlanMode"

    async def run(self, value: EnterPlanModeInput, context: ToolContext) -> ToolResult:
        """Switch to plan mode, which only ever allows less."""
        modes = self._state.modes
        if modes.mode != "plan":
            before = modes.mode
            try:
                modes.set_mode("plan")
            except ConfigError as error:
                return failed(str(error))
            self._state.before = before
            await context.emit(ModeChanged(mode="plan", by="tool"))
        text = "Plan mode: explore and design, change nothing. Present the plan with ExitPlanMode."
        return ToolResult(content=text, response={"message": text})


class ExitPlanMode(BaseTool[ExitPlanModeInput]):
    """Asks the person to approve the plan: running this call means that they did."""

    name = "ExitPlanMode"
    input_type = ExitPlanModeInput

    def __init__(self, state: PlanState) -> None:
        self._state = state

    @property
    def requires_person(self) -> bool:
        """A plan is approved by a person."""
        return True

    def summarize(self, value: ExitPlanModeInput) -> str:
        """One line."""
        return "ExitPlanMode: approve the plan"

    async def preview(self, value: ExitPlanModeInput, context: ToolContext) -> TextDisplay:
        """The plan."""
        return TextDisplay(text=value.plan, markdown=True)

    async def run(self, value: ExitPlanModeInput, context: ToolContext) -> ToolResult:
        """Go back to the mode before planning."""
        modes = self._state.modes
        if modes.mode != "plan":
            return failed("The session is not in plan mode: just go on.")
        try:
            modes.set_mode(self._state.before)
        except ConfigError as error:
            return failed(str(error))
        await context.emit(ModeChanged(mode=modes.mode, by="tool"))
        return ToolResult(
            content="The person approved the plan. Start with it, and keep to it.",
            display=TextDisplay(text=value.plan, markdown=True),
            response={"plan": value.plan, "isAgent": bool(context.agent_id)},
        )
