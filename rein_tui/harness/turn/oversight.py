"""The rules of one session for people: looked at, tried without consequences, added and taken back.

Everything here is asked by a screen beside a running turn; nothing runs, and no check counts as a match of a grant.
"""

import asyncio
import json
import re
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from typing import get_args

from msgspec import structs

from ..permissions.audit import Told, audit
from ..permissions.lint import Finding, lint_rule, lint_steps
from ..permissions.policy import Policy
from ..permissions.recorded import RecordedCall, recorded_calls
from ..permissions.rules import ParsedRule, parse_rule
from ..permissions.tool_names import READERS, WRITERS
from ..protocol.decisions import Decision, Grant, Layer, Outcome, PermissionQuery, Rule, Scope, Source
from ..protocol.errors import ConfigError
from ..protocol.events import Event, Fact, GrantAdded, GrantRevoked, ToolCallFinished
from ..protocol.policy import (
    CallCheck,
    PastCall,
    PastGrant,
    PolicyOverview,
    RuleCheck,
    RuleFinding,
    RuleWish,
    ScopePlace,
)
from ..protocol.ports import Emit
from ..protocol.tools import InvalidInput, ToolContext
from ..settings.shapes import is_object
from .parts import Parts

PAST_CALLS = 150
"""How many earlier calls a rule that is being written is tried on, the newest."""

_BREATH = 10
"""Calls tried before keys get their turn."""

_SCOPES: tuple[Scope, ...] = get_args(Scope)
_FIELDS = {
    "Bash": "command",
    **READERS,
    **WRITERS,
    "Grep": "pattern",
    "Glob": "pattern",
    "WebFetch": "url",
    "WebSearch": "query",
    "Skill": "skill",
    "Agent": "subagent_type",
}
"""The field that stands for a tool's input where only one value is written."""

_WRITTEN = re.compile(r"\s*(\*|[A-Za-z][\w*.-]*)\s*(?:\((.*?)\)?|(\{.*\}))\s*", re.DOTALL)


