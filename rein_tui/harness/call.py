"""One call on its way through the gate: hook → permission → run → hook.

Whatever happens, the call ends in exactly one ToolCallFinished, told by `CallPassage.run`; only cancellation
leaves that to the gate.
"""

import asyncio
import json
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, cast

from msgspec import structs

from .moments import fire, follow
from .parts import Parts
from .permission_updates import suggested, update_permissions
from .protocol.base import JsonObject
from .protocol.decisions import Decision, Grant, PermissionQuery, PermissionReply, PermissionRequest, Rule, Scope
from .protocol.displays import Display
from .protocol.errors import ConfigError
from .protocol.events import (
    CwdChanged,
    Event,
    GrantAdded,
    Notice,
    PermissionDecided,
    PermissionRequested,
    PermissionResolved,
    ToolCallFinished,
    ToolCallStarted,
)
from .protocol.hooks import HookCall, HookOutcome, HookPoint
from .protocol.messages import ResultContent, ToolUseBlock
from .protocol.ports import Emit
from .protocol.tools import InvalidInput, Tool, ToolContext, ToolResult

LONGEST_ERROR = 10_000
"""Characters of an error that PostToolUseFailure hooks are told."""

NOTIFY_AFTER = 6.0
"""Seconds that a permission question waits before the Notification hooks hear of it."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A call as parsed, before anything happened. `problem` is set when it cannot run; then `tool` may be None."""

    use: ToolUseBlock
    input: JsonObject
    tool: Tool | None = None
    value: Any = None
    summary: str = ""
    read_only: bool = False
    repaired: bool = False
    problem: str = ""


def prepare(use: ToolUseBlock, parts: Parts, *, repaired: bool = False) -> Prepared:
    """Look the tool up and parse the input; what is wrong is written for the model."""
    if use.malformed:
        problem = f"The input of {use.name} is not one JSON object, so nothing was run: {use.malformed[:500]}"
        return Prepared(use=use, input={}, summary=use.name, problem=problem)
    tool = parts.tools.get(use.name)
    if tool is None or tool.name in parts.permissions.removed_tools():
        known = ", ".join(s.name for s in parts.tools.specs(parts.permissions.removed_tools()))
        problem = f"There is no tool {use.name!r}. Tools: {known}."
        return Prepared(use=use, input=use.input, summary=use.name, problem=problem)
    raw = tool.normalize(use.input, parts.workspace)
    try:
        value = tool.parse(raw)
    except InvalidInput as error:
        return Prepared(use=use, input=raw, tool=tool, summary=tool.name, problem=str(error))
    return Prepared(
        use=use,
        input=raw,
        tool=tool,
        value=value,
        summary=tool.summarize(value),
        read_only=tool.is_read_only(value),
        repaired=repaired,
    )


class _Refused(Exception):
    """The call will not run; `content` tells the model why."""

    def __init__(self, content: str, outcome: Literal["denied", "invalid"] = "denied") -> None:
        super().__init__(content)
        self.content = content
        self.outcome: Literal["denied", "invalid"] = outcome


