"""What hooks need of the session around them: a bundle of values and ports, built once."""

import os
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from rein_tui.harness.places import Places
from rein_tui.harness.protocol.base import JsonObject
from rein_tui.harness.protocol.decisions import Mode
from rein_tui.harness.protocol.ports import Emit

from .condition import MatchesRule

AskModel: TypeAlias = Callable[[str, str, JsonObject], Awaitable[JsonObject]]
"""Prompt, model (empty: the small one), schema → one object of that schema. Raises ReinError, ValueError."""

CallMcp: TypeAlias = Callable[[str, str, JsonObject], Awaitable[tuple[str, bool]]]
"""Server, tool, input → its text, and whether it is an error. Raises ReinError when it is not connected."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HookSwitches:
    """What settings say about hooks as a whole.

    `disable_all` turns off all but managed hooks, `disable_managed` those too. `managed_only` leaves managed hooks
    and those of `managed_plugins` (plugin ids that policy enables). The two allow-lists are None when unset.
    """

    disable_all: bool = False
    disable_managed: bool = False
    managed_only: bool = False
    managed_plugins: frozenset[str] = frozenset()
    allowed_http_urls: tuple[str, ...] | None = None
    http_env_vars: tuple[str, ...] | None = None


def _nothing() -> str:
    return ""


def _no_file(_agent_id: str) -> str:
    return ""


@dataclass(slots=True, kw_only=True)
class HookContext:
    """The session as hooks see it.

    `environment` gives what children inherit (scrubbed, with the settings' `env`); `ambient` is our own, for
    header variables that a hook names. Ports that are None are not available here. `deliver` takes text for the
    model's next request, `wake` text that should start one; `tell` stores facts of hooks that end in the
    background, after the moment that started them. `agent_transcript` names the transcript of a subagent,
    `background_tasks` lists what runs in the background.
    """

    session_id: str
    transcript_path: str
    project_dir: str
    places: Places
    cwd: Callable[[], str]
    mode: Callable[[], Mode]
    environment: Callable[[], dict[str, str]]
    spill_folder: Path
    env_file: Path | None = None
    ask_model: AskModel | None = None
    run_agent: AskModel | None = None
    call_mcp: CallMcp | None = None
    matches_rule: MatchesRule | None = None
    deliver: Callable[[str], None] | None = None
    wake: Callable[[str], None] | None = None
    tell: Emit | None = None
    prompt_id: Callable[[], str] = _nothing
    agent_transcript: Callable[[str], str] = _no_file
    background_tasks: Callable[[], list[JsonObject]] = list[JsonObject]
    effort: Callable[[], str] = _nothing
    switches: HookSwitches = field(default_factory=HookSwitches)
    ambient: Mapping[str, str] = field(default_factory=lambda: os.environ)
