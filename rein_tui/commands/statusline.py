"""/statusline: what the person's own status line runs, or words for the model to set one up."""

from typing import TYPE_CHECKING

from rein_tui.harness.protocol.ports import Prompt

from .registry import Command

if TYPE_CHECKING:
    from rein_tui.app import ReinApp

_WORK = """Set up the status line of this terminal assistant for the person. They want: {wish}

It is the key `statusLine` of {path}: {{"type": "command", "command": "…"}} with an optional `padding` (cells) and
`refreshInterval` (seconds). The command runs in sh after each answer, has five seconds, reads a JSON object on
standard input and prints up to three short lines; SGR colours are shown. Put a longer command into an executable
script beside that file. Keep everything else in the file as it is. To remove the status line, remove the key.
Try the command with this input before you finish:

{sample}"""
_HINT = "/statusline WORDS has the model set one up, as in /statusline model, branch and cost"


async def _statusline(app: "ReinApp", argument: str) -> None:
    line, turns = app.status_refresh.line, app.desk.current
    if line is None or turns is None:
        app.hint("only a session on this machine has a status line")
        return
    import json

    if argument:
        text = _WORK.format(wish=argument, path=app.user_settings, sample=json.dumps(line.payload(), default=str))
        turns.submit(Prompt(text=text), f"/statusline {argument}")
        return
    from textual.content import Content

    from rein_tui.widgets.safe import safe_text
    from rein_tui.widgets.sheet import Sheet, heading, table

    wish = line.wish
    rows = [("command", wish.command if wish else "none is set"), ("set in", str(wish.source) if wish else "–")]
    rows += [("problem", app.status_refresh.problem)] if app.status_refresh.problem else []
    sample = safe_text(json.dumps(line.payload(), indent=1, ensure_ascii=False, default=str))
    parts = [table(rows), Content(""), Content(_HINT), Content(""), heading("What it reads"), Content(sample)]
    await app.ask(Sheet("Status line", Content("\n").join(parts)))
    app.status_refresh.soon()


COMMANDS = (
    Command("statusline", "Your own status line: what it runs, or set one up", _statusline, "[words]", family="look"),
)
