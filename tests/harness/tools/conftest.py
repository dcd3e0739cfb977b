"""A bench to try tools on: a workspace in tmp_path, recorded events, a person with prepared answers."""

import os
import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import pytest

from rein_tui.harness.protocol.decisions import (
    Mode,
    PermissionReply,
    PermissionRequest,
    QuestionReply,
    QuestionRequest,
)
from rein_tui.harness.protocol.events import Event
from rein_tui.harness.protocol.policy import TrustReply, TrustRequest
from rein_tui.harness.protocol.tools import Tool, ToolContext, ToolResult, Workspace
from rein_tui.harness.tools.background import Background
from rein_tui.harness.tools.bash import Shell
from rein_tui.harness.tools.builtin import ToolParts, builtin_tools
from rein_tui.harness.tools.toolbox import Toolbox

E = TypeVar("E")


class Person:
    """A prompter that answers every question with what was prepared."""

    def __init__(self) -> None:
        self.reply = QuestionReply(cancelled=True)
        self.asked: list[QuestionRequest] = []

    async def ask(self, request: PermissionRequest) -> PermissionReply:
        """Never asked here: the gate does that."""
        raise AssertionError(request)

    async def question(self, request: QuestionRequest) -> QuestionReply:
        """The prepared reply."""
        self.asked.append(request)
        return self.reply

    async def trust(self, request: TrustRequest) -> TrustReply:
        """Never asked here: building the house does that."""
        raise AssertionError(request)


class ModeBox:
    """A permission mode."""

    def __init__(self) -> None:
        self.mode: Mode = "acceptEdits"

    def set_mode(self, mode: Mode) -> None:
        """Change it."""
        self.mode = mode


@dataclass
class Bench:
    """Everything that a tool needs, and `call` to use it."""

    root: Path
    mark: str
    parts: ToolParts
    toolbox: Toolbox
    workspace: Workspace
    person: Person = field(default_factory=Person)
    events: list[Event] = field(default_factory=list[Event])

    async def emit(self, event: Event) -> None:
        """Record."""
        self.events.append(event)

    def context(self, interactive: bool = True) -> ToolContext:
        """A context of a call."""
        return ToolContext(
            call_id="call_1",
            workspace=self.workspace,
            emit=self.emit,
            prompter=self.person,
            interactive=interactive,
        )

    async def call(self, name: str, **raw: Any) -> ToolResult:
        """Normalise, parse and run, as the gate does."""
        tool = self.tool(name)
        return await tool.run(tool.parse(tool.normalize(raw, self.workspace)), self.context())

    def tool(self, name: str) -> Tool:
        """The tool of that name."""
        tool = self.toolbox.get(name)
        assert tool is not None
        return tool

    def told(self, kind: type[E]) -> list[E]:
        """Recorded events of one type."""
        return [event for event in self.events if isinstance(event, kind)]

    def leftovers(self) -> list[int]:
        """Processes that commands of this bench left behind."""
        return marked_processes(self.mark)


def marked_processes(mark: str) -> list[int]:
    """Processes that carry the mark in their environment."""
    found: list[int] = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                if mark.encode() in (entry / "environ").read_bytes():
                    found.append(int(entry.name))
            except OSError:
                continue
    return found


def text_of(result: ToolResult) -> str:
    """The content, which must be text."""
    assert isinstance(result.content, str)
    return result.content


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    """A bench; its background work ends with the test."""
    root = tmp_path / "project"
    root.mkdir()
    mark = f"bench-{secrets.token_hex(8)}"
    background = Background()
    shell = Shell(spool_folder=tmp_path / "spool", environment=lambda: {"BENCH": mark})
    parts = ToolParts(shell=shell, background=background, modes=ModeBox(), private_addresses=True)
    workspace = Workspace(root=root, cwd=root, home=tmp_path / "home")
    made = Bench(root, mark, parts, Toolbox(builtin_tools(parts)), workspace)
    background.emit = made.emit
    yield made
    await background.close()
    assert made.leftovers() == []
