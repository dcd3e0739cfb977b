"""A place in a text that may still grow. What cannot be decided yet raises `NeedMore`.

Whoever reads only through a cursor decides the same however the text was cut into chunks: a decision once made
depends on nothing that comes later.
"""

import json
import re

from .strings import NeedMore, string_end

_DECODER = json.JSONDecoder(strict=False)
_NAME = re.compile(r"[\w.\-/:]*")
_SPACE = re.compile(r"\s*")
_OPEN, _CLOSE = "{[", "}]"


class Cursor:
    """Reads `text` from `at`. `final` says that nothing more will come: then nothing raises."""

    def __init__(self, text: str, at: int = 0, *, final: bool = True) -> None:
        self.text = text
        self.at = at
        self.final = final

    def rest(self) -> str:
        """All that is there behind the place."""
        return self.text[self.at :]

    def is_at_end(self) -> bool:
        """Whether the text is over. Raises NeedMore."""
        if self.at < len(self.text):
            return False
        if not self.final:
            raise NeedMore
        return True

    def peek(self) -> str:
        """The next character, empty at the end. Raises NeedMore."""
        return "" if self.is_at_end() else self.text[self.at]

    def space(self) -> None:
        """Pass white space. Raises NeedMore when only that is there."""
        found = _SPACE.match(self.text, self.at)
        self.at = found.end() if found else self.at
        self.is_at_end()

    def literal(self, *options: str) -> str:
        """The first option that stands here, passed; else empty. Raises NeedMore while another may still come."""
        if not self.final:
            rest = self.text[self.at : self.at + max(map(len, options))]
            if any(len(rest) < len(option) and option.startswith(rest) for option in options):
                raise NeedMore
        for option in options:
            if self.text.startswith(option, self.at):
                self.at += len(option)
                return option
        return ""

    def sees(self, *options: str) -> bool:
        """Whether one of them stands here; passes nothing. Raises NeedMore while one may still come."""
        place = self.at
        found = self.literal(*options)
        self.at = place
        return bool(found)

    def name(self) -> str:
        """A tool's or parameter's name, maybe empty. Raises NeedMore."""
        found = _NAME.match(self.text, self.at)
        assert found is not None
        if found.end() == len(self.text) and not self.final:
            raise NeedMore
        self.at = found.end()
        return found[0]

    def until(self, *closers: str) -> tuple[str, str]:
        """Text up to the earliest closer, and that closer, passed; at the end of a final text an empty closer."""
        places = [(place, closer) for closer in closers if (place := self.text.find(closer, self.at)) >= 0]
        if not places:
            if not self.final:
                raise NeedMore
            body, self.at = self.rest(), len(self.text)
            return body, ""
        place, closer = min(places, key=lambda found: (found[0], -len(found[1])))
        body, self.at = self.text[self.at : place], place + len(closer)
        return body, closer

    def line(self) -> str:
        """The rest of the line, without its end. Raises NeedMore."""
        return self.until("\n")[0]

    def value(self, *closers: str) -> str:
        """The text of a JSON object or array, well-formed or nearly, passed; empty when none begins here.

        It ends with its last bracket, or before a closer that stands outside of its strings, or with the text.
        """
        if self.peek() not in ("{", "["):
            return ""
        start = self.at
        try:
            _, self.at = _DECODER.raw_decode(self.text, start)
        except RecursionError:
            self.until(*closers or ("\n\n",))
            return self.text[start : self.at]
        except ValueError:
            self.at = self._nearly(start, closers)
        return self.text[start : self.at]

    def _nearly(self, start: int, closers: tuple[str, ...]) -> int:
        """Where a value that does not parse ends: quotes are read as they were meant. Raises NeedMore."""
        depth, at, before = 0, start, ""
        while at < len(self.text):
            if closers and any(self.text.startswith(closer, at) for closer in closers):
                return at
            character = self.text[at]
            if character in "\"'“" and (character != "'" or before in "{[,:("):
                after = string_end(self.text, at, closers, final=self.final)
                before, at = character, after
                continue
            depth += (character in _OPEN) - (character in _CLOSE)
            at += 1
            if depth == 0:
                return at
            if not character.isspace():
                before = character
        if not self.final:
            raise NeedMore
        return len(self.text)
