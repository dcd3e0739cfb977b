"""Messages are encoded once: a conversation grows at its end, and every request carries all of it.

Messages are frozen and kept by the conversation, so one is known again by its identity; the memo holds a reference,
so that no other message can take it.
"""

from collections.abc import Callable

from ..protocol.base import JsonObject
from ..protocol.messages import Message

_MOST = 50_000


class Memo:
    """What each message was encoded to, for one way of encoding. The lists it gives must not be changed."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[Message, list[JsonObject]]] = {}

    def get(self, message: Message, encode: Callable[[Message], list[JsonObject]]) -> list[JsonObject]:
        """The encoded message, made now or earlier."""
        found = self._known.get(id(message))
        if found is not None:
            return found[1]
        if len(self._known) >= _MOST:
            self._known.clear()
        encoded = encode(message)
        self._known[id(message)] = (message, encoded)
        return encoded
