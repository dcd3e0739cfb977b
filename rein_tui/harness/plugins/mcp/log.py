"""What a server says beside its messages: the last 64 KiB, and counts of what was thrown away."""

from collections import deque

RING = 64 * 1024
"""Characters kept."""

_LONGEST_LINE = 2000


class ServerLog:
    """The tail of a server's standard error and log messages. `garbage` counts what was no message on its standard
    output, `dropped` messages that came faster than anybody reads them."""

    def __init__(self) -> None:
        self.garbage = 0
        self.dropped = 0
        self._lines: deque[str] = deque()
        self._size = 0
        self._open = ""
        self.address = ""
        self._noted: set[str] = set()

    def feed(self, text: str) -> None:
        """More of standard error, in whatever pieces it comes."""
        *lines, self._open = (self._open + text).split("\n")
        for line in lines:
            self.add(line)
        self._open = self._open[-_LONGEST_LINE:]

    def wants_opened(self, url: str) -> None:
        """A person has to open this to log in: it is the `address` until that is over."""
        self.address = url
        self.add(f"[to log in, open {url}]")

    def note(self, line: str) -> None:
        """One line of ours, unless it was noted before."""
        if line not in self._noted:
            self._noted.add(line)
            self.add(line)

    def add(self, line: str) -> None:
        """One whole line."""
        line = line.rstrip("\r")[:_LONGEST_LINE]
        self._lines.append(line)
        self._size += len(line) + 1
        while self._size > RING and self._lines:
            self._size -= len(self._lines.popleft()) + 1

    @property
    def text(self) -> str:
        """All that is kept."""
        return "\n".join([*self._lines, self._open] if self._open else self._lines)

    @property
    def last_words(self) -> str:
        """The last line that says anything: often why a server died."""
        kept = [self._open, *reversed(self._lines)]
        return next((line.strip() for line in kept if line.strip()), "")
