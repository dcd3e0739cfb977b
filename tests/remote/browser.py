"""A headless Chromium, driven over its DevTools socket: just enough to type, look and take a picture."""

import asyncio
import base64
import json
import re
import shutil
import tempfile
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from websockets.asyncio.client import ClientConnection, connect

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome") or ""
PATIENCE = 60.0
_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]|\x1b\][^\x07]*\x07")


class Page:
    """One page of the browser."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._number = 0
        self._shown = ""

    async def ask(self, method: str, **parameters: Any) -> dict[str, Any]:
        """The result of one DevTools command."""
        self._number += 1
        await self._socket.send(json.dumps({"id": self._number, "method": method, "params": parameters}))
        async with asyncio.timeout(PATIENCE):
            while (answer := json.loads(await self._socket.recv())).get("id") != self._number:
                self._hear(answer)
        return answer["result"]

    async def run(self, script: str) -> Any:
        """The value of a line of JavaScript."""
        answer = await self.ask("Runtime.evaluate", expression=script, returnByValue=True)
        return answer["result"].get("value")

    async def until(self, script: str, holds: Callable[[Any], object]) -> Any:
        """The value of a line of JavaScript, once this holds of it."""
        value: Any = None
        try:
            async with asyncio.timeout(PATIENCE):
                while not holds(value := await self.run(script)):
                    await asyncio.sleep(0.05)
        except TimeoutError:
            raise AssertionError(f"it never came; last seen: {value} {self._shown[-2000:]}") from None
        return value

    def _hear(self, event: dict[str, Any]) -> None:
        """The terminal paints on a canvas: what it shows is known from what it was sent."""
        if event.get("method") == "Network.webSocketFrameReceived":
            frame = event["params"]["response"]
            if frame["opcode"] == 2:
                sent = base64.b64decode(frame["payloadData"]).decode("utf-8", "replace")
                self._shown += _ESCAPES.sub("", sent)

    async def until_shown(self, words: str, *, pressing: str = "") -> None:
        """Wait until the terminal has been sent these words; what came before them is forgotten.

        A key that is ignored at first, as by a question that has just opened, is pressed until then.
        """
        while pressing and words not in self._shown:
            await self.type(pressing)
            await asyncio.sleep(0.05)
        await self.until("0", lambda _: words in self._shown)
        self._shown = self._shown.partition(words)[2]

    async def type(self, text: str) -> None:
        """Press the keys of this text; a line feed is Enter."""
        for letter in text:
            key = {"key": "Enter", "code": "Enter", "windowsVirtualKeyCode": 13} if letter == "\n" else {"key": letter}
            await self.ask("Input.dispatchKeyEvent", type="keyDown", text="\r" if letter == "\n" else letter, **key)
            await self.ask("Input.dispatchKeyEvent", type="keyUp", **key)

    async def picture(self) -> bytes:
        """The page as a PNG."""
        return base64.b64decode((await self.ask("Page.captureScreenshot", format="png"))["data"])


@asynccontextmanager
async def browser(url: str) -> AsyncGenerator[Page]:
    """A page at this address, in a fresh browser."""
    with tempfile.TemporaryDirectory(prefix="rein-browser-", ignore_cleanup_errors=True) as profile:
        process = await asyncio.create_subprocess_exec(
            CHROMIUM,
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--remote-debugging-port=0",
            f"--user-data-dir={profile}",
            "--window-size=1280,800",
            url,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
        try:
            async with connect(await _address(Path(profile)), proxy=None, max_size=None) as socket:
                page = Page(socket)
                await page.ask("Network.enable")
                yield page
        finally:
            process.terminate()
            await process.wait()


async def _address(profile: Path) -> str:
    """The DevTools socket of the browser's page."""
    from aiohttp import ClientError, ClientSession

    told = profile / "DevToolsActivePort"
    async with asyncio.timeout(PATIENCE), ClientSession() as session:
        while True:
            if told.exists() and (lines := told.read_text().splitlines()):
                try:
                    async with session.get(f"http://127.0.0.1:{lines[0]}/json") as answer:
                        pages = [p for p in await answer.json() if p["type"] == "page"]
                except ClientError:
                    pages = []
                if pages:
                    return str(pages[0]["webSocketDebuggerUrl"])
            await asyncio.sleep(0.05)
