"""JSON as models write it: read as it was meant, with every liberty noted in order.

A repair is *semantic* when the value could have been meant otherwise: such calls are not run unasked where they can
do harm. A key that stands twice is never repaired.
"""

import re
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, NoReturn, cast

from ..strict_json import read_object
from .strings import string_end

LONGEST_GUESS = 64_000
"""Characters up to which the last resort (json_repair) is tried: it is slow on long texts."""

_SPACE = re.compile(r"(?:\s|//[^\n]*|/\*.*?\*/)*", re.DOTALL)
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?(?![\w.])")
_WORD = re.compile(r"[A-Za-z_$][\w$-]*")
_ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}|.|$)", re.DOTALL)
_PAIR = re.compile(r"[\ud800-\udbff][\udc00-\udfff]")
_LONE = re.compile(r"[\ud800-\udfff]")
_ESCAPED = {'"': '"', "\\": "\\", "/": "/", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "'": "'"}
_LITERALS: dict[str, Any] = {"true": True, "false": False, "null": None}
_PYTHON: dict[str, Any] = {"True": True, "False": False, "None": None}
_DEEPEST = 100


class Unmendable(ValueError):
    """JSON that says two things at once, or too much: nobody may guess what was meant."""


@dataclass(frozen=True, slots=True)
class Repair:
    """One step between what was written and what is run. `semantic`: it may have been meant otherwise."""

    what: str
    semantic: bool = False


def load(raw: str, *, closed: bool = True) -> tuple[Any, tuple[Repair, ...]]:
    """The value that `raw` holds, and what had to be repaired. Raises ValueError when nothing can be made of it.

    `closed` false says that the text may have been cut off: then closing a bracket for it is a guess.
    """
    text = raw.strip()
    with suppress(ValueError):
        return (read_object(text) if text.startswith("{") else _strict_list(text)), ()
    reader = _Reader(text, closed)
    try:
        return reader.whole(), reader.repairs()
    except Unmendable:
        raise
    except ValueError as error:
        if len(text) > LONGEST_GUESS:
            raise
        return _guessed(text, error)


def _strict_list(text: str) -> Any:
    return read_object(f'{{"list":{text}}}')["list"]


def _guessed(text: str, error: ValueError) -> tuple[Any, tuple[Repair, ...]]:
    """The last resort: a library that makes JSON of anything. What it gives is a guess."""
    import json_repair

    value = cast(Any, json_repair.loads(text))
    if not value or not isinstance(value, dict | list):
        raise error
    return cast(Any, value), (Repair(f"guessed the structure ({error})", semantic=True),)


