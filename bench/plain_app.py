"""The least a Textual chat can be: one line-API transcript, Rich's Markdown and an input. The baseline for starting."""

from rich.markdown import Markdown
from textual.app import App, ComposeResult
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.widgets import Input


class Transcript(ScrollView, can_focus=False):
    """Holds what was said."""

    DEFAULT_CSS = "Transcript { height: 1fr; }"
    strips: tuple[Strip, ...] = ()

    def on_mount(self) -> None:
        """Say something."""
        lines = self.app.console.render_lines(Markdown("**Hello.** Ask anything."), pad=False)
        self.strips = tuple(Strip(line) for line in lines)

    def render_line(self, y: int) -> Strip:
        """A line of it."""
        return self.strips[y] if y < len(self.strips) else Strip.blank(self.size.width)


class Plain(App[None]):
    """The app."""

    def compose(self) -> ComposeResult:
        yield Transcript()
        yield Input(placeholder="ask anything")


if __name__ == "__main__":
    Plain().run()
