"""How a session begins: notices, memory files, news, then the Setup and SessionStart hooks."""

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing

from ..protocol.events import Event, SessionStarted, TitleChanged
from ..protocol.hooks import HookCall, HookOutcome
from ..protocol.messages import TextBlock
from .conversation import Conversation
from .moments import fired, told_news
from .parts import Parts
from .prompt_turn import reminder, user_message
from .surroundings import Surroundings


async def beginning(
    parts: Parts, around: Surroundings, opening: SessionStarted, story: Conversation, title: Callable[[], str]
) -> AsyncGenerator[Event]:
    """Everything after the session's first fact, up to its first turn; `title` tells the one that it has by then.

    A session that goes on is told the memory files that it does not hold as they are now.
    """
    for notice in around.notices:
        yield notice
    for source, text in story.lacks(around.memory()):
        yield user_message((TextBlock(text=text),), "memory", source)
    async with aclosing(told_news(parts, around.news)) as events:
        async for event in events:
            yield event
    if around.setup:
        call = HookCall(point="Setup", subject=around.setup, payload={"trigger": around.setup})
        async with aclosing(_hooked(parts, call)) as events:
            async for event in events:
                yield event
    payload = {"source": opening.source, "model": opening.model}
    payload |= {"session_title": title()} if title() else {}
    call = HookCall(point="SessionStart", subject=opening.source, payload=payload)
    async with aclosing(_hooked(parts, call)) as events:
        async for event in events:
            yield event


async def _hooked(parts: Parts, call: HookCall) -> AsyncGenerator[Event]:
    """Hooks whose context joins the conversation."""
    outcomes: list[HookOutcome] = []
    async with aclosing(fired(parts, call, parts.interrupt, outcomes)) as events:
        async for event in events:
            yield event
    for outcome in outcomes:
        if outcome.session_title:
            yield TitleChanged(title=outcome.session_title, by="hook")
        for text in outcome.context:
            yield user_message((TextBlock(text=reminder(text)),), "hook", call.point)
        if outcome.initial_prompt and not parts.interactive:
            yield user_message((TextBlock(text=outcome.initial_prompt),), "hook", call.point)
