"""Servers at an address: headers, a helper for them, logging in, and coming back when the server does."""

import asyncio
import json
import sys
from pathlib import Path

import pytest

from rein_tui.harness.places import Places
from rein_tui.harness.plugins.mcp.oauth import Loopback, TokenFile
from rein_tui.harness.protocol.errors import ReinError

from .authority import Authority
from .house import open_house

BROWSER = """import sys, urllib.request
urllib.request.urlopen(sys.argv[1]).read()
"""


async def test_headers_and_their_helper(places: Places, tmp_path: Path) -> None:
    authority = Authority(token="from-helper")
    async with authority.listening() as url:
        helper = 'printf \'{"Authorization": "Bearer from-helper"}\''
        entry = {"type": "http", "url": url, "headers": {"X-Team": "${TEAM}"}, "headersHelper": helper}
        async with open_house(places, tmp_path / "p", {"s": entry}, environment={"TEAM": "blue"}) as house:
            assert (await house.call("mcp__s__hello")).content == "hello from afar"
            assert authority.headers["x-team"] == "blue"


async def test_a_helper_that_fails(places: Places, tmp_path: Path) -> None:
    entry = {"type": "http", "url": "http://127.0.0.1:9/mcp", "headersHelper": "echo no json"}
    async with open_house(places, tmp_path / "p", {"s": entry}) as house:
        assert house.state("s").error == "The headersHelper gave no headers."


async def test_logging_in(places: Places, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    browser = tmp_path / "browser.py"
    browser.write_text(BROWSER)
    monkeypatch.setenv("BROWSER", f"{sys.executable} {browser} %s")
    authority = Authority()
    async with authority.listening() as url:
        entries = {"s": {"type": "http", "url": url}}
        async with open_house(places, tmp_path / "p", entries) as house:
            assert house.state("s").state == "needs_login"
            assert not authority.registered
            await house.people.reconnect("s")
            assert house.state("s").state == "connected", house.state("s").error
            assert "to log in, open" in house.state("s").log
            assert (await house.call("mcp__s__hello")).content == "hello from afar"
        kept = list((places.data / "mcp-tokens").iterdir())
        assert [file.stat().st_mode & 0o777 for file in kept] == [0o600]
        assert json.loads(kept[0].read_text())["tokens"]["access_token"] == "the-token"
        async with open_house(places, tmp_path / "p", entries) as house:
            assert house.state("s").state == "connected"
        authority.token = "revoked"
        async with open_house(places, tmp_path / "p", entries) as house:
            assert house.state("s").state == "needs_login"
        assert len(authority.registered) == 1


@pytest.fixture
def browser(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A browser that follows where it is sent."""
    script = tmp_path / "browser.py"
    script.write_text(BROWSER)
    monkeypatch.setenv("BROWSER", f"{sys.executable} {script} %s")


@pytest.mark.usefixtures("browser")
async def test_an_expired_login_is_renewed_until_that_is_refused(places: Places, tmp_path: Path) -> None:
    def expire() -> None:
        kept = next((places.data / "mcp-tokens").iterdir())
        kept.write_text(json.dumps({**json.loads(kept.read_text()), "expires_at": 1}))

    authority = Authority()
    async with authority.listening() as url:
        entries = {"s": {"type": "http", "url": url}}
        async with open_house(places, tmp_path / "p", entries) as house:
            await house.people.reconnect("s")
            assert house.state("s").state == "connected"
        expire()
        async with open_house(places, tmp_path / "p", entries) as house:
            assert house.state("s").state == "connected", house.state("s").error
            assert (await house.call("mcp__s__hello")).content == "hello from afar"
        assert authority.grants == ["authorization_code", "refresh_token"]
        expire()
        authority.renews = False
        async with open_house(places, tmp_path / "p", entries) as house:
            assert (house.state("s").state, house.state("s").error) == ("needs_login", "The login has expired.")
            await house.people.reconnect("s")
            assert house.state("s").state == "connected", house.state("s").error


@pytest.mark.usefixtures("browser")
async def test_a_login_that_the_person_is_refused(places: Places, tmp_path: Path) -> None:
    authority = Authority(says_no=True)
    async with (
        authority.listening() as url,
        open_house(places, tmp_path / "p", {"s": {"type": "http", "url": url}}) as h,
    ):
        await h.people.reconnect("s")
        assert h.state("s").state in ("failed", "needs_login") and "Not today" in h.state("s").error
        authority.says_no = False
        await h.people.reconnect("s")
        assert h.state("s").state == "connected", h.state("s").error


@pytest.mark.usefixtures("browser")
async def test_a_client_that_was_registered_by_hand(places: Places, tmp_path: Path) -> None:
    authority = Authority(secret="hush")
    async with authority.listening() as url:
        entries = {"s": {"type": "http", "url": url, "oauth": {"clientId": "mine"}}}
        async with open_house(places, tmp_path / "p", entries) as house:
            TokenFile.of(places, house.servers.connections["s"].config).keep_secret("hush")
            await house.people.reconnect("s")
            assert house.state("s").state == "connected", house.state("s").error
            assert not authority.registered
            await house.people.log_out("s")
            assert house.state("s").state == "needs_login"
            await house.people.reconnect("s")
            assert house.state("s").state == "connected", "the secret outlives the login"


async def test_a_refused_login() -> None:
    loopback = Loopback()
    async with loopback.listening():
        reader, writer = await asyncio.open_connection("127.0.0.1", loopback.port)
        writer.write(b"GET /other HTTP/1.1\r\n\r\n")
        assert b"404" in await reader.read()
        writer.close()
        reader, writer = await asyncio.open_connection("127.0.0.1", loopback.port)
        writer.write(b"GET /callback?error=access_denied HTTP/1.1\r\n\r\n")
        await reader.read()
        writer.close()
        with pytest.raises(ReinError, match="access_denied"):
            await loopback.wait()


async def test_lost_and_found(places: Places, tmp_path: Path) -> None:
    authority = Authority(token=None)
    listening = authority.listening()
    url = await listening.__aenter__()
    async with open_house(places, tmp_path / "p", {"s": {"type": "http", "url": url}}) as house:
        await listening.__aexit__(None, None, None)
        lost = await house.call("mcp__s__hello")
        assert lost.is_error
        await house.until(lambda: house.state("s").state == "waiting")
        assert house.toolbox.get("mcp__s__hello") is None
        async with authority.listening(authority.port):
            await house.until(lambda: house.state("s").state == "connected")
            assert (await house.call("mcp__s__hello")).content == "hello from afar"
