"""Copying: to the system's clipboard where there is one, and to the terminal's through OSC 52.

Over ssh the system's clipboard is the wrong machine's, so only the terminal is asked; inside tmux the sequence is
wrapped so that tmux passes it on.
"""

import asyncio
import base64
import os
import shutil
from collections.abc import Mapping

MAX_OSC52 = 75_000
"""Bytes of text that terminals commonly take; longer copies go to the system's clipboard alone."""

_PROGRAMS = (
    ("wl-copy", ("wl-copy",), "WAYLAND_DISPLAY"),
    ("xclip", ("xclip", "-selection", "clipboard"), "DISPLAY"),
    ("xsel", ("xsel", "--clipboard", "--input"), "DISPLAY"),
    ("pbcopy", ("pbcopy",), ""),
    ("clip.exe", ("clip.exe",), ""),
)


def osc52(text: str, environment: Mapping[str, str] | None = None) -> str:
    """The escape sequence that puts `text` on the terminal's clipboard; empty when it is too long."""
    data = text.encode(errors="replace")
    if len(data) > MAX_OSC52:
        return ""
    sequence = f"\x1b]52;c;{base64.b64encode(data).decode()}\x07"
    if (os.environ if environment is None else environment).get("TMUX"):
        return f"\x1bPtmux;{sequence.replace(chr(27), chr(27) * 2)}\x1b\\"
    return sequence


def clipboard_program(environment: Mapping[str, str] | None = None) -> tuple[str, ...]:
    """The command that takes text on stdin for this machine's clipboard; empty when there is none or we are remote."""
    environment = os.environ if environment is None else environment
    if environment.get("SSH_CONNECTION") or environment.get("SSH_TTY"):
        return ()
    for name, command, variable in _PROGRAMS:
        if (not variable or environment.get(variable)) and shutil.which(name, path=environment.get("PATH")):
            return command
    return ()


async def copy_to_system(text: str, environment: Mapping[str, str] | None = None, patience: float = 2.0) -> bool:
    """Hand `text` to the system's clipboard program; whether that worked."""
    command = clipboard_program(environment)
    if not command:
        return False
    null = asyncio.subprocess.DEVNULL
    try:
        child = await asyncio.create_subprocess_exec(
            *command, stdin=asyncio.subprocess.PIPE, stdout=null, stderr=null, start_new_session=True
        )
    except OSError:
        return False
    try:
        async with asyncio.timeout(patience):
            await child.communicate(text.encode(errors="replace"))
    except TimeoutError:
        child.kill()
        await child.wait()
        return False
    return child.returncode == 0
