"""Line diffs of bounded cost: for the eye as `DiffDisplay`, for hooks as `structuredPatch`."""

import difflib

from ..protocol.base import JsonObject
from ..protocol.displays import DiffDisplay, Hunk

CONTEXT = 3
"""Unchanged lines around a change."""

_COSTLY = 4_000_000
"""Lines times lines beyond which the changed middle counts as one replacement."""

_SHOWN = 4_000
"""Lines of a diff that are kept; beyond, `note` says what is left out."""


def make_diff(path: str, old: str | None, new: str, note: str = "") -> DiffDisplay:
    """What turns `old` (None: no file) into `new`."""
    before, after = _lines(old or ""), _lines(new)
    hunks: list[Hunk] = []
    added = removed = kept = 0
    for group in _groups(before, after):
        lines: list[str] = []
        for tag, a, b, c, d in group:
            if tag == "equal":
                lines += [" " + line for line in before[a:b]]
                continue
            lines += ["-" + line for line in before[a:b]]
            lines += ["+" + line for line in after[c:d]]
            removed += b - a
            added += d - c
        (_, a, _, c, _), (_, _, b, _, d) = group[0], group[-1]
        if kept < _SHOWN:
            hunks.append(
                Hunk(
                    old_start=a + (b > a),
                    old_lines=b - a,
                    new_start=c + (d > c),
                    new_lines=d - c,
                    lines=tuple(lines[: _SHOWN - kept]),
                )
            )
        kept += len(lines)
    notes = [note] if note else []
    if kept > _SHOWN:
        notes.append(f"{kept - _SHOWN:,} more lines")
    if old and old != new and before == after:
        notes.append("only the newline at the end of the file changes")
    return DiffDisplay(
        path=path, hunks=tuple(hunks), added=added, removed=removed, old_exists=old is not None, note=" · ".join(notes)
    )


def structured_patch(diff: DiffDisplay) -> list[JsonObject]:
    """The hunks in the spelling that hooks read."""
    return [
        {
            "oldStart": hunk.old_start,
            "oldLines": hunk.old_lines,
            "newStart": hunk.new_start,
            "newLines": hunk.new_lines,
            "lines": list(hunk.lines),
        }
        for hunk in diff.hunks
    ]


def _lines(text: str) -> list[str]:
    lines = text.split("\n")
    return lines[:-1] if lines[-1] == "" else lines


Opcode = tuple[str, int, int, int, int]


def _groups(before: list[str], after: list[str]) -> list[list[Opcode]]:
    """Changes with their context, like difflib's grouped opcodes; equal ends are cut off before comparing."""
    start = 0
    while start < min(len(before), len(after)) and before[start] == after[start]:
        start += 1
    end = 0
    while end < min(len(before), len(after)) - start and before[-1 - end] == after[-1 - end]:
        end += 1
    middle_a, middle_b = before[start : len(before) - end], after[start : len(after) - end]
    if not middle_a and not middle_b:
        return []
    if len(middle_a) * len(middle_b) > _COSTLY:
        inner: list[Opcode] = [("replace", 0, len(middle_a), 0, len(middle_b))]
    else:
        inner = list(difflib.SequenceMatcher(None, middle_a, middle_b, autojunk=False).get_opcodes())
    codes: list[Opcode] = [("equal", 0, start, 0, start)] if start else []
    codes += [(tag, a + start, b + start, c + start, d + start) for tag, a, b, c, d in inner]
    if end:
        codes.append(("equal", len(before) - end, len(before), len(after) - end, len(after)))
    return _with_context(codes)


def _with_context(codes: list[Opcode]) -> list[list[Opcode]]:
    if codes[0][0] == "equal":
        tag, _, b, _, d = codes[0]
        codes[0] = (tag, max(0, b - CONTEXT), b, max(0, d - CONTEXT), d)
    if codes[-1][0] == "equal":
        tag, a, b, c, d = codes[-1]
        codes[-1] = (tag, a, min(b, a + CONTEXT), c, min(d, c + CONTEXT))
    groups: list[list[Opcode]] = [[]]
    for tag, a, b, c, d in codes:
        if tag == "equal" and b - a > 2 * CONTEXT:
            groups[-1].append((tag, a, a + CONTEXT, c, c + CONTEXT))
            groups.append([(tag, b - CONTEXT, b, d - CONTEXT, d)])
        else:
            groups[-1].append((tag, a, b, c, d))
    return groups
