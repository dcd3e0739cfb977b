"""/btw: a question beside the conversation; neither it nor its answer joins what the model works on."""

import asyncio
from typing import TYPE_CHECKING

from rein_tui.harness.protocol.errors import ReinError
from rein_tui.harness.protocol.ports import AsideAnswer
from rein_tui.widgets.figures import short_cost, short_count

from .registry import Command
from .session import adjustments_of

if TYPE_CHECKING:
    from rein_tui.app import ReinApp


async def _btw(app: "ReinApp", argument: str) -> None:
    """Asked while a turn runs, too; closing the page gives the question up."""
    from textual.content import Content

    from rein_tui.widgets.safe import safe_text
    from rein_tui.widgets.sheet import Sheet, heading

    adjustments = adjustments_of(app)
    if adjustments is None:
        return
    if not argument:
        app.main.composer.text = "/btw "
        return
    question = heading(safe_text(argument))
    sheet = Sheet("By the way", _page(question, Content.styled("asking …", "$text-muted")))
    asking = asyncio.create_task(adjustments.ask_aside(argument))

    def answered(task: asyncio.Task[AsideAnswer]) -> None:
        if task.cancelled() or not sheet.is_attached:
            return
        problem = task.exception()
        if problem is None:
            sheet.show(_page(question, Content(safe_text(task.result().text or _NOTHING)), _used(task.result())))
        else:
            said = str(problem) if isinstance(problem, ReinError) else repr(problem)
            sheet.show(_page(question, Content.styled(safe_text(said), "$text-error")))

    asking.add_done_callback(answered)
    try:
        await app.ask(sheet)
    finally:
        asking.cancel()
        await asyncio.wait([asking])


_NOTHING = "The model gave no words; it may have wanted a tool. Ask it in the conversation."


def _page(*parts: "Content") -> "Content":
    from textual.content import Content

    return Content("\n\n").join(parts)


def _used(answer: AsideAnswer) -> "Content":
    from textual.content import Content

    usage = answer.usage
    cost = f" · {short_cost(usage.cost_usd)}" if usage.cost_usd is not None else ""
    words = f"{short_count(usage.context_tokens)} tokens{cost} · joins no conversation; /cost counts it"
    return Content.styled(words, "$text-muted")


if TYPE_CHECKING:
    from textual.content import Content

COMMANDS = (
    Command("btw", "Ask something beside the conversation, also while it works", _btw, "<question>", family="prompt"),
)
