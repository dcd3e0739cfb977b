"""What a session is asked for and given when it is put together: values only."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeAlias

from ..context.git import branch_of
from ..permissions.audit import Told
from ..places import Places
from ..plugins.extensions import Extensions
from ..protocol.decisions import Mode
from ..protocol.engines import Journal
from ..protocol.events import Fact, Notice, SessionStarted
from ..protocol.ports import Prompter
from ..protocol.workbench import ModelChoice
from ..settings.locations import SourceName

StartSource: TypeAlias = Literal["startup", "resume", "clear", "fork"]
"""How a session comes to be opened."""


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the person asked for on the command line, as far as it concerns a session."""

    root: Path
    additional: tuple[Path, ...] = ()
    settings: str = ""
    sources: tuple[SourceName, ...] | None = None
    mode: Mode | None = None
    allow: tuple[str, ...] = ()
    deny: tuple[str, ...] = ()
    system_prompt: str | None = None
    appended: str = ""
    max_steps: int = 0
    effort: str = ""
    interactive: bool = True
    trust: bool = False
    persist: bool = True
    session_id: str = ""
    name: str = ""
    version: str = ""
    plugin_dirs: tuple[Path, ...] = ()
    mcp_config: tuple[str, ...] = ()
    strict_mcp: bool = False
    setup: Literal["", "init", "maintenance"] = ""


@dataclass(slots=True)
class Opening:
    """What a session is opened with: its journal, its past, and how it begins. Assembling it sets what is `brought`.

    `model_is_open`: nobody chose the model, so that an agent that leads the session may.
    """

    journal: Journal
    started: SessionStarted
    past: Sequence[Fact] = ()
    notices: list[Notice] = field(default_factory=list[Notice])
    brought: Extensions | None = None
    model_is_open: bool = False


@dataclass(frozen=True, slots=True)
class Ground:
    """What all sessions of one program share. `grants` tells what all stored sessions know of grants.

    `is_trusted` looks anew whether the folder is trusted as it is now, `was_refused` whether a person would not trust
    it. `redact` takes our keys out of what is written.
    """

    places: Places
    environment: Mapping[str, str]
    wishes: Wishes
    prompter: Prompter
    grants: Callable[[], Iterable[Told]] = tuple
    is_trusted: Callable[[], bool] = bool
    redact: Callable[[bytes], bytes] = bytes
    was_refused: Callable[[], bool] = bool


def started(
    journal: Journal,
    wishes: Wishes,
    choice: ModelChoice,
    source: StartSource = "startup",
) -> SessionStarted:
    """The first fact of a session."""
    return SessionStarted(
        session_id=journal.session_id,
        cwd=str(wishes.root),
        source=source,
        model=choice.model,
        provider=choice.kind,
        mode=wishes.mode or "default",
        version=wishes.version,
        branch=branch_of(wishes.root),
    )
