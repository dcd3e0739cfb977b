"""Using commands and skills in one session: typed by the person (`/name …`), or called by the model (Skill)."""

import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Literal

from ..protocol.displays import TextDisplay
from ..protocol.errors import ConfigError
from ..protocol.events import (
    Compacted,
    Fact,
    Notice,
    Origin,
    PromptAdded,
    Rewound,
    ToolCallFinished,
    ToolCallRequested,
    ToolCallStarted,
)
from ..protocol.hooks import HookCall
from ..protocol.messages import Block, Message, TextBlock
from ..protocol.ports import Emit, Prompt
from ..protocol.tools import ToolContext, ToolResult
from ..tools.agent import GENERAL, let_go
from ..tools.background import Background
from ..turn.moments import fire
from ..turn.parts import Parts
from ..turn.subagents import Subagents
from ..turn.unfolding import Unfolded
from .catalog import Catalog
from .listing import Budget, brief_listing, listing
from .rendering import Aborted, Rendered, Scene, render
from .shell_lines import ShellLines
from .turn_scope import TurnScope, rules_of
from .words import Definition

MOST_STACKED = 6
"""How many skills may stand one behind the other at the start of a prompt."""

Attach = Callable[[str], tuple[tuple[Block, ...], tuple[Notice, ...]]]
"""The files that a text mentions with `@`, as blocks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What invocations need of the session around them. `may_run_shell` false: `!` commands are not run.

    `background` is where subagents go that nobody waits for.
    """

    scene: Callable[[], Scene]
    attach: Attach
    window: Callable[[], int]
    budget: Budget = field(default_factory=Budget)
    may_run_shell: bool = True
    background: Background | None = None