class _Reader:
    """A descent over nearly-JSON. `notes` keeps each liberty once, in the order met."""

    def __init__(self, text: str, closed: bool) -> None:
        self._text = text
        self._closed = closed
        self._at = 0
        self._depth = 0
        self._notes: dict[str, bool] = {}

    def repairs(self) -> tuple[Repair, ...]:
        """What was met."""
        return tuple(Repair(what, semantic) for what, semantic in self._notes.items())

    def whole(self) -> Any:
        """The one value of the text."""
        value = self._value()
        self._space()
        rest = self._text[self._at :]
        if rest.strip("}]; \n\r\t`"):
            self._fail("there is something behind the value")
        if rest.strip():
            self._note("superfluous closing bracket")
        return value

    def _note(self, what: str, *, semantic: bool = False) -> None:
        self._notes[what] = self._notes.get(what, False) or semantic

    def _fail(self, what: str) -> NoReturn:
        raise ValueError(f"{what} at character {self._at}")

    def _space(self) -> str:
        """Pass blanks and comments; the next character, empty at the end."""
        found = _SPACE.match(self._text, self._at)
        assert found is not None
        if found[0].strip():
            self._note("comment in JSON")
        self._at = found.end()
        return self._text[self._at : self._at + 1]

    def _value(self) -> Any:
        match self._space():
            case "{":
                return self._deeper(self._object)
            case "[":
                return self._deeper(self._array)
            case '"' | "'" | "“":
                return self._string()
            case _:
                return self._plain()

    def _deeper(self, read: Any) -> Any:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise Unmendable("the JSON is nested too deeply")
        self._at += 1
        value = read()
        self._depth -= 1
        return value

    def _object(self) -> dict[str, Any]:
        found: dict[str, Any] = {}
        while not self._ends("}", first=not found):
            key = self._key()
            if self._space() != ":":
                self._fail(f"no colon behind the key {key!r}")
            self._at += 1
            if key in found:
                raise Unmendable(f"the key {key!r} stands twice")
            if not self._space():
                self._note(f"{key!r} was cut off", semantic=True)
                break
            found[key] = self._value()
        return found

    def _array(self) -> list[Any]:
        found: list[Any] = []
        while not self._ends("]", first=not found):
            found.append(self._value())
        return found

    def _ends(self, closer: str, *, first: bool) -> bool:
        """Whether the object or list is over; passes the comma between two members."""
        comma = False
        while (character := self._space()) == ",":
            if comma or first:
                self._note("superfluous comma")
            comma = True
            self._at += 1
        if not character:
            self._note("missing closing bracket", semantic=not self._closed)
            return True
        if character in "}]":
            if comma:
                self._note("trailing comma")
            if character == closer:
                self._at += 1
            else:
                self._note("missing closing bracket", semantic=True)
            return True
        if not comma and not first:
            self._note("missing comma")
        return False

    def _key(self) -> str:
        if self._space() in CLOSABLE:
            return self._string()
        found = _WORD.match(self._text, self._at)
        if found is None:
            self._fail("a key is needed")
        self._note("key without quotes")
        self._at = found.end()
        return found[0]

    def _string(self) -> str:
        start, opening = self._at, self._text[self._at]
        end = string_end(self._text, start)
        self._at = end
        width = 3 if self._text.startswith('"""', start) else 1
        body = self._text[start + width : end]
        closed = end - start >= 2 * width and body.endswith({"“": ("”", '"')}.get(opening, opening))
        if closed:
            body = body[:-width]
        elif self._closed:
            self._note("string without its end", semantic=True)
        else:
            raise Unmendable("the text was cut off inside a string")
        if width == 3:
            self._note("triple quotes")
        elif opening != '"':
            self._note("single quotes" if opening == "'" else "smart quotes")
        elif re.search(r'(?<!\\)(?:\\\\)*"', body):
            self._note("quotes inside a string that were not escaped", semantic=True)
        if any(character < " " for character in body) and width == 1:
            self._note("line breaks inside a string that were not escaped")
        return self._unescaped(body)

    def _unescaped(self, body: str) -> str:
        if "\\" not in body:
            return body
        text = _ESCAPE.sub(self._escape, body)
        text = _PAIR.sub(lambda pair: pair[0].encode("utf-16", "surrogatepass").decode("utf-16"), text)
        if _LONE.search(text):
            raise Unmendable("a string holds half of a surrogate pair")
        return text

    def _escape(self, found: re.Match[str]) -> str:
        body = found[1]
        if len(body) == 5:
            return chr(int(body[1:], 16))
        if body in _ESCAPED:
            return _ESCAPED[body]
        self._note("backslash that escapes nothing", semantic=True)
        return found[0]

    def _plain(self) -> Any:
        """A number or a literal, of JSON or of Python."""
        if number := _NUMBER.match(self._text, self._at):
            self._at = number.end()
            return float(number[0]) if any(c in number[0] for c in ".eE") else int(number[0])
        found = _WORD.match(self._text, self._at)
        word = found[0] if found else ""
        if word in _PYTHON:
            self._note(f"Python's {word}")
        elif word not in _LITERALS:
            self._fail("a value is needed")
        self._at += len(word)
        return {**_LITERALS, **_PYTHON}[word]


CLOSABLE = frozenset({'"', "'", "“"})
