"""Firing hooks at one moment, with what they say to the person told as notices."""

from collections.abc import AsyncGenerator
from contextlib import aclosing

from .channel import told_by
from .interrupt import Interrupt
from .parts import Parts
from .protocol.events import Event, Notice
from .protocol.hooks import HookCall, HookOutcome
from .protocol.ports import Emit


async def fire(parts: Parts, call: HookCall, tell: Emit) -> HookOutcome:
    """Fire the hooks of a moment; costs nothing where none is configured."""
    if not parts.hooks.has(call.point):
        return HookOutcome()
    outcome = await parts.hooks.fire(call, tell)
    for message in outcome.messages:
        await tell(Notice(text=message, where=f"{call.point} hook", code="hook_message"))
    return outcome


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
