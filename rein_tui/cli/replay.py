"""`rein-tui replay ID|FILE`: finds the recording, then plays it."""

import argparse
import sys
from pathlib import Path

from ..harness.places import Places
from ..harness.protocol.errors import StartError, StoreError
from ..harness.protocol.events import Fact, SessionStarted
from ..harness.protocol.ports import SessionInfo
from .numbers import number
from .options import Subparsers

_SPEED = number(float, 0.01, 1000, "a number from 0.01 to 1000")


def add_replay_parser(subparsers: Subparsers) -> None:
    """Add `replay` to the command line."""
    parser = subparsers.add_parser("replay", help="play a recorded session through the screen; nothing runs")
    parser.add_argument(
        "recording",
        metavar="ID|FILE",
        help="a stored session (id, beginning of an id, title), a report's zip, a file of facts "
        "(sessions export --format jsonl), or a transcript of Claude Code",
    )
    parser.add_argument(
        "--speed",
        type=_SPEED,
        default=1.0,
        metavar="N",
        help="how fast (default 1)",
    )
    parser.add_argument("--paused", action="store_true", help="wait at the start")


async def run_replay(args: argparse.Namespace, places: Places) -> int:
    """Play until the person leaves. Raises StoreError (no such recording) and StartError (no terminal)."""
    if not sys.stdin.isatty() or not sys.stdout.isatty():
        raise StartError("A replay needs a terminal.", hint="`rein-tui sessions show ID` prints a session as text.")
    info, facts = read_recording(args.recording, places)

    from ..replay.app import ReplayApp
    from ..replay.recording import ReplayHarness
    from ..replay.tape import Tape

    harness = ReplayHarness(Tape(facts), info, speed=args.speed, is_playing=not args.paused)
    await ReplayApp(harness, places=places).run_async()
    return 0


def read_recording(name: str, places: Places) -> tuple[SessionInfo, tuple[Fact, ...]]:
    """A stored session or a file, whichever `name` is. Changes nothing. Raises StoreError."""
    path = Path(name).expanduser()
    if path.is_file():
        return _read_file(path)
    from ..harness.store.store import Store

    store = Store.open(places)
    try:
        info = store.resolve(name)
        return info, tuple(fact for _, fact in store.read(info.id))
    finally:
        store.close()


def _read_file(path: Path) -> tuple[SessionInfo, tuple[Fact, ...]]:
    from ..harness.store.bundle import read_bundle
    from ..harness.store.claude_import import read_transcript
    from ..harness.store.summary import SessionSummary

    try:
        facts = tuple(read_bundle(path))
    except StoreError:
        imported = read_transcript(path)
        return imported.info, imported.facts
    summary = SessionSummary(id=next((f.session_id for f in facts if isinstance(f, SessionStarted)), path.stem))
    summary.apply_all(facts)
    return summary.info, facts
