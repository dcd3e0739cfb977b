"""How events and errors of a session elsewhere are put for a screen here."""

import time

from msgspec import structs

from rein_tui.harness.protocol.errors import Failure, ReinError
from rein_tui.harness.protocol.events import Event, Notice

from .wire import Envelope


def calm(event: Event) -> Event:
    """The server drives the session and wakes it itself; a screen must not do it once more."""
    if isinstance(event, Notice) and event.code == "wake":
        return structs.replace(event, code="woken")
    return event


def calmed(envelope: Envelope) -> Envelope:
    """The same for an event with its number."""
    event = calm(envelope.event)
    return envelope if event is envelope.event else Envelope(seq=envelope.seq, event=event)


def complaint(error: ReinError) -> Notice:
    """An error as something to say."""
    failure: Failure = error.failure()
    return Notice(text=failure.message, level="error", where=failure.where, hint=failure.hint, time=time.time())
