"""What hooks cost: ten matching `true` hooks against ten such processes side by side, and no hooks at all.

Run: `python -m bench.hooks [--json]`. Medians; the processes are started the way the standard library does, each
in a session of its own, as hooks have to be: on a busy Linux that alone costs much (every session is a scheduling
group, and the starter waits until the child has had its turn there; see
harness/processes/spawning.py), so the same without sessions is printed beside it.
"""

import argparse
import asyncio
import json
import statistics
import tempfile
import time
from collections.abc import Awaitable
from pathlib import Path

from rein_tui.harness.hooks.config import parse_hooks
from rein_tui.harness.hooks.context import HookContext
from rein_tui.harness.hooks.engine import Hooks
from rein_tui.harness.places import find_places
from rein_tui.harness.processes.process import child_environment
from rein_tui.harness.protocol.decisions import Source
from rein_tui.harness.protocol.events import Event
from rein_tui.harness.protocol.hooks import HookCall

HOOKS = 10
MAX_RATIO = 1.5
MAX_IDLE = 50e-6
"""Seconds that a moment without hooks may cost."""

CALL = HookCall(
    point="PreToolUse",
    payload={"tool_name": "Bash", "tool_input": {"command": "ls"}, "tool_use_id": "toolu_1"},
    subject="Bash",
    call_id="toolu_1",
)


async def emit(event: Event) -> None:
    """Nobody listens."""


def engine(folder: str, count: int) -> Hooks:
    """An engine with so many `true` hooks; each line differs, or they would run as one."""
    handlers = [{"type": "command", "command": f"true {index}"} for index in range(count)]
    data = {"PreToolUse": [{"matcher": "Bash", "hooks": handlers}]} if count else {}
    specs, _ = parse_hooks(data, lambda _: Source(layer="user", path="settings.json", line=1))
    context = HookContext(
        session_id="bench",
        transcript_path=f"{folder}/transcript.jsonl",
        project_dir=folder,
        places=find_places(),
        cwd=lambda: folder,
        mode=lambda: "default",
        environment=child_environment,
        spill_folder=Path(folder),
    )
    return Hooks(specs, context)


async def processes(folder: str, environment: dict[str, str], own_session: bool) -> None:
    """Ten shells side by side that get the same input, output collected."""

    async def one(index: int) -> None:
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(
            "sh",
            "-c",
            f"true {index}",
            stdin=pipe,
            stdout=pipe,
            stderr=pipe,
            cwd=folder,
            env=environment,
            start_new_session=own_session,
        )
        await process.communicate(b"{}\n")

    await asyncio.gather(*(one(index) for index in range(HOOKS)))


async def timed(work: Awaitable[object]) -> float:
    """Seconds that the work takes."""
    started = time.perf_counter()
    await work
    return time.perf_counter() - started


async def measure(rounds: int) -> dict[str, float]:
    """All figures, in seconds; the contestants take turns, so that all see the same weather."""
    with tempfile.TemporaryDirectory() as folder:
        hooks, idle, environment = engine(folder, HOOKS), engine(folder, 0), child_environment()
        rows: list[tuple[float, float, float]] = []
        await hooks.fire(CALL, emit)
        for _ in range(rounds):
            sessions = await timed(processes(folder, environment, own_session=True))
            plain = await timed(processes(folder, environment, own_session=False))
            rows.append((await timed(hooks.fire(CALL, emit)), sessions, plain))
        started = time.perf_counter()
        for _ in range(10_000):
            await idle.fire(CALL, emit)
        nothing = (time.perf_counter() - started) / 10_000
    ours, sessions, plain = (statistics.median(column) for column in zip(*rows, strict=True))
    return {
        "hooks": ours,
        "processes": sessions,
        "ratio": ours / sessions,
        "plain_processes": plain,
        "plain_ratio": ours / plain,
        "no_hooks": nothing,
    }


def main() -> int:
    """Print the figures; 1 when one of them is over its limit."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    found = asyncio.run(measure(args.rounds))
    if args.json:
        print(json.dumps(found))
    else:
        print(f"{HOOKS} hooks          {found['hooks'] * 1000:8.2f} ms")
        print(f"{HOOKS} processes      {found['processes'] * 1000:8.2f} ms")
        print(f"ratio             {found['ratio']:8.2f}    (limit {MAX_RATIO})")
        print(f"without sessions  {found['plain_ratio']:8.2f}")
        print(f"no hooks          {found['no_hooks'] * 1e6:8.2f} µs (limit {MAX_IDLE * 1e6:.0f})")
    return 0 if found["ratio"] <= MAX_RATIO and found["no_hooks"] <= MAX_IDLE else 1


if __name__ == "__main__":
    raise SystemExit(main())
