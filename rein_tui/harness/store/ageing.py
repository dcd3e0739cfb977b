"""The setting `cleanupPeriodDays`: sessions that nobody used for so long go. Without it every session stays."""

import time
from collections.abc import Collection
from contextlib import suppress

from ..protocol.errors import StoreError
from ..protocol.events import Notice
from ..settings.layers import Settings
from .store import Store

_DAY = 86400.0
_LONGEST = 36500


def let_old_go(store: Store, settings: Settings, keep: Collection[str], now: float | None = None) -> Notice | None:
    """Delete sessions older than settings want, none of `keep`; what to tell of it. They can be had back for a day."""
    days = settings.get("cleanupPeriodDays", default=0)
    if not isinstance(days, int) or days < 1:
        return None
    gone: list[str] = []
    with suppress(StoreError):
        for info in store.prune(before=(now or time.time()) - min(days, _LONGEST) * _DAY, dry=True):
            if info.id not in keep:
                with suppress(StoreError):  # open in another terminal
                    store.delete(info.id)
                    gone.append(info.id)
    if not gone:
        return None
    named = " ".join(gone[:5]) + (" …" if len(gone) > 5 else "")
    return Notice(
        text=f"Deleted {len(gone)} sessions that were last used more than {days} days ago (cleanupPeriodDays).",
        where=str(settings.origin("cleanupPeriodDays") or ""),
        hint=f"For a day they can be had back: rein-tui sessions delete --undo {named}",
        code="cleaned_up",
    )
