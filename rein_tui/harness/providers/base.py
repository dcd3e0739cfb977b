"""What providers share: secrets that do not show, addresses that may be spoken to, ids, the seam for text mode.

Loads nothing heavy. Retry, framing and the translation of messages have files of their own.
"""

import re
from collections.abc import Awaitable, Callable, Iterable
from typing import Protocol, TypeAlias
from uuid import uuid4

import msgspec
from msgspec.structs import replace

from ..protocol.messages import Block, ParseTrace, TextBlock, ThinkingBlock, ToolUseBlock
from ..protocol.models import ModelRequest, ProviderEvent
from .strict_json import read_object


class Secret:
    """A key that neither repr, str nor a traceback shows; `source` names where it came from, never what it is."""

    __slots__ = ("_reveal", "source")

    def __init__(self, value: str = "", source: str = "") -> None:
        self._reveal = value.strip  # a bound method, so that a dump of the slots shows no text either
        self.source = source

    def reveal(self) -> str:
        """The key itself: for a request header and nothing else."""
        return self._reveal()

    def forget(self) -> None:
        """Make it empty, for everybody who holds it."""
        self._reveal = "".strip
        self.source = ""

    def redact(self, text: str) -> str:
        """`text` without the key, should a server have repeated it."""
        value = self.reveal()
        return text.replace(value, "[key]") if len(value) >= 6 else text

    def __bool__(self) -> bool:
        return bool(self.reveal())

    def __repr__(self) -> str:
        return f"Secret(from {self.source or 'unknown'})" if self else "Secret()"


NO_SECRET = Secret()

KeyHelper: TypeAlias = Callable[[], Awaitable[str]]
"""Fetches a fresh key (`apiKeyHelper`); raises ReinError."""

NewId: TypeAlias = Callable[[], str]


def new_call_id() -> str:
    """An id for a call whose server gave none."""
    return f"call_{uuid4().hex[:20]}"


def call_ids(request: ModelRequest) -> set[str]:
    """The ids of all calls that the conversation already holds."""
    said = (message.blocks for message in request.messages if message.role == "assistant")
    return {block.id for blocks in said for block in blocks if isinstance(block, ToolUseBlock)}


def unique_id(wanted: str, taken: set[str], new_id: NewId) -> str:
    """`wanted` unless it is empty or taken: some servers count `call_0` anew in every message."""
    while not wanted or wanted in taken:
        wanted = new_id()
    taken.add(wanted)
    return wanted


def safe_id(call_id: str) -> str:
    """The id in the alphabet that every API accepts: histories move between providers."""
    return re.sub(r"[^A-Za-z0-9_-]", "_", call_id)[:64]


def tool_use(call_id: str, name: str, raw: str) -> ToolUseBlock:
    """A call from its raw input: parsed strictly, or marked malformed; no input at all is an empty object."""
    try:
        return ToolUseBlock(id=call_id, name=name, input=read_object(raw) if raw.strip() else {})
    except ValueError:
        return ToolUseBlock(id=call_id, name=name, malformed=raw)


class TextEnd(msgspec.Struct, frozen=True):
    """What a text-mode reader makes of a finished text: late events, the message's blocks, how it was parsed."""

    events: tuple[ProviderEvent, ...] = ()
    blocks: tuple[Block, ...] = ()
    parse: ParseTrace | None = None


class TextReader(Protocol):
    """Reads the text of one answer as it comes, holding back what could open a call."""

    def feed(self, text: str) -> Iterable[ProviderEvent]:
        """More text; gives what may be shown by now."""
        ...

    def finish(self, native: tuple[ToolUseBlock, ...]) -> TextEnd:
        """The answer is complete. `native` are the server's own calls, malformed ones among them.

        The blocks given back stand for all text and all calls of the message; thinking stays with the provider. A
        reader whose stream was cut is dropped without this call: its answer is asked for again.
        """
        ...


class TextMode(Protocol):
    """Tools by way of text, for models without native calls. Stateless: one reader an answer."""

    def rewrite(self, request: ModelRequest) -> ModelRequest:
        """The request as the model should see it: tools in the prompt, calls and results as text, stop sequences."""
        ...

    def reader(self, request: ModelRequest) -> TextReader:
        """A reader for the answer to the (unrewritten) request."""
        ...


def end_text(reader: TextReader | None, thinking: str, prose: str, native: tuple[ToolUseBlock, ...]) -> TextEnd:
    """The blocks of a finished answer, in order: thinking, then prose and calls, as the reader sees them if any."""
    end = TextEnd(blocks=(TextBlock(text=prose), *native) if prose.strip() else native)
    if reader is not None:
        end = reader.finish(native)
    return replace(end, blocks=(ThinkingBlock(thinking=thinking), *end.blocks)) if thinking else end
