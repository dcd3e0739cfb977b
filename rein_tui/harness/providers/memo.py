"""Messages are encoded once: a conversation grows at its end, and every request carries all of it.

Messages are frozen and kept by the conversation, so one is known again by its identity; the memo holds a reference,
so that no other message can take it.
"""

from collections.abc import Callable

import msgspec

from ..protocol.base import JsonObject
from ..protocol.messages import Message

_MOST = 50_000


class Memo:
    """What each message was encoded to, for one way of encoding. The lists it gives must not be changed."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[Message, list[JsonObject]]] = {}
        self._bytes: dict[int, msgspec.Raw | bool] = {}

    def get(self, message: Message, encode: Callable[[Message], list[JsonObject]]) -> list[JsonObject]:
        """The encoded message, made now or earlier."""
        found = self._known.get(id(message))
        if found is not None:
            return found[1]
        if len(self._known) >= _MOST:
            self._known.clear()
            self._bytes.clear()
        encoded = encode(message)
        self._known[id(message)] = (message, encoded)
        self._bytes.update((id(item), False) for item in encoded)
        return encoded

    def body(self, body: JsonObject) -> bytes:
        """A body for sending, its `messages` as `get` gave them or made of them; known ones are bytes already."""
        messages = [self._for_sending(item) for item in body["messages"]]
        return msgspec.json.encode({**body, "messages": messages})

    def _for_sending(self, item: JsonObject) -> JsonObject | msgspec.Raw:
        known = self._bytes.get(id(item))
        if isinstance(known, msgspec.Raw):
            return known
        if known is None:
            return item
        # Bytes are kept from the second time on: calls as text make new messages for every request.
        kept = self._bytes[id(item)] = msgspec.Raw(msgspec.json.encode(item)) if known else True
        return kept if isinstance(kept, msgspec.Raw) else item
