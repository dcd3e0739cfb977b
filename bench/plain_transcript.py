"""The least a Textual transcript can do: the baseline that `chat.py` measures against."""

import asyncio
from typing import Any


def plain_app() -> Any:
    """The least: a strip list, the open block rendered with Rich fifteen times a second, everything repainted."""
    from rich.markdown import Markdown
    from textual.app import App, ComposeResult
    from textual.geometry import Size
    from textual.scroll_view import ScrollView
    from textual.strip import Strip

    class Plain(ScrollView):
        def __init__(self) -> None:
            super().__init__()
            self.strips: list[Strip] = []
            self.frozen, self.open, self.waiting = 0, "", False

        def render_line(self, y: int) -> Strip:
            row, width = self.scroll_offset.y + y, self.size.width
            return self.strips[row].adjust_cell_length(width) if row < len(self.strips) else Strip.blank(width)

        def rendered(self, text: str) -> list[Strip]:
            options = self.app.console.options.update(width=max(20, self.size.width - 1), height=None)
            return [Strip(line) for line in self.app.console.render_lines(Markdown(text), options, pad=False)]

        def cut(self) -> int:
            """Behind the last finished block."""
            end = position = 0
            fenced = False
            for line in self.open.splitlines(keepends=True):
                position += len(line)
                if line.startswith("```"):
                    fenced = not fenced
                elif not line.strip() and not fenced and line.endswith("\n"):
                    end = position
            return end

        def show(self) -> None:
            self.waiting = False
            del self.strips[self.frozen :]
            if end := self.cut():
                self.strips += [*self.rendered(self.open[:end]), Strip.blank(1)]
                self.frozen, self.open = len(self.strips), self.open[end:]
            if self.open.strip():
                self.strips += self.rendered(self.open)
            self.virtual_size = Size(self.size.width, len(self.strips))
            self.scroll_to(y=len(self.strips), animate=False, immediate=True)
            self.refresh()

    class PlainApp(App[None]):
        CSS = "Plain { height: 1fr; scrollbar-gutter: stable; }"
        fed = 0
        work: Any

        def compose(self) -> ComposeResult:
            yield Plain()

        def on_mount(self) -> None:
            self.run_worker(self.work)

        async def begin(self) -> None:
            await self.feed("> go\n\n")

        async def feed(self, text: str) -> None:
            plain = self.query_one(Plain)
            plain.open += text
            if not plain.waiting:
                plain.waiting = True
                plain.set_timer(1 / 15, plain.show)
            self.fed += 1
            if self.fed % 50 == 0:
                await asyncio.sleep(0)

        async def end(self, text: str) -> None:
            plain = self.query_one(Plain)
            plain.open += "\n\n"
            plain.show()

    return PlainApp()
