"""What the terminal can do: by asking it where that is possible, else by what its environment says."""

import os
import re
import select
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass

from .finding import Finding, note, ok

PATIENCE = 0.5
"""Seconds that a terminal is given to answer."""
SMALLEST = (60, 20)

_QUESTIONS = b"\x1b[?u\x1b[?1006$p\x1b[?2004$p\x1b[?2026$p\x1b[c"
"""Kitty keys, SGR mouse, bracketed paste, synchronised output; last what every terminal answers."""
_LAST_ANSWER = re.compile(rb"\x1b\[\?[\d;]*c")


@dataclass(frozen=True, slots=True)
class Terminal:
    """What is known of a terminal; None where it could not be asked. `size` is columns and rows."""

    is_terminal: bool = True
    size: tuple[int, int] | None = None
    kitty_keys: bool | None = None
    mouse: bool | None = None
    paste: bool | None = None
    synchronised: bool | None = None


def ask_terminal() -> Terminal:
    """Ask the terminal of this process. Never while something else reads its keys."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        return Terminal(is_terminal=False)
    size = shutil.get_terminal_size()
    answer = _exchange()
    if not answer:
        return Terminal(size=(size.columns, size.lines))
    return Terminal(
        size=(size.columns, size.lines),
        kitty_keys=re.search(rb"\x1b\[\?\d+u", answer) is not None,
        mouse=_has_mode(answer, 1006),
        paste=_has_mode(answer, 2004),
        synchronised=_has_mode(answer, 2026),
    )


def _has_mode(answer: bytes, mode: int) -> bool | None:
    """DECRQM: 1 and 2 mean that the mode exists (set, reset), 3 that it is always on; no answer tells nothing."""
    found = re.search(rb"\x1b\[\?%d;(\d)\$y" % mode, answer)
    return found[1] in (b"1", b"2", b"3") if found else None


def _exchange() -> bytes:
    """Send the questions and read until the last answer; empty where that cannot be."""
    try:
        import termios
        import tty
    except ImportError:  # Windows
        return b""
    file = sys.stdin.fileno()
    before = termios.tcgetattr(file)
    answer = b""
    try:
        tty.setcbreak(file)
        os.write(sys.stdout.fileno(), _QUESTIONS)
        until = time.monotonic() + PATIENCE
        while not _LAST_ANSWER.search(answer):
            ready, _, _ = select.select([file], [], [], max(0.0, until - time.monotonic()))
            if not ready:
                break
            answer += os.read(file, 1024)
    finally:
        termios.tcsetattr(file, termios.TCSAFLUSH, before)
    return answer


def check_terminal(terminal: Terminal, environment: Mapping[str, str]) -> Iterator[Finding]:
    """What this terminal lacks, and how to get it."""
    if not terminal.is_terminal:
        yield note("terminal", "this is no terminal", "run it in the terminal that you use, to have it checked too")
        return
    program = environment.get("TERM_PROGRAM") or environment.get("TERM") or "unknown"
    if terminal.size is not None:
        columns, rows = terminal.size
        text = f"{program}, {columns} × {rows}"
        if columns < SMALLEST[0] or rows < SMALLEST[1]:
            yield note("terminal", text, f"the screen needs {SMALLEST[0]} × {SMALLEST[1]}; make it larger")
        else:
            yield ok("terminal", text)
    yield from _colours(environment)
    yield from _encoding(environment)
    yield from _abilities(terminal)
    if environment.get("TMUX"):
        yield from _tmux()
    if environment.get("SSH_CONNECTION"):
        yield note("ssh", "over ssh, copied text travels by OSC 52", "allow it in your terminal's settings")


def _colours(environment: Mapping[str, str]) -> Iterator[Finding]:
    term = environment.get("TERM", "")
    if environment.get("NO_COLOR"):
        yield note("colours", "NO_COLOR is set: there are none", "unset it to have colours")
    elif environment.get("COLORTERM", "").lower() in ("truecolor", "24bit") or "direct" in term:
        yield ok("colours", "true colour")
    elif "256color" in term or "kitty" in term:
        yield note("colours", "256 colours", "export COLORTERM=truecolor if the terminal has them all")
    else:
        yield note("colours", f"few colours (TERM={term})", "export TERM=xterm-256color COLORTERM=truecolor")


def _encoding(environment: Mapping[str, str]) -> Iterator[Finding]:
    name = next((environment[key] for key in ("LC_ALL", "LC_CTYPE", "LANG") if environment.get(key)), "")
    if sys.platform != "win32" and "utf" not in name.lower():
        yield note("encoding", f"the locale is not UTF-8 ({name or 'none set'})", "export LANG=C.UTF-8")


def _abilities(terminal: Terminal) -> Iterator[Finding]:
    if terminal.kitty_keys is not None:
        yield (
            ok("keys", "the kitty keyboard protocol: every key arrives")
            if terminal.kitty_keys
            else note(
                "keys",
                "no kitty keyboard protocol: shift+enter and ctrl+enter look like enter",
                "use ctrl+j for a new line, F8 to steer; kitty, WezTerm, Ghostty, foot and iTerm2 know the protocol",
            )
        )
    if terminal.mouse is False:
        yield note("mouse", "no SGR mouse", "everything has a key: F1 lists them")
    if terminal.paste is False:
        yield note("paste", "no bracketed paste: a pasted line end sends the prompt", "paste into /editor instead")
    if terminal.synchronised is False:
        yield note("drawing", "no synchronised output: fast text may flicker", "a newer terminal has it")


def _tmux(ask: "Callable[[str], str] | None" = None) -> Iterator[Finding]:
    ask = ask or _tmux_option
    wanted = {
        "focus-events": ("on", "notifications know whether you look"),
        "set-clipboard": ("on", "copied text reaches your clipboard"),
        "allow-passthrough": ("on", "notifications reach your terminal"),
    }
    found = {name: ask(name) for name in wanted}
    missing = [name for name, (value, _) in wanted.items() if found[name] not in (value, "external", "all", "")]
    if missing:
        reasons = "; ".join(wanted[name][1] for name in missing)
        todo = " and ".join(f"`set -g {name} {wanted[name][0]}`" for name in missing)
        yield note("tmux", f"{', '.join(missing)} off", f"put {todo} into ~/.tmux.conf: {reasons}")
    else:
        yield ok("tmux", "as it should be")


def _tmux_option(name: str) -> str:
    with suppress(OSError, subprocess.TimeoutExpired):
        done = subprocess.run(
            ["tmux", "show-options", "-Agv", name], capture_output=True, text=True, timeout=2, check=False
        )
        return done.stdout.strip()
    return ""
