"""/probe: whether the model in use really calls tools, and how its calls travel from now on."""

from typing import TYPE_CHECKING

from rein_tui.harness.protocol.errors import ReinError
from rein_tui.harness.protocol.workbench import ModelProbe, ProbesModels

from .registry import Command

if TYPE_CHECKING:
    from textual.content import Content

    from rein_tui.app import ReinApp

_FOUND = {
    "native": "makes native tool calls",
    "text": "writes its tool calls as text",
    "none": "made no tool call when it was asked for one",
}


async def _probe(app: "ReinApp", _: str) -> None:
    from rein_tui.widgets.sheet import Sheet

    workbench = app.workbench
    if not isinstance(workbench, ProbesModels):
        app.hint("only a session on this machine can try its model out")
        return
    app.hint("trying the model out …")
    try:
        found = await workbench.probe()
    except ReinError as error:
        await app.report(error)
        return
    await app.ask(Sheet("Probe", page(found)))


def page(found: ModelProbe) -> "Content":
    """What was found, as text that no markup of a model can change."""
    from textual.content import Content

    from rein_tui.widgets.safe import safe_text

    sent = "natively" if found.sent == "native" else f"as text, prompted as {found.sent}"
    lines = [
        Content.styled(safe_text(f"{found.model or 'The model'} {_FOUND[found.verdict]}.", "label"), "$text"),
        Content(""),
        Content.styled(safe_text(f"server   {found.server or 'unknown'}", "label"), "$text-muted"),
        Content.styled(safe_text(f"dialect  {found.dialect or '-'}", "label"), "$text-muted"),
        Content.styled(safe_text(f"calls    {sent}", "label"), "$text-muted"),
    ]
    if found.raw:
        lines += [Content(""), Content.styled("it wrote", "$text-muted")]
        lines += [Content.styled(safe_text(line, "label"), "$text") for line in found.raw.strip().splitlines()[:20]]
    return Content("\n").join(lines)


COMMANDS = (Command("probe", "Try out whether the model calls tools", _probe, family="model"),)
