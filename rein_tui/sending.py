"""What becomes of what the person sends: a command, a word to the turn that runs, or a prompt that waits."""

from typing import TYPE_CHECKING

from rein_tui.commands.mcp import learn_prompts
from rein_tui.commands.registry import split_command
from rein_tui.harness.protocol.events import Notice
from rein_tui.harness.protocol.ports import Prompt
from rein_tui.harness.protocol.workbench import Elsewhere
from rein_tui.widgets.composer import Composer

if TYPE_CHECKING:
    from rein_tui.app import ReinApp


async def send(app: "ReinApp", sent: Composer.Submitted) -> None:
    """Do it; what cannot be sent just now stands in the prompt again, and the chat says why."""
    turns = app.desk.current
    if sent.kind == "command":
        await _slash(app, sent.text)
        return
    if turns is None and app.beginning.is_going_on:
        app.beginning.early.keep(sent)
        return
    if turns is None:
        app.main.composer.text = sent.raw
        hint = "/new opens one." if app.workbench.choice is not None else "/welcome chooses a model first."
        await app.tell(Notice(text="No session is open.", level="warning", hint=hint))
        return
    kind = sent.kind if sent.kind in ("shell", "private_shell") else "prompt"
    if not sent.text:
        turns.resume()
        return
    if turns.harness.info.read_only:
        await app.desk.open(turns.harness.info.id)  # perhaps it can be gone on with by now
        turns = app.desk.current or turns
    if why := turns.harness.info.read_only:
        app.main.composer.text = sent.raw
        await app.tell(Notice(text=why, level="warning", hint="/fork goes on in a copy."))
        return
    prompt = Prompt(text=sent.text, blocks=sent.images, kind=kind)
    if sent.steer and kind == "prompt":
        turns.steer(prompt, sent.raw)
    else:
        turns.submit(prompt, sent.raw)


async def _slash(app: "ReinApp", text: str) -> None:
    """Run a command; one that is not known may have come since the last look."""
    learn_prompts(app)
    name, argument = split_command(text)
    if app.run_command(name, argument):
        return
    if isinstance(app.workbench, Elsewhere):
        await app.workbench.learn()
    app.learn_file_commands()
    if app.run_command(name, argument):
        return
    close = app.registry.closest(name)
    hint = f"did you mean /{close.name}?" if close else "/help lists all commands"
    await app.tell(Notice(text=f"no command /{name}", level="warning", hint=hint))