@dataclass(slots=True)
class Oversight:
    """Implements ports.Permissions over one session.

    `tell` records events that belong to no turn; `reload` takes over settings that were just written; `earlier` is
    what other sessions tell about grants, oldest first.
    """

    parts: Parts
    policy: Policy
    session_id: str
    history: Callable[[], Sequence[Fact]]
    tell: Callable[[Event], None]
    reload: Callable[[Emit], Awaitable[None]]
    earlier: Callable[[], Iterable[Told]] = tuple

    # --- looking --------------------------------------------------------------------------------------------

    async def overview(self) -> PolicyOverview:
        """Everything about the rules in force, files that changed meanwhile included; see ports.Permissions."""
        await self.reload(self._tell)
        policy = self.policy
        rules = tuple(parsed.rule for parsed in policy.rules)
        return PolicyOverview(
            mode=self.parts.mode or policy.mode,
            rules=rules,
            grants=tuple(self._grants(rules)),
            places=await self.places(),
        )

    async def places(self) -> tuple[ScopePlace, ...]:
        """Where rules of each scope are kept; see ports.Permissions."""
        return tuple(map(self._place, _SCOPES))

    def _place(self, scope: Scope) -> ScopePlace:
        path, problem = self.policy.place_of(scope)
        return ScopePlace(scope=scope, path=path, problem=problem)

    async def lint(self) -> tuple[RuleFinding, ...]:
        """What is odd about the rules in force; see ports.Permissions."""
        findings: list[RuleFinding] = []
        for step in lint_steps(self.policy):
            findings += map(_told, step)
            await asyncio.sleep(0)
        return tuple(findings)

    def _grants(self, rules: tuple[Rule, ...]) -> Iterator[PastGrant]:
        in_force = {(rule.text, rule.source.path) for rule in rules}
        others = (told for told in self.earlier() if told[0] != self.session_id)
        own = ((self.session_id, "", fact) for fact in self.history())
        for past in audit(chain(others, own)):
            given = past.grant
            mine = given.scope != "session" or past.session_id == self.session_id
            held = mine and not given.revoked and (given.rule, given.path) in in_force
            yield structs.replace(past, is_held=held)

    # --- trying ---------------------------------------------------------------------------------------------

    async def check(self, query: PermissionQuery) -> CallCheck:
        """What would become of this call; see ports.Permissions."""
        return await self._checked(query)

    async def check_text(self, text: str) -> CallCheck:
        """The same for a call as a person writes it."""
        query = sketch(text)
        if query is None:
            return CallCheck(input={}, problem="Write a call, such as Bash(npm test) or Read(~/.ssh/config).")
        if self.parts.tools.get(query.tool) is None:
            return CallCheck(tool=query.tool, input=query.input, decision=self.policy.consider(self._here(query)))
        checked = await self._checked(query, preview=False)
        if checked.decision is None:  # only one field was written: what the rules say does not need the others
            return structs.replace(checked, problem="", decision=self.policy.consider(self._here(query)))
        return checked

    async def _checked(self, query: PermissionQuery, *, preview: bool = True) -> CallCheck:
        tool = self.parts.tools.get(query.tool)
        if tool is None:
            return CallCheck(tool=query.tool, input=query.input, problem=f"There is no tool {query.tool!r}.")
        normal = tool.normalize(query.input, self.parts.workspace)
        try:
            value = tool.parse(normal)
        except InvalidInput as problem:
            return CallCheck(tool=tool.name, input=normal, problem=str(problem))
        needs = tool.requires_person
        asked = structs.replace(query, tool=tool.name, input=normal, requires_person=needs, caution=tool.caution)
        return CallCheck(
            tool=tool.name,
            input=normal,
            summary=tool.summarize(value),
            decision=self.policy.consider(self._here(asked)),
            preview=await tool.preview(value, self._context()) if preview else None,
        )

    def _here(self, query: PermissionQuery) -> PermissionQuery:
        return query if query.cwd else structs.replace(query, cwd=str(self.parts.workspace.cwd))

    def _context(self) -> ToolContext:
        parts = self.parts

        async def quiet(event: Event) -> None:
            del event

        return ToolContext(
            call_id="", workspace=parts.workspace, emit=quiet, prompter=parts.prompter, interactive=parts.interactive
        )

    async def try_rules(self, wish: RuleWish, query: PermissionQuery | None = None) -> RuleCheck:
        """What these rules would do; see ports.Permissions."""
        path, problem = self.policy.place_of(wish.scope)
        # Rules kept in this folder count once they are kept there: that is trust in it (no path: as if from us).
        source = Source(layer=wish.scope, path=path if problem or wish.scope == "user" else "")
        rules = tuple(Rule(text=text, behavior=wish.behavior, source=source) for text in wish.rules)
        read: list[ParsedRule] = []
        for rule in rules:
            parsed, notice = parse_rule(rule)
            if parsed is None or (notice is not None and notice.code == "entry_hardened"):
                return RuleCheck(problem=notice.text if notice is not None else "The rule cannot be read.")
            read.append(parsed)
        decision = self._with(rules, query) if query is not None else None
        return RuleCheck(
            decision=decision,
            would_change=tuple([call async for call in self._changed(rules, wish.behavior)]),
            findings=tuple(_told(finding) for parsed in read for finding in lint_rule(parsed)),
        )

    def _with(self, rules: tuple[Rule, ...], query: PermissionQuery) -> Decision:
        here = self._here(query)
        return self.policy.consider(structs.replace(here, frontmatter=(*here.frontmatter, *rules)))

    async def _changed(self, rules: tuple[Rule, ...], behavior: Outcome) -> AsyncGenerator[PastCall]:
        """Earlier calls that these rules would have decided, where nothing else decides so, then or by now."""
        facts = self.history()
        over = {fact.call_id for fact in facts if isinstance(fact, ToolCallFinished)}
        calls = [call for call in recorded_calls(self.session_id, facts) if call.call_id in over]
        others = (call for call in reversed(calls) if call.decision.outcome != behavior)
        for number, call in enumerate(islice(others, PAST_CALLS)):
            if number % _BREATH == _BREATH - 1:
                await asyncio.sleep(0)
            query = PermissionQuery(tool=call.tool, input=call.input, cwd=call.cwd, mode=call.decision.mode)
            if self._with(rules, query).outcome == behavior != self._with((), query).outcome:
                yield PastCall(call_id=call.call_id, tool=call.tool, summary=self._summary(call), refused=call.refused)

    def _summary(self, call: RecordedCall) -> str:
        tool = self.parts.tools.get(call.tool)
        try:
            return tool.summarize(tool.parse(call.input)) if tool is not None else call.tool
        except InvalidInput:
            return call.tool

    # --- changing -------------------------------------------------------------------------------------------

    async def add(self, rule: str, behavior: Outcome, scope: Scope) -> Rule:
        """Let a rule hold from now on; see ports.Permissions."""
        (added,) = self.policy.grant((rule,), scope, behavior)
        if behavior == "allow":
            self.tell(GrantAdded(grant=_grant(added, scope)))
        await self._take_over(added)
        return added

    async def revoke(self, rule: Rule) -> bool:
        """Take a rule back; see ports.Permissions."""
        scope = scope_of(rule.source.layer)
        if scope is None:
            raise ConfigError("This rule cannot be taken back here.", where=str(rule.source), hint=_where_to(rule))
        found = self.policy.revoke(rule.text, scope, rule.behavior)
        if found and rule.behavior == "allow":
            self.tell(GrantRevoked(grant=structs.replace(_grant(rule, scope), revoked=True)))
        await self._take_over(rule)
        return found

    async def _take_over(self, rule: Rule) -> None:
        """A file that we wrote holds at once, not with the next turn."""
        if rule.source.path:
            await self.reload(self._tell)

    async def _tell(self, event: Event) -> None:
        self.tell(event)


def sketch(text: str) -> PermissionQuery | None:
    """A call as a person writes it: `Bash(npm test)`, `Read {"file_path": "x"}`, `mcp__gh__list`, or a command line.

    None while there is nothing to decide about.
    """
    found = _WRITTEN.fullmatch(text)
    if found is None:
        name = text.strip()
        is_tool = name in _FIELDS or name.startswith("mcp__")
        tool, tool_input = (name, {}) if is_tool else ("Bash", {"command": name})
        return PermissionQuery(tool=tool, input=tool_input, cwd="") if name else None
    tool, value, encoded = found.groups()
    if encoded is None:
        field = _FIELDS.get(tool, "")
        return PermissionQuery(tool=tool, input={field: value} if field and value else {}, cwd="")
    try:
        decoded = json.loads(encoded)
    except ValueError:
        return None
    return PermissionQuery(tool=tool, input=decoded if is_object(decoded) else {}, cwd="")


def scope_of(layer: Layer) -> Scope | None:
    """The scope whose rules this layer holds; None for layers that nobody changes from here."""
    return next((scope for scope in _SCOPES if scope == layer), None)


def _where_to(rule: Rule) -> str:
    if rule.source.layer == "managed":
        return "Only the administrator can."
    return "Start without that flag." if rule.source.layer == "command_line" else "Change the file that it comes from."


def _grant(rule: Rule, scope: Scope) -> Grant:
    return Grant(rule=rule.text, scope=scope, time=time.time(), path=rule.source.path)


def _told(finding: Finding) -> RuleFinding:
    return RuleFinding(fault=finding.fault, text=finding.text, where=finding.where, hint=finding.hint)
