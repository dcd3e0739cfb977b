"""A hook engine on a folder of its own, and a recorder of what it tells."""

import asyncio
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from rein_tui.harness.hooks.config import parse_hooks
from rein_tui.harness.hooks.context import HookContext
from rein_tui.harness.hooks.engine import Hooks
from rein_tui.harness.hooks.points import POINTS
from rein_tui.harness.places import Places
from rein_tui.harness.processes.process import child_environment
from rein_tui.harness.protocol.base import JsonObject
from rein_tui.harness.protocol.decisions import Layer, Source
from rein_tui.harness.protocol.events import Event, HookFired
from rein_tui.harness.protocol.hooks import HookCall, HookOutcome, HookPoint, HookRun, HookSpec


class Pipe:
    """A named pipe that a hook's script can wait for or write to, without anybody sleeping."""

    def __init__(self, path: Path) -> None:
        os.mkfifo(path)
        # Held open for both, so that neither side ever blocks in open().
        self._fd = os.open(path, os.O_RDWR | os.O_NONBLOCK)

    def say(self) -> None:
        """Let a script that reads a line from the pipe go on."""
        os.write(self._fd, b"go\n")

    async def hear(self) -> str:
        """The next line that a script writes."""
        loop, arrived = asyncio.get_running_loop(), asyncio.Event()
        loop.add_reader(self._fd, arrived.set)
        try:
            async with asyncio.timeout(20):
                await arrived.wait()
        finally:
            loop.remove_reader(self._fd)
        return os.read(self._fd, 4096).decode().strip()

    def close(self) -> None:
        """Let go of it."""
        os.close(self._fd)


@dataclass
class Bench:
    """Builds engines and fires moments at them, keeping every event."""

    folder: Path
    context: HookContext
    events: list[Event] = field(default_factory=list[Event])
    arrived: asyncio.Event = field(default_factory=asyncio.Event)
    pipes: list[Pipe] = field(default_factory=list[Pipe])

    def pipe(self, name: str) -> Pipe:
        """A named pipe in the project folder."""
        self.pipes.append(Pipe(self.folder / name))
        return self.pipes[-1]

    def specs(
        self, hooks: JsonObject, layer: Layer = "user", path: str = "settings.json", **kwargs: Any
    ) -> list[HookSpec]:
        """Parsed handlers; the configuration has to be sound."""
        specs, notices = parse_hooks(hooks, lambda _: Source(layer=layer, path=path, line=1), **kwargs)
        assert [n for n in notices if n.level == "error"] == []
        return specs

    def engine(self, *handlers: JsonObject, point: HookPoint = "PreToolUse", matcher: str = "") -> Hooks:
        """An engine with these handlers at one moment."""
        return Hooks(self.specs({point: [{"matcher": matcher, "hooks": list(handlers)}]}), self.context)

    async def emit(self, event: Event) -> None:
        """Keep the event."""
        self.events.append(event)
        self.arrived.set()

    async def fire(self, hooks: Hooks, point: HookPoint = "PreToolUse", **payload: Any) -> HookOutcome:
        """Fire one moment with an ordinary payload."""
        return await hooks.fire(call(point, **payload), self.emit)

    async def run(self, *handlers: JsonObject, point: HookPoint = "PreToolUse", **payload: Any) -> HookOutcome:
        """Configure these handlers and fire their moment once."""
        return await self.fire(self.engine(*handlers, point=point), point, **payload)

    async def until(self, holds: Callable[[], bool]) -> None:
        """Wait until the events satisfy a condition."""
        async with asyncio.timeout(20):
            while not holds():
                self.arrived.clear()
                await self.arrived.wait()

    @property
    def runs(self) -> list[HookRun]:
        """The runs told so far."""
        return [event.run for event in self.events if isinstance(event, HookFired)]


def call(point: HookPoint, **payload: Any) -> HookCall:
    """A moment with an ordinary payload."""
    own: JsonObject = {}
    if POINTS[point].is_tool:
        own = {"tool_name": "Bash", "tool_input": {"command": "ls"}, "tool_use_id": "toolu_1"}
    own |= payload
    subject = own.get(POINTS[point].subject, "") if POINTS[point].subject else ""
    return HookCall(point=point, payload=own, subject=subject, call_id=own.get("tool_use_id", ""))


def command(line: str, **fields: Any) -> JsonObject:
    """A command handler."""
    return {"type": "command", "command": line, **fields}


@pytest.fixture
def bench(tmp_path: Path, places: Places) -> Iterator[Bench]:
    """A bench in a project folder of its own."""
    project = tmp_path / "project"
    project.mkdir()
    context = HookContext(
        session_id="11111111-2222-3333-4444-555555555555",
        transcript_path=str(tmp_path / "transcript.jsonl"),
        project_dir=str(project),
        places=places,
        cwd=lambda: str(project),
        mode=lambda: "default",
        environment=child_environment,
        spill_folder=tmp_path / "spill",
        ambient={},
    )
    made = Bench(project, context)
    yield made
    for pipe in made.pipes:
        pipe.close()
