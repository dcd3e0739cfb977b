"""Compaction: the earlier part of a conversation becomes a summary, so that the window has room again.

Nothing is lost: the facts stay stored, a rewind goes back across the boundary, and an interrupt or a failure leaves
everything as it was.
"""

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from functools import cache
from pathlib import Path
from typing import Literal

from .context.tokens import TokenGauge
from .conversation import Conversation
from .moments import fired
from .parts import Parts
from .protocol.errors import ProviderError
from .protocol.events import Compacted, Event, Fact, MessageFinished, Notice, PromptAdded
from .protocol.hooks import HookCall, HookOutcome
from .protocol.messages import (
    Block,
    ImageBlock,
    Message,
    TextBlock,
    ToolResultBlock,
    ToolUseBlock,
    Usage,
)
from .side_requests import ask

DEFAULT_WINDOW = 200_000
SMALL_WINDOW = 32_768
"""Tokens up to which a window counts as small: it is compacted earlier, since one result can fill the rest."""

_RESULT_CHARACTERS = 2_000
_CHARACTERS_A_TOKEN = 3
_GROWTH = 4
"""Messages that must have joined since the last attempt before another one is made: never a summary loop."""


class WindowCompactor:
    """Decides when, asks the model for the summary, and tells the boundary.

    `window` gives the context window in tokens (0: unknown). `memory` reads the memory files anew, as (path, text).
    It watches stored facts to know how full the window is.
    """

    def __init__(
        self,
        window: Callable[[], int],
        memory: Callable[[], Sequence[tuple[str, str]]] = tuple,
        *,
        automatic: bool = True,
        limit: int = 0,
    ) -> None:
        self._window = window
        self._memory = memory
        self._automatic = automatic
        self._limit = limit
        self._gauge = TokenGauge()
        self._used = 0
        self._tried_at = 0

    def note(self, fact: Fact) -> None:
        """Follow how full the window is."""
        if fact.parent:
            return
        if isinstance(fact, MessageFinished) and fact.usage.context_tokens:
            self._used = fact.usage.context_tokens
        elif isinstance(fact, Compacted):
            self._used = fact.tokens_after

    def is_due(self, conversation: Conversation, usage: Usage) -> bool:
        """Whether the next request would come too close to the window's end."""
        del usage
        if not self._automatic or len(conversation) < self._tried_at + _GROWTH:
            return False
        return self._used > self._threshold()

    def _threshold(self) -> float:
        window = self._window() or DEFAULT_WINDOW
        share = window * (0.7 if window <= SMALL_WINDOW else 0.85)
        return min(share, self._limit) if self._limit else share

    async def compact(
        self, conversation: Conversation, parts: Parts, trigger: Literal["manual", "auto"], focus: str = ""
    ) -> AsyncGenerator[Event]:
        """Summarise what is there; see loop.Compactor."""
        self._tried_at = len(conversation)
        messages = conversation.messages()
        if len(messages) < 2:
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
        try:
            summary = await self._summary(messages, parts, focus, outcomes[0].context)
        except ProviderError as error:
            if trigger == "manual":
                raise
            yield Notice(level="warning", text=f"The conversation could not be compacted: {error.message}")
            return
        before = self._used or self._gauge.messages(messages)
        kept = self._kept(messages) if trigger == "auto" else ()
        after = self._gauge.text(len(summary)) + self._gauge.messages(kept)
        yield Compacted(
            summary=summary, trigger=trigger, kept=kept, tokens_before=before, tokens_after=after, focus=focus
        )
        self._tried_at = len(conversation)
        for path, text in self._memory():
            message = Message(role="user", blocks=(TextBlock(text=text),))
            yield PromptAdded(message=message, origin="memory", source=path)
        async with aclosing(self._afterwards(parts, trigger, summary)) as events:
            async for event in events:
                yield event

    async def _summary(self, messages: Sequence[Message], parts: Parts, focus: str, extra: Sequence[str]) -> str:
        room = int((self._window() or DEFAULT_WINDOW) * 0.6 * _CHARACTERS_A_TOKEN)
        prompt = f"The session so far:\n\n<session>\n{_transcript(messages, room)}\n</session>\n\nSummarise it."
        wishes = [text for text in (focus, *extra) if text.strip()]
        if wishes:
            prompt += " Pay special attention to: " + "; ".join(wishes)
        summary = await parts.interrupt.guard(ask(parts, prompt, system=_instructions()))
        if not summary.strip():
            raise ProviderError("The model gave no summary.", kind="malformed")
        return summary.strip()

    def _kept(self, messages: Sequence[Message]) -> tuple[Message, ...]:
        """The last exchange of a running turn, verbatim, where it is small: the model goes on from its last step."""
        start = len(messages) - 1
        while start > 0 and messages[start].role != "assistant":
            start -= 1
        tail = tuple(messages[start:])
        if start <= 0 or self._gauge.messages(tail) > self._threshold() / 3:
            return ()
        return tail

    async def _afterwards(self, parts: Parts, trigger: str, summary: str) -> AsyncGenerator[Event]:
        moments = (
            HookCall(point="PostCompact", subject=trigger, payload={"trigger": trigger, "compact_summary": summary}),
            HookCall(point="SessionStart", subject="compact", payload={"source": "compact", "model": parts.model}),
        )
        for call in moments:
            outcomes: list[HookOutcome] = []
            async with aclosing(fired(parts, call, parts.interrupt, outcomes)) as events:
                async for event in events:
                    yield event
            for text in outcomes[0].context:
                reminder = f"<system-reminder>\n{text}\n</system-reminder>"
                message = Message(role="user", blocks=(TextBlock(text=reminder),))
                yield PromptAdded(message=message, origin="hook", source=call.point)


@cache
def _instructions() -> str:
    return Path(__file__).with_suffix(".md").read_text(encoding="utf-8").strip()


def _transcript(messages: Sequence[Message], room: int) -> str:
    """The conversation as text; with `room` (characters), long results are shortened and the middle may go."""
    parts = [f"[{message.role}]\n" + "\n".join(_said(block, room) for block in message.blocks) for message in messages]
    text = "\n\n".join(parts)
    if not room or len(text) <= room:
        return text
    head, tail = room // 3, room - room // 3
    return f"{text[:head]}\n\n[… {len(text) - room} characters left out …]\n\n{text[-tail:]}"


def _said(block: Block, room: int) -> str:
    match block:
        case TextBlock(text=text):
            return text
        case ToolUseBlock():
            return f"(calls {block.name} {_short(str(block.input), room)})"
        case ToolResultBlock(content=content):
            text = content if isinstance(content, str) else "\n".join(getattr(p, "text", "[image]") for p in content)
            return f"(result{' (error)' if block.is_error else ''}: {_short(text, room)})"
        case ImageBlock():
            return "(an image)"
        case _:
            return ""


def _short(text: str, room: int) -> str:
    if not room or len(text) <= _RESULT_CHARACTERS:
        return text
    half = _RESULT_CHARACTERS // 2
    return f"{text[:half]} … {text[-half:]}"
