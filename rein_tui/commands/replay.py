"""/replay: plays the session on the screen from its start, in a process of its own, while this one goes on."""

import asyncio
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from .registry import Command

if TYPE_CHECKING:
    from rein_tui.app import ReinApp


async def _replay(app: "ReinApp", argument: str) -> None:
    """Lend the terminal; `argument` is a speed."""
    import tempfile

    from rein_tui.harness.protocol.events import fact_encoder
    from rein_tui.lending import lend_terminal

    facts = app.desk.history()
    if not facts:
        app.hint("nothing to replay yet")
        return
    with tempfile.TemporaryDirectory(prefix="rein-") as folder:
        path = Path(folder) / "session.jsonl"
        path.write_bytes(fact_encoder.encode_lines(facts))
        speed = ["--speed", argument] if argument.replace(".", "", 1).isdecimal() else []
        hint = "rein-tui replay ID plays a stored session"
        await lend_terminal(app, partial(_play, path, speed), to="a replay", hint=hint)


async def _play(path: Path, speed: Sequence[str]) -> None:
    process = await asyncio.create_subprocess_exec(sys.executable, "-P", "-m", "rein_tui", "replay", str(path), *speed)
    await process.wait()


COMMANDS = (Command("replay", "Play this session from its start; nothing runs", _replay, argument="[speed]"),)
