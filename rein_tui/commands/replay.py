"""/replay: plays the session on the screen from its start, in a process of its own, while this one goes on."""

import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from .registry import Command

if TYPE_CHECKING:
    from rein_tui.app import ReinApp


async def _replay(app: "ReinApp", argument: str) -> None:
    """Lend the terminal; `argument` is a speed."""
    import tempfile

    from textual.app import SuspendNotSupported

    from rein_tui.harness.protocol.errors import ConfigError
    from rein_tui.harness.protocol.events import fact_encoder

    facts = app.desk.history()
    if not facts:
        app.hint("nothing to replay yet")
        return
    with tempfile.TemporaryDirectory(prefix="rein-") as folder:
        path = Path(folder) / "session.jsonl"
        path.write_bytes(fact_encoder.encode_lines(facts))
        speed = ["--speed", argument] if argument.replace(".", "", 1).isdecimal() else []
        try:
            with app.batch_update(), app.suspend():
                process = await asyncio.create_subprocess_exec(
                    sys.executable, "-P", "-m", "rein_tui", "replay", str(path), *speed
                )
                await process.wait()
        except SuspendNotSupported as error:
            hint = "rein-tui replay ID plays a stored session"
            raise ConfigError("this terminal cannot be lent to a replay", hint=hint) from error
    app.refresh()


COMMANDS = (Command("replay", "Play this session from its start; nothing runs", _replay, argument="[speed]"),)
