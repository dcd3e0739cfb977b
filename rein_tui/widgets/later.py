"""Work put off until the screen was painted."""

from collections.abc import Callable

from textual.widget import Widget


def after_refresh(widget: Widget, do: Callable[[], object]) -> None:
    """Do this once the screen was painted; not at all when the widget is folded away or being removed by then.

    A question that is answered at once goes away between the call and the paint, and its parts before itself.
    """
    # Textual answers False for the display of whatever is closing, closed or being pruned.
    widget.call_after_refresh(lambda: do() if widget.display else None)
