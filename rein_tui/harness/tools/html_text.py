"""HTML as plain text with its links, headings and lists: enough for a model, with the standard library."""

import re
from html.parser import HTMLParser
from urllib.parse import urljoin

_SILENT = frozenset({"script", "style", "noscript", "template", "svg", "iframe", "object", "canvas", "select"})
_BLOCKS = frozenset(
    "address article aside blockquote dd div dl dt fieldset figcaption figure footer form h1 h2 h3 h4 h5 h6 header"
    " hr li main nav ol p pre section table tbody thead tr ul".split()
)


class _Reader(HTMLParser):
    def __init__(self, base: str) -> None:
        super().__init__(convert_charrefs=True)
        self._base = base
        self._out: list[str] = []
        self._silent = 0
        self._verbatim = 0
        self._links: list[tuple[str, int]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _SILENT:
            self._silent += 1
        elif tag in _BLOCKS or tag == "br":
            self._out.append("\n" if tag in ("br", "li", "tr", "dt", "dd") else "\n\n")
        if tag == "pre":
            self._verbatim += 1
            self._out.append("```\n")
        elif tag == "li":
            self._out.append("- ")
        elif tag in ("td", "th"):
            self._out.append(" | ")
        elif len(tag) == 2 and tag[0] == "h" and tag[1].isdigit():
            self._out.append("#" * int(tag[1]) + " ")
        elif tag == "a":
            self._links.append((dict(attrs).get("href") or "", len(self._out)))

    def handle_endtag(self, tag: str) -> None:
        if tag in _SILENT:
            self._silent = max(0, self._silent - 1)
        elif tag == "pre" and self._verbatim:
            self._verbatim -= 1
            self._out.append("\n```\n\n")
        elif tag == "a" and self._links:
            self._link(*self._links.pop())
        elif tag == "title" or tag in _BLOCKS:
            self._out.append("\n" if tag in ("li", "tr") else "\n\n")

    def _link(self, href: str, start: int) -> None:
        text = "".join(self._out[start:]).strip()
        target = urljoin(self._base, href) if href else ""
        if text and target.startswith(("http://", "https://")) and "\n" not in text:
            self._out[start:] = [f"[{text}]({target})"]

    def handle_data(self, data: str) -> None:
        if self._silent:
            return
        if not self._verbatim:
            data = re.sub(r"\s+", " ", data)
            data = data.lstrip() if not self._out or self._out[-1].endswith(("\n", " ")) else data
        self._out.append(data)

    def text(self) -> str:
        """What was read."""
        joined = re.sub(r"[ \t]+\n", "\n", "".join(self._out))
        return re.sub(r"\n{3,}", "\n\n", joined).strip()


def html_to_text(html: str, base: str) -> str:
    """The text of a page; links become absolute from `base`."""
    reader = _Reader(base)
    reader.feed(html)
    reader.close()
    return reader.text()
