"""Which stored session the flags name, and how it ends: the store alone tells, so the first paint need not wait.

The harness is the heaviest thing to load; meanwhile the end of the story is on the screen.
"""

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from ..harness.places import Places
from ..harness.protocol.errors import StoreError
from ..harness.protocol.events import Fact, Notice
from .options import Options

if TYPE_CHECKING:
    from ..harness.store.store import Store


class Resumed(msgspec.Struct, frozen=True):
    """A stored session to open (empty id: a new one), how it ends, and what happened to the store."""

    id: str = ""
    ending: Sequence[Fact] = ()
    notices: Sequence[Notice] = ()


def read_resumed(options: Options, places: Places) -> Resumed:
    """What the flags name. Raises StoreError when there is no such session."""
    if not options.continue_last and not options.resume:
        return Resumed()
    from ..harness.store.store import Store  # with SQLite: a twentieth of a start that names no session

    store = Store.open(places)
    try:
        session_id = named_session(store, options, interactive=True)
        ending: Sequence[Fact] = ()
        with suppress(StoreError):
            ending = store.ending(session_id)
        return Resumed(session_id, ending, store.take_notices())
    finally:
        store.close()


def named_session(store: "Store", options: Options, *, interactive: bool) -> str:
    """The id of the session that the flags name, or of its copy; empty for a new one. Raises StoreError."""
    if options.continue_last:
        root = (options.project_dir or Path.cwd()).resolve()
        found = store.latest(str(root), include_headless=not interactive)
        if found is None:
            raise StoreError(f"There is no session of {root} yet.", hint="Start without --continue.")
        session_id = found.id
    elif options.resume:
        session_id = store.resolve(options.resume, loosely=True).id
    else:
        return ""
    if not options.fork_session:
        return session_id
    copy = store.fork(session_id)
    copy.close()
    return copy.session_id
