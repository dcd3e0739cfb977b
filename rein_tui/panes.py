"""Which panes the dock has. Each is imported when it is first shown, so that none costs anything at start."""

from collections.abc import Callable
from functools import partial
from typing import get_args

from textual.widget import Widget

from rein_tui.harness.protocol.events import SourceKind
from rein_tui.harness.protocol.models import WireRequest
from rein_tui.harness.protocol.ports import Insight
from rein_tui.widgets.dock import Tab


def _inspector(insight: Callable[[], Insight | None]) -> Widget:
    from rein_tui.widgets.inspector import Inspector

    def wire(turn: int, step: int) -> WireRequest | None:
        known = insight()
        return known.request_of(turn, step) if known is not None else None

    return Inspector(wire=wire)


def _hook_log() -> Widget:
    from rein_tui.widgets.hook_log import HookLog

    return HookLog()


def _timeline() -> Widget:
    from rein_tui.widgets.timeline import Timeline

    return Timeline()


def _context() -> Widget:
    from rein_tui.widgets.context_pane import ContextPane

    return ContextPane(switchable=frozenset(get_args(SourceKind)))


def dock_tabs(insight: Callable[[], Insight | None]) -> tuple[Tab, ...]:
    """The tabs of the right dock, in order; `insight` gives what the session on the screen can tell beyond facts."""
    return (
        Tab("inspector", "Inspector", "F2", partial(_inspector, insight)),
        Tab("hooks", "Hooks", "F3", _hook_log),
        Tab("timeline", "Timeline", "F4", _timeline),
        Tab("context", "Context", "F5", _context),
    )
