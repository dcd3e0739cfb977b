"""WebFetch: what a model says about one page; without a model that answers, the page as text."""

import json
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import Annotated

import msgspec

from ... import __version__
from ..protocol.displays import TextDisplay
from ..protocol.errors import ProviderError
from ..protocol.tools import InvalidInput, ToolContext, ToolResult
from .base import BaseTool, ToolInput, failed, one_line
from .fetch import FetchRefusedError, Page, clean_url, fetch

CHARACTERS = 100_000
KEPT = 15 * 60
"""Seconds for which a page is not fetched again."""

Summarise = Callable[[str, str], Awaitable[str]]
"""Text of a page and what is wanted of it, to an answer."""


class WebFetchInput(ToolInput, frozen=True, kw_only=True):
    """Which page, and what is wanted of it."""

    url: str
    prompt: Annotated[str, msgspec.Meta(description="What to find out from the page")]


class WebFetch(BaseTool[WebFetchInput]):
    """Fetches a page. `private` allows addresses of this machine and its network."""

    name = "WebFetch"
    input_type = WebFetchInput
    read_only = True

    def __init__(self, summarise: Summarise | None = None, *, private: bool = False) -> None:
        self._summarise = summarise
        self._private = private
        self._cache: OrderedDict[str, tuple[float, Page]] = OrderedDict()

    def check(self, value: WebFetchInput) -> None:
        """The URL must be one."""
        try:
            clean_url(value.url, private=self._private)
        except FetchRefusedError as error:
            raise InvalidInput(f'WebFetch: field "url": {error}') from None

    async def run(self, value: WebFetchInput, context: ToolContext) -> ToolResult:
        """Fetch it."""
        started = time.monotonic()
        url = clean_url(value.url, private=self._private)
        try:
            page = await self._page(url)
            text = _moved(page, value) if page.moved_to else page_text(page)
        except FetchRefusedError as error:
            return failed(str(error))
        if self._summarise is not None and not page.moved_to and page.status < 400:
            try:
                text = await self._summarise(text, value.prompt)
            except ProviderError as error:
                text = f"(Nobody read the page for you: {error.message} It follows as it is.)\n\n{text}"
        answer = text if page.status < 400 else f"{page.url} answered {page.status} {page.status_text}.\n\n{text}"
        return ToolResult(
            content=answer,
            is_error=page.status >= 400,
            display=TextDisplay(text=text, markdown=True),
            response={
                "bytes": len(page.body),
                "code": page.status,
                "codeText": page.status_text,
                "result": text,
                "durationMs": round((time.monotonic() - started) * 1000),
                "url": value.url,
            },
        )

    def summarize(self, value: WebFetchInput) -> str:
        """The address."""
        return one_line(f"WebFetch {value.url}")

    async def _page(self, url: str) -> Page:
        now = time.monotonic()
        if url in self._cache and now - self._cache[url][0] < KEPT:
            return self._cache[url][1]
        page = await fetch(url, private=self._private, agent=f"rein-tui/{__version__}")
        if page.status < 400:
            self._cache[url] = (now, page)
            while len(self._cache) > 20:
                self._cache.popitem(last=False)
        return page


def page_text(page: Page) -> str:
    """The text of a page. Raises FetchRefusedError for what is not text."""
    kind = page.content_type
    is_text = not kind or kind.startswith("text/") or kind.endswith(("json", "xml", "javascript", "yaml", "+json"))
    if not is_text or b"\0" in page.body[:8192]:
        raise FetchRefusedError(f"{page.url} is {kind or 'binary data'} ({len(page.body):,} bytes), not text.")
    try:
        text = page.body.decode(page.charset or "utf-8", "replace")
    except LookupError:
        text = page.body.decode("utf-8", "replace")
    if kind in ("text/html", "application/xhtml+xml") or (not kind and text.lstrip()[:1] == "<"):
        from .html_text import html_to_text

        text = html_to_text(text, page.url)
    if len(text) > CHARACTERS or page.cut:
        text = text[:CHARACTERS] + "\n\n[... the rest of the page is left out ...]"
    return text


def _moved(page: Page, value: WebFetchInput) -> str:
    again = json.dumps({"url": page.moved_to, "prompt": value.prompt}, ensure_ascii=False)
    return (
        f"REDIRECT: {page.url} answers {page.status} and points to another host: {page.moved_to}\n"
        f"To follow it, call WebFetch with {again}"
    )
