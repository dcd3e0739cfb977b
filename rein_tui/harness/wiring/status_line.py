"""The person's own status line: a command of the settings that reads the session as JSON and prints what to show."""

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from ..hooks.context import HookContext
from ..hooks.payload import encode_payload
from ..hooks.runners.command import inherited_environment, working_directory
from ..processes.process import OutputLimits, exit_reason, run_process
from ..protocol.base import JsonObject
from ..protocol.decisions import Source
from ..protocol.errors import ConfigError
from ..protocol.events import Compacted, Fact, FileChanged, MessageFinished, SideAnswered
from ..protocol.messages import Usage
from ..protocol.ports import SessionInfo, StatusLineWish
from ..protocol.tools import Workspace
from ..settings.layers import Settings
from ..settings.shapes import is_object

TIMEOUT = 5.0
"""Seconds that the command may take."""

_LIMITS = OutputLimits(head=16 * 1024, tail=0, spool=1024 * 1024)
_LARGE = 200_000


@dataclass(frozen=True, slots=True)
class HelperWish:
    """A command of the settings that helps the screen: what it is, where it is written, its whole entry."""

    command: str
    source: Source
    entry: JsonObject


def helper_wish(settings: Settings, name: Literal["statusLine", "fileSuggestion"]) -> HelperWish | None:
    """The command that the settings in force ask for; None when it is none, or when the administrator forbids it.

    A project's wish counts in a trusted folder only: until then it is not among the settings.
    """
    only_managed = settings.get("disableAllHooks") or settings.get("allowManagedHooksOnly")
    layers = settings.layers_of("managed") if only_managed else settings.layers
    layer = next((layer for layer in layers if layer.data.get(name) is not None), None)
    if layer is None or layer.suspended or settings.managed("disableAllHooks"):
        return None
    value = layer.data[name]
    command = value.get("command") if is_object(value) and value.get("type", "command") == "command" else None
    if not isinstance(command, str) or not command.strip():
        return None
    return HelperWish(command, layer.source(name), value)


def status_line_wish(settings: Settings) -> StatusLineWish | None:
    """The status line that the settings in force ask for."""
    wish = helper_wish(settings, "statusLine")
    if wish is None:
        return None
    every = _number(wish.entry.get("refreshInterval"))
    return StatusLineWish(
        command=wish.command,
        source=wish.source,
        padding=min(8, int(_number(wish.entry.get("padding")))),
        every=max(1.0, every) if every else 0.0,
    )


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 86400:
        return 0.0
    return float(value)


