"""How settings want `@` to find files: by a command of their own (`fileSuggestion`), with ignored ones or without."""

import json
import shutil
from collections.abc import Awaitable, Callable

from ..hooks.context import HookContext
from ..hooks.runners.command import inherited_environment, working_directory
from ..processes.process import OutputLimits, exit_reason, run_process
from ..protocol.events import Event, Notice
from ..settings.layers import Settings
from .status_line import HelperWish, helper_wish

TIMEOUT = 5.0
"""Seconds that the command may take."""
MOST = 15
"""Paths that it may give."""

_LIMITS = OutputLimits(head=64 * 1024, tail=0, spool=1024 * 1024)


class FileSuggestion:
    """Implements ports.FileFinder for a local session. `settings` gives those in force; a failure is told once."""

    def __init__(
        self, settings: Callable[[], Settings], hooks: HookContext, tell: Callable[[Event], Awaitable[None]]
    ) -> None:
        self._settings = settings
        self._hooks = hooks
        self._tell = tell
        self._told: set[str] = set()

    @property
    def hides_ignored(self) -> bool:
        """Whether files that .gitignore names stay out of the list."""
        return self._settings().get("respectGitignore", default=True) is not False

    async def suggest(self, query: str) -> tuple[str, ...] | None:
        """What the command of settings finds; None where there is none, or where it failed."""
        wish = helper_wish(self._settings(), "fileSuggestion")
        if wish is None:
            return None
        try:
            finished = await run_process(
                [shutil.which("sh") or "bash", "-c", wish.command],
                cwd=working_directory(self._hooks),
                env=inherited_environment(self._hooks) | {"CLAUDE_PROJECT_DIR": self._hooks.project_dir},
                stdin=json.dumps({"query": query}).encode(),
                timeout=TIMEOUT,
                limits=_LIMITS,
            )
        except (OSError, ValueError) as error:
            return await self._failed(wish, f"it cannot start: {error}")
        if finished.timed_out or finished.overflowed or finished.exit_code != 0:
            return await self._failed(wish, exit_reason(finished))
        lines = finished.stdout.decode(errors="replace").splitlines()
        return tuple(line for line in lines if line and line.isprintable())[:MOST]

    async def _failed(self, wish: HelperWish, reason: str) -> None:
        if reason not in self._told:
            self._told.add(reason)
            text = f"The command of fileSuggestion failed: {reason}. Files are searched as usual."
            await self._tell(Notice(level="warning", text=text, where=str(wish.source), code="file_suggestion"))
