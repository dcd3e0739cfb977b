"""WebFetch against real loopback servers."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from rein_tui.harness.protocol.tools import InvalidInput
from rein_tui.harness.tools.fetch import FetchRefusedError, clean_url
from rein_tui.harness.tools.html_text import html_to_text
from rein_tui.harness.tools.web import WebFetch

from .conftest import Bench, text_of

PAGE = b"""<html><head><title>Title</title><style>x{}</style><script>evil()</script></head><body>
<h1>Head  line</h1><p>Some <b>bold</b> text,<br>and <a href="/more">a link</a>.</p>
<ul><li>one<li>two</ul><pre>def f():
    pass</pre><table><tr><td>a</td><td>b</td></tr></table></body></html>"""


class Site:
    """A small server; answers by path and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.url = ""

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One request."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        path = head.split()[1]
        self.asked.append(path)
        status, kind, body, more = self._page(path)
        writer.write(
            f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nConnection: close\r\n{more}"
            f"Content-Length: {len(body)}\r\n\r\n".encode()
            + body
        )
        writer.close()

    def _page(self, path: str) -> tuple[str, str, bytes, str]:
        pages: dict[str, tuple[str, str, bytes, str]] = {
            "/": ("200 OK", "text/html; charset=utf-8", PAGE, ""),
            "/json": ("200 OK", "application/json", b'{"a": 1}', ""),
            "/latin": ("200 OK", "text/plain; charset=latin-1", "grün".encode("latin-1"), ""),
            "/png": ("200 OK", "image/png", b"\x89PNG", ""),
            "/big": ("200 OK", "text/plain", b"x" * 6_000_000, ""),
            "/here": ("302 Found", "text/plain", b"", "Location: /json\r\n"),
            "/away": ("301 Moved Permanently", "text/plain", b"", "Location: https://elsewhere.example/x\r\n"),
            "/inside": ("302 Found", "text/plain", b"", "Location: file:///etc/passwd\r\n"),
            "/loop": ("302 Found", "text/plain", b"", "Location: /loop\r\n"),
        }
        return pages.get(path, ("404 Not Found", "text/plain", b"nothing here", ""))


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    """The server."""
    site = Site()
    server = await asyncio.start_server(site.answer, "127.0.0.1", 0)
    site.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    yield site
    server.close()
    await server.wait_closed()


async def test_a_page_as_text(bench: Bench, site: Site) -> None:
    result = await bench.call("WebFetch", url=site.url, prompt="what")
    text = text_of(result)
    assert "# Head line" in text
    assert f"Some bold text,\nand [a link]({site.url}/more)." in text
    assert "- one\n- two" in text
    assert "def f():\n    pass" in text
    assert "| a | b" in text
    assert "evil" not in text
    assert result.response is not None
    assert {key: result.response[key] for key in ("bytes", "code", "codeText", "url")} == {
        "bytes": len(PAGE),
        "code": 200,
        "codeText": "OK",
        "url": site.url,
    }


async def test_a_page_is_kept_for_a_while(bench: Bench, site: Site) -> None:
    for _ in range(3):
        await bench.call("WebFetch", url=f"{site.url}/json", prompt="what")
    assert site.asked == ["/json"]


@pytest.mark.parametrize(
    ("path", "is_error", "said"),
    [
        ("/json", False, '{"a": 1}'),
        ("/latin", False, "grün"),
        ("/here", False, '{"a": 1}'),
        ("/png", True, "is image/png (4 bytes), not text"),
        ("/gone", True, "answered 404 Not Found.\n\nnothing here"),
        ("/away", False, "points to another host: https://elsewhere.example/x"),
        ("/inside", True, "not an http or https URL"),
        ("/loop", True, "redirects more than"),
    ],
)
async def test_answers(path: str, is_error: bool, said: str, bench: Bench, site: Site) -> None:
    result = await bench.call("WebFetch", url=site.url + path, prompt="what")
    assert result.is_error == is_error
    assert said in text_of(result)


async def test_a_large_page_is_cut(bench: Bench, site: Site) -> None:
    text = text_of(await bench.call("WebFetch", url=f"{site.url}/big", prompt="what"))
    assert len(text) < 101_000
    assert "left out" in text


async def test_a_small_model_answers(bench: Bench, site: Site) -> None:
    async def summarise(text: str, prompt: str) -> str:
        return f"{prompt}: {len(text)}"

    tool = WebFetch(summarise, private=True)
    value = tool.parse({"url": f"{site.url}/json", "prompt": "how long"})
    assert (await tool.run(value, bench.context())).content == "how long: 8"


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "0.0.0.0", "169.254.169.254", "10.0.0.1"])
async def test_private_addresses_are_refused(host: str, bench: Bench, site: Site) -> None:
    tool = WebFetch()
    port = site.url.rpartition(":")[2]
    result = await tool.run(tool.parse({"url": f"http://{host}:{port}/", "prompt": "x"}), bench.context())
    assert result.is_error
    assert "private or local address" in text_of(result)
    assert site.asked == []


async def test_nobody_listens(bench: Bench) -> None:
    result = await bench.call("WebFetch", url="http://127.0.0.1:9/", prompt="x")
    assert result.is_error
    assert "could not be fetched" in text_of(result)


@pytest.mark.parametrize(
    "url", ["file:///etc/passwd", "ftp://a/b", "no url", "http://", "https://me:pw@host/", "http://[x"]
)
def test_what_is_no_url(url: str) -> None:
    with pytest.raises(InvalidInput, match=r'^WebFetch: field "url"'):
        WebFetch().parse({"url": url, "prompt": "x"})


def test_urls_are_upgraded() -> None:
    assert clean_url("http://example.com", private=False) == "https://example.com/"
    assert clean_url("http://example.com:80/a?b#c", private=False) == "https://example.com/a?b"
    assert clean_url("http://example.com:8080/", private=False) == "http://example.com:8080/"
    assert clean_url("http://127.0.0.1/", private=True) == "http://127.0.0.1/"
    with pytest.raises(FetchRefusedError):
        clean_url("https://a\x00b/", private=False)


def test_broken_html_is_read_as_far_as_it_goes() -> None:
    assert html_to_text("<p>a<a href='javascript:x'>b</a></script><i>c", "https://x/") == "abc"