class CallPassage:
    """One prepared call, passed through the gate. After `run`, `stop` says whether the turn must end and why."""

    def __init__(self, prepared: Prepared, tool: Tool, parts: Parts, tell: Emit, pending: Sequence[str] = ()) -> None:
        self._use = prepared.use
        self._tool = tool
        self._parts = parts
        self._tell = tell
        self._pending = tuple(pending)
        self._repaired = prepared.repaired
        self._input = prepared.input
        self._value: Any = prepared.value
        self._summary = prepared.summary
        self._edited_by: list[str] = []
        self._added: list[str] = []
        self._approved_by = ""
        self._moved: CwdChanged | None = None
        self._asked_at = time.perf_counter()
        self.stop: Literal["", "denied", "hook"] = ""
        self.stop_detail = ""
        self.response: ResultContent = ""

    async def run(self) -> None:
        """The whole way; tells every fact of the call from its hooks to ToolCallFinished."""
        try:
            hooked = await self._before()
            await self._permit(hooked)
        except _Refused as refused:
            await self._finish(ToolResult(content=refused.content, is_error=True), refused.outcome, 0.0)
            return
        await self._tell(
            ToolCallStarted(
                call_id=self._use.id,
                name=self._tool.name,
                input=self._input,
                edited_by=tuple(self._edited_by),
                queued=time.perf_counter() - self._asked_at,
            )
        )
        started = time.perf_counter()
        result = await self._tool.run(self._value, self._context())
        duration = time.perf_counter() - started
        await follow(self._parts, self._moved, self._tell, call_id=self._use.id)
        result = await self._after(result, duration)
        outcome = "interrupted" if result.interrupted else "error" if result.is_error else "ok"
        await self._finish(result, outcome, duration)

    def _context(self) -> ToolContext:
        parts = self._parts
        return ToolContext(
            call_id=self._use.id,
            workspace=parts.workspace,
            emit=self._emit,
            prompter=parts.prompter,
            interactive=parts.interactive,
            agent_id=parts.agent.id,
            agent_type=parts.agent.type,
            depth=parts.agent.depth,
            approved_by=self._approved_by,
        )

    async def _emit(self, event: Event) -> None:
        """What the tool tells while it runs; a change of folder is kept for its hooks."""
        if isinstance(event, CwdChanged):
            self._moved = event
        await self._tell(event)

    # --- hooks ----------------------------------------------------------------------------------------------

    async def _fire(self, point: HookPoint, **payload: Any) -> HookOutcome:
        if not self._parts.hooks.has(point):
            return HookOutcome()
        call = HookCall(
            point=point,
            subject=self._tool.name,
            call_id=self._use.id,
            agent_id=self._parts.agent.id,
            agent_type=self._parts.agent.type,
            payload={"tool_name": self._tool.name, "tool_input": self._input, **payload},
        )
        outcome = await fire(self._parts, call, self._tell)
        if outcome.stop:
            self.stop, self.stop_detail = "hook", outcome.stop_reason
        return outcome

    async def _before(self) -> HookOutcome:
        outcome = await self._fire("PreToolUse", tool_use_id=self._use.id)
        self._added += outcome.context
        if outcome.updated_input is not None:
            names = [r.hook.name for r in outcome.runs if r.updated_input is not None]
            self._replace_input(outcome.updated_input, f"hook {names[-1]}" if names else "hook")
        if outcome.stop:
            raise _Refused(f"Not run: a hook stopped the turn. {outcome.stop_reason}".strip())
        return outcome

    async def _after(self, result: ToolResult, duration: float) -> ToolResult:
        milliseconds = round(duration * 1000)
        if result.is_error or result.interrupted:
            outcome = await self._fire(
                "PostToolUseFailure",
                tool_use_id=self._use.id,
                error=_shortened(_text(result.content)),
                is_interrupt=result.interrupted,
                duration_ms=milliseconds,
            )
        else:
            outcome = await self._fire(
                "PostToolUse",
                tool_use_id=self._use.id,
                tool_response=result.response if result.response is not None else {"content": _text(result.content)},
                duration_ms=milliseconds,
            )
        if self._parts.after_call is not None and not result.is_error:
            self._added += self._parts.after_call(self._tool.name, self._input)
        if outcome.runs and self._parts.after_hooks is not None:
            self._parts.after_hooks(self._tool.name, self._input)
        self._added += outcome.context
        if outcome.reason and (outcome.blocked or outcome.verdict == "deny"):
            self._added.append(outcome.reason)
        self._added += outcome.feedback
        if isinstance(outcome.updated_output, str):
            result = structs.replace(result, content=outcome.updated_output)
        elif outcome.updated_output is not None:
            result = structs.replace(
                result, content=_shown_to_model(outcome.updated_output), response=outcome.updated_output
            )
        return result

    # --- permission -----------------------------------------------------------------------------------------

    async def _permit(self, hooked: HookOutcome) -> None:
        """Return when the call may run; raise _Refused when it may not."""
        decision = await self._decide(hooked)
        if decision.outcome == "ask" and decision.decided_by == "tool" and self._asks_itself:
            return
        if decision.outcome == "ask":
            async with self._parts.asking:
                again = self._parts.permissions.decide(self._query(hooked))
                if again.outcome != "ask":
                    decision = again
                    await self._tell(PermissionDecided(call_id=self._use.id, decision=decision))
                else:
                    decision = await self._ask(decision, hooked)
        if decision.outcome == "deny":
            await self._fire("PermissionDenied", tool_use_id=self._use.id, reason=decision.reason)
            raise _Refused(f"Permission denied: {decision.reason}")
        self._approved_by = decision.decided_by

    @property
    def _asks_itself(self) -> bool:
        """A question to the person needs no permission first, where there is a person."""
        return self._tool.asks_itself and self._parts.interactive

    async def _decide(self, hooked: HookOutcome) -> Decision:
        started = time.perf_counter()
        decision = self._parts.permissions.decide(self._query(hooked))
        took = time.perf_counter() - started
        await self._tell(PermissionDecided(call_id=self._use.id, decision=decision, duration=took))
        return decision

    def _query(self, hooked: HookOutcome) -> PermissionQuery:
        parts = self._parts
        return PermissionQuery(
            tool=self._tool.name,
            input=self._input,
            cwd=str(parts.workspace.cwd),
            mode=parts.mode,
            frontmatter=parts.frontmatter,
            hook_verdicts=hooked.verdicts,
            repaired=self._repaired,
            read_only_tool=self._tool.is_read_only(self._value),
            requires_person=self._tool.requires_person,
        )

    async def _ask(self, decision: Decision, hooked: HookOutcome) -> Decision:
        """Put the question: to PermissionRequest hooks first, then to the person. Returns the final decision."""
        outcome = await self._fire("PermissionRequest", permission_suggestions=suggested(decision))
        reply = _hook_reply(outcome)
        if reply is None and not self._parts.interactive:
            reason = f"{decision.reason.rstrip('.')}. Nobody can answer here, so it is denied."
            return await self._redecided(decision, "deny", reason, "unattended")
        if reply is None:
            reply = await self._question(decision)
        if reply.ignore_hooks:
            self._parts.hooks.ignore(reply.ignore_hooks)
        if reply.input is not None and reply.input != self._input:
            is_hook = reply.answered_by == "hook"
            self._replace_input(reply.input, "hook" if is_hook else "you")
            who = "A hook" if is_hook else "The person"
            self._added.append(f"{who} edited the input before allowing it: {_compact(self._input)}")
            checked = await self._decide(HookOutcome())
            if checked.outcome == "deny":
                return checked
        if reply.answer in {"deny", "stop"}:
            return await self._said_no(decision, reply)
        if reply.words:
            self._added.append(f"The person allowed this and said: {reply.words}")
        if outcome.permission is not None and reply.answered_by == "hook":
            updates = outcome.permission.get("updatedPermissions")
            for rule, scope in await update_permissions(self._parts, updates, self._tell):
                await self._tell_granted(rule, scope)
        await self._grant(decision, reply)
        return structs.replace(decision, outcome="allow", decided_by="person")

    async def _said_no(self, decision: Decision, reply: PermissionReply) -> Decision:
        if reply.answer == "stop":
            self.stop, self.stop_detail = "denied", reply.words
        who = {"hook": "A hook", "policy": "Policy"}.get(reply.answered_by, "The person")
        said = f"{who} did not allow this call." + (f" They said: {reply.words}" if reply.words else "")
        raise _Refused(said if reply.words or reply.answer == "stop" else f"{said} Do not try it again in another way.")

    async def _redecided(
        self, decision: Decision, outcome: Literal["allow", "deny"], reason: str, by: Literal["unattended", "hook"]
    ) -> Decision:
        changed = structs.replace(decision, outcome=outcome, reason=reason, decided_by=by)
        await self._tell(PermissionDecided(call_id=self._use.id, decision=changed))
        return changed

    async def _question(self, decision: Decision) -> PermissionReply:
        preview = await self._preview()
        request = PermissionRequest(
            id=f"ask_{uuid.uuid4().hex[:12]}",
            call_id=self._use.id,
            tool=self._tool.name,
            input=self._input,
            summary=self._summary,
            decision=decision,
            preview=preview,
            warnings=decision.warnings,
            agent=self._parts.agent.id,
            agent_type=self._parts.agent.type,
            pending=self._pending,
        )
        await self._tell(PermissionRequested(request=request))
        asked = time.perf_counter()
        nudge = asyncio.create_task(self._notify_later())
        try:
            reply = await self._parts.prompter.ask(request)
        finally:
            nudge.cancel()
            await asyncio.wait([nudge])
        waited = time.perf_counter() - asked
        await self._tell(PermissionResolved(request_id=request.id, call_id=self._use.id, reply=reply, waited=waited))
        return reply

    async def _preview(self) -> Display | None:
        return await self._tool.preview(self._value, self._context())

    async def _notify_later(self) -> None:
        if not self._parts.hooks.has("Notification"):
            return
        await asyncio.sleep(NOTIFY_AFTER)
        kind = "permission_prompt"
        message = f"rein-tui needs your permission to use {self._tool.name}"
        payload = {"message": message, "title": "Permission needed", "notification_type": kind}
        call = HookCall(point="Notification", subject=kind, payload=payload)
        await fire(self._parts, call, self._tell)

    async def _grant(self, decision: Decision, reply: PermissionReply) -> None:
        if reply.answer not in {"session", "always"}:
            return
        scope = "session" if reply.answer == "session" else reply.scope
        rules = reply.rules or (decision.suggestions[0].rules if decision.suggestions else ())
        try:
            granted = self._parts.permissions.grant(rules, scope)
        except ConfigError as error:
            await self._tell(Notice(level="error", text=error.message, where=error.where, hint=error.hint))
            return
        for rule in granted:
            await self._tell_granted(rule, scope)

    async def _tell_granted(self, rule: Rule, scope: Scope) -> None:
        if rule.behavior == "allow":
            grant = Grant(rule=rule.text, scope=scope, time=time.time(), call_id=self._use.id, path=rule.source.path)
            await self._tell(GrantAdded(grant=grant))

    # --- shared ---------------------------------------------------------------------------------------------

    def _replace_input(self, raw: JsonObject, by: str) -> None:
        normal = self._tool.normalize(raw, self._parts.workspace)
        try:
            self._value = self._tool.parse(normal)
        except InvalidInput as error:
            raise _Refused(f"{by} changed the input to something that does not parse: {error}", "invalid") from error
        self._input = normal
        self._summary = self._tool.summarize(self._value)
        self._edited_by.append(by)

    async def _finish(
        self,
        result: ToolResult,
        outcome: Literal["ok", "error", "denied", "interrupted", "invalid"],
        duration: float,
    ) -> None:
        self.response = result.content
        await self._tell(
            ToolCallFinished(
                call_id=self._use.id,
                name=self._tool.name,
                outcome=outcome,
                content=result.content,
                display=result.display,
                response=result.response,
                duration=duration,
                added=tuple(self._added),
            )
        )


