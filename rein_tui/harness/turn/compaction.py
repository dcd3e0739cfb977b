"""Compaction: the earlier part of a conversation becomes a summary, so that the window has room again.

Nothing is lost: the facts stay stored, a rewind goes back across the boundary, and an interrupt or a failure leaves
everything as it was. What is cut and what is asked is decided in context/compaction.py.
"""

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from typing import Literal

from ..context.compaction import (
    CompactionGuard,
    CompactionPlan,
    accept_summary,
    limit_of,
    plan_compaction,
    summary_messages,
)
from ..context.surviving import Survivors
from ..context.tokens import TokenGauge
from ..protocol.errors import ProviderError
from ..protocol.events import Compacted, Event, Fact, MessageFinished, Notice, ProgressDelta, PromptAdded
from ..protocol.hooks import HookCall, HookOutcome
from ..protocol.messages import Message, TextBlock, Usage
from .conversation import Conversation
from .moments import News, fired, told_news
from .parts import Parts
from .side_requests import ask_messages

DEFAULT_WINDOW = 200_000
_TRIES = 3
_HINT = "Nothing has changed. Another /model may do better; /clear starts afresh, /rewind goes back."


class WindowCompactor:
    """Decides when, asks the model for the summary, and tells the boundary.

    `window` gives the context window in tokens (0: unknown). `memory` reads the memory files anew, as (path, text);
    `news` tells of those that it read. `survivors` knows what the model is told again besides.
    It watches stored facts to know how full the window is.
    """

    def __init__(
        self,
        window: Callable[[], int],
        memory: Callable[[], Sequence[tuple[str, str]]] = tuple,
        *,
        news: News | None = None,
        automatic: bool = True,
        limit: int = 0,
        survivors: Survivors | None = None,
    ) -> None:
        self._window = window
        self._memory = memory
        self._news = news
        self._automatic = automatic
        self._limit = limit
        self._survivors = survivors or Survivors()
        self._gauge = TokenGauge()
        self._guard = CompactionGuard(0)
        self._used = 0

    def note(self, fact: Fact) -> None:
        """Follow how full the window is, and what is to survive."""
        self._survivors.note(fact)
        if fact.parent:
            return
        if isinstance(fact, MessageFinished) and fact.usage.context_tokens:
            self._used = fact.usage.context_tokens
        elif isinstance(fact, Compacted):
            self._used = fact.tokens_after

    def is_due(self, conversation: Conversation, usage: Usage) -> bool:
        """Whether the next request would come too close to the window's end."""
        del conversation, usage
        limit = limit_of(self._window() or DEFAULT_WINDOW)
        self._guard.limit = min(limit, self._limit) if self._limit else limit
        return self._automatic and self._guard.is_due(self._used)

    async def compact(
        self,
        conversation: Conversation,
        parts: Parts,
        trigger: Literal["manual", "auto"],
        focus: str = "",
        from_turn: int = 0,
    ) -> AsyncGenerator[Event]:
        """Summarise what is there; see loop.Compactor."""
        window = self._window() or DEFAULT_WINDOW
        self._guard.done(self._used)
        plan = self._plan(conversation, min(window, self._limit or window), from_turn)
        if plan is None:
            yield Notice(text="There is nothing to compact yet.", code="compact.nothing")
            return
        outcomes: list[HookOutcome] = []
        payload = {"trigger": trigger, "custom_instructions": focus}
        call = HookCall(point="PreCompact", subject=trigger, payload=payload)
        async with aclosing(fired(parts, call, parts.interrupt, outcomes)) as events:
            async for event in events:
                yield event
        if outcomes[0].blocked:
            yield Notice(level="warning", text="A PreCompact hook stopped the compaction.", hint=outcomes[0].reason)
            return
        yield ProgressDelta(call_id="", done=0, text="compacting")
        try:
            wanted = "; ".join(text for text in (focus, *outcomes[0].context) if text.strip())
            # A person who asks for a summary gets it where it easily fits, also of a short conversation.
            enough = window // 4 if trigger == "manual" else 0
            summary, after = await self._summary(plan, parts, window, wanted, enough)
        except ProviderError as error:
            if trigger == "manual":
                raise
            yield Notice(level="warning", text=f"The conversation could not be compacted: {error.message}")
            return
        before = max(self._used, plan.tokens)
        after += before - plan.tokens  # system prompt and tools stay, and with `from_turn` what came before
        yield Compacted(
            summary=summary,
            trigger=trigger,
            kept=plan.kept,
            tokens_before=before,
            tokens_after=after,
            focus=focus,
            from_turn=from_turn,
        )
        self._guard.done(after)
        for path, text in () if from_turn else self._memory():
            message = Message(role="user", blocks=(TextBlock(text=text),))
            yield PromptAdded(message=message, origin="memory", source=path)
        for source, text in () if from_turn else self._survivors.texts(min(window, self._limit or window)):
            message = Message(role="user", blocks=(TextBlock(text=f"<system-reminder>\n{text}\n</system-reminder>"),))
            yield PromptAdded(message=message, origin="system", source=source)
        async with aclosing(self._afterwards(parts, trigger, summary)) as events:
            async for event in events:
                yield event

    def _plan(self, conversation: Conversation, window: int, from_turn: int) -> CompactionPlan | None:
        if not from_turn:
            return plan_compaction(conversation.messages(), self._gauge, window)
        messages = conversation.since(from_turn)
        tokens = self._gauge.messages(messages)
        return CompactionPlan(summarised=messages, kept=(), tokens=tokens) if messages else None

    async def _summary(
        self, plan: CompactionPlan, parts: Parts, window: int, focus: str, enough: int
    ) -> tuple[str, int]:
        answer = await self._answered(plan, parts, round(window * 0.7), focus)
        accepted = accept_summary(plan, answer, self._gauge, enough)
        if accepted is None:
            raise ProviderError(
                "The summary would not have made the conversation smaller.",
                kind="malformed",
                hint=_HINT,
            )
        return accepted

    async def _answered(self, plan: CompactionPlan, parts: Parts, room: int, focus: str) -> str:
        """What the model writes; asked at most three times, with less where that was too long. Raises ProviderError."""
        for attempt in range(_TRIES):
            messages = summary_messages(plan, self._gauge, room, focus, told=attempt > 0)
            try:
                answer = await parts.interrupt.guard(ask_messages(parts, messages, purpose="summary"))
            except ProviderError as error:
                if error.kind != "too_long":
                    raise
                if attempt == _TRIES - 1:
                    raise ProviderError(error.message, kind=error.kind, status=error.status, hint=_HINT) from error
                room = min(room, self._gauge.messages(messages)) // 2
                continue
            if answer.strip():
                return answer
        raise ProviderError("The model wrote no summary.", kind="malformed", hint=_HINT)

    async def _afterwards(self, parts: Parts, trigger: str, summary: str) -> AsyncGenerator[Event]:
        done = HookCall(point="PostCompact", subject=trigger, payload={"trigger": trigger, "compact_summary": summary})
        again = HookCall(point="SessionStart", subject="compact", payload={"source": "compact", "model": parts.model})
        for story in (_with_context(parts, done), told_news(parts, self._news), _with_context(parts, again)):
            async with aclosing(story) as events:
                async for event in events:
                    yield event


async def _with_context(parts: Parts, call: HookCall) -> AsyncGenerator[Event]:
    """Fire the hooks of a moment; what they say for the model joins the conversation."""
    outcomes: list[HookOutcome] = []
    async with aclosing(fired(parts, call, parts.interrupt, outcomes)) as events:
        async for event in events:
            yield event
    for text in outcomes[0].context:
        message = Message(role="user", blocks=(TextBlock(text=f"<system-reminder>\n{text}\n</system-reminder>"),))
        yield PromptAdded(message=message, origin="hook", source=call.point)
