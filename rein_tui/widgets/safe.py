"""The one boundary between foreign text and the screen.

Whatever a model, a tool, a file, a hook, a server or a person wrote passes through here before a widget sees it.
Terminal escapes never survive, markup is never parsed (the result is a `str` without control characters, or a
`Content`), and characters that hide or reorder text are taken out of output and made visible where a person decides.
This module knows nothing of the widgets that use it.

| channel  | for                                       | escapes | invisible characters | line breaks |
| -------- | ----------------------------------------- | ------- | -------------------- | ----------- |
| output   | what commands, tools and hooks printed    | removed | removed              | kept        |
| markdown | model text before it is parsed (tabs kept)| removed | removed              | kept        |
| label    | titles, options, notifications, names     | removed | removed              | one line    |
| prompt   | what a person is asked to approve         | shown   | shown as `<U+202E>`  | kept        |
| diff     | lines of files                            | shown   | shown as `<U+202E>`  | kept        |
| path     | file names                                | shown   | shown as `<U+202E>`  | one line    |
"""

import re
from functools import cache
from typing import Literal, TypeAlias
from urllib.parse import urlsplit

from textual.content import Content, Span

from .sgr import PLAIN

Channel: TypeAlias = Literal["output", "markdown", "label", "prompt", "diff", "path"]

TAB_SIZE = 8
MAX_MARKS = 8
"""Longest run of combining marks on one character; real scripts need fewer, stacks of them paint over neighbours."""
_MAX_HELD = 512

_REVEALING = frozenset({"prompt", "diff", "path"})
_ONE_LINE = frozenset({"label", "path"})

_EMOJI = "\u203c\u2049\u2122\u2139\u2190-\u21ff\u2300-\u23ff\u2460-\u24ff\u25a0-\u27bf\u2934\u2935\u2b00-\u2bff" + (
    "\u3030\u303d\u3297\u3299\xa9\xae\U0001f000-\U0001faff"
)
_SELECTOR = "\ufe00-\ufe0f"
_MARKS = (
    "\u0300-\u036f\u0483-\u0489\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0610-\u061a\u064b-\u065f\u0670"
    "\u06d6-\u06dc\u06df-\u06e4\u06e7\u06e8\u06ea-\u06ed\u0e31\u0e34-\u0e3a\u0e47-\u0e4e\u0f71-\u0f84"
    "\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20f0\ufe20-\ufe2f"
)
_INVISIBLE = (
    "\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufeff\uffa0"
    "\ufff0-\ufffb\U000e0000-\U000e0fff\U0001d173-\U0001d17a"
)
_CONTROLS = "\x00-\x08\x0b-\x1f\x7f-\x9f"
_BROKEN = "\ud800-\udfff\ufffe\uffff"
_BLANKS = "\xa0\u1680\u2000-\u200a\u202f\u205f\u3000"

_ESCAPE = (
    r"(?:\x1b\[|\x9b)(?P<sgr>[0-9;:]{0,128})m"
    r"|(?:\x1b\[|\x9b)[0-?]{0,256}[ -/]{0,16}[@-~]?"
    r"|(?:\x1b[\]PX^_]|[\x9d\x90\x98\x9e\x9f])[^\x07\x1b\x9c\x18\x1a\r\n]{0,4096}(?:\x07|\x1b\\|[\x9c\x18\x1a])?"
    r"|\x1b[ -/]{0,16}[0-~]?"
)
# A sequence that could go on in the next chunk: the same forms, open at the end.
_OPEN_ESCAPE = (
    r"(?:(?:\x1b\[|\x9b)[0-?]{0,256}[ -/]{0,16}"
    r"|(?:\x1b[\]PX^_]|[\x9d\x90\x98\x9e\x9f])[^\x07\x1b\x9c\x18\x1a\r\n]{0,4096}\x1b?"
    r"|\x1b[ -/]{0,16})\Z"
)
_BREAK = "\r\n|[\r\x0b\x0c\x85\u2028\u2029]"
_JOINER = f"(?<=[{_EMOJI}{_SELECTOR}])\u200d(?=[{_EMOJI}])"
_HARM = f"(?P<joiner>{_JOINER})|(?P<invisible>[{_INVISIBLE}])|[{_CONTROLS}{_BROKEN}]"
_REVEAL = f"(?P<joiner>{_JOINER})|(?P<invisible>[{_INVISIBLE}{_BLANKS}\x80-\x9f])|[{_CONTROLS}{_BROKEN}]"
_STACK = f"([{_MARKS}]{{{MAX_MARKS}}})[{_MARKS}]+|([{_SELECTOR}])[{_SELECTOR}]+"
_UNSETTLED = f"[{_EMOJI}{_MARKS}{_SELECTOR}{_INVISIBLE}{_CONTROLS}]+\\Z"
_QUICK = re.compile("[ -~\n]*")
_QUICK_LINE = re.compile("[ -~]*")
_GAP = re.compile(" {41,}(?=[^ \n])")

