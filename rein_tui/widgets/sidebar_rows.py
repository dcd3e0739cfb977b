"""How one session looks in the list: two lines of `Content`, made of its `SessionInfo`."""

from typing import NamedTuple

from textual.content import Content

from rein_tui.harness.protocol.ports import SessionInfo

from .figures import short_cost
from .safe import safe_text

_WIDTH = 26
"""Cells of a row."""
_DOTS = {
    "running": ("●", "$text-primary"),
    "waiting": ("●", "bold $text-accent"),
    "idle": ("○", "$text-muted"),
    "done": ("✓", "$text-muted"),
}


class Look(NamedTuple):
    """What the list knows of a row beside its session."""

    is_current: bool
    is_doomed: bool
    says_folder: bool


def row(session: SessionInfo, number: int, age: str, look: Look) -> Content:
    """State, title and age; below them what is known, what waits, or where a search found its words."""
    dot, colour = _DOTS[session.state]
    title = safe_text(session.title, "label") or "new session"
    style = "bold $text" if look.is_current else "$text"
    name = Content.styled(title, style).truncate(_WIDTH - 3 - len(age), ellipsis=True, pad=True)
    key = str(number) if number < 10 else " "
    first = Content.assemble((f"{key} ", "$text-disabled"), (dot, colour), " ", name, " ", (age, "$text-muted"))
    return Content("\n").join(
        [first, Content.assemble("    ", _below(session, look).truncate(_WIDTH - 2, ellipsis=True))]
    )


def _below(session: SessionInfo, look: Look) -> Content:
    if look.is_doomed:
        return Content.styled("d again deletes it", "$text-error")
    if session.state == "waiting":
        return Content.styled("waits for you", "$text-accent")
    if session.found:
        return _hit(session.found)
    facts = ["read only"] if session.read_only else []
    if look.says_folder:
        facts.append(safe_text(session.cwd.rstrip("/").rpartition("/")[2], "path"))
    if session.branch:
        facts.append(safe_text(session.branch, "path"))
    facts.append(f"{session.turns} turn{'s' if session.turns != 1 else ''}")
    if session.cost_usd is not None:
        facts.append(short_cost(session.cost_usd))
    return Content.styled(" · ".join(facts), "$text-muted")


def _hit(found: str) -> Content:
    """Where a search found its words, from shortly before the first of them on; what matched stands out."""
    text = safe_text(found, "label")
    start = max(text.find("«") - _WIDTH // 4, 0)
    shown = Content.styled("…" if start else "", "$text-disabled")
    for number, piece in enumerate(text[start:].replace("»", "«").split("«")):
        shown += Content.styled(piece, "bold $text-primary" if number % 2 else "$text-muted")
    return shown
