"""The least a Textual chat can be: one line-API transcript, an input and a socket. The baseline for the whole program.

python -m bench.plain_app [PORT]
"""

import asyncio
import json
import sys

from textual.app import App, ComposeResult
from textual.widgets import Input

from bench.plain_transcript import Transcript


class Plain(App[None]):
    """The app."""

    def __init__(self, port: int) -> None:
        super().__init__()
        self._port = port

    def compose(self) -> ComposeResult:
        yield Transcript()
        yield Input(placeholder="ask anything")

    def on_mount(self) -> None:
        """Let the person type."""
        self.query_one(Input).focus()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Ask the server."""
        event.input.value = ""
        self.query_one(Transcript).feed(f"> {event.value}\n\n")
        self.run_worker(self._answer(event.value))

    async def _answer(self, prompt: str) -> None:
        transcript = self.query_one(Transcript)
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        body = json.dumps({"stream": True, "messages": [{"role": "user", "content": prompt}]}).encode()
        writer.write(b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        number = 0
        while line := await reader.readline():
            if line.startswith(b"data: {"):
                choices = json.loads(line[6:])["choices"]
                if choices and (text := choices[0]["delta"].get("content")):
                    transcript.feed(text)
                number += 1
                if number % 50 == 0:
                    await asyncio.sleep(0)  # keys and frames come in when the server is faster than we are
        transcript.end()
        writer.close()


if __name__ == "__main__":
    Plain(int(sys.argv[1]) if len(sys.argv) > 1 else 9).run()
