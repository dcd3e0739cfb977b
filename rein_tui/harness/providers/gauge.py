"""Reads a server's token counts: a prompt that it cut in silence, a window that is full."""

from collections.abc import Iterator

import msgspec

from ..protocol.messages import ImageBlock, ToolResultBlock
from ..protocol.models import Completed, ModelRequest, ProviderNotice

_SHORT = 8_000
"""Characters below which nothing is worth an alarm."""

_FEWEST = 8
"""Characters a token that no ordinary text reaches: beyond it, something is missing."""


TRUNCATED = "prompt_truncated"
"""The code of the alarm."""


def characters_of(body: bytes, request: ModelRequest, *, vision: bool) -> int:
    """How much text a body holds: images, which it holds as text where the model sees, count by another measure."""
    return len(body) - (sum(image_sizes(request)) if vision else 0)


def image_sizes(request: ModelRequest) -> Iterator[int]:
    """The characters of each image in the conversation, those in results included."""
    for block in (block for message in request.messages for block in message.blocks):
        within = block.content if isinstance(block, ToolResultBlock) else (block,)
        yield from (len(part.data) for part in within if isinstance(part, ImageBlock))


class PromptGauge:
    """Compares characters sent with tokens counted, and with what the same conversation counted before."""

    def __init__(self) -> None:
        self._before: dict[int, tuple[int, int]] = {}

    def check(self, request: ModelRequest, characters: int, tokens: int) -> ProviderNotice | None:
        """A warning when too much is missing; `tokens` 0 means that the server did not count."""
        if not tokens or characters < _SHORT:
            return None
        # A conversation grows at its end, so its prompt can only count more than before.
        key = hash((request.model, request.system[:500], *(message.text[:500] for message in request.messages[:1])))
        sent, counted = self._before.get(key, (0, 0))
        least = counted * 0.9 + (characters - sent) / _FEWEST if characters >= sent else characters / _FEWEST
        if tokens < least:
            expected = int(characters * counted / sent) if sent else characters // 4
            return ProviderNotice(
                text=f"The server read only {tokens} of about {expected} tokens: it has cut the prompt without a word.",
                level="error",
                hint="Give the model a larger context on the server, or shorten the conversation with /compact.",
                code=TRUNCATED,
            )
        self._before[key] = (characters, tokens)
        return None


def told_apart(done: Completed, window: int) -> Completed:
    """A local server says "length" both at the limit of the answer and at the end of the window (0: unknown)."""
    full = window and done.usage.context_tokens >= window - 1
    if done.stop_reason == "max_tokens" and full:
        return msgspec.structs.replace(done, stop_reason="context_full")
    return done
