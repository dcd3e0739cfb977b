"""Firing hooks at one moment, with what they say to the person told as notices."""

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from typing import TypeAlias

from msgspec import structs

from ..protocol.base import JsonObject
from ..protocol.errors import Failure
from ..protocol.events import CwdChanged, Event, Notice
from ..protocol.hooks import HookCall, HookOutcome
from ..protocol.ports import Emit
from .channel import told_by
from .interrupt import Interrupt
from .parts import Parts

News: TypeAlias = Callable[[], tuple[Sequence[Notice], Sequence[JsonObject]]]
"""Notices about memory files, and what InstructionsLoaded hooks are told, since the last time."""

_ERRORS = {
    "auth": "authentication_failed",
    "permission": "authentication_failed",
    "billing": "billing_error",
    "rate_limit": "rate_limit",
    "overloaded": "overloaded",
    "not_found": "model_not_found",
    "invalid_request": "invalid_request",
    "too_long": "invalid_request",
    "server": "server_error",
    "connection": "server_error",
    "timeout": "server_error",
    "cut": "server_error",
    "unavailable": "server_error",
}
"""The names by which the ecosystem's StopFailure hooks know what went wrong."""


def stop_failure(failure: Failure) -> HookCall:
    """The moment after a turn that an error ended."""
    error = _ERRORS.get(failure.kind, "unknown")
    details = f"{failure.kind}: {failure.message}" if failure.kind else failure.message
    payload = {"error": error, "error_details": details, "last_assistant_message": failure.message}
    return HookCall(point="StopFailure", subject=error, payload=payload)


async def fire(parts: Parts, call: HookCall, tell: Emit) -> HookOutcome:
    """Fire the hooks of a moment; costs nothing where none is configured."""
    if not parts.hooks.has(call.point):
        return HookOutcome()
    if parts.checkout:
        call = structs.replace(call, cwd=str(parts.workspace.cwd))
    outcome = await parts.hooks.fire(call, tell)
    for message in outcome.messages:
        await tell(Notice(text=message, where=f"{call.point} hook", code="hook_message"))
    return outcome


async def follow(parts: Parts, move: CwdChanged | None, tell: Emit, *, call_id: str = "") -> None:
    """Fire CwdChanged where a command ended in another folder than it began in."""
    if move is not None:
        payload = {"old_cwd": move.old, "new_cwd": move.new}
        await fire(parts, HookCall(point="CwdChanged", payload=payload, call_id=call_id), tell)


async def fired(
    parts: Parts, call: HookCall, interrupt: Interrupt, outcomes: list[HookOutcome]
) -> AsyncGenerator[Event]:
    """The same between calls, as events; the outcome is appended to `outcomes`, one always."""
    if not parts.hooks.has(call.point):
        outcomes.append(HookOutcome())
        return

    async def work(tell: Emit) -> None:
        outcomes.append(await fire(parts, call, tell))

    async with aclosing(told_by(work, interrupt)) as events:
        async for event in events:
            yield event


async def told_news(parts: Parts, news: News | None) -> AsyncGenerator[Event]:
    """What memory files have to say, and InstructionsLoaded for each."""
    notices, loaded = news() if news is not None else ((), ())
    for notice in notices:
        yield notice
    for payload in loaded:
        call = HookCall(point="InstructionsLoaded", subject=str(payload.get("load_reason", "")), payload=payload)
        async with aclosing(fired(parts, call, parts.interrupt, [])) as events:
            async for event in events:
                yield event
