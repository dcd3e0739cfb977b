"""The full screen in a real browser. REIN_TUI_PICTURE=FILE keeps what it looked like."""

import os
from pathlib import Path

import pytest

from tests.fakes.chat_server import ChatServer, say, use
from tests.remote.browser import CHROMIUM, browser
from tests.remote.test_programs import program


@pytest.mark.slow
@pytest.mark.skipif(not CHROMIUM, reason="there is no Chromium here")
async def test_a_browser_types_a_prompt_approves_a_call_and_sees_the_answer(tmp_path: Path) -> None:
    with ChatServer() as model:
        model.plays(use("Write", file_path=str(tmp_path / "hello.txt"), content="Hello\n"), say("It is written."))
        flags = ("--local-url", model.url, "--local-model", "small", "--native-tools")
        async with program(tmp_path, "web", "--port", "0", "--", *flags) as (_, address, token):
            by_name = address.replace("127.0.0.1", "localhost")  # any name that the server goes by
            async with browser(by_name) as page:
                asks = "document.activeElement && document.activeElement.id"
                await page.until(asks, lambda focused: focused == "token")
                await page.type(f"{token}\n")
                await page.until("document.activeElement.className", lambda name: "xterm" in str(name))
                await page.until_shown("0 turns")
                await page.type("Write hello.txt, please.\n")
                await page.until_shown("Yes, once")
                picture = await page.picture()
                await page.until_shown("It is written.", pressing="y")
    assert (tmp_path / "hello.txt").read_text() == "Hello\n"
    assert picture.startswith(b"\x89PNG")
    if kept := os.environ.get("REIN_TUI_PICTURE"):
        Path(kept).write_bytes(picture)
