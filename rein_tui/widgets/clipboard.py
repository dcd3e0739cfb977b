"""Copying: to the system's clipboard where there is one, and to the terminal's through OSC 52.

Over ssh the system's clipboard is the wrong machine's, so only the terminal is asked. Inside tmux, tmux is asked: as
it is set up by default it takes no such sequence from a program, but it hands on what `tmux load-buffer -w` is given.
"""

import asyncio
import base64
import os
import shutil
from collections.abc import Mapping
from typing import TypeAlias

MAX_OSC52 = 75_000
"""Bytes of text that terminals commonly take; longer copies go to the system's clipboard alone."""

_Program: TypeAlias = tuple[tuple[str, ...], str]
"""A command, and the variable without which it means nothing here."""

_TMUX: _Program = (("tmux", "load-buffer", "-w", "-"), "TMUX")
_PROGRAMS: tuple[_Program, ...] = (
    (("wl-copy",), "WAYLAND_DISPLAY"),
    (("xclip", "-selection", "clipboard"), "DISPLAY"),
    (("xsel", "--clipboard", "--input"), "DISPLAY"),
    (("pbcopy",), ""),
    (("clip.exe",), ""),
)


def osc52(text: str, environment: Mapping[str, str] | None = None) -> str:
    """The escape sequence that puts `text` on the terminal's clipboard; empty when it is too long."""
    data = text.encode(errors="replace")
    if len(data) > MAX_OSC52:
        return ""
    return past_tmux(f"\x1b]52;c;{base64.b64encode(data).decode()}\x07", environment)


def past_tmux(sequence: str, environment: Mapping[str, str] | None = None) -> str:
    """The sequence, twice inside tmux: plain, for a tmux that takes it, and wrapped, for one that lets it through.

    The first is up to `set-clipboard on`, say, the second to `allow-passthrough on`.
    """
    if (os.environ if environment is None else environment).get("TMUX"):
        return f"{sequence}\x1bPtmux;{sequence.replace(chr(27), chr(27) * 2)}\x1b\\"
    return sequence


def clipboard_programs(environment: Mapping[str, str] | None = None) -> list[tuple[str, ...]]:
    """The commands that take text on stdin for this person's clipboards: tmux's, and this machine's unless remote."""
    environment = os.environ if environment is None else environment
    path = environment.get("PATH")
    programs = [_TMUX] if _is_there(_TMUX, environment) else []
    if not (environment.get("SSH_CONNECTION") or environment.get("SSH_TTY")):
        programs += [program for program in _PROGRAMS if _is_there(program, environment)][:1]
    return [(shutil.which(name, path=path) or name, *arguments) for (name, *arguments), _ in programs]


def _is_there(program: _Program, environment: Mapping[str, str]) -> bool:
    command, variable = program
    is_meant = not variable or bool(environment.get(variable))
    return is_meant and shutil.which(command[0], path=environment.get("PATH")) is not None


async def copy_to_system(text: str, environment: Mapping[str, str] | None = None, patience: float = 2.0) -> bool:
    """Hand `text` to every clipboard program that fits; whether one took it."""
    data = text.encode(errors="replace")
    return any([await _give(command, data, patience) for command in clipboard_programs(environment)])


async def _give(command: tuple[str, ...], data: bytes, patience: float) -> bool:
    null = asyncio.subprocess.DEVNULL
    try:
        child = await asyncio.create_subprocess_exec(
            *command, stdin=asyncio.subprocess.PIPE, stdout=null, stderr=null, start_new_session=True
        )
    except OSError:
        return False
    try:
        async with asyncio.timeout(patience):
            await child.communicate(data)
    except TimeoutError:
        child.kill()
        await child.wait()
        return False
    return child.returncode == 0
