"""What a command or skill changes for the turn that uses it: rules, model, effort; and hooks, which stay."""

from collections.abc import Awaitable, Callable
from functools import partial

from ..hooks.config import parse_hooks
from ..hooks.engine import Hooks
from ..protocol.decisions import Rule, Source
from ..protocol.events import Notice
from ..protocol.hooks import HookSpec
from ..turn.parts import Parts
from .substitute import fill, fill_all, folder_values
from .words import Definition


def rules_of(defined: Definition, project: str) -> tuple[Rule, ...]:
    """What it may call without asking, and what it may not call, as rules."""
    values = folder_values(defined.owner, project) | {"CLAUDE_SKILL_DIR": defined.folder}
    allowed = [Rule(text=fill(t, values), behavior="allow", source=defined.tools_source) for t in defined.allowed]
    denied = [Rule(text=fill(t, values), behavior="deny", source=defined.tools_source) for t in defined.disallowed]
    return (*allowed, *denied)


def hooks_of(defined: Definition) -> tuple[list[HookSpec], list[Notice]]:
    """The hooks that hold from its first use on, and what is wrong with them."""
    if not defined.hooks:
        return [], []
    owner = defined.owner
    return parse_hooks(
        fill_all(defined.hooks, {"CLAUDE_SKILL_DIR": defined.folder}),
        partial(_place, defined),
        plugin_id=owner.plugin_id,
        plugin_root=owner.root,
        plugin_data=owner.data,
        options=owner.options,
        owner=f"skill:{defined.name}",
    )


class TurnScope:
    """The session's parts, changed for a turn and put back when the next one begins."""

    def __init__(self, parts: Parts, hooks: Hooks, model_for: Callable[[str], Awaitable[str]]) -> None:
        self._parts = parts
        self._hooks = hooks
        self._model_for = model_for
        self._model: tuple[str, str] | None = None
        self._effort: tuple[str, str] | None = None

    def reset(self) -> None:
        """The person said something new: nothing of the last turn's commands holds any longer."""
        parts = self._parts
        parts.frontmatter = ()
        if self._model is not None and parts.model == self._model[1]:
            parts.model = self._model[0]
        if self._effort is not None and parts.effort == self._effort[1]:
            parts.effort = self._effort[0]
        self._model = self._effort = None

    async def take(self, defined: Definition) -> tuple[Notice, ...]:
        """Let what this definition says hold for the rest of the turn; what is wrong with its hooks."""
        parts = self._parts
        parts.frontmatter = tuple(dict.fromkeys((*parts.frontmatter, *rules_of(defined, str(parts.workspace.root)))))
        if defined.model and (model := await self._model_for(defined.model)):
            self._model = (self._model[0] if self._model else parts.model, model)
            parts.model = model
        if defined.effort:
            self._effort = (self._effort[0] if self._effort else parts.effort, defined.effort)
            parts.effort = defined.effort
        return self._add_hooks(defined)

    def _add_hooks(self, defined: Definition) -> tuple[Notice, ...]:
        specs, notices = hooks_of(defined)
        self._hooks.add(specs)
        return tuple(notices)


def _place(defined: Definition, pointer: tuple[str | int, ...]) -> Source:
    del pointer
    return Source(layer="frontmatter", path=defined.path, line=defined.source.line)
