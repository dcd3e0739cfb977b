"""Which clipboards a copy goes to, and as what."""

import base64
from pathlib import Path

from rein_tui.widgets.clipboard import clipboard_programs, copy_to_system, osc52


def program(folder: Path, name: str) -> Path:
    """A program that keeps what it is given in a file beside it."""
    path = folder / name
    path.write_text(f'#!/bin/sh\n/bin/cat > "{folder}/{name}.got"\n')
    path.chmod(0o755)
    return folder / f"{name}.got"


def names(commands: list[tuple[str, ...]]) -> list[str]:
    """The programs, without where they are."""
    return [Path(command[0]).name for command in commands]


def test_inside_tmux_the_sequence_comes_plain_and_wrapped():
    plain = osc52("hi", {})
    assert plain == f"\x1b]52;c;{base64.b64encode(b'hi').decode()}\x07"
    doubled = plain.replace("\x1b", "\x1b\x1b")
    assert osc52("hi", {"TMUX": "/tmp/t,1,0"}) == f"{plain}\x1bPtmux;{doubled}\x1b\\"


def test_over_ssh_the_machine_at_the_other_end_is_left_alone(tmp_path: Path):
    program(tmp_path, "xclip")
    program(tmp_path, "tmux")
    local = {"PATH": str(tmp_path), "DISPLAY": ":0"}
    assert names(clipboard_programs(local)) == ["xclip"]
    assert names(clipboard_programs({**local, "SSH_TTY": "/dev/pts/1"})) == []
    assert names(clipboard_programs({**local, "SSH_TTY": "x", "TMUX": "y"})) == ["tmux"]


async def test_every_clipboard_that_fits_gets_the_text(tmp_path: Path):
    told = [program(tmp_path, "xclip"), program(tmp_path, "tmux")]
    assert await copy_to_system("größer", {"PATH": str(tmp_path), "DISPLAY": ":0", "TMUX": "y"})
    assert [path.read_text(encoding="utf-8") for path in told] == ["größer", "größer"]
    assert not await copy_to_system("x", {"PATH": str(tmp_path)})
