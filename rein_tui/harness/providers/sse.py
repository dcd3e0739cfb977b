"""Bytes in any chunking → frames: server-sent events, and lines of JSON.

Pure and incremental. An event that is not yet closed by a blank line is not an event, so a cut stream never
yields half a frame.
"""

from typing import NamedTuple, Protocol

MAX_FRAME = 16 * 1024 * 1024
"""Bytes that one frame may hold before the stream is given up."""

_BOM = b"\xef\xbb\xbf"


class Frame(NamedTuple):
    """One event: its name (empty for the default) and its data."""

    event: str
    data: bytes


class FrameTooLarge(ValueError):
    """One frame grew over the limit."""


class Decoder(Protocol):
    """Turns bytes into frames."""

    def feed(self, data: bytes) -> list[Frame]:
        """The frames that these bytes complete. Raises FrameTooLarge."""
        ...

    def finish(self) -> list[Frame]:
        """What is complete but for its closing blank line or newline, at the orderly end of the stream."""
        ...


class SseDecoder:
    """The event-stream format: LF, CRLF or CR, several data lines an event, comments, a leading byte order mark."""

    def __init__(self, limit: int = MAX_FRAME) -> None:
        self._limit = limit
        self._tail: list[bytes] = []  # an unfinished line, in pieces: one byte a chunk must not cost a copy each
        self._size = 0
        self._data: list[bytes] = []
        self._event = ""
        self._after_cr = False
        self._start: bytes | None = b""

    def feed(self, data: bytes) -> list[Frame]:
        """The events that these bytes complete. Raises FrameTooLarge."""
        if self._is_clean() and data.endswith(b"\n\n") and b"\r" not in data and len(data) <= self._limit:
            return self._whole_events(data)
        data = self._without_bom(data)
        if self._after_cr and data:
            self._after_cr = False
            data = data.removeprefix(b"\n")
        frames: list[Frame] = []
        for line in data.splitlines(keepends=True):
            self._size += len(line)
            if self._size > self._limit:
                raise FrameTooLarge(f"One event is larger than {self._limit} bytes")
            if not line.endswith((b"\n", b"\r")):
                self._tail.append(line)
                break
            if self._tail:
                line = b"".join((*self._tail, line))  # noqa: PLW2901 - the whole line, once it is there
                self._tail.clear()
            self._line(line.rstrip(b"\r\n"), frames)
        self._after_cr = data.endswith(b"\r") if data else self._after_cr
        return frames

    def finish(self) -> list[Frame]:
        """The last event, when only its blank line is missing; a line without its end is dropped."""
        frames: list[Frame] = []
        self._tail.clear()
        self._dispatch(frames)
        return frames

    def _is_clean(self) -> bool:
        return not (self._tail or self._data or self._event or self._after_cr) and self._start is None

    def _whole_events(self, data: bytes) -> list[Frame]:
        """The quick way for what nearly always comes: whole events, one line of data each."""
        frames: list[Frame] = []
        for block in data[:-2].split(b"\n\n"):
            if block.startswith(b"data: ") and b"\n" not in block:
                frames.append(Frame("", block[6:]))
            else:
                for line in block.split(b"\n"):
                    self._line(line, frames)
                self._dispatch(frames)
        return frames

    def _without_bom(self, data: bytes) -> bytes:
        if self._start is None:
            return data
        start = self._start + data
        if len(start) < len(_BOM) and _BOM.startswith(start):
            self._start = start
            return b""
        self._start = None
        return start.removeprefix(_BOM)

    def _line(self, line: bytes, frames: list[Frame]) -> None:
        if not line:
            self._dispatch(frames)
        elif line.startswith(b"data:"):
            self._data.append(line[6:] if line.startswith(b"data: ") else line[5:])
        elif line.startswith(b"event:"):
            self._event = line[6:].removeprefix(b" ").decode("utf-8", "replace")
        elif line == b"data":
            self._data.append(b"")

    def _dispatch(self, frames: list[Frame]) -> None:
        if self._data:
            frames.append(Frame(self._event, self._data[0] if len(self._data) == 1 else b"\n".join(self._data)))
            self._data.clear()
        self._event = ""
        self._size = 0


class LineDecoder:
    """One JSON value a line, as Ollama sends them; blank lines are skipped."""

    def __init__(self, limit: int = MAX_FRAME) -> None:
        self._limit = limit
        self._tail: list[bytes] = []
        self._size = 0

    def feed(self, data: bytes) -> list[Frame]:
        """The lines that these bytes complete. Raises FrameTooLarge."""
        *whole, rest = data.split(b"\n")
        frames: list[Frame] = []
        for line in whole:
            self._grow(line)
            frames.extend(self._take())
        if rest:
            self._grow(rest)
        return frames

    def finish(self) -> list[Frame]:
        """The last line, when only its newline is missing."""
        return self._take()

    def _grow(self, piece: bytes) -> None:
        self._tail.append(piece)
        self._size += len(piece)
        if self._size > self._limit:
            raise FrameTooLarge(f"One line is larger than {self._limit} bytes")

    def _take(self) -> list[Frame]:
        line = b"".join(self._tail).strip()
        self._tail.clear()
        self._size = 0
        return [Frame("", line)] if line else []


class WholeDecoder:
    """A body that is one frame: a server that was asked to stream and answered at once."""

    def __init__(self, limit: int = MAX_FRAME) -> None:
        self._limit = limit
        self._pieces: list[bytes] = []
        self._size = 0

    def feed(self, data: bytes) -> list[Frame]:
        """Nothing yet. Raises FrameTooLarge."""
        self._pieces.append(data)
        self._size += len(data)
        if self._size > self._limit:
            raise FrameTooLarge(f"The answer is larger than {self._limit} bytes")
        return []

    def finish(self) -> list[Frame]:
        """The body."""
        body = b"".join(self._pieces).strip()
        return [Frame("", body)] if body else []
