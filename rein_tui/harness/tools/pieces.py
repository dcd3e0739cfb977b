"""Some lines of a file of any size, without ever holding more of it than they need."""

import os
from dataclasses import dataclass

from .text import Encoding, find_encoding, shown

_CHUNK = 1024 * 1024

_PATIENCE = 64 * 1024 * 1024
"""Bytes that are searched for the ends of wanted lines: a file of one endless line must answer too."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Lines without their ends, and how many the whole file has (0: not counted)."""

    lines: list[str]
    total: int


def split_lines(text: str) -> list[str]:
    """Lines as editors count them: only newlines end one, and the last newline begins none."""
    lines = text.split("\n")
    return lines[:-1] if lines[-1] == "" else lines


def read_piece(fd: int, first: int, count: int, width: int) -> Piece:
    """`count` lines from line `first` (1-based) of a large file; of each line hardly more than `width` characters."""
    wide = 4 * width + 4
    number, lines, open_line = 1, list[bytes](), bytearray()
    encoding: Encoding | None = None
    ended, patience = True, _PATIENCE
    while patience > 0 and (chunk := os.read(fd, _CHUNK)):
        ended = chunk.endswith(b"\n")
        encoding = encoding or find_encoding(chunk[: chunk.rfind(b"\n") + 1] or chunk[:-4])
        ends = chunk.count(b"\n")
        if number + ends < first:
            number += ends
            continue
        position = 0
        patience -= len(chunk)
        while position < len(chunk) and len(lines) < count:
            end = chunk.find(b"\n", position)
            stop = len(chunk) if end < 0 else end
            if number >= first and len(open_line) < wide:
                open_line += chunk[position : min(stop, position + wide)]
            if end < 0:
                break
            if number >= first:
                lines.append(bytes(open_line))
                open_line.clear()
            number += 1
            position = end + 1
        if len(lines) >= count:
            return Piece(_decode(lines, encoding), 0)
    if not ended and number >= first:
        lines.append(bytes(open_line))
    return Piece(_decode(lines, encoding), number - ended if patience > 0 else 0)


def _decode(lines: list[bytes], encoding: Encoding | None) -> list[str]:
    encoding = encoding or Encoding()
    if encoding.name.startswith("utf-8"):
        # A line cut inside a character must not fail.
        return [shown(line.removesuffix(b"\r").decode("utf-8", "replace")) for line in lines]
    return [shown(line.removesuffix(b"\r").decode(encoding.name, "replace")) for line in lines]