LINK_SCHEMES = frozenset({"http", "https", "mailto"})


@cache
def _wide(pattern: str) -> re.Pattern[str]:
    """Compiled when first used: it takes milliseconds, and the first frame holds nothing that needs it."""
    return re.compile(pattern)


def _is_quick(text: str, channel: Channel) -> bool:
    """Whether there is nothing to do."""
    return (_QUICK_LINE if channel in _ONE_LINE else _QUICK).fullmatch(text) is not None


def safe_text(text: str, channel: Channel = "output") -> str:
    """`text` without anything that a terminal would obey. Pure and idempotent; plain ASCII comes back as it is."""
    if channel in _REVEALING:
        return _revealed(text, channel)
    if _is_quick(text, channel):
        return text
    return safe_content(text, channel).plain


def safe_content(text: str, channel: Channel = "output", style: str = "", *, colour: bool = False) -> Content:
    """`text` as Content that no widget parses again.

    `colour` keeps the SGR colours of command output, as theme colours. `style` is a Textual style such as
    "$text-muted" laid under the whole text.
    """
    if channel in _REVEALING:
        content = Content(_revealed(text, channel))
    elif not colour and _is_quick(text, channel):
        content = Content(text)
    else:
        stream = SafeStream(channel, colour=colour)
        content = stream.feed(text) + stream.finish()
    return content.stylize_before(style) if style else content


def safe_link(target: str) -> str:
    """The target of a link if it may be opened (http, https, mailto; nothing hidden in it), else the empty string."""
    if not target.isascii() or any(not c.isprintable() or c == " " for c in target):
        return ""
    try:
        parts = urlsplit(target)
        host = parts.hostname
    except ValueError:
        return ""
    if parts.scheme.lower() not in LINK_SCHEMES:
        return ""
    return target if parts.scheme.lower() == "mailto" or host else ""


def clip_line(line: str, cells: int = 2000) -> str:
    """`line` cut to `cells` characters, saying how many are missing."""
    if len(line) <= cells:
        return line
    keep = max(0, cells - 24)
    return f"{line[:keep]}… {len(line) - keep:,} more characters"


