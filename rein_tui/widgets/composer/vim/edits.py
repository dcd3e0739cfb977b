"""What vim's commands do to a page: operators over a span, puts, joins, changes of letters; and the registers."""

from collections.abc import Callable

from .page import Page, Place, Span, indent

_TAB = "    "
_CASES: dict[str, Callable[[str], str]] = {"gu": str.lower, "gU": str.upper, "g~": str.swapcase}
UNNAMED = '"'


class Edits:
    """Changes one page. What is taken goes to the register that was named for it, and to the unnamed one."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._registers: dict[str, str] = {}
        self.register = UNNAMED

    # --- operators ------------------------------------------------------------------------------------------

    def operate(self, operator: str, span: Span) -> None:
        """Delete, change, yank, shift, or change the case of a span. After `c` the cursor stands where one types."""
        if operator in ("<", ">"):
            self._shift(operator, span.start[0], span.end[0])
        elif operator in _CASES:
            self.rewrite(span, _CASES[operator])
        elif span.lines:
            self._take_lines(operator, span.start[0], min(span.end[0], len(self._page.lines) - 1))
        else:
            self._take(operator, span.start, span.end)

    def _take(self, operator: str, start: Place, end: Place) -> None:
        page = self._page
        start, end = page.whole(start, end)
        self._keep(self.text(start, end))
        if operator != "y":
            page.replace("", start, end)
        page.move(start)

    def _take_lines(self, operator: str, first: int, last: int) -> None:
        page = self._page
        lines = page.lines
        column = page.cursor[1]
        self._keep("\n".join(lines[first : last + 1]) + "\n")
        if operator == "y":
            page.move((first, min(column, len(lines[first]))))
            return
        if operator == "c":
            page.replace("", (first, 0), (last, len(lines[last])))
            page.move((first, 0))
            return
        if last + 1 < len(lines):
            page.replace("", (first, 0), (last + 1, 0))
        else:
            page.replace("", (first - 1, len(lines[first - 1])) if first else (0, 0), (last, len(lines[last])))
        self._to_indent(first)

    def _shift(self, operator: str, first: int, last: int) -> None:
        page = self._page
        for row in range(first, min(last, len(page.lines) - 1) + 1):
            line = page.lines[row]
            if operator == "<":
                page.replace("", (row, 0), (row, min(len(_TAB), len(line) - len(line.lstrip()))))
            elif line:
                page.replace(_TAB, (row, 0), (row, 0))
        self._to_indent(first)

    def rewrite(self, span: Span, change: Callable[[str], str]) -> None:
        """Change the letters of a span; the cursor goes to its start."""
        start, end = span.start, span.end
        if span.lines:
            start, end = (start[0], 0), (end[0], len(self._page.lines[end[0]]))
        self._page.replace(change(self.text(start, end)), start, end)
        self._page.move(span.start)

    # --- letters and lines ----------------------------------------------------------------------------------

    def put(self, *, before: bool, count: int) -> None:
        """Put the register at the cursor; whole lines go above or below."""
        text = self._taken() * count
        if not text:
            return
        page = self._page
        row, column = page.cursor
        if text.endswith("\n"):
            end = (row, len(page.lines[row]))
            page.replace(*((text, (row, 0), (row, 0)) if before else ("\n" + text[:-1], end, end)))
            self._to_indent(row if before else row + 1)
            return
        at = (row, column if before else min(column + 1, len(page.lines[row])))
        page.replace(text, at, at)
        page.move(at if "\n" in text else (at[0], at[1] + len(text) - 1))

    def put_over(self, span: Span) -> None:
        """Put the register in the place of a span, which takes its place in the register."""
        text = self._taken()
        if not text:
            return
        page = self._page
        start, end = span.start, span.end
        if span.lines:
            start, end, text = (start[0], 0), (end[0], len(page.lines[end[0]])), text.removesuffix("\n")
        elif text.endswith("\n"):
            text = "\n" + text
        start, end = page.whole(start, end)
        self._keep(self.text(start, end) + ("\n" if span.lines else ""))
        page.replace(text, start, end)
        page.move(start if "\n" in text or span.lines else (start[0], max(0, start[1] + len(text) - 1)))

    def join(self, times: int, *, spaced: bool = True) -> None:
        """Append the next lines to this one, with one blank between them where `spaced`."""
        page = self._page
        row = page.cursor[0]
        for _ in range(times):
            if row + 1 >= len(page.lines):
                return
            line, below = page.lines[row], page.lines[row + 1]
            line = line.rstrip() if spaced else line
            start = len(below) - len(below.lstrip()) if spaced else 0
            blank = " " if spaced and line and below.strip() else ""
            page.replace(blank, (row, len(line)), (row + 1, start))
            page.move((row, len(line)))

    def letters(self, count: int, change: Callable[[str], str], *, stay: bool) -> None:
        """Change as many letters from the cursor on; go behind them, or `stay` on the last."""
        page = self._page
        row, column = page.cursor
        line = page.lines[row]
        end = min(len(line), column + count)
        page.replace(change(line[column:end]), (row, column), (row, end))
        page.move((row, max(column, end - 1) if stay else end))

    # --- parts ----------------------------------------------------------------------------------------------

    def _keep(self, text: str) -> None:
        self._registers[self.register] = self._registers[UNNAMED] = text

    def _taken(self) -> str:
        return self._registers.get(self.register, "")

    def text(self, start: Place, end: Place) -> str:
        """What stands there."""
        lines = self._page.lines
        if start[0] == end[0]:
            return lines[start[0]][start[1] : end[1]]
        return "\n".join([lines[start[0]][start[1] :], *lines[start[0] + 1 : end[0]], lines[end[0]][: end[1]]])

    def _to_indent(self, row: int) -> None:
        row = min(row, len(self._page.lines) - 1)
        self._page.move((row, indent(self._page.lines[row])))
