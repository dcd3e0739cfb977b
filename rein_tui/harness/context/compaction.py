"""Making room in the window: when, what is summarised, what stays word for word. Pure; the loop does the asking.

A summary never follows a summary for nothing: `CompactionGuard` wants real growth in between, and a summary that
would not make the conversation clearly smaller is refused.
"""

import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from msgspec import structs

from ..protocol.base import Word
from ..protocol.messages import Block, Message, TextBlock, ToolResultBlock, ToolUseBlock
from .tokens import TokenGauge

_KEPT_SHARE = 0.15
_SMALL_WINDOW = 32_000
_ENOUGH = 0.8  # a summary must bring the conversation below this share of what it was
_GROWTH = 1.25
_HEADINGS = re.compile(r"<(analysis|think|thinking)>.*?(?:</\1>|\Z)", re.DOTALL)
_CUTS = (8000, 2000, 500, 100)


class CompactionPlan(Word, frozen=True, kw_only=True):
    """What goes into the summary and what follows it verbatim; `tokens` is the estimate of both before."""

    summarised: tuple[Message, ...]
    kept: tuple[Message, ...]
    tokens: int


def limit_of(window: int, max_output: int = 0, share: float = 0.0) -> int:
    """Tokens at which compaction is due; 0 when the window is unknown. `share` (0 to 1) overrides our own choice.

    Room is left for the answer and one large tool result; small windows keep a fifth free.
    """
    if window <= 0:
        return 0
    if share:
        return round(window * min(share, 0.98))
    reserve = window // 5 if window <= _SMALL_WINDOW else max(min(max_output, window // 4), 13_000)
    return window - reserve


class CompactionGuard:
    """Says when compaction is due, and never twice for the same content."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._settled = 0

    def is_due(self, tokens: int) -> bool:
        """Whether the next request, of so many tokens, calls for a compaction first."""
        return bool(self.limit) and tokens > self.limit and tokens > self._settled * _GROWTH

    def done(self, tokens_after: int) -> None:
        """A compaction ended (or failed) with this many tokens; only growth beyond them makes another one due."""
        self._settled = tokens_after

    def is_hopeless(self, tokens: int) -> bool:
        """Whether the conversation is over the limit although it was just compacted: the turn has to end."""
        return bool(self.limit) and tokens > self.limit and not self.is_due(tokens)


def plan_compaction(messages: Sequence[Message], gauge: TokenGauge, window: int) -> CompactionPlan | None:
    """Where to cut: as many of the last messages as fit a sixth of the window stay. None when nothing is left to cut.

    A kept part begins with an answer or with words of the person, never with results of calls that are gone.
    """
    room = round(window * _KEPT_SHARE) if window else 8000
    cut, size = len(messages), 0
    for index in range(len(messages) - 1, 1, -1):
        size += gauge.messages(messages[index : index + 1])
        if size > room:
            break
        if not any(isinstance(block, ToolResultBlock) for block in messages[index].blocks):
            cut = index
    if cut < 2:
        cut = len(messages)
    if cut < 2:
        return None
    return CompactionPlan(summarised=tuple(messages[:cut]), kept=tuple(messages[cut:]), tokens=gauge.messages(messages))


def summary_messages(
    plan: CompactionPlan, gauge: TokenGauge, room: int, focus: str = "", *, told: bool = False
) -> tuple[Message, ...]:
    """What to send for the summary: the conversation and the question, cut down until it fits `room` tokens.

    `told`: in any case as one text, for a model that goes on with the conversation instead of summing it up.
    """
    ask = Message(role="user", blocks=(TextBlock(text=question(focus)),))
    if not told and (not room or gauge.messages((*plan.summarised, ask)) <= room):
        return _joined(plan.summarised, ask)
    text = ""
    for longest in _CUTS:
        text = "\n\n".join(_told(message, longest) for message in plan.summarised)
        whole = _as_text(text, focus)
        if not room or gauge.messages((whole,)) <= room:
            return (whole,)
    half = max(int((room - gauge.messages((ask,))) * gauge.ratio) - 200, 200) // 2
    return (_as_text(f"{text[:half]}\n\n[… the middle was left out …]\n\n{text[-half:]}", focus),)


def _as_text(conversation: str, focus: str) -> Message:
    text = f"<conversation>\n{conversation}\n</conversation>\n\n{question(focus)}"
    return Message(role="user", blocks=(TextBlock(text=text),))


def accept_summary(plan: CompactionPlan, answer: str, gauge: TokenGauge, enough: int = 0) -> tuple[str, int] | None:
    """The summary and the tokens after it; None when it is empty or would not make the conversation clearly smaller.

    So many tokens as `enough` are small in any case.
    """
    text = _HEADINGS.sub("", answer).strip()
    text = text.removeprefix("<summary>").removesuffix("</summary>").strip()
    if not text:
        return None
    after = gauge.messages((Message(role="user", blocks=(TextBlock(text=text),)), *plan.kept))
    return (text, after) if after < max(plan.tokens * _ENOUGH, enough) else None


def question(focus: str = "") -> str:
    """The instruction to summarise; `focus` is what the person wants kept above all."""
    return f"{_instruction()}\n\nAbove all keep: {focus.strip()}" if focus.strip() else _instruction()


@cache
def _instruction() -> str:
    return (Path(__file__).parent / "compact.md").read_text(encoding="utf-8").strip()


def _joined(messages: Sequence[Message], ask: Message) -> tuple[Message, ...]:
    """Roles alternate: the question joins a last message of the person."""
    if messages and messages[-1].role == "user":
        last = messages[-1]
        return (*messages[:-1], structs.replace(last, blocks=(*last.blocks, *ask.blocks)))
    return (*messages, ask)


def _told(message: Message, longest: int) -> str:
    parts = [_block_text(block, longest) for block in message.blocks]
    return f"[{message.role}]\n" + "\n".join(part for part in parts if part)


def _block_text(block: Block, longest: int) -> str:
    match block:
        case TextBlock():
            return _shortened(block.text, longest * 2)
        case ToolUseBlock():
            return f"(calls {block.name}: {_shortened(str(block.input), longest)})"
        case ToolResultBlock():
            text = (
                block.content
                if isinstance(block.content, str)
                else "\n".join(part.text for part in block.content if isinstance(part, TextBlock))
            )
            return f"({'error' if block.is_error else 'result'}: {_shortened(text, longest)})"
        case _:
            return ""


def _shortened(text: str, longest: int) -> str:
    if len(text) <= longest:
        return text
    return f"{text[: longest * 2 // 3]} […] {text[-longest // 3 :]}"
