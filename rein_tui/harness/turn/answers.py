"""The model's answers of one turn: streamed whole or kept as incomplete, by another model where one can stand in."""

import time
from collections import deque
from collections.abc import AsyncGenerator
from contextlib import aclosing

from ..protocol.errors import ProviderError, ProviderErrorKind
from ..protocol.events import (
    Event,
    MessageFinished,
    Notice,
    RequestRetried,
    TextDelta,
    ThinkingDelta,
    ToolInputDelta,
)
from ..protocol.messages import Message, TextBlock
from ..protocol.models import (
    Completed,
    ModelRequest,
    ProviderEvent,
    ProviderNotice,
    Retrying,
    TextChunk,
    ThinkingChunk,
    ToolInputChunk,
)
from ..protocol.ports import Emit
from .channel import told_by
from .interrupt import Interrupted
from .parts import Parts

_STANDS_IN = frozenset[ProviderErrorKind]({"overloaded", "server", "not_found", "unavailable"})
"""Failures of a model that another one of the same server may not have; not those of the key or the request."""

_PATIENCE = 3
"""Attempts at a model that is busy, where another one can take over."""


class Answers:
    """Asks the model, step after step. `completed` is its last whole message, None after one that failed."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._partial: list[str] = []
        self._warned: set[str] = set()
        self._fallbacks: deque[str] | None = None
        self._stand_in = ""
        self.completed: Completed | None = None

    @property
    def model(self) -> str:
        """The model that answers: the session's, or the one that stands in for the rest of the turn."""
        return self._stand_in or self._parts.model

    def stand_in(self, error: ProviderError) -> Notice | None:
        """Let the next model answer from now on, and say so; None when this failure has none that could."""
        if error.kind not in _STANDS_IN or not self._fallbacks:
            return None
        failed, self._stand_in = self.model, self._fallbacks.popleft()
        text = f"{self.model} answers for the rest of this turn: {failed} did not ({error.message})"
        return Notice(level="warning", text=text, hint="fallbackModel in the settings names it", code="fallback_model")

    async def stream(self, request: ModelRequest, step: int) -> AsyncGenerator[Event]:
        """Stream the model's message; ends with MessageFinished, or raises with what was shown kept as incomplete."""
        self.completed = None
        self._partial.clear()
        started = time.perf_counter()
        first_token = 0.0

        async def work(tell: Emit) -> None:
            nonlocal first_token
            async with aclosing(self._parts.provider.stream(request)) as pieces:
                async for piece in pieces:
                    await self._lose_patience(piece)
                    if isinstance(piece, Retrying):
                        first_token = 0.0  # what came before is void
                    elif not first_token and isinstance(piece, TextChunk | ThinkingChunk | ToolInputChunk):
                        first_token = time.perf_counter() - started
                    await self._tell_piece(piece, tell)

        try:
            async with aclosing(told_by(work, self._parts.interrupt)) as events:
                async for event in events:
                    yield event
            completed = self._required()
        except (Interrupted, ProviderError) as error:
            if isinstance(error, ProviderError) and await self._has_fallback(error):
                yield RequestRetried(attempt=1, delay=0, reason=error.message, status=error.status)
            elif (partial := "".join(self._partial)).strip():
                message = Message(role="assistant", blocks=(TextBlock(text=partial),))
                yield MessageFinished(step=step, message=message, stop_reason="incomplete", model=request.model)
            raise
        yield MessageFinished(
            step=step,
            message=completed.message,
            stop_reason=completed.stop_reason,
            usage=completed.usage,
            first_token=first_token,
            duration=time.perf_counter() - started,
            model=completed.model or request.model,
            request_id=completed.request_id,
            parse=completed.parse,
            calls=completed.calls,
        )

    async def _lose_patience(self, piece: ProviderEvent) -> None:
        """Where another model can take over, a busy one is asked a few times only. Raises ProviderError."""
        if isinstance(piece, Retrying) and piece.attempt >= _PATIENCE and piece.status >= 500:
            error = ProviderError(piece.reason, kind="overloaded", status=piece.status, retryable=True)
            if await self._has_fallback(error):
                raise error

    async def _has_fallback(self, error: ProviderError) -> bool:
        """Whether another model can take over."""
        if error.kind not in _STANDS_IN or self._parts.fallbacks is None:
            return False
        if self._fallbacks is None:
            names = await self._parts.interrupt.guard(self._parts.fallbacks())
            self._fallbacks = deque(name for name in names if name != self._parts.model)
        return bool(self._fallbacks)

    def _required(self) -> Completed:
        if self.completed is None:
            raise ProviderError("The model's answer ended before it was complete.", kind="cut", retryable=True)
        return self.completed

    async def _tell_piece(self, piece: ProviderEvent, tell: Emit) -> None:
        match piece:
            case TextChunk(text=text):
                self._partial.append(text)
                await tell(TextDelta(text=text))
            case ThinkingChunk(text=text):
                await tell(ThinkingDelta(text=text))
            case ToolInputChunk():
                await tell(ToolInputDelta(call_id=piece.call_id, name=piece.name, text=piece.text))
            case Retrying():
                self._partial.clear()
                await tell(
                    RequestRetried(
                        attempt=piece.attempt,
                        delay=piece.delay,
                        reason=piece.reason,
                        status=piece.status,
                        max_attempts=piece.max_attempts,
                    )
                )
            case ProviderNotice(code=code) if code and code in self._warned:
                pass
            case ProviderNotice():
                self._warned.add(piece.code)
                await tell(Notice(text=piece.text, level=piece.level, hint=piece.hint, code=piece.code))
            case Completed():
                self.completed = piece
