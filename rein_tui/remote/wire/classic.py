"""The classic protocol: a message in; text, tool uses, results, usage and an end out. Kept word for word."""

from typing import TypeAlias

from msgspec import field

from rein_tui.harness.protocol.base import JsonObject, Word


class ClassicMessage(Word, frozen=True, kw_only=True, tag="message"):
    """A prompt. `system_prompt` takes the place of the server's from this message on."""

    content: str
    system_prompt: str | None = None


class ClassicPing(Word, frozen=True, kw_only=True, tag="ping"):
    """Are you there?"""


class ClassicPong(Word, frozen=True, kw_only=True, tag="pong"):
    """Yes."""


class TextData(Word, frozen=True, kw_only=True):
    """Some of the answer."""

    text: str


class ToolUseData(Word, frozen=True, kw_only=True, omit_defaults=False):
    """A call, as it was requested."""

    id: str
    name: str
    input: JsonObject


class ToolResultData(Word, frozen=True, kw_only=True, omit_defaults=False):
    """Its answer, as text."""

    tool_use_id: str
    tool_name: str
    result: str
    is_error: bool


class UsageData(Word, frozen=True, kw_only=True, omit_defaults=False):
    """Tokens of the whole turn, those of the cache included in the input."""

    input_tokens: int
    output_tokens: int


class TurnCompleteData(Word, frozen=True, kw_only=True):
    """Why the turn ended: end_turn, max_tokens, interrupted, error …"""

    stop_reason: str


class ErrorData(Word, frozen=True, kw_only=True):
    """What went wrong."""

    message: str


class ClassicText(Word, frozen=True, kw_only=True, tag="text_delta"):
    """More text."""

    data: TextData


class ClassicToolUse(Word, frozen=True, kw_only=True, tag="tool_use"):
    """The model asked for a tool."""

    data: ToolUseData


class ClassicToolResult(Word, frozen=True, kw_only=True, tag="tool_result"):
    """The call is answered."""

    data: ToolResultData


class ClassicUsage(Word, frozen=True, kw_only=True, tag="usage"):
    """What the turn cost."""

    data: UsageData


class ClassicTurnComplete(Word, frozen=True, kw_only=True, tag="turn_complete"):
    """The turn is over."""

    data: TurnCompleteData


class ClassicError(Word, frozen=True, kw_only=True, tag="error"):
    """Something went wrong; a turn that failed still gets its `turn_complete`."""

    data: ErrorData


class ClassicAnswer(Word, frozen=True, kw_only=True, omit_defaults=False):
    """What `POST /api/chat` gives back."""

    response: str
    session_id: str
    tool_calls: tuple[JsonObject, ...] = ()
    usage: UsageData = field(default_factory=lambda: UsageData(input_tokens=0, output_tokens=0))


ClassicFrame: TypeAlias = (
    ClassicText | ClassicToolUse | ClassicToolResult | ClassicUsage | ClassicTurnComplete | ClassicError | ClassicPong
)
