"""Small implementations of the harness's ports, for tests of what stands on them."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rein_tui.harness.protocol.base import JsonObject
from rein_tui.harness.protocol.decisions import (
    DecidedBy,
    Decision,
    Mode,
    Outcome,
    PermissionQuery,
    PermissionReply,
    PermissionRequest,
    QuestionReply,
    QuestionRequest,
    Rule,
    Scope,
    Source,
)
from rein_tui.harness.protocol.displays import Display, TextDisplay
from rein_tui.harness.protocol.events import ContextPrepared, Event, Fact, Notice, SessionStarted, ToolOutputDelta
from rein_tui.harness.protocol.hooks import HookCall, HookOutcome
from rein_tui.harness.protocol.messages import ToolSpec
from rein_tui.harness.protocol.models import Provider
from rein_tui.harness.protocol.policy import TrustReply, TrustRequest
from rein_tui.harness.protocol.ports import Emit
from rein_tui.harness.protocol.tools import InvalidInput, Tool, ToolContext, ToolResult, Workspace
from rein_tui.harness.session import Session
from rein_tui.harness.turn.parts import Parts
from rein_tui.harness.turn.surroundings import Surroundings


class MemoryFacts:
    """A journal in a list."""

    def __init__(self, session_id: str = "test") -> None:
        self.session_id = session_id
        self.facts: list[Fact] = []
        self.problem = ""
        self.is_closed = False

    def take_notices(self) -> Sequence[Notice]:
        return ()

    def append(self, fact: Fact) -> int:
        self.facts.append(fact)
        return len(self.facts)

    def read(self, after: int = 0) -> Iterator[tuple[int, Fact]]:
        return iter(list(enumerate(self.facts, 1))[after:])

    def close(self) -> None:
        self.is_closed = True


class TablePermissions:
    """Decides by tool name; everything else is allowed."""

    def __init__(self, outcomes: dict[str, Outcome] | None = None, decided_by: DecidedBy = "rule") -> None:
        self.decided_by: DecidedBy = decided_by
        self.outcomes: dict[str, Outcome] = dict(outcomes or {})
        self.mode: Mode = "default"
        self.queries: list[PermissionQuery] = []

    def set_mode(self, mode: Mode) -> None:
        self.mode = mode

    def decide(self, query: PermissionQuery) -> Decision:
        self.queries.append(query)
        outcome: Outcome = self.outcomes.get(query.tool, "allow")
        for verdict in query.hook_verdicts:
            outcome = verdict.outcome
        return Decision(outcome=outcome, reason=f"the table says {outcome}", decided_by=self.decided_by)

    def grant(self, rules: Sequence[str], scope: Scope, behavior: Outcome = "allow") -> Sequence[Rule]:
        for rule in rules:
            self.outcomes[rule] = behavior
        return [Rule(text=r, behavior=behavior, source=Source(layer="session")) for r in rules]

    def revoke(self, rule: str, scope: Scope, behavior: Outcome = "allow") -> bool:
        return self.outcomes.pop(rule, None) is not None

    def removed_tools(self) -> frozenset[str]:
        return frozenset()


class QuietHooks:
    """No hooks, or one answer a moment."""

    def __init__(self, answers: dict[str, HookOutcome | list[HookOutcome]] | None = None) -> None:
        self._answers = answers or {}
        self.calls: list[HookCall] = []
        self.ignored: list[str] = []

    def has(self, point: str) -> bool:
        return point in self._answers

    async def fire(self, call: HookCall, emit: Emit) -> HookOutcome:
        self.calls.append(call)
        answer = self._answers.get(call.point, HookOutcome())
        if isinstance(answer, list):
            return answer.pop(0) if answer else HookOutcome()
        return answer

    def ignore(self, hook_ids: Sequence[str]) -> None:
        self.ignored += hook_ids

    async def close(self) -> None:
        return


class ScriptedPerson:
    """Answers from a list, then always the last one; `hang` never answers."""

    def __init__(self, *replies: PermissionReply, hang: bool = False, says: str = "yes", trusts: bool = True) -> None:
        self._replies = list(replies) or [PermissionReply(answer="once")]
        self._hang = hang
        self._says = says
        self._trusts = trusts
        self.requests: list[PermissionRequest] = []
        self.questions: list[QuestionRequest] = []

    async def ask(self, request: PermissionRequest) -> PermissionReply:
        self.requests.append(request)
        if self._hang:
            await asyncio.get_running_loop().create_future()
        return self._replies.pop(0) if len(self._replies) > 1 else self._replies[0]

    async def question(self, request: QuestionRequest) -> QuestionReply:
        self.questions.append(request)
        return QuestionReply(answers={q.question: self._says for q in request.questions})

    async def trust(self, request: TrustRequest) -> TrustReply:
        return TrustReply(trusted=self._trusts)


@dataclass
class TestTool:
    """A tool made of a function. Its input has one field, `text`."""

    __test__ = False

    name: str
    act: Callable[[str, ToolContext], Awaitable[str]]
    read_only: bool = True
    requires_person: bool = False
    asks_itself: bool = False
    caution: str = ""
    running: int = 0
    most_at_once: int = 0
    ran: list[str] = field(default_factory=list[str])

    @property
    def spec(self) -> ToolSpec:
        schema = {"type": "object", "properties": {"text": {"type": "string"}}, "required": ["text"]}
        return ToolSpec(name=self.name, description="For tests.", input_schema=schema)

    def normalize(self, raw: JsonObject, workspace: Workspace) -> JsonObject:
        return raw

    def parse(self, raw: JsonObject) -> Any:
        if not isinstance(raw.get("text"), str):
            raise InvalidInput(f'{self.name}: missing required field "text"')
        return raw["text"]

    def is_read_only(self, value: Any) -> bool:
        return self.read_only

    def summarize(self, value: Any) -> str:
        return f"{self.name} {value}"

    async def preview(self, value: Any, context: ToolContext) -> Display | None:
        return TextDisplay(text=str(value))

    async def run(self, value: Any, context: ToolContext) -> ToolResult:
        self.running += 1
        self.most_at_once = max(self.most_at_once, self.running)
        self.ran.append(value)
        try:
            return ToolResult(content=await self.act(value, context))
        finally:
            self.running -= 1


async def echo(text: str, context: ToolContext) -> str:
    """The plainest act: give the text back, with some live output."""
    await context.emit(ToolOutputDelta(call_id=context.call_id, text=text))
    await asyncio.sleep(0)
    return text


async def hang(text: str, context: ToolContext) -> str:
    """An act that only an interrupt ends."""
    await context.emit(ToolOutputDelta(call_id=context.call_id, text=f"partly {text}"))
    await asyncio.get_running_loop().create_future()
    return ""


class TestTools:
    """A fixed toolset."""

    __test__ = False

    def __init__(self, *tools: TestTool) -> None:
        self._tools = {t.name: t for t in tools}

    def get(self, name: str) -> Tool | None:
        return self._tools.get(name)

    def specs(self, removed: frozenset[str] = frozenset(), *, everything: bool = False) -> tuple[ToolSpec, ...]:
        return tuple(t.spec for t in self._tools.values() if t.name not in removed)


@dataclass
class Rig:
    """A session over fakes, with everything in reach."""

    session: Session
    parts: Parts
    journal: MemoryFacts
    permissions: TablePermissions
    hooks: QuietHooks
    person: ScriptedPerson
    around: Surroundings


def rig(
    provider: Provider,
    *tools: TestTool,
    permissions: TablePermissions | None = None,
    hooks: QuietHooks | None = None,
    person: ScriptedPerson | None = None,
    interactive: bool = True,
    max_steps: int = 0,
    past: Sequence[Fact] = (),
) -> Rig:
    """A session over the given provider and fakes."""
    permissions, hooks, person = permissions or TablePermissions(), hooks or QuietHooks(), person or ScriptedPerson()
    chosen = tools or (TestTool("Read", echo), TestTool("Write", echo, read_only=False))
    toolset = TestTools(*chosen)
    root = Path("/")
    parts = Parts(
        provider=provider,
        model="scripted",
        tools=toolset,
        permissions=permissions,
        hooks=hooks,
        prompter=person,
        workspace=Workspace(root=root, cwd=root, home=root),
        interactive=interactive,
        max_steps=max_steps,
    )
    journal = MemoryFacts()
    journal.facts += past
    around = Surroundings(context=lambda: ContextPrepared(system="Be useful.", tools=parts.tools.specs()))
    session = Session(parts, journal, SessionStarted(session_id="test", cwd="/"), around, past)
    return Rig(session, parts, journal, permissions, hooks, person, around)


def kinds(events: Sequence[Event]) -> list[str]:
    """The class names, for short assertions."""
    return [type(e).__name__ for e in events]
