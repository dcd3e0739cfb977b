"""Commands that files define (commands, skills, MCP prompts): submitted as prompts, expanded by the session."""

from typing import TYPE_CHECKING

from rein_tui.harness.protocol.ports import Prompt
from rein_tui.harness.protocol.workbench import CommandInfo

from .registry import Command

if TYPE_CHECKING:
    from rein_tui.app import ReinApp


def file_command(info: CommandInfo) -> Command:
    """The command that sends `/name argument` to the session."""

    async def run(app: "ReinApp", argument: str) -> None:
        turns = app.desk.current
        text = f"/{info.name} {argument}".rstrip()
        if turns is not None:
            turns.submit(Prompt(text=text), text)

    return Command(
        info.name, info.summary, run, argument=info.argument, aliases=info.aliases, family=info.source or "custom"
    )
