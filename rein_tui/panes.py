"""Which panes the dock has. Each is imported when it is first shown, so that none costs anything at start."""

from textual.widget import Widget

from rein_tui.widgets.dock import Tab


def _inspector() -> Widget:
    from rein_tui.widgets.inspector import Inspector

    return Inspector()


def _hook_log() -> Widget:
    from rein_tui.widgets.hook_log import HookLog

    return HookLog()


def _timeline() -> Widget:
    from rein_tui.widgets.timeline import Timeline

    return Timeline()


def _context() -> Widget:
    from rein_tui.widgets.context_pane import ContextPane

    return ContextPane()


def dock_tabs() -> tuple[Tab, ...]:
    """The tabs of the right dock, in order."""
    return (
        Tab("inspector", "Inspector", "F2", _inspector),
        Tab("hooks", "Hooks", "F3", _hook_log),
        Tab("timeline", "Timeline", "F4", _timeline),
        Tab("context", "Context", "F5", _context),
    )
