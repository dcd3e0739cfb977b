"""Read strict JSON files and remember where every value stands.

A settings file decides what may run, so it is read with suspicion: regular files of bounded size only, no
duplicate keys, no NaN, bounded depth, no lone surrogates. Knows nothing of what settings mean.
"""

import errno
import json
import os
import re
import stat
from bisect import bisect_right
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

from rein_tui.harness.protocol.errors import ConfigError

MAX_BYTES = 2 * 1024 * 1024
MAX_DEPTH = 64

Pointer: TypeAlias = tuple[str | int, ...]
"""The way to a value: object keys and list indices from the top."""

_BLANK = re.compile(r"[ \t\n\r]*")
_SURROGATE = re.compile("[\ud800-\udfff]")


class Span(NamedTuple):
    """Character offsets of one value: its key (or itself, in a list), its start, its end."""

    key: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Document:
    """Decoded JSON with the place of every value. `data` is any JSON value."""

    text: str
    data: Any
    spans: dict[Pointer, Span]
    _newlines: list[int] = field(repr=False)

    def line(self, *pointer: str | int) -> int:
        """The 1-based line where that value (for a member: its key) is written; the nearest known parent's else."""
        way: Pointer = pointer
        while way not in self.spans:
            if not way:
                return 0
            way = way[:-1]
        return bisect_right(self._newlines, self.spans[way].key) + 1


class BadJson(ValueError):
    """The text is not strict JSON; `offset` is the character where it shows."""

    def __init__(self, reason: str, offset: int) -> None:
        super().__init__(reason)
        self.reason = reason
        self.offset = offset


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is not JSON")


_scalars = json.JSONDecoder(parse_constant=_refuse_constant)


class _Scanner:
    def __init__(self, text: str) -> None:
        self.text = text
        self.spans: dict[Pointer, Span] = {}

    def skip(self, at: int) -> int:
        match = _BLANK.match(self.text, at)
        return match.end() if match else at

    def scalar(self, at: int) -> tuple[Any, int]:
        try:
            value, end = _scalars.raw_decode(self.text, at)
        except json.JSONDecodeError as problem:
            raise BadJson(problem.msg, problem.pos) from problem
        except ValueError as problem:  # NaN, Infinity, integers of thousands of digits
            raise BadJson(str(problem).split(";", maxsplit=1)[0], at) from problem
        if isinstance(value, str) and _SURROGATE.search(value):
            raise BadJson("a lone surrogate is not text", at)
        if isinstance(value, float) and value in (float("inf"), float("-inf")):
            raise BadJson("the number is too large", at)
        return value, end

    def value(self, at: int, way: Pointer, key: int) -> tuple[Any, int]:
        if len(way) > MAX_DEPTH:
            raise BadJson(f"nested deeper than {MAX_DEPTH} levels", at)
        start = at
        opener = self.text[at : at + 1]
        if opener == "{":
            result, end = self.members(at, way)
        elif opener == "[":
            result, end = self.items(at, way)
        else:
            result, end = self.scalar(at)
        self.spans[way] = Span(key, start, end)
        return result, end

    def members(self, at: int, way: Pointer) -> tuple[dict[str, Any], int]:
        result: dict[str, Any] = {}
        at = self.skip(at + 1)
        if self.text[at : at + 1] == "}":
            return result, at + 1
        while True:
            key_at = at
            if self.text[at : at + 1] != '"':
                raise BadJson("expected a member name in double quotes", at)
            key, at = self.scalar(at)
            if key in result:
                raise BadJson(f"the key {key!r} is there twice", key_at)
            at = self.skip(at)
            if self.text[at : at + 1] != ":":
                raise BadJson("expected ':'", at)
            at = self.skip(at + 1)
            result[key], at = self.value(at, (*way, key), key_at)
            at, more = self.after_item(at, "}")
            if not more:
                return result, at

    def items(self, at: int, way: Pointer) -> tuple[list[Any], int]:
        result: list[Any] = []
        at = self.skip(at + 1)
        if self.text[at : at + 1] == "]":
            return result, at + 1
        while True:
            item, at = self.value(at, (*way, len(result)), at)
            result.append(item)
            at, more = self.after_item(at, "]")
            if not more:
                return result, at

    def after_item(self, at: int, closer: str) -> tuple[int, bool]:
        at = self.skip(at)
        mark = self.text[at : at + 1]
        if mark == closer:
            return at + 1, False
        if mark != ",":
            raise BadJson(f"expected ',' or '{closer}'", at)
        at = self.skip(at + 1)
        if self.text[at : at + 1] == closer:
            raise BadJson("a comma before the end is not JSON", at)
        return at, True


def parse_json(text: str) -> Document:
    """Decode strict JSON. Raises BadJson."""
    scanner = _Scanner(text)
    start = scanner.skip(0)
    if start == len(text):
        raise BadJson("the file is empty", start)
    data, end = scanner.value(start, (), start)
    end = scanner.skip(end)
    if end != len(text):
        raise BadJson("there is more text after the JSON value", end)
    newlines = [match.start() for match in re.finditer("\n", text)]
    return Document(text, data, scanner.spans, newlines)


def read_bytes(path: Path, limit: int = MAX_BYTES) -> bytes | None:
    """The content of a regular file of at most `limit` bytes; None when there is no such file.

    Raises ConfigError when something is there that cannot be read whole. Opening never blocks on a pipe.
    """
    try:
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0))
    except (FileNotFoundError, NotADirectoryError):
        if path.is_symlink():
            raise ConfigError("is a link to a file that does not exist", where=str(path)) from None
        return None
    except (OSError, ValueError) as problem:
        reason = "is a loop of links" if getattr(problem, "errno", 0) == errno.ELOOP else f"cannot be read: {problem}"
        raise ConfigError(reason, where=str(path)) from problem
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise ConfigError("is not a regular file", where=str(path))
    with os.fdopen(handle, "rb") as file:
        try:
            content = file.read(limit + 1)
        except OSError as problem:
            raise ConfigError(f"cannot be read: {problem}", where=str(path)) from problem
    if len(content) > limit:
        raise ConfigError(f"is larger than {limit // 1024} KiB", where=str(path))
    return content


def read_json(path: Path, limit: int = MAX_BYTES) -> Document | None:
    """Read and decode a file; None when it does not exist. Raises ConfigError naming file and line."""
    content = read_bytes(path, limit)
    if content is None:
        return None
    return decode_json(content, str(path))


def decode_json(content: bytes, name: str) -> Document:
    """Decode the bytes of a file, with or without a byte order mark. Raises ConfigError naming file and line."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        line = content.count(b"\n", 0, problem.start) + 1
        raise ConfigError("is not UTF-8 text", where=f"{name}:{line}") from problem
    try:
        return parse_json(text)
    except BadJson as problem:
        line = text.count("\n", 0, problem.offset) + 1
        raise ConfigError(f"is not valid JSON: {problem.reason}", where=f"{name}:{line}") from problem
