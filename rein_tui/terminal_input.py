"""What the terminal sends, as Textual's events. It believes no byte: a terminal may send anything, and late.

Textual's parser reads keys and the mouse. Ours are pastes, of which it types parts as if they were keys when escape
sequences stand inside, answers that nobody waits for, and everything else that would be typed, or make it raise.
"""

import re
import time
from codecs import getincrementaldecoder
from collections.abc import Callable, Generator, Iterable, Iterator

from textual._xterm_parser import XTermParser
from textual.constants import ESCAPE_DELAY
from textual.events import Key, Paste, Resize
from textual.keys import Keys
from textual.message import Message

_PASTE, _PASTED = "\x1b[200~", "\x1b[201~"
_ANSWER = re.compile(r"\x1b[\]P_^X][^\x07\x1b]{1,4096}(?:\x07|\x1b\\)")
"""A whole string sequence (OSC, DCS, APC, PM, SOS): an answer, perhaps to a question of the program before us."""
_PART_OF_ANSWER = re.compile(r"\x1b[\]P_^X][^\x07\x1b]{1,4096}\x1b?\Z")
_UNKNOWN = re.compile(r"\x1b\[[0-?]*[ -/]*[@-LN-Z\\-ln-~]")
"""A whole control sequence that is no mouse's (`M`, `m`) and no function key's of the Linux console (`[[A`)."""
_MODE = re.compile(r"\x1b\[\?\d+;\d\$y")
_GIVE_UP = (b"\x03", b"\x1b[99;5u")
"""Ctrl+C, alone in one read."""
_PATIENCE = 1.0
"""Seconds after which ctrl+c ends a paste whose end never came."""
_LONG = 256
"""Letters that come at once with nothing between them are nobody's keys: a paste from a terminal without brackets."""
_RUN = re.compile(rf"([^\x00-\x1f\x7f]{{{_LONG},}})")
_LARGEST = 4096
"""More columns or rows than this has no terminal."""


class _Parser(XTermParser):
    """Textual's; takes nonsense for nothing instead of typing it, or of raising."""

    def _sequence_to_key_events(self, sequence: str, alt: bool = False) -> Iterable[Key]:
        try:
            keys = list(super()._sequence_to_key_events(sequence, alt))
        except (ValueError, OverflowError):  # a number that is no character
            return [Key(Keys.Ignore, sequence)]
        if not keys and _UNKNOWN.fullmatch(sequence) and not _MODE.fullmatch(sequence):
            return [Key(Keys.Ignore, sequence)]
        return [key if _is_text(key.character or "") else Key(Keys.Ignore, sequence) for key in keys]

    @property
    def is_waiting(self) -> bool:
        """Whether a sequence has begun that may be none."""
        return self._timeout_time is not None

    def hurry(self) -> None:
        """Let the next tick be late enough."""
        self._timeout_time = 0.0 if self.is_waiting else None

    def parse_mouse_code(self, code: str) -> Message | None:
        try:
            return super().parse_mouse_code(code)
        except ZeroDivisionError:  # pixels, of a terminal that said it has none
            return None


class TerminalInput:
    """Takes bytes as they come, cut anywhere. `clock` tells seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._decode = getincrementaldecoder("utf-8")("replace").decode
        self._parser = _Parser()
        self._tail: str = ""
        self._held = ""
        self._paste: list[str] | None = None
        self._fed = 0.0

    def feed(self, data: bytes) -> Iterator[Message]:
        """The events that are whole by now."""
        before, self._fed = self._fed, self._clock()
        if self._paste is not None and data in _GIVE_UP and self._fed - before > _PATIENCE:
            yield from self._end_paste("".join(self._paste))
            return
        text, self._held = self._held + self._decode(data), ""
        while text:
            text = yield from (self._read_keys(text) if self._paste is None else self._read_paste(text))

    def tick(self) -> Iterator[Message]:
        """The events that are whole because nothing more came, such as an Esc that begins no sequence."""
        if self._held and self._clock() - self._fed >= ESCAPE_DELAY:
            text, self._held = self._held, ""
            yield from self._parse(text)
            self._parser.hurry()
        yield from filter(_is_possible, self._parser.tick())

    @property
    def is_waiting(self) -> bool:
        """Whether `tick` may tell more soon."""
        return bool(self._held) or self._parser.is_waiting

    def _read_keys(self, text: str) -> Generator[Message, None, str]:
        """Read up to the first paste; returns what follows its begin."""
        begin = (self._tail + text).find(_PASTE)
        if begin >= 0:
            cut = begin + len(_PASTE) - len(self._tail)
            text, rest = text[:cut], text[cut:]
            self._paste = []
        else:
            rest = ""
        self._tail = "" if begin >= 0 else (self._tail + text)[1 - len(_PASTE) :]
        text = _ANSWER.sub("", text)
        if part := _PART_OF_ANSWER.search(text):
            text, self._held = text[: part.start()], part.group()
        if "\x1b" in text or self._parser.is_waiting:
            yield from self._parse(text)
            return rest
        for part in _RUN.split(text):
            yield from [Paste(part)] if len(part) >= _LONG else self._parse(part)
        return rest

    def _read_paste(self, text: str) -> Generator[Message, None, str]:
        """Read up to the end of the paste; returns what follows it."""
        assert self._paste is not None
        end = (self._tail + text).find(_PASTED)
        self._paste.append(text)
        if end < 0:
            self._tail = (self._tail + text)[1 - len(_PASTED) :]
            return ""
        rest = text[end + len(_PASTED) - len(self._tail) :]
        pasted = "".join(self._paste)
        yield from self._end_paste(pasted[: len(pasted) - len(rest) - len(_PASTED)])
        return rest

    def _end_paste(self, text: str) -> Iterator[Message]:
        self._paste, self._tail = None, ""
        yield from (message for message in self._parse(_PASTED) if not isinstance(message, Paste))
        yield Paste(text)

    def _parse(self, text: str) -> Iterator[Message]:
        """What Textual's parser makes of it. No text would end it for good."""
        return filter(_is_possible, self._parser.feed(text) if text else ())


def _is_text(character: str) -> bool:
    return not any("\ud800" <= each <= "\udfff" for each in character)


def _is_possible(message: Message) -> bool:
    return not isinstance(message, Resize) or all(0 < length <= _LARGEST for length in message.size)
