"""Fetching one page over HTTP without being led anywhere else: no private addresses, no foreign redirects."""

import asyncio
import ipaddress
import socket
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import SplitResult, urljoin, urlsplit, urlunsplit

BYTES = 5 * 1024 * 1024
SECONDS = 30.0
REDIRECTS = 10


class FetchRefusedError(Exception):
    """A page that cannot or must not be fetched; the text is written for the model."""


@dataclass(frozen=True, slots=True)
class Page:
    """What a server answered. `moved_to` is set instead of a body when it points to another host."""

    url: str
    status: int
    content_type: str = ""
    body: bytes = b""
    charset: str = ""
    moved_to: str = ""
    cut: bool = False

    @property
    def status_text(self) -> str:
        """The status in words."""
        try:
            return HTTPStatus(self.status).phrase
        except ValueError:
            return ""


def clean_url(url: str, *, private: bool) -> str:
    """The URL to fetch: https, except for an own machine where that is allowed. Raises FetchRefusedError."""
    try:
        parts = urlsplit(url.strip())
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise FetchRefusedError(f"{url!r} is not a URL: {error}.") from None
    if parts.scheme not in ("http", "https") or not host or any(c.isspace() or ord(c) < 33 for c in parts.netloc):
        raise FetchRefusedError(f"{url!r} is not an http or https URL.")
    if parts.username or parts.password:
        raise FetchRefusedError("A URL with a user name or password in it is not fetched.")
    secure = parts.scheme == "http" and not (private and _is_local_name(host)) and port in (None, 80)
    scheme, netloc = ("https", parts.netloc.removesuffix(":80")) if secure else (parts.scheme, parts.netloc)
    return urlunsplit((scheme, netloc, parts.path or "/", parts.query, ""))


async def fetch(url: str, *, private: bool, agent: str) -> Page:
    """Fetch a clean URL, following redirects on the same host. Raises FetchRefusedError."""
    import httpx

    try:
        async with asyncio.timeout(SECONDS):
            limits = httpx.Timeout(10.0, read=SECONDS)
            async with httpx.AsyncClient(timeout=limits, headers=_headers(agent)) as client:
                return await _follow(client, url, private)
    except TimeoutError:
        raise FetchRefusedError(f"{url} did not answer within {SECONDS:.0f} s.") from None
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise FetchRefusedError(f"{url} could not be fetched: {error or type(error).__name__}.") from None


def _headers(agent: str) -> dict[str, str]:
    return {"User-Agent": agent, "Accept": "text/markdown, text/html, text/plain, application/json;q=0.9, */*;q=0.5"}


async def _follow(client: Any, url: str, private: bool) -> Page:
    for _ in range(REDIRECTS):
        page = await _once(client, url, private)
        if not page.moved_to:
            return page
        target = clean_url(urljoin(url, page.moved_to), private=private)
        if _site(target) != _site(url):
            return Page(url=url, status=page.status, moved_to=target)
        url = target
    raise FetchRefusedError(f"{url} redirects more than {REDIRECTS} times.")


async def _once(client: Any, url: str, private: bool) -> Page:
    parts = urlsplit(url)
    target, headers, extensions = url, dict[str, str](), dict[str, Any]()
    address = await _address(parts, private)
    if address:
        # Connect to the address that was checked: a second look-up might give another one.
        shown = f"[{address}]" if ":" in address else address
        netloc = f"{shown}:{parts.port}" if parts.port else shown
        target = urlunsplit((parts.scheme, netloc, parts.path, parts.query, ""))
        headers["Host"] = parts.netloc
        extensions["sni_hostname"] = parts.hostname or ""
    async with client.stream("GET", target, headers=headers, extensions=extensions) as response:
        if response.is_redirect:
            return Page(url=url, status=response.status_code, moved_to=str(response.headers.get("location", "")))
        body = bytearray()
        async for chunk in response.aiter_bytes():
            body += chunk
            if len(body) > BYTES:
                break
        return Page(
            url=url,
            status=response.status_code,
            content_type=str(response.headers.get("content-type", "")).split(";")[0].strip().lower(),
            body=bytes(body[:BYTES]),
            charset=response.charset_encoding or "",
            cut=len(body) > BYTES,
        )


async def _address(parts: SplitResult, private: bool) -> str:
    """An address of the host that may be spoken to; empty when a proxy looks it up. Raises FetchRefusedError."""
    import urllib.request

    host = parts.hostname or ""
    literal = _ip(host)
    proxied = parts.scheme in urllib.request.getproxies() and not urllib.request.proxy_bypass(host)
    if literal is None and proxied and not _is_local_name(host):
        return ""
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except OSError as error:
        raise FetchRefusedError(f"{host} could not be looked up: {error.strerror or error}.") from None
    addresses = [str(entry[4][0]) for entry in found]
    if not private and any(not _is_public(address) for address in addresses):
        raise FetchRefusedError(f"{host} is a private or local address: it is not fetched.")
    return addresses[0]


def _is_public(address: str) -> bool:
    ip = _ip(address)
    if isinstance(ip, ipaddress.IPv6Address) and (inner := ip.ipv4_mapped or ip.sixtofour):
        ip = inner
    return ip is not None and ip.is_global and not ip.is_multicast


def _ip(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host.split("%", maxsplit=1)[0])
    except ValueError:
        return None


def _is_local_name(host: str) -> bool:
    ip = _ip(host)
    return host == "localhost" or host.endswith((".localhost", ".local", ".internal")) or bool(ip and not ip.is_global)


def _site(url: str) -> tuple[str, int | None]:
    parts = urlsplit(url)
    return (parts.hostname or "").removeprefix("www."), parts.port
