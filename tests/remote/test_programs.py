"""`rein-tui server` and `rein-tui web` as programs: started, used, stopped."""

import asyncio
import json
import shlex
import signal
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlencode

import pytest
from aiohttp import ClientSession, CookieJar
from websockets.asyncio.client import connect

from rein_tui.harness.places import Places
from rein_tui.harness.protocol.events import SessionEnded, TurnInterrupted
from rein_tui.harness.store.store import Store
from rein_tui.remote.wire import wire_schema
from rein_tui.remote.wire.codec import words_of
from tests.pty_program import on_pty

ROOT = Path(__file__).parents[2]


@asynccontextmanager
async def program(tmp_path: Path, *arguments: str) -> AsyncGenerator[tuple[asyncio.subprocess.Process, str, str]]:
    """The program, the address that it prints and its token."""
    environment = {
        "HOME": str(tmp_path),
        "PATH": "/usr/bin:/bin",
        "PYTHONPATH": str(ROOT),
        "REIN_TUI_DATA_DIR": str(tmp_path / "data"),
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "rein_tui",
        *arguments,
        cwd=tmp_path,
        env=environment,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(60):
            address = (await process.stdout.readline()).decode().split()[-1]
            token = Path((await process.stdout.readline()).decode().split()[-1]).read_text().strip()
        yield process, address, token
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


@pytest.mark.slow
async def test_a_screen_says_how_to_come_back_and_that_works(tmp_path: Path) -> None:
    async with program(tmp_path, "server", "--demo", "--port", "0") as (_, address, _):
        environment = {"HOME": str(tmp_path), "REIN_TUI_DATA_DIR": str(tmp_path / "data")}
        command = ["client", "--url", address.replace("http", "ws") + "/ws/chat"]
        said = await asyncio.to_thread(_leave_after_a_turn, command, tmp_path, environment)
        assert said[:3] == command
        assert said[3] == "--session"
        await asyncio.to_thread(_see_the_turn_again, said, tmp_path, environment)


def _leave_after_a_turn(command: list[str], cwd: Path, environment: dict[str, str]) -> list[str]:
    """Say something, leave; the arguments of the command that comes back."""
    with on_pty(command, cwd, environment) as terminal:
        terminal.until(lambda data: b"anything" in data)
        terminal.send(b"what do you see here\r")
        terminal.until(lambda data: b"everything around me" in data)  # of the answer
        terminal.send(b"\x03")
        terminal.until(lambda data: b"again exits" in data)
        terminal.send(b"\x03")
        data = terminal.until(lambda data: b"--session" in data and data.endswith(b"\n"))
        return shlex.split(data.decode(errors="replace").rpartition("rein-tui ")[2])


def _see_the_turn_again(command: list[str], cwd: Path, environment: dict[str, str]) -> None:
    with on_pty(command, cwd, environment) as terminal:
        terminal.until(lambda data: b"what do you see here" in data)


@pytest.mark.slow
async def test_a_server_is_stopped_in_mid_turn_and_loses_nothing(tmp_path: Path) -> None:
    async with program(tmp_path, "server", "--demo", "--port", "0") as (process, address, token):
        url = address.replace("http", "ws") + "/ws/chat"
        async with connect(url, additional_headers={"Authorization": f"Bearer {token}"}, proxy=None) as socket:
            await socket.send(json.dumps({"type": "message", "content": "hello"}))
            assert json.loads(await socket.recv())["type"] == "text_delta"
            process.send_signal(signal.SIGTERM)
            async with asyncio.timeout(30):
                assert await process.wait() == 0
    data = tmp_path / "data"
    assert not list((data / "run").glob("*.token"))
    places = Places(home=tmp_path, config=tmp_path / ".claude", managed=tmp_path, data=data, cache=tmp_path)
    store = Store.open(places)
    session = store.sessions()[0]
    facts = [fact for _, fact in store.read(session.id)]
    assert any(isinstance(fact, TurnInterrupted) for fact in facts)
    assert isinstance(facts[-1], SessionEnded)
    store.close()


@pytest.mark.slow
async def test_the_web_screen_stands_behind_its_login(tmp_path: Path, unused_port: int) -> None:
    async with (
        program(tmp_path, "web", "--port", str(unused_port), "--", "--demo") as (_, address, token),
        ClientSession(cookie_jar=CookieJar(unsafe=True)) as browser,
    ):
        for path in ("/ws", "/static/", "/download/x"):
            async with browser.get(address + path) as answer:
                assert answer.status == 401
        async with browser.get(f"{address}/") as answer:
            assert answer.url.path == "/login"
        async with browser.get(f"{address}/login", headers={"Host": "evil.example"}) as answer:
            assert answer.status == 421
        async with browser.get(f"{address}/login", headers={"Origin": "https://evil.example"}) as answer:
            assert answer.status == 403
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        async with browser.post(f"{address}/login", data=urlencode({"token": "wrong"}), headers=form) as answer:
            assert answer.status == 401
        async with browser.post(f"{address}/login", data=urlencode({"token": token}), headers=form) as answer:
            assert answer.url.path == "/"
            assert "textual" in (await answer.text()).lower()
            assert answer.headers["X-Frame-Options"] == "DENY"
            assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
            assert f"{address.replace('http', 'ws')}/ws" in await answer.text()
        async with browser.ws_connect(f"{address}/ws?width=100&height=30", origin=address) as socket:
            async with asyncio.timeout(60):
                while b"\x1b[" not in await socket.receive_bytes():
                    pass


@pytest.fixture
def unused_port() -> int:
    """A port that was free a moment ago."""
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.mark.parametrize(
    "arguments",
    [
        ("server", "--demo", "--host", "0.0.0.0"),
        ("server", "--demo", "--tls-cert", "x"),
        ("server",),
        ("client", "--url", "ws://example.com/ws/chat"),
        ("attach", "nobody"),
        ("web", "--host", "0.0.0.0"),
    ],
)
async def test_what_is_refused_with_a_reason(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    environment = {"HOME": str(tmp_path), "PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT)}
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "rein_tui",
        *arguments,
        cwd=tmp_path,
        env=environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    _, err = await process.communicate()
    assert process.returncode in (1, 2)
    assert err.startswith(b"rein-tui: ")


def test_the_page_names_every_word() -> None:
    page = (ROOT / "docs" / "server.md").read_text()
    roots, words = wire_schema()
    requests = {
        name
        for reference in words["Call"]["properties"]["request"]["anyOf"]
        for name in words[reference["$ref"].rpartition("/")[2]]["properties"]["type"]["enum"]
    }
    for name in {*requests, *words_of(roots["server"]), *words_of(roots["classic_server"])}:
        assert name in page, name
