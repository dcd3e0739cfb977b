"""Words for an edit that does not fit: where the text nearly is, or where it is too often."""

import difflib
import re

_SEARCHED = 20_000
"""Lines that are compared one by one."""


def several(path: str, text: str, old: str, count: int) -> str:
    """The text is there more than once."""
    places: list[str] = []
    position = text.find(old)
    while position >= 0 and len(places) < 10:
        places.append(str(text.count("\n", 0, position) + 1))
        position = text.find(old, position + len(old))
    more = ", …" if count > len(places) else ""
    return (
        f"old_string occurs {count} times in {path} (lines {', '.join(places)}{more}). "
        "Add lines around it so that it is unique, or set replace_all."
    )


def not_found(path: str, text: str, old: str) -> str:
    """The text is not there: the likeliest reason, and the nearest place."""
    said = f"old_string was not found in {path}."
    if re.match(r"\s*\d+\t", old):
        return f"{said} It seems to begin with a line number as Read shows it: leave those out."
    lines = text.split("\n")
    wanted = next((line for line in old.split("\n") if line.strip()), "")
    squeezed = _squeeze(wanted)
    for number, line in enumerate(lines, 1):
        if squeezed and _squeeze(line) == squeezed and line != wanted:
            return f"{said} Line {number} differs only in white space:\n{line[:500]}"
    if wanted in lines:
        number = lines.index(wanted) + 1
        size = min(old.count("\n") + 1, 20)
        there = "\n".join(lines[number - 1 : number - 1 + size])
        return f"{said} Its first line is line {number}, but then the file goes on differently:\n{there[:2000]}"
    near = difflib.get_close_matches(wanted[:300], [line[:300] for line in lines[:_SEARCHED]], n=1, cutoff=0.6)
    if not near:
        return f"{said} Nothing similar is there; Read the file again."
    number = next(i for i, line in enumerate(lines, 1) if line[:300] == near[0])
    return f"{said} The most similar line is line {number}:\n{near[0]}"


def _squeeze(line: str) -> str:
    return "".join(line.split())
