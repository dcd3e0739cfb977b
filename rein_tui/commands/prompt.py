"""Commands about the prompt: editor, history, image from the clipboard, steering."""

import asyncio
import os
import shutil
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from rein_tui.harness.protocol.errors import ConfigError
from rein_tui.lending import lend_terminal

from .registry import Command

if TYPE_CHECKING:
    from rein_tui.app import ReinApp

_IMAGE_COMMANDS = (
    ("wl-paste", "--type", "image/png"),
    ("xclip", "-selection", "clipboard", "-t", "image/png", "-o"),
    ("pngpaste", "-"),
)
_TEXT_COMMANDS = (("wl-paste", "--no-newline"), ("xclip", "-selection", "clipboard", "-o"), ("pbpaste",))


async def _editor(app: "ReinApp", _: str) -> None:
    composer = app.main.composer
    draft = composer.area.chips.unfold(composer.text).text
    text = await lend_to_editor(app, draft, hint="write here: ctrl+j is a new line")
    if text != draft:
        composer.text = text


async def lend_to_editor(app: "ReinApp", text: str, name: str = "prompt.md", hint: str = "") -> str:
    """Lend the terminal to the person's editor; the text as they leave it. Raises ConfigError when that cannot be."""
    editor = os.environ.get("VISUAL") or os.environ.get("EDITOR") or shutil.which("nano") or shutil.which("vi")
    if not editor:
        raise ConfigError("no editor found", where="EDITOR", hint="set EDITOR or VISUAL, as in EDITOR=vim")
    return await lend_terminal(app, partial(edit, editor, text, name), to="an editor", hint=hint)


async def edit(editor: str, text: str, name: str = "prompt.md") -> str:
    """The text as the editor leaves it. Raises ConfigError when it does not start, or fails."""
    import shlex
    import tempfile

    with tempfile.TemporaryDirectory(prefix="rein-") as folder:
        path = Path(folder) / name
        path.write_text(text, encoding="utf-8", errors="replace")
        try:
            process = await asyncio.create_subprocess_exec(*shlex.split(editor), str(path))
        except (OSError, ValueError) as error:
            raise ConfigError(f"cannot start the editor: {error}", where=editor, hint="set EDITOR") from error
        try:
            code = await process.wait()
        finally:
            if process.returncode is None:  # the program ends, and takes its terminal with it
                process.terminate()
        if code:
            how = f"failed with exit code {code}" if code > 0 else f"was ended by signal {-code}"
            raise ConfigError(f"the editor {how}", where=editor, hint="the text is as it was")
        return path.read_text(encoding="utf-8", errors="replace").rstrip("\n")


async def _history(app: "ReinApp", _: str) -> None:
    from rein_tui.widgets.picker import Item, Picker

    entries = list(dict.fromkeys(reversed(app.main.composer.history.entries)))
    items = [Item(text, " ".join(text.split())) for text in entries]
    chosen = await app.ask(Picker("Prompts sent before", items))
    if chosen is not None:
        app.main.composer.text = chosen
    app.main.composer.area.focus()


async def _paste(app: "ReinApp", _: str) -> None:
    for commands, take in ((_IMAGE_COMMANDS, _take_image), (_TEXT_COMMANDS, _take_text)):
        for command in commands:
            data = await _output(command)
            if data and take(app, data):
                return
    if app.clipboard:
        app.main.composer.insert(app.clipboard)


def _take_image(app: "ReinApp", data: bytes) -> bool:
    return app.main.composer.add_image(data, "clipboard.png")


def _take_text(app: "ReinApp", data: bytes) -> bool:
    app.main.composer.insert(data.decode(errors="replace"))
    return True


async def _output(command: tuple[str, ...]) -> bytes:
    program = shutil.which(command[0])
    if program is None:
        return b""
    process = await asyncio.create_subprocess_exec(
        program,
        *command[1:],
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        output, _ = await asyncio.wait_for(process.communicate(), timeout=2)
    except TimeoutError:
        process.kill()
        await process.wait()
        return b""
    return output if process.returncode == 0 else b""


async def _steer(app: "ReinApp", _: str) -> None:
    app.main.composer.area.action_steer()


COMMANDS = (
    Command("steer", "Say it to the running turn, after its current tool", _steer, key="f8", family="prompt"),
    Command("editor", "Write the prompt in your editor", _editor, family="prompt"),
    Command("history", "Search prompts sent before", _history, family="prompt"),
    Command("paste", "Paste an image or text from the clipboard", _paste, family="prompt", in_palette=False),
)
