"""/doctor: what is wrong, and what to do, without leaving the screen."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

from .registry import Command

if TYPE_CHECKING:
    from textual.content import Content

    from rein_tui.app import ReinApp
    from rein_tui.doctor.finding import Finding

_COLOURS = {"ok": ("✓", "$text-success"), "note": ("·", "$text-muted"), "bad": ("✗", "$text-error")}


async def _doctor(app: "ReinApp", _: str) -> None:
    """The terminal is not asked here, where its answers would be read as keys: `rein-tui doctor` asks it."""
    from textual.content import Content

    from rein_tui.doctor.examination import examine
    from rein_tui.doctor.finding import note
    from rein_tui.doctor.terminal import Terminal
    from rein_tui.harness.places import find_places
    from rein_tui.widgets.sheet import Sheet

    app.hint("looking …")
    terminal = Terminal(size=(app.size.width, app.size.height))
    findings = await examine(find_places(), dict(os.environ), _root(app), terminal)
    if app.console.color_system not in ("truecolor", None):
        findings.insert(0, note("colours", f"drawn with {app.console.color_system} colours"))
    findings.sort(key=lambda finding: ("bad", "note", "ok").index(finding.level))
    outside = "`rein-tui doctor` outside asks the terminal itself"
    there = f"this is about the machine with the screen; the session runs behind {app.elsewhere}: ask there too"
    app.hint("")
    last = Content.styled(there if app.elsewhere else outside, "$text-disabled")
    await app.ask(Sheet("Doctor", Content("\n").join([*map(_row, findings), Content(""), last])))


def _root(app: "ReinApp") -> Path:
    turns = app.desk.current
    return Path(turns.harness.info.cwd if turns is not None else "").absolute()


def _row(finding: "Finding") -> "Content":
    from textual.content import Content

    from rein_tui.widgets.safe import safe_text

    sign, colour = _COLOURS[finding.level]
    parts = [
        Content.assemble(
            (f"{sign} ", colour), (f"{finding.area:<10} ", "$text-muted"), (safe_text(finding.text, "label"), "$text")
        )
    ]
    if finding.where and finding.level != "ok":
        parts.append(Content.styled(f"{'':13}{safe_text(finding.where, 'path')}", "$text-muted"))
    if finding.todo:
        parts.append(Content.styled(f"{'':13}→ {safe_text(finding.todo, 'label')}", "$text-accent"))
    return Content("\n").join(parts)


COMMANDS = (Command("doctor", "Check models, settings, hooks, plugins and store", _doctor, family="help"),)