class SafeStream:
    """Live output made safe chunk by chunk: however the text is cut, the pieces add up to the same.

    Holds back what the next chunk may complete: an open escape sequence, a carriage return, an emoji or a run of
    combining marks. Only the channels that remove (output, markdown, label) can be streamed.
    """

    def __init__(self, channel: Channel = "output", *, colour: bool = False) -> None:
        self._channel: Channel = channel
        self._colour = colour
        self._raw = ""
        self._runs: list[tuple[str, str]] = []
        self._sgr = PLAIN
        self._column = 0

    def feed(self, chunk: str) -> Content:
        """What can be shown now of everything fed so far."""
        if self._channel == "markdown" and not (self._raw or self._runs) and _QUICK.fullmatch(chunk):
            return Content(chunk)
        raw = self._raw + chunk
        end = len(raw)
        if opened := _wide(_OPEN_ESCAPE).search(raw, max(0, end - 4400)):
            end = opened.start()
        elif raw.endswith("\r"):
            end -= 1
        self._raw = raw[end:]
        self._strip_escapes(raw[:end])
        return self._settled(last=False)

    def finish(self) -> Content:
        """The rest, once no more is to come."""
        raw, self._raw = self._raw, ""
        self._strip_escapes(raw)
        return self._settled(last=True)

    def _strip_escapes(self, raw: str) -> None:
        position = 0
        for match in _wide(_ESCAPE).finditer(raw):
            self._add_run(raw[position : match.start()])
            position = match.end()
            parameters = match["sgr"]
            if self._colour and parameters is not None:
                self._sgr = self._sgr.apply(parameters)
        self._add_run(raw[position:])

    def _add_run(self, text: str) -> None:
        if text:
            self._runs.append((_wide(_BREAK).sub(" " if self._channel in _ONE_LINE else "\n", text), self._sgr.style))

    def _settled(self, *, last: bool) -> Content:
        runs, self._runs = self._runs, []
        joined = "".join(text for text, _ in runs)
        held = None if last else _wide(_UNSETTLED).search(joined, max(0, len(joined) - _MAX_HELD))
        if held:
            runs, self._runs = _cut(runs, held.start())
            joined = joined[: held.start()]
        whole = _tidied(joined)
        pieces = [(_tidied(text), style) for text, style in runs]
        if "".join(text for text, _ in pieces) != whole:
            pieces = [(whole, "")]
        return self._assembled(pieces)

    def _assembled(self, pieces: list[tuple[str, str]]) -> Content:
        parts: list[str] = []
        spans: list[Span] = []
        position = 0
        for text, style in pieces:
            part = self._expanded(text)
            if style and part:
                spans.append(Span(position, position + len(part), style))
            position += len(part)
            parts.append(part)
        return Content("".join(parts), spans)

    def _expanded(self, text: str) -> str:
        """Tabs become spaces up to the next tab stop, counted in characters from the last line break."""
        if self._channel == "markdown":
            return text
        if self._channel == "label":
            return text.replace("\n", " ").replace("\t", " ")
        if "\t" in text:
            text = (" " * self._column + text).expandtabs(TAB_SIZE)[self._column :]
        newline = text.rfind("\n")
        self._column = self._column + len(text) if newline < 0 else len(text) - newline - 1
        return text


def _cut(runs: list[tuple[str, str]], length: int) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """Runs up to `length` characters, and the runs after them."""
    before: list[tuple[str, str]] = []
    after: list[tuple[str, str]] = []
    for text, style in runs:
        if text[:length]:
            before.append((text[:length], style))
        if text[length:]:
            after.append((text[length:], style))
        length = max(0, length - len(text))
    return before, after


def _tidied(text: str) -> str:
    """Without invisible characters; control characters as their pictures; no towers of marks."""
    if text.isascii() and _QUICK.fullmatch(text):
        return text
    return _wide(_STACK).sub(r"\1\2", _wide(_HARM).sub(_harmless, text))


def _harmless(match: re.Match[str]) -> str:
    character = match[0]
    if match["joiner"]:
        return character
    return "" if match["invisible"] else _picture(character)


def _picture(character: str) -> str:
    code = ord(character)
    if code < 0x20:
        return chr(0x2400 + code)
    if code == 0x7F:
        return "\u2421"
    return "" if code < 0xA0 else "\ufffd"


def _revealed(text: str, channel: Channel) -> str:
    """Everything unusual as a marker that a person can see."""
    if channel in _ONE_LINE:
        text = text.replace("\n", "\u240a").replace("\t", "\u2409")
    elif "\t" in text:
        text = text.expandtabs(4)
    if channel == "prompt":
        text = _GAP.sub(lambda match: f"<{len(match[0])} spaces>", text)
    if _QUICK.fullmatch(text):
        return text
    text = re.sub("[\u2028\u2029]", _marker, text)
    return _wide(_STACK).sub(r"\1\2", _wide(_REVEAL).sub(_marked, text))


def _marked(match: re.Match[str]) -> str:
    if match["joiner"]:
        return match[0]
    return _marker(match) if match["invisible"] else _picture(match[0])


def _marker(match: re.Match[str]) -> str:
    return f"<U+{ord(match[0]):04X}>"
