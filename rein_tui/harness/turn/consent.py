"""Whether a call may run: by the rules, else by a hook that answers, else by the person."""

import asyncio
import json
import time
import uuid
from typing import Any, Literal, cast

from msgspec import structs

from ..protocol.base import JsonObject
from ..protocol.decisions import Decision, Grant, PermissionQuery, PermissionReply, PermissionRequest, Rule, Scope
from ..protocol.errors import ConfigError
from ..protocol.events import GrantAdded, Notice, PermissionDecided, PermissionRequested, PermissionResolved
from ..protocol.hooks import HookCall, HookOutcome
from ..protocol.tools import ToolContext
from .moments import fire
from .permission_updates import suggested, update_permissions
from .underway import Refused, Underway

NOTIFY_AFTER = 6.0
"""Seconds that a permission question waits before the Notification hooks hear of it."""


class Consent:
    """The way of one call to its yes or no; `context` is what its preview is made with."""

    def __init__(self, call: Underway, hooked: HookOutcome, context: ToolContext) -> None:
        self._call = call
        self._parts = call.parts
        self._hooked = hooked
        self._context = context

    async def obtain(self) -> str:
        """Who allowed the call, in the words of `Decision.decided_by`; raises Refused when nobody did.

        A question to the person needs no permission first, where there is a person: then it is empty.
        """
        decision = await self._decide(self._hooked)
        if decision.outcome == "ask":
            if decision.decided_by == "tool" and self._call.tool.asks_itself and self._parts.interactive:
                return ""
            decision = await self._resolve(decision)
        if decision.outcome == "deny":
            await self._call.fire("PermissionDenied", tool_use_id=self._call.use.id, reason=decision.reason)
            raise Refused(f"Permission denied: {decision.reason}")
        return decision.decided_by

    async def _decide(self, hooked: HookOutcome) -> Decision:
        started = time.perf_counter()
        decision = self._parts.permissions.decide(self._query(hooked))
        await self._tell_decided(decision, time.perf_counter() - started)
        return decision

    async def _tell_decided(self, decision: Decision, duration: float = 0.0) -> None:
        await self._call.tell(PermissionDecided(call_id=self._call.use.id, decision=decision, duration=duration))

    def _query(self, hooked: HookOutcome) -> PermissionQuery:
        call, parts = self._call, self._parts
        return PermissionQuery(
            tool=call.tool.name,
            input=call.input,
            cwd=str(parts.workspace.cwd),
            checkout=parts.checkout,
            mode=parts.mode,
            frontmatter=parts.frontmatter,
            hook_verdicts=hooked.verdicts,
            repaired=call.repaired,
            read_only_tool=call.tool.is_read_only(call.value),
            requires_person=call.tool.requires_person,
            caution=call.tool.caution,
        )

    async def _resolve(self, decision: Decision) -> Decision:
        """One question at a time; an answer given meanwhile may have settled this one too."""
        async with self._parts.asking:
            again = self._parts.permissions.decide(self._query(self._hooked))
            if again.outcome == "ask":
                return await self._ask(decision)
            await self._tell_decided(again)
            return again

    async def _ask(self, decision: Decision) -> Decision:
        """Put the question: to PermissionRequest hooks first, then to the person. Returns the final decision."""
        outcome = await self._call.fire("PermissionRequest", permission_suggestions=suggested(decision))
        reply = _hook_reply(outcome)
        if reply is None and not self._parts.interactive:
            reason = f"{decision.reason.rstrip('.')}. Nobody can answer here, so it is denied."
            unattended = structs.replace(decision, outcome="deny", reason=reason, decided_by="unattended")
            await self._tell_decided(unattended)
            return unattended
        if reply is None:
            reply = await self._question(decision)
        if reply.ignore_hooks:
            self._parts.hooks.ignore(reply.ignore_hooks)
        if reply.input is not None and reply.input != self._call.input:
            checked = await self._edited(reply.input, reply.answered_by == "hook")
            if checked.outcome == "deny":
                return checked
        if reply.answer in {"deny", "stop"}:
            raise self._said_no(reply)
        if reply.words:
            self._call.added.append(f"The person allowed this and said: {reply.words}")
        if outcome.permission is not None and reply.answered_by == "hook":
            updates = outcome.permission.get("updatedPermissions")
            for rule, scope in await update_permissions(self._parts, updates, self._call.tell):
                await self._tell_granted(rule, scope)
        await self._grant(decision, reply)
        return structs.replace(decision, outcome="allow", decided_by="person")

    async def _edited(self, tool_input: JsonObject, is_hook: bool) -> Decision:
        """The rules' word on an input that the one who answered has edited."""
        call = self._call
        call.replace_input(tool_input, "hook" if is_hook else "you")
        shown = json.dumps(call.input, ensure_ascii=False)
        call.added.append(f"{'A hook' if is_hook else 'The person'} edited the input before allowing it: {shown}")
        return await self._decide(HookOutcome())

    def _said_no(self, reply: PermissionReply) -> Refused:
        if reply.answer == "stop":
            self._call.stop, self._call.stop_detail = "denied", reply.words
        who = {"hook": "A hook", "policy": "Policy"}.get(reply.answered_by, "The person")
        said = f"{who} did not allow this call." + (f" They said: {reply.words}" if reply.words else "")
        return Refused(said if reply.words or reply.answer == "stop" else f"{said} Do not try it again in another way.")

    async def _question(self, decision: Decision) -> PermissionReply:
        call, parts = self._call, self._parts
        request = PermissionRequest(
            id=f"ask_{uuid.uuid4().hex[:12]}",
            call_id=call.use.id,
            tool=call.tool.name,
            input=call.input,
            summary=call.summary,
            decision=decision,
            preview=await call.tool.preview(call.value, self._context),
            warnings=decision.warnings,
            agent=parts.agent.id,
            agent_type=parts.agent.type,
            pending=call.pending,
        )
        await call.tell(PermissionRequested(request=request))
        asked = time.perf_counter()
        nudge = asyncio.create_task(self._notify_later())
        try:
            reply = await parts.prompter.ask(request)
        finally:
            nudge.cancel()
            await asyncio.wait([nudge])
        waited = time.perf_counter() - asked
        await call.tell(PermissionResolved(request_id=request.id, call_id=call.use.id, reply=reply, waited=waited))
        return reply

    async def _notify_later(self) -> None:
        if not self._parts.hooks.has("Notification"):
            return
        await asyncio.sleep(NOTIFY_AFTER)
        kind = "permission_prompt"
        message = f"rein-tui needs your permission to use {self._call.tool.name}"
        payload = {"message": message, "title": "Permission needed", "notification_type": kind}
        call = HookCall(point="Notification", subject=kind, payload=payload)
        await fire(self._parts, call, self._call.tell)

    async def _grant(self, decision: Decision, reply: PermissionReply) -> None:
        if reply.answer not in {"session", "always"}:
            return
        scope = "session" if reply.answer == "session" else reply.scope
        rules = reply.rules or (decision.suggestions[0].rules if decision.suggestions else ())
        try:
            granted = self._parts.permissions.grant(rules, scope)
        except ConfigError as error:
            await self._call.tell(Notice(level="error", text=error.message, where=error.where, hint=error.hint))
            return
        for rule in granted:
            await self._tell_granted(rule, scope)

    async def _tell_granted(self, rule: Rule, scope: Scope) -> None:
        if rule.behavior == "allow":
            call_id = self._call.use.id
            grant = Grant(rule=rule.text, scope=scope, time=time.time(), call_id=call_id, path=rule.source.path)
            await self._call.tell(GrantAdded(grant=grant))


def _hook_reply(outcome: HookOutcome) -> PermissionReply | None:
    """The answer that a PermissionRequest hook gave in place of the person, if any."""
    answer = outcome.permission
    if not answer:
        return None
    words = answer.get("message")
    updated: Any = answer.get("updatedInput")
    said = words if isinstance(words, str) else ""
    if answer.get("behavior") == "allow":
        edited = cast(JsonObject, updated) if isinstance(updated, dict) else None
        return PermissionReply(answer="once", input=edited, answered_by="hook")
    if answer.get("behavior") == "deny":
        no: Literal["stop", "deny"] = "stop" if answer.get("interrupt") is True else "deny"
        return PermissionReply(answer=no, words=said, answered_by="hook")
    return None
