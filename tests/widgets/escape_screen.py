"""A program for a real terminal: shows every case of the escape corpus in the chat, one after the other, and leaves."""

import asyncio
import sys
from pathlib import Path

from textual.app import App, ComposeResult

from rein_tui.harness.protocol import events as ev
from rein_tui.widgets.chat import Chat

from .test_escape_corpus import cases, story


class Show(App[None]):
    """The corpus, a frame a case."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._folder = folder

    def compose(self) -> ComposeResult:
        yield Chat()

    def on_mount(self) -> None:
        """Begin once there is a screen."""
        self.run_worker(self._show())

    async def _painted(self) -> None:
        painted = asyncio.Event()
        self.call_after_refresh(painted.set)
        await painted.wait()

    async def _show(self) -> None:
        chat = self.query_one(Chat)
        chat.density = "full"
        for case in cases(self._folder):
            chat.load([])
            for event in story(case):
                await chat.apply(event)
            chat.surface.flush()
            await self._painted()
        await chat.apply(ev.Notice(text="the end of the corpus"))
        chat.surface.flush()
        await self._painted()
        self.exit()


if __name__ == "__main__":
    app = Show(Path(sys.argv[1]))
    app.run()
    sys.exit(app.return_code)
