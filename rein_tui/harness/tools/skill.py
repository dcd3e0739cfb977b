"""Skill: the model takes up instructions that somebody wrote for a kind of work."""

from typing import Annotated

import msgspec

from ..plugins.invocation import Invocations
from ..plugins.words import Definition
from ..protocol.displays import TextDisplay
from ..protocol.messages import ToolSpec
from ..protocol.tools import InvalidInput, ToolContext, ToolResult
from .base import BaseTool, ToolInput, one_line


class SkillInput(ToolInput, frozen=True, kw_only=True):
    """Which skill, and what for."""

    skill: Annotated[str, msgspec.Meta(description="The skill's name", min_length=1)]
    args: Annotated[str, msgspec.Meta(description="Its arguments")] = ""


class Skill(BaseTool[SkillInput]):
    """Loads a skill. One that opens nothing up may be loaded without asking; another is asked about."""

    name = "Skill"
    input_type = SkillInput

    def __init__(self, invocations: Invocations) -> None:
        self._invocations = invocations

    @property
    def spec(self) -> ToolSpec:
        """With the skills that there are now."""
        spec = super().spec
        described = f"{spec.description}\nSkills:\n{self._invocations.listing()}"
        short = self._invocations.brief_listing()
        brief = f"Loads instructions for a kind of work, before you begin it. Skills: {short}" if short else ""
        return msgspec.structs.replace(spec, description=described, brief=brief)

    def _find(self, value: SkillInput) -> Definition | None:
        return self._invocations.catalog.find(value.skill.removeprefix("/"))

    def check(self, value: SkillInput) -> None:
        """The skill must exist, and be for the model."""
        defined = self._find(value)
        if defined is None:
            known = ", ".join(skill.name for skill in self._invocations.catalog.for_model())
            raise InvalidInput(f"Skill: there is no skill {value.skill!r}. Skills: {known or 'none'}.")
        if not defined.for_model:
            raise InvalidInput(f"Skill: only the person may use {value.skill!r}. They type /{defined.name}.")

    def is_read_only(self, value: SkillInput) -> bool:
        """Whether it only adds words to the conversation."""
        defined = self._find(value)
        return defined is not None and defined.is_harmless and not defined.forks

    def summarize(self, value: SkillInput) -> str:
        """Its name and arguments."""
        return one_line(f"Skill {value.skill} {value.args}".rstrip())

    async def preview(self, value: SkillInput, context: ToolContext) -> TextDisplay | None:
        """What it opens up, and where it is written."""
        defined = self._find(value)
        if defined is None:
            return None
        lines = [defined.description, "", f"written in {defined.path}"]
        lines += [f"may call without asking: {rule}" for rule in defined.allowed]
        lines += [f"brings hooks for {event}" for event in defined.hooks]
        return TextDisplay(text="\n".join(lines).strip())

    async def run(self, value: SkillInput, context: ToolContext) -> ToolResult:
        """Render it."""
        defined = self._find(value)
        if defined is None:
            return ToolResult(content=f"There is no skill {value.skill!r}.", is_error=True)
        return await self._invocations.call(defined, value.args, context)
