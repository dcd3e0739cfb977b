"""Reads one answer as it streams: prose goes out at once, what could open a call waits until it is known.

The result depends on the text alone, never on its chunks: everything is read through a cursor that asks for more.
Raw calls are never shown as prose; prose is never lost nor reordered.
"""

import re
from collections.abc import Iterable, Sequence
from typing import Literal

from ...protocol.messages import Message, ToolUseBlock
from ...protocol.models import ProviderEvent, TextChunk, ThinkingChunk
from ..base import NewId, TextEnd, new_call_id
from .cursor import Cursor
from .dialects import Openers
from .ending import Ending, Heard
from .fitting import Tools
from .plain import Scene
from .strings import NeedMore

_QUIET = 64
"""Held characters up to which every chunk is a new try; beyond, one try for each tenth of growth."""

_TAIL = 600
_THINK, _RESULT = "<think>", "<tool_response>"
_MADE_UP = ("Tool result for ", "Observation:", "✿RESULT✿")
_Mode = Literal["prose", "thinking", "fence", "response", "made up"]
_CLOSERS: dict[_Mode, str] = {"thinking": "</think>", "fence": "```", "response": "</tool_response>"}


class HoldBack:
    """`base.TextReader` for one answer with these tools. `read` is the conversation: calls that stand there may be
    quoted."""

    def __init__(
        self, tools: Tools, openers: Openers, new_id: NewId = new_call_id, read: Sequence[Message] = ()
    ) -> None:
        self._tools = tools
        self._read = read
        self._openers = openers
        self._new_id = new_id
        self._raw: list[str] = []
        self._held = ""
        self._mode: _Mode = "prose"
        self._tail = ""
        self._wait = 0
        self._after_call = False
        self._heard = Heard()
        self._events: list[ProviderEvent] = []

    def feed(self, text: str) -> Iterable[ProviderEvent]:
        """More text; gives what may be shown by now."""
        self._raw.append(text)
        self._held += text
        if len(self._held) >= self._wait:
            self._go_on(final=False)
        return self._taken()

    def finish(self, native: tuple[ToolUseBlock, ...]) -> TextEnd:
        """The message: prose, then calls. Native calls win over those written as text beside them."""
        self._go_on(final=True)
        ending = Ending(self._tools, self._heard, "".join(self._raw), self._new_id, self._read)
        blocks, parse = ending.blocks(native)
        return TextEnd(events=self._taken(), blocks=blocks, parse=parse)

    def _taken(self) -> tuple[ProviderEvent, ...]:
        events, self._events = tuple(self._events), []
        return events

    def _go_on(self, *, final: bool) -> None:
        while self._held or final:
            before = len(self._held), self._mode
            if self._mode == "prose":
                self._prose(final)
            else:
                self._inside(final)
            if (len(self._held), self._mode) == before or (final and not self._held):
                break
        held = len(self._held)
        self._wait = 0 if held < _QUIET else held + held // 10

    # --- inside of what holds no calls ----------------------------------------------------------------------

    def _inside(self, final: bool) -> None:
        """Thinking, an answer's code, an echoed result: everything up to its end passes."""
        closer = _CLOSERS.get(self._mode, "")
        if not closer:
            self._heard.dropped = True
            self._held = ""
            return
        place = self._held.find(closer)
        if place >= 0:
            self._out(place + len(closer), strip=closer)
            self._mode = "prose"
            return
        keep = 0 if final else _beginning(self._held, closer)
        self._out(len(self._held) - keep)

    def _out(self, length: int, strip: str = "") -> None:
        """Pass on that many of the held characters: as thinking, or as prose."""
        text, self._held = self._held[:length], self._held[length:]
        if self._mode == "thinking":
            text = text.removesuffix(strip)
            if text:
                self._heard.thinking.append(text)
                self._events.append(ThinkingChunk(text=text))
        elif text:
            self._heard.prose.append(text)
            self._events.append(TextChunk(text=text))
            self._tail = (self._tail + text)[-_TAIL:]

    # --- prose ----------------------------------------------------------------------------------------------

    def _prose(self, final: bool) -> None:
        """One step: prose up to the next thing that could be something else, and that thing if it is known."""
        if self._after_call:
            self._held = self._held.lstrip()
            self._after_call = not self._held
            if final and self._held.startswith("<") and self._openers.may_grow(self._held):
                self._held = ""  # a closing token that the limit of tokens cut in two
        place, opener = self._openers.next(self._held, 0)
        mark = _MARKS.search(self._held)
        if mark and (place < 0 or mark.start() <= place):
            self._special(mark.start(), mark[0])
            return
        unsure = 0 if final else max(self._openers.unsure(self._held), _unsure_mark(self._held))
        if place < 0 or len(self._held) - unsure < place:
            self._out(len(self._held) - unsure)
            return
        if place:
            self._out(place)
        if not final and self._openers.may_grow(self._held):
            return
        self._candidate(opener, final)

    def _candidate(self, opener: str, final: bool) -> None:
        """An opener stands at the beginning of what is held."""
        dialect = self._openers[opener]
        if (self._tail.endswith("`") and opener != "```") or (dialect.plain and not self._at_line_start()):
            self._out(len(opener))
            return
        if opener.startswith("</") and not self._heard.found:
            self._out(len(opener))  # closes nothing that was read as a call
            return
        cursor = Cursor(self._held, len(opener), final=final)
        try:
            found = dialect.read(cursor, opener, Scene(self._tools.knows, self._tail))
        except NeedMore:
            return
        if found is None:
            self._out(len(opener))
            if opener == "```":
                self._mode = "fence"
            return
        self._held = self._held[cursor.at :]
        self._tail += "\n"
        if found.thinking:
            self._heard.thinking.append(found.thinking)
            self._events.append(ThinkingChunk(text=found.thinking))
        if found.calls:
            self._heard.found.append(found)
            self._after_call = True

    def _at_line_start(self) -> bool:
        return not self._tail.rpartition("\n")[2].strip()

    def _special(self, place: int, mark: str) -> None:
        if place:
            self._out(place)
            return
        quoted = self._tail.endswith("`")
        if mark == _THINK and not quoted:
            self._held = self._held[len(mark) :]
            self._mode = "thinking"
        elif mark == "</think>" and not quoted and not self._heard.found:
            # The template opened the thinking: all that came before was thinking.
            self._held = self._held[len(mark) :]
            self._heard.thinking += self._heard.prose
            self._heard.prose.clear()
            self._tail = ""
        elif mark == _RESULT and not quoted:
            self._mode = "response"
            self._out(len(mark))
        elif mark in _MADE_UP and self._heard.found and self._at_line_start():
            self._mode = "made up"
        else:
            self._out(len(mark))


_MARKS = re.compile("|".join(map(re.escape, (_THINK, "</think>", _RESULT, *_MADE_UP))))
_MARK_BEGINNINGS = {m[:n] for m in (_THINK, "</think>", _RESULT, *_MADE_UP) for n in range(1, len(m))}


_MARK_STARTS = re.compile(f"[{''.join({mark[0] for mark in _MARK_BEGINNINGS})}]")


def _unsure_mark(text: str) -> int:
    if _MARK_STARTS.search(text, max(0, len(text) - 20)) is None:
        return 0
    return next((n for n in range(min(20, len(text)), 0, -1) if text[-n:] in _MARK_BEGINNINGS), 0)


def _beginning(text: str, closer: str) -> int:
    """How many characters at the end of the text may be the beginning of the closer."""
    return next((n for n in range(min(len(closer) - 1, len(text)), 0, -1) if closer.startswith(text[-n:])), 0)
