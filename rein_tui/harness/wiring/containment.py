"""The sandbox of one session, as settings want it now: each command is started in the one that holds at its start."""

import errno
from collections.abc import Callable, Sequence

from ..permissions.sandbox import Bounds, Sandbox, SandboxUnavailable, bounds_of, excluded_commands, sandbox_wrap
from ..permissions.sandbox_guard import protected_entries, put_aside
from ..permissions.shell.excluded import is_excluded
from ..places import Places
from ..protocol.errors import StartError
from ..protocol.events import Notice
from ..protocol.tools import Workspace
from ..settings.layers import Settings


class Containment:
    """Implements bash.Wrap. `use` takes over settings; folders and files are looked at anew for each command."""

    def __init__(self, settings: Settings, workspace: Workspace, places: Places) -> None:
        self._settings = settings
        self._workspace = workspace
        self._places = places
        self._found = self._find()

    def require(self) -> None:
        """Raises StartError where settings want a sandbox more than a session, and there is none."""
        if isinstance(self._found, SandboxUnavailable) and self._found.must_stop:
            hint = "Install bubblewrap, or take failIfUnavailable out of the settings."
            raise StartError(f"There is no sandbox: {self._found.reason}", where="sandbox.failIfUnavailable", hint=hint)

    def _find(self) -> Sandbox | SandboxUnavailable | None:
        return sandbox_wrap(self._settings, self._workspace, self._places)

    def use(self, settings: Settings) -> Notice | None:
        """Commands start in the sandbox that these settings want from now on; what changed for the person."""
        before = self.notice()
        self._settings = settings
        self._found = self._find()
        after = self.notice()
        if before == after:
            return None
        return after or Notice(level="warning", text="Commands run without a sandbox from now on.", code="sandbox")

    def notice(self) -> Notice | None:
        """What the person should know of the sandbox; None where settings want none."""
        found = self._found
        if isinstance(found, SandboxUnavailable):
            text = f"Commands run without the sandbox that settings want: {found.reason}"
            if found.must_stop:
                text = f"No command runs, because there is no sandbox: {found.reason}"
            return Notice(level="warning", text=text, code="sandbox")
        if found is None:
            return None
        limits = "; ".join(found.limits)
        text = f"Commands run in a sandbox ({found.kind})." + (f" Its limits: {limits}" if limits else "")
        return Notice(text=text, code="sandbox")

    def __call__(self, argv: list[str], temporary: str = "", readable: Sequence[str] = (), /) -> list[str]:
        """The argument list that starts `argv` as settings want it. Raises OSError where they want it not at all."""
        found = self._found
        if isinstance(found, SandboxUnavailable) and found.must_stop:
            raise OSError(errno.EPERM, f"there is no sandbox, and settings want one ({found.reason})")
        found = self._find() if isinstance(found, Sandbox) else None
        return found(argv, temporary, readable) if isinstance(found, Sandbox) else argv

    def is_outside(self, command: str) -> bool:
        """Whether settings keep this line out of the sandbox."""
        patterns = excluded_commands(self._settings)
        here = self._workspace
        return bool(patterns) and is_excluded(command, patterns, home=str(here.home), cwd=str(here.cwd))

    def contains(self, command: str) -> bool:
        """Whether this line would run in a sandbox that holds well enough for what nobody approved."""
        found = self._found
        return isinstance(found, Sandbox) and found.contains and not self.is_outside(command)

    def guard(self, command: str) -> Callable[[], str] | None:
        """To be called before a command starts; what it gives is called in the end, and has words for the model."""
        if not isinstance(self._found, Sandbox) or self.is_outside(command):
            return None
        folders = self._bounds().writable
        before = protected_entries(folders)
        shelf = self._places.data / "put-aside"
        return lambda: _told(put_aside(before, folders, shelf))

    def _bounds(self) -> Bounds:
        return bounds_of(self._settings, self._workspace, self._places)


def _told(moved: Sequence[tuple[str, str]]) -> str:
    """What the model and the person read of protected files that were put aside."""
    lines = [
        f"{path} is protected: commands in the sandbox may not make it. "
        + (f"It was moved to {target}" if target else "It could not be moved away")
        for path, target in moved
    ]
    if lines:
        lines.append("Use Write or Edit for such a file, so that the person is asked.")
    return "\n".join(lines)
