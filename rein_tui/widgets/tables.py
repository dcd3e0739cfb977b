"""Tables of a text as pieces: columns share the width, cells wrap, copying gives tab-separated rows."""

from collections.abc import Iterator, Sequence

from textual.content import Content

from .lines import EMPTY, Piece, joined

_RULE = "$text-muted 50%"
_BETWEEN = Content.styled(" │ ", _RULE)
_MIN_COLUMN = 4
MAX_ROWS = 1000
"""Rows of one table that are drawn; its source is copied whole."""


def table_pieces(rows: Sequence[Sequence[Content]], aligns: Sequence[str], width: int) -> Iterator[Piece]:
    """Rows of a table on `width` cells, the first in bold over a rule."""
    count = max((len(row) for row in rows), default=0)
    if not count:
        return
    full = [[*row, *[EMPTY] * (count - len(row))] for row in rows]
    widths = column_widths(full, width - 3 * (count - 1))
    if widths is None:
        yield from _as_records(full)
        return
    for number, row in enumerate(full[:MAX_ROWS]):
        cells = [cell.stylize_before("bold") for cell in row] if number == 0 else row
        yield from _row(cells, widths, aligns)
        if number == 0:
            rule = "─┼─".join("─" * column for column in widths)
            yield Piece(Content.styled(rule, _RULE), wrap="crop", silent=True)
    if len(full) > MAX_ROWS:
        yield Piece(Content.styled(f"… {len(full) - MAX_ROWS:,} more rows", "$text-muted"), silent=True)


def column_widths(rows: Sequence[Sequence[Content]], room: int) -> list[int] | None:
    """Cells of each column; the widest give way first. None when not even narrow columns fit."""
    widths = [max(1, *(cell.cell_length for cell in column)) for column in zip(*rows, strict=True)]
    if room < _MIN_COLUMN * len(widths) and sum(widths) > room:
        return None
    while (excess := sum(widths) - room) > 0:
        widest = max(widths)
        second = max((w for w in widths if w < widest), default=_MIN_COLUMN)
        sharing = [index for index, w in enumerate(widths) if w == widest]
        cut = max(1, min(widest - max(second, _MIN_COLUMN), -(-excess // len(sharing))))
        for index in sharing:
            widths[index] -= min(cut, max(0, sum(widths) - room))
    return widths


def _row(cells: Sequence[Content], widths: Sequence[int], aligns: Sequence[str]) -> Iterator[Piece]:
    logical = "\t".join(cell.plain for cell in cells)
    wrapped = [cell.wrap(width) or [EMPTY] for cell, width in zip(cells, widths, strict=True)]
    for number in range(max(len(lines) for lines in wrapped)):
        parts: list[Content] = []
        for column, (lines, width) in enumerate(zip(wrapped, widths, strict=True)):
            line = lines[number] if number < len(lines) else EMPTY
            if column:
                parts.append(_BETWEEN)
            parts.append(_aligned(line, width, aligns[column] if column < len(aligns) else ""))
        yield Piece(joined(parts), wrap="crop", logical=logical if number == 0 else "", silent=number > 0)


def _aligned(line: Content, width: int, align: str) -> Content:
    line = line.rstrip()
    space = max(0, width - line.cell_length)
    left = space if align == "right" else space // 2 if align == "center" else 0
    return joined([Content(" " * left), line, Content(" " * (space - left))])


def _as_records(rows: Sequence[Sequence[Content]]) -> Iterator[Piece]:
    """A table too wide for the screen: one line a cell, named by its column."""
    for row in rows[1:]:
        for name, cell in zip(rows[0], row, strict=True):
            yield Piece(joined([name.stylize("bold"), Content(": "), cell]))
        yield Piece(Content.styled("─" * 8, _RULE), wrap="crop", silent=True)