@dataclass(slots=True)
class _Story:
    """What the facts so far say, fact by fact; `last` is the usage of the last request of the conversation."""

    read: int = 0
    started: float = 0.0
    latest: float = 0.0
    total: Usage = field(default_factory=Usage)
    last: Usage | None = None
    api_seconds: float = 0.0
    added: int = 0
    removed: int = 0

    def catch_up(self, facts: Sequence[Fact]) -> None:
        """Fold the facts that came since."""
        for fact in facts[self.read :]:
            self.started = self.started or fact.time
            self.latest = max(self.latest, fact.time)
            match fact:
                case MessageFinished():
                    self.total = self.total + fact.usage
                    self.api_seconds += fact.duration
                    self.last = self.last if fact.parent else fact.usage
                case SideAnswered():
                    self.total = self.total + fact.usage
                case Compacted():
                    self.last = None
                case FileChanged():
                    self.added += fact.added
                    self.removed += fact.removed
                case _:
                    pass
        self.read = len(facts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What a status line needs of its session; `window` is 0 while the model's is not known."""

    info: Callable[[], SessionInfo]
    history: Callable[[], Sequence[Fact]]
    model: Callable[[], str]
    thinks: Callable[[], bool]
    window: Callable[[], int]
    style: Callable[[], str]
    workspace: Workspace
    hooks: HookContext
    version: str


class StatusCommand:
    """Implements ports.StatusLine for a local session. `settings` gives those in force; `timeout` is in seconds."""

    def __init__(self, settings: Callable[[], Settings], seen: Seen, *, timeout: float = TIMEOUT) -> None:
        self._settings = settings
        self.timeout = timeout
        self._seen = seen
        self._story = _Story()

    @property
    def wish(self) -> StatusLineWish | None:
        """What the settings in force ask for."""
        return status_line_wish(self._settings())

    async def read(self, columns: int, lines: int) -> str:
        """What the command prints; empty when none is set. Raises ConfigError when it fails."""
        wish, hooks = self.wish, self._seen.hooks
        if wish is None:
            return ""
        environment = inherited_environment(hooks) | {
            "CLAUDE_PROJECT_DIR": hooks.project_dir,
            "CLAUDECODE": "1",
            "COLUMNS": str(columns),
            "LINES": str(lines),
        }
        try:
            finished = await run_process(
                [shutil.which("sh") or "bash", "-c", wish.command],
                cwd=working_directory(hooks),
                env=environment,
                stdin=encode_payload(self.payload()),
                timeout=self.timeout,
                limits=_LIMITS,
            )
        except (OSError, ValueError) as error:
            raise ConfigError(f"the status line cannot start: {error}", where=str(wish.source)) from error
        if finished.timed_out or finished.overflowed or finished.exit_code != 0:
            said = finished.stderr.decode(errors="replace").strip().splitlines()
            reason = exit_reason(finished) + (f": {said[-1][:200]}" if said else "")
            raise ConfigError(f"the status line failed: {reason}", where=str(wish.source), hint="/statusline")
        return finished.stdout.decode(errors="replace")

    def payload(self) -> JsonObject:
        """What the command reads on standard input."""
        seen, story, hooks = self._seen, self._story, self._seen.hooks
        story.catch_up(seen.history())
        info, model, space = seen.info(), seen.model(), seen.workspace
        payload: JsonObject = {"session_id": info.id, "transcript_path": hooks.transcript_path, "cwd": hooks.cwd()}
        payload |= {"session_name": info.title} if info.title else {}
        payload |= {"prompt_id": hooks.prompt_id()} if hooks.prompt_id() else {}
        payload |= {"effort": {"level": hooks.effort()}} if hooks.effort() else {}
        return payload | {
            "version": seen.version,
            "model": {"id": model, "display_name": model},
            "workspace": {
                "current_dir": hooks.cwd(),
                "project_dir": hooks.project_dir,
                "added_dirs": [str(path) for path in space.additional],
            },
            "output_style": {"name": seen.style()},
            "permission_mode": hooks.mode(),
            "thinking": {"enabled": seen.thinks()},
            "cost": {
                "total_cost_usd": story.total.cost_usd or 0,
                "total_duration_ms": round(1000 * max(0.0, story.latest - story.started)),
                "total_api_duration_ms": round(1000 * story.api_seconds),
                "total_lines_added": story.added,
                "total_lines_removed": story.removed,
            },
            "context_window": _window(story, seen.window()),
            "exceeds_200k_tokens": story.last is not None and story.last.context_tokens > _LARGE,
        }


def _window(story: _Story, size: int) -> JsonObject:
    last, total = story.last, story.total
    used = 0 if last is None else last.context_tokens - last.output_tokens
    share = min(100, round(100 * used / size)) if size and last is not None else None
    return {
        "total_input_tokens": total.input_tokens + total.cache_read_tokens + total.cache_write_tokens,
        "total_output_tokens": total.output_tokens,
        "context_window_size": size,
        "used_percentage": share,
        "remaining_percentage": None if share is None else 100 - share,
        "current_usage": None
        if last is None
        else {
            "input_tokens": last.input_tokens,
            "output_tokens": last.output_tokens,
            "cache_creation_input_tokens": last.cache_write_tokens,
            "cache_read_input_tokens": last.cache_read_tokens,
        },
    }
