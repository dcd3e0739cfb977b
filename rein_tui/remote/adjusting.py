"""What requests that change a session while it lives do, and the one for the files around it."""

from pathlib import Path
from typing import TypeAlias

from rein_tui.harness.context.listing import project_files
from rein_tui.harness.protocol.errors import StartError
from rein_tui.harness.protocol.ports import Adjustable, FindsFiles, Harness
from rein_tui.harness.protocol.workbench import Thinks

from .wire import adjust_requests as ask

_MOST_FILES = 50_000


Adjustment: TypeAlias = (
    ask.AddFolder | ask.ChangeFolder | ask.AskAside | ask.StopWork | ask.SwitchSource | ask.SetThinking
)


async def adjusted(harness: Harness, request: Adjustment) -> object:
    """Do it. Raises ReinError."""
    if isinstance(request, ask.SetThinking):
        if isinstance(harness, Thinks):
            harness.set_thinking(effort=request.effort, thinking=request.thinking)
        return None
    adjustments = harness.adjustments if isinstance(harness, Adjustable) else None
    if adjustments is None:
        raise StartError("This session cannot be changed while it lives.")
    match request:
        case ask.StopWork():
            return await adjustments.stop_work(request.work)
        case ask.ChangeFolder():
            return str(await adjustments.change_folder(Path(request.folder)))
        case ask.AskAside():
            return await adjustments.ask_aside(request.question)
        case ask.SwitchSource():
            await adjustments.switch_source(request.kind, request.name, request.on)
            return None
        case ask.AddFolder():
            await adjustments.add_folder(Path(request.folder))
            return None


async def files_of(harness: Harness) -> tuple[str, ...]:
    """The first files of the folder that the session works in."""
    if not harness.info.cwd:
        return ()
    finder = harness.file_finder if isinstance(harness, FindsFiles) else None
    hides = finder is None or finder.hides_ignored
    return tuple((await project_files(Path(harness.info.cwd), hides))[:_MOST_FILES])