def _hook_reply(outcome: HookOutcome) -> PermissionReply | None:
    """The answer that a PermissionRequest hook gave in place of the person, if any."""
    answer = outcome.permission
    if not answer:
        return None
    words = answer.get("message")
    updated: Any = answer.get("updatedInput")
    said = words if isinstance(words, str) else ""
    if answer.get("behavior") == "allow":
        return PermissionReply(answer="once", input=_object(updated), answered_by="hook")
    if answer.get("behavior") == "deny":
        return PermissionReply(
            answer="stop" if answer.get("interrupt") is True else "deny", words=said, answered_by="hook"
        )
    return None


def _shown_to_model(response: JsonObject) -> str:
    """What the model gets of a structured output that a hook put in the place of the tool's."""
    printed = [response.get(name) for name in ("stdout", "stderr")]
    texts = [text for text in printed if isinstance(text, str) and text]
    return "\n".join(texts) if "stdout" in response else json.dumps(response, ensure_ascii=False)


def _shortened(text: str) -> str:
    """The beginning and the end of what is too long for a hook."""
    left_out = len(text) - LONGEST_ERROR
    half = LONGEST_ERROR // 2
    return text if left_out <= 0 else f"{text[:half]}\n[... {left_out:,} characters left out ...]\n{text[-half:]}"


def _compact(tool_input: JsonObject) -> str:
    return json.dumps(tool_input, ensure_ascii=False)


def _object(value: Any) -> JsonObject | None:
    return cast(JsonObject, value) if isinstance(value, dict) else None


def _text(content: ResultContent) -> str:
    if isinstance(content, str):
        return content
    return "\n".join(getattr(part, "text", "[image]") for part in content)
