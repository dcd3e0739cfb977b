"""The classic protocol over a hub: one conversation a connection, folded from our events.

Nobody can answer a question over it, so whatever would ask is denied by policy.
"""

from collections.abc import Iterator
from contextlib import aclosing

from rein_tui.harness.protocol.base import JsonObject
from rein_tui.harness.protocol.events import (
    Event,
    MessageFinished,
    RequestRetried,
    TextDelta,
    ToolCallFinished,
    ToolCallRequested,
    TurnFailed,
    TurnFinished,
    TurnInterrupted,
)
from rein_tui.harness.protocol.messages import ResultContent, TextBlock, Usage

from .sessions import Hub
from .wire import (
    ClassicAnswer,
    ClassicError,
    ClassicFrame,
    ClassicText,
    ClassicToolResult,
    ClassicToolUse,
    ClassicTurnComplete,
    ClassicUsage,
    RunBegun,
)
from .wire.classic import ErrorData, TextData, ToolResultData, ToolUseData, TurnCompleteData, UsageData


class ClassicFold:
    """Events of one turn to classic frames. What deltas did not bring, the finished message does."""

    def __init__(self) -> None:
        self._told = ""
        self.is_over = False

    def apply(self, event: Event) -> Iterator[ClassicFrame]:
        """The frames for one event; none for what the classic protocol does not know, subagents among it."""
        if event.parent:
            return
        match event:
            case TextDelta(text=text):
                self._told += text
                yield ClassicText(data=TextData(text=text))
            case RequestRetried():
                self._told = ""
            case MessageFinished(message=message):
                rest = message.text.removeprefix(self._told) if message.text.startswith(self._told) else ""
                self._told = ""
                if rest:
                    yield ClassicText(data=TextData(text=rest))
            case ToolCallRequested():
                yield ClassicToolUse(data=ToolUseData(id=event.call_id, name=event.name, input=event.input))
            case ToolCallFinished():
                yield ClassicToolResult(
                    data=ToolResultData(
                        tool_use_id=event.call_id,
                        tool_name=event.name,
                        result=as_text(event.content),
                        is_error=event.is_error,
                    )
                )
            case TurnFinished() | TurnInterrupted() | TurnFailed():
                yield from self._end(event)
            case _:
                pass

    def _end(self, end: TurnFinished | TurnInterrupted | TurnFailed) -> Iterator[ClassicFrame]:
        self.is_over = True
        if isinstance(end, TurnFailed):
            yield error_frame(end.failure.message)
        yield ClassicUsage(data=usage_data(end.usage))
        match end:
            case TurnFinished(reason=reason):
                yield ClassicTurnComplete(data=TurnCompleteData(stop_reason=reason))
            case TurnInterrupted():
                yield ClassicTurnComplete(data=TurnCompleteData(stop_reason="interrupted"))
            case TurnFailed():
                yield ClassicTurnComplete(data=TurnCompleteData(stop_reason="error"))


class AnswerFold:
    """Events of one turn to what `POST /api/chat` gives back."""

    def __init__(self, session_id: str) -> None:
        self._session_id = session_id
        self._text: list[str] = []
        self._calls: dict[str, JsonObject] = {}
        self._usage = Usage()
        self.problem = ""
        self.interrupted = ""
        self.is_over = False

    def apply(self, event: Event) -> None:
        """Fold one event."""
        if event.parent:
            return
        match event:
            case MessageFinished(message=message) if message.text:
                self._text.append(message.text)
            case ToolCallRequested():
                self._calls[event.call_id] = {"id": event.call_id, "name": event.name, "input": event.input}
            case ToolCallFinished():
                self._calls[event.call_id] |= {"result": as_text(event.content), "is_error": event.is_error}
            case TurnFinished() | TurnInterrupted() | TurnFailed():
                self._usage, self.is_over = event.usage, True
                if isinstance(event, TurnFailed):
                    self.problem = event.failure.message
                elif isinstance(event, TurnInterrupted):
                    self.interrupted = event.reason or "interrupted"
            case _:
                pass

    def answer(self) -> ClassicAnswer:
        """The answer so far."""
        return ClassicAnswer(
            response="\n\n".join(self._text),
            session_id=self._session_id,
            tool_calls=tuple(self._calls.values()),
            usage=usage_data(self._usage),
        )


async def answered(hub: Hub, begun: RunBegun) -> AnswerFold:
    """Follow a turn to its end."""
    fold = AnswerFold(hub.id)
    async with aclosing(hub.story.follow(begun.after)) as events:
        async for event in events:
            fold.apply(event)
            if fold.is_over:
                break
    return fold


def error_frame(message: str) -> ClassicError:
    """An error as a frame."""
    return ClassicError(data=ErrorData(message=message))


def usage_data(usage: Usage) -> UsageData:
    """Tokens as the classic protocol counts them: cached input is input."""
    return UsageData(
        input_tokens=usage.input_tokens + usage.cache_read_tokens + usage.cache_write_tokens,
        output_tokens=usage.output_tokens,
    )


def as_text(content: ResultContent) -> str:
    """A result as text; an image by its name."""
    if isinstance(content, str):
        return content
    return "\n".join(block.text if isinstance(block, TextBlock) else f"[{block.name or 'image'}]" for block in content)
