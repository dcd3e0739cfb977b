"""Text that is not what it seems: hidden and reordering characters, look-alike letters, links that lead elsewhere."""

import re
import unicodedata
from collections.abc import Iterator
from typing import Any, cast
from urllib.parse import urlsplit

from rein_tui.harness.protocol.base import JsonObject

from .safe import safe_text

LISTED = 5
"""At most this many warnings: the first are enough to say no."""
_LOOKED_AT = 200_000
"""Characters of one text that are looked at."""

_MARKER = re.compile(r"<U\+([0-9A-F]{4,6})>")
_GAP = re.compile(" {41,}(?=[^ \n])")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x0c\x0e-\x1f\x7f]")
_WORD = re.compile(r"[^\W\d_]{2,}")
_LINK = re.compile(
    r"\[([^\]\n]{1,300})\]\(\s*<?([^)\s>]{1,2000})|<a\s[^>]*?href=[\"']?([^\"'\s>]{1,2000})[^>]*>([^<]{1,300})"
)
_URL = re.compile(r"https?://[^\s\"'<>)\]]{1,2000}", re.IGNORECASE)
_HOST = re.compile(r"(?:[\w-]+\.)+[a-z]{2,}", re.IGNORECASE)
_ALIKE = ("CYRILLIC", "GREEK", "ARMENIAN", "CHEROKEE", "FULLWIDTH", "MATHEMATICAL")


def deceptions(tool_input: JsonObject, *more: str) -> list[str]:
    """One sentence for each way in which the texts of a call may deceive a reader."""
    found: dict[str, None] = {}
    for text in (*more, *_texts(tool_input)):
        for warning in _warnings(text[:_LOOKED_AT]):
            found[warning] = None
            if len(found) >= LISTED:
                return list(found)
    return list(found)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, inner in cast("dict[str, Any]", value).items():
            yield key
            yield from _texts(inner)
    elif isinstance(value, list):
        for inner in cast("list[Any]", value):
            yield from _texts(inner)


def _warnings(text: str) -> Iterator[str]:
    if _CONTROL.search(text):
        yield "holds control characters, shown as pictures such as ␛"
    if _GAP.search(text):
        yield "holds a long gap that could push its end out of sight"
    if not text.isascii():
        yield from _hidden(text)
        yield from _look_alikes(text)
    yield from _links(text)


def _hidden(text: str) -> Iterator[str]:
    codes = list(_MARKER.findall(safe_text(text, "prompt")))
    for code in _MARKER.findall(text):
        codes.remove(code)
    if codes:
        names = ", ".join(f"U+{code} {_name(code)}" for code in dict.fromkeys(codes))
        yield f"holds characters that hide or reorder text, shown as markers: {names}"


def _name(code: str) -> str:
    return unicodedata.name(chr(int(code, 16)), "unnamed").lower()


def _look_alikes(text: str) -> Iterator[str]:
    for match in _WORD.finditer(text):
        word = match[0]
        if word.isascii():
            continue
        scripts = {_script(letter) for letter in word}
        strange = [script for script in _ALIKE if script in scripts]
        if strange and "LATIN" in scripts:
            yield f"“{word}” mixes Latin with {strange[0].capitalize()} letters that look alike"


def _script(letter: str) -> str:
    return unicodedata.name(letter, "").split(" ")[0]


def _links(text: str) -> Iterator[str]:
    for match in _LINK.finditer(text):
        words, target = (match[1], match[2]) if match[1] else (match[4], match[3])
        shown, real = _HOST.search(words), _host(target)
        if shown and real and not _same_host(shown[0], real):
            yield f"a link that reads {shown[0]} leads to {real}"
    for url in _URL.findall(text):
        host = _host(url)
        authority = url.split("//", 1)[1].split("/", 1)[0]
        if "@" in authority:
            yield f"a link that begins with {authority.split('@')[0]} leads to {host}"
        if "xn--" in host or not host.isascii():
            yield f"a link leads to {host}, whose name is written in other letters than it seems"


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def _same_host(one: str, other: str) -> bool:
    return one.lower().removeprefix("www.") == other.lower().removeprefix("www.")
