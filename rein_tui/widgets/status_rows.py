"""The person's own status line: what a command printed, made harmless, above ours."""

from textual.content import Content
from textual.widgets import Static

from .safe import safe_content

MOST_ROWS = 3
"""How many of its lines are shown: the screen belongs to the conversation."""


class StatusRows(Static):
    """A few lines of foreign output; not there while there are none."""

    DEFAULT_CSS = """
    StatusRows { height: auto; padding: 0 1; background: $panel; color: $text-muted; display: none; }
    """

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.auto_links = False
        self._shown = ("", 0, 80)

    def show(self, text: str, padding: int = 0, *, width: int = 80) -> None:
        """Show these lines; colours stay, everything else that a terminal would obey goes."""
        if (text, padding, width) == self._shown:
            return
        self._shown = text, padding, width
        lines = [line for line in text.replace("\r\n", "\n").split("\n") if line.strip()][:MOST_ROWS]
        rows = [safe_content(line, colour=True) for line in lines]
        self.display = any(row.plain.strip() for row in rows)
        self.styles.padding = (0, 1 + padding)
        # One row a line whatever it holds: what does not fit is cut off, and nothing of it is a link or an action.
        self.styles.height = max(1, len(rows))
        self.update(Content("\n").join(row.truncate(max(1, width - 2 - 2 * padding), ellipsis=True) for row in rows))
