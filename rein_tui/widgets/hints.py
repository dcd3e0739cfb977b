"""Keys and what they do, as panes and questions name them. A click presses the key: no wish needs a keyboard.

The app answers to `app.press(key)`.
"""

from collections.abc import Sequence

from rich.style import Style as RichStyle
from textual.content import Content
from textual.style import Style
from textual.widgets import Static

_NAMES = {"esc": "escape", "?": "question_mark", "↑": "up", "↓": "down", "←": "left", "→": "right", "/": "slash"}

KEY_STYLE = "bold $text-muted"
WORDS_STYLE = "$text-disabled"


class KeyLine(Static):
    """Keys that can be clicked, in their own colours; the one under the mouse is marked."""

    DEFAULT_CSS = "KeyLine { height: auto; }"

    @property
    def link_style(self) -> RichStyle:
        """None: Textual would draw all of it in the colour of links."""
        return RichStyle.null()


def pressing(content: Content, key: str) -> Content:
    """`content` as a button that presses `key`, given as Textual names it."""
    return content.stylize(Style.from_meta({"@click": f"app.press({key!r})"}))


def hint(key: str, words: str) -> Content:
    """One key, as people read it, and what it does."""
    first = "pagedown" if key == "page down" else key.split(maxsplit=1)[0]
    name = "+".join(_NAMES.get(part, part if len(part) == 1 else part.lower()) for part in first.split("+"))
    return pressing(Content.assemble((key, KEY_STYLE), (f" {words}", WORDS_STYLE)), name)


def hint_line(*hints: tuple[str, str]) -> Content:
    """Keys and what they do, on one line."""
    return Content(" · ").join(hint(key, words) for key, words in hints)


def hint_lines(hints: Sequence[tuple[str, str]], width: int) -> Content:
    """Keys and what they do, never torn apart, on as many lines of `width` cells as they need."""
    lines: list[list[Content]] = [[]]
    used = 0
    for key, words in hints:
        shown = hint(key, words)
        if lines[-1] and used + shown.cell_length > width:
            lines.append([])
            used = 0
        used += shown.cell_length + 3
        lines[-1].append(shown)
    return Content("\n").join(Content(" · ").join(line) for line in lines)