class Invocations:
    """One session's use of its catalog."""

    def __init__(self, catalog: Catalog, parts: Parts, scope: TurnScope, subagents: Subagents, usage: Usage) -> None:
        self.catalog = catalog
        self._parts = parts
        self._scope = scope
        self._subagents = subagents
        self._usage = usage
        self._given: dict[str, str] = {}

    def forget(self, fact: Fact) -> None:
        """What the conversation was given may be gone from it: a skill that is loaded again is given whole."""
        if isinstance(fact, Compacted | Rewound):
            self._given.clear()

    def listing(self) -> str:
        """The skills that the model may use, within the budget."""
        budget = self._usage.budget
        return listing(self.catalog.for_model(), budget.of(self._usage.window()), budget.longest, self.catalog.used)

    def brief_listing(self) -> str:
        """The same in one line, for a small model."""
        return brief_listing(self.catalog.for_model(), self.catalog.used)

    def commands(self) -> list[str]:
        """The names that a person may type."""
        return [info.name for info in self.catalog.infos()]

    # --- typed by the person ----------------------------------------------------------------------------------

    async def unfold(self, prompt: Prompt, tell: Emit) -> Unfolded | None:
        """What a prompt that begins with commands becomes; None for ordinary words. A new prompt ends old scopes."""
        self._scope.reset()
        self.catalog.refresh()
        for notice in self.catalog.new_problems():
            await tell(notice)
        named, raw = self._named(prompt.text)
        if not named:
            return None
        messages: list[PromptAdded] = []
        for defined in named:
            try:
                messages += await self._typed(defined, raw, prompt, tell)
            except (Aborted, ConfigError) as problem:
                await tell(Notice(text=problem.message, level="error", where=problem.where, hint=problem.hint))
                return Unfolded(refused=problem.message)
        return Unfolded(tuple(messages))

    def _named(self, text: str) -> tuple[list[Definition], str]:
        """The definitions that a prompt names at its start, and the arguments for all of them."""
        named: list[Definition] = []
        rest = text.lstrip()
        while rest.startswith("/") and len(named) < MOST_STACKED:
            word = rest.split(maxsplit=1)[0]
            defined = self.catalog.find(word[1:])
            stacks = defined is not None and (not named or "command" not in (defined.kind, named[-1].kind))
            if defined is None or not defined.for_person or not stacks:
                break
            named.append(defined)
            rest = rest[len(word) :].lstrip()
        return named, rest.strip()

    async def _typed(self, defined: Definition, raw: str, prompt: Prompt, tell: Emit) -> list[PromptAdded]:
        payload = {
            "expansion_type": "slash_command",
            "command_name": defined.name,
            "command_args": raw,
            "command_source": defined.owner.layer,
            "prompt": prompt.text,
        }
        call = HookCall(point="UserPromptExpansion", subject=defined.name, payload=payload)
        outcome = await fire(self._parts, call, tell)
        if outcome.blocked or outcome.stop:
            raise Aborted(outcome.reason or outcome.stop_reason or f"A hook keeps /{defined.name} from being used.")
        rendered = await self._rendered(defined, raw, tell)
        for notice in await self._scope.take(defined):
            await tell(notice)
        head = f"<command-name>/{defined.name}</command-name>\n<command-args>{raw}</command-args>"
        if defined.forks:
            text = await self._forked_turn(defined, raw, rendered, tell)
            body: tuple[Block, ...] = (TextBlock(text=f"It was done by a subagent, which reports:\n{text}"),)
        else:
            attached, notices = self._usage.attach(rendered.words)
            for notice in notices:
                await tell(notice)
            body = (TextBlock(text=rendered.text), *attached, *prompt.blocks)
        messages = [_said((TextBlock(text=head), *body), "prompt", defined.name)]
        messages += [_said((TextBlock(text=text),), "hook", "UserPromptExpansion") for text in outcome.context]
        return messages

    async def _rendered(self, defined: Definition, raw: str, tell: Emit) -> Rendered:
        scene = self._usage.scene()
        if self._usage.may_run_shell or defined.owner.layer == "managed":
            rules = rules_of(defined, scene.project)
            scene = replace(scene, shell=ShellLines(self._parts, tell, rules))
        rendered = await render(defined, raw, scene)
        self.catalog.used[defined.name] = self.catalog.used.get(defined.name, 0) + 1
        return rendered

    async def _forked_turn(self, defined: Definition, raw: str, rendered: Rendered, tell: Emit) -> str:
        """Run the body in a subagent, as a call of the Skill tool that the person made."""
        call_id = f"skill_{uuid.uuid4().hex[:12]}"
        skill_input = {"skill": defined.name, "args": raw}
        summary = f"Skill {defined.name} {raw}".strip()
        await tell(ToolCallRequested(call_id=call_id, name="Skill", input=skill_input, summary=summary))
        await tell(ToolCallStarted(call_id=call_id, name="Skill", input=skill_input))
        parts = self._parts
        started = time.perf_counter()
        context = ToolContext(call_id, parts.workspace, tell, parts.prompter, parts.interactive)
        said, failed = await self._forked(defined, rendered.text, context, waits=not defined.background)
        text = said or "(no answer)"
        outcome: Literal["error", "ok"] = "error" if failed else "ok"
        await tell(
            ToolCallFinished(
                call_id=call_id,
                name="Skill",
                outcome=outcome,
                content=text,
                display=TextDisplay(text=text, markdown=True),
                duration=time.perf_counter() - started,
            )
        )
        return text

    # --- called by the model ----------------------------------------------------------------------------------

    async def call(self, defined: Definition, raw: str, context: ToolContext) -> ToolResult:
        """What the Skill tool gives back: the rendered body, or a subagent's report."""
        try:
            rendered = await self._rendered(defined, raw, context.emit)
        except (Aborted, ConfigError) as problem:
            return ToolResult(content=str(problem), is_error=True)
        for notice in await self._scope.take(defined):
            await context.emit(notice)
        response = {"success": True, "commandName": defined.name}
        if defined.forks:
            text, failed = await self._forked(defined, rendered.text, context, waits=defined.background is False)
            display = TextDisplay(text=text, markdown=True)
            return ToolResult(content=text, is_error=failed, display=display, response=response)
        display = TextDisplay(text=rendered.text, markdown=True)
        if self._given.get(defined.name) == rendered.text:
            text = f"The skill {defined.name} is already in this conversation, unchanged: follow it."
            return ToolResult(content=text, display=display, response=response)
        self._given[defined.name] = rendered.text
        attached, notices = self._usage.attach(rendered.words)
        for notice in notices:
            await context.emit(notice)
        files = [block.text for block in attached if isinstance(block, TextBlock)]
        head = f"Base folder of this skill: {defined.folder}\n\n" if defined.kind == "skill" else ""
        return ToolResult(content="\n\n".join([head + rendered.text, *files]), display=display, response=response)

    async def _forked(self, defined: Definition, text: str, context: ToolContext, *, waits: bool) -> tuple[str, bool]:
        """What the subagent says, or where somebody can hear of it later that it works; and whether it failed."""
        spec = self._subagents.kind(defined.agent or GENERAL, defined.owner.plugin)
        if spec is None:
            said = f"/{defined.name} is for the agent {defined.agent!r}, which does not exist; {GENERAL} does it"
            where, hint = str(defined.source), f"There are: {', '.join(self._subagents.specs())}."
            await context.emit(Notice(text=said, level="warning", where=where, hint=hint, code="no_such_agent"))
            spec = self._subagents.specs()[GENERAL]
        run = partial(self._subagents.run, spec, text, model=defined.model)
        background = self._usage.background
        if waits or background is None or not context.interactive or context.depth:
            result = await run(context)
            return result.failure or result.text, bool(result.failure)
        task_id = await let_go(self._subagents, background, f"/{defined.name}", run, context)
        said = f"A subagent works on it in the background as {task_id}. You are told when it ends; TaskOutput reads it."
        return said, False


def _said(blocks: tuple[Block, ...], origin: Origin, source: str) -> PromptAdded:
    return PromptAdded(message=Message(role="user", blocks=blocks), origin=origin, source=source)
