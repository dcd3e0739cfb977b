"""Run commands in a sandbox, by choice (`sandbox.enabled`): bubblewrap, else Landlock, else said so.

Everything is readable but secrets, only the session's folders are writable, protected files in them are not, and
there is no network. What a sandbox of this machine cannot do is listed in its `limits`. A model can never ask for
less. `sandbox_wrap` builds it once for a session.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal

from rein_tui.harness.places import Places
from rein_tui.harness.protocol.ports import Workspace
from rein_tui.harness.settings.layers import Settings

from .landlock import abi_version
from .layers import additional_directories
from .protected import PROTECTED_FILES, PROTECTED_FOLDERS

PROBE_SECONDS = 5

SECRETS = (
    ".ssh .aws .gnupg .kube .docker .netrc .config/gh .config/gcloud .azure .npmrc .pypirc .git-credentials "
    ".claude/.credentials.json .claude.json .local/share/keyrings"
).split()
"""Below the home folder; hidden from sandboxed commands."""

SOCKETS = ("/var/run/docker.sock", "/run/docker.sock", "/run/podman/podman.sock")


@dataclass(frozen=True, slots=True)
class SandboxUnavailable:
    """There is no sandbox although one is wanted. `must_stop`: settings say not to start without it."""

    reason: str
    must_stop: bool = False


@dataclass(frozen=True, slots=True)
class Sandbox:
    """Wraps argument lists. `limits` are sentences about what it does not hold back."""

    kind: Literal["bubblewrap", "landlock"]
    prefix: tuple[str, ...]
    limits: tuple[str, ...] = ()

    def __call__(self, argv: list[str]) -> list[str]:
        """The argument list that runs `argv` in the sandbox."""
        return [*self.prefix, "--", *argv]


@dataclass(frozen=True, slots=True)
class Bounds:
    """What sandboxed commands may touch. Absolute, existing paths."""

    writable: tuple[str, ...]
    frozen: tuple[str, ...]
    masked: tuple[str, ...]
    hidden: tuple[str, ...]
    network: bool


def sandbox_wrap(
    settings: Settings, workspace: Workspace, places: Places | None = None
) -> Sandbox | SandboxUnavailable | None:
    """The session's sandbox; None when settings want none. Probes this machine the first time."""
    if not settings.get("sandbox", "enabled", default=False):
        return None
    bounds = bounds_of(settings, workspace, places)
    limits = _unsupported(settings)
    program = settings.get("sandbox", "bwrapPath", default="") or shutil.which("bwrap") or ""
    failed = bubblewrap_problem(program) if program else "it is not installed"
    if not failed:
        return Sandbox("bubblewrap", (program, *bubblewrap_arguments(bounds)), limits)
    abi = abi_version()
    if abi > 0:
        return Sandbox("landlock", landlock_prefix(bounds), (*limits, *landlock_limits(abi)))
    must_stop = bool(settings.get("sandbox", "failIfUnavailable", default=False))
    return SandboxUnavailable(f"no sandbox on this machine (bubblewrap: {failed}; no Landlock either)", must_stop)


def _unsupported(settings: Settings) -> tuple[str, ...]:
    limits: list[str] = []
    domains: list[str] = settings.merged("sandbox", "network", "allowedDomains") or []
    if domains and "*" not in domains:
        limits.append("single domains cannot be let through: sandboxed commands have no network")
    if settings.merged("sandbox", "excludedCommands"):
        limits.append("sandbox.excludedCommands is not used: every command is sandboxed")
    return tuple(limits)


def bounds_of(settings: Settings, workspace: Workspace, places: Places | None = None) -> Bounds:
    """The bounds that settings and session give."""
    home, root = str(workspace.home), str(workspace.root)

    def paths(name: str) -> list[str]:
        texts: list[str] = settings.merged("sandbox", "filesystem", name) or []
        return [_absolute(text, home, root) for text in texts]

    roots = [root, *map(str, workspace.additional), *additional_directories(settings, home)]
    writable = [*roots, *paths("allowWrite")]
    frozen = [entry for folder in roots for entry in _protected_in(Path(folder))] + paths("denyWrite")
    masked = [str(Path(folder) / ".claude") for folder in roots if not os.path.lexists(Path(folder) / ".claude")]
    hidden = [f"{home}/{name}" for name in SECRETS] + [*SOCKETS, *paths("denyRead")]
    if places is not None:
        hidden.append(str(places.data))
        frozen.append(str(places.config))
    domains: list[str] = settings.merged("sandbox", "network", "allowedDomains") or []
    return Bounds(_existing(writable), _existing(frozen), tuple(masked), _existing(hidden), "*" in domains)


def _absolute(text: str, home: str, root: str) -> str:
    """Sandbox paths: `/x` is absolute (unlike in rules), `~/x` home, anything else below the project."""
    return home + text[1:] if text == "~" or text.startswith("~/") else str(Path(root) / text)


def _protected_in(folder: Path) -> list[str]:
    try:
        entries = list(folder.iterdir())
    except OSError:
        return []
    names = PROTECTED_FOLDERS | PROTECTED_FILES
    found = [entry for entry in entries if entry.name.casefold() in names]
    git = [folder / ".git" / name for name in ("config", "hooks")]
    keep = [entry for entry in found if entry.name.casefold() != ".git" or entry.is_file()]
    return [str(entry) for entry in (*keep, *git)]


def _existing(paths: Sequence[str]) -> tuple[str, ...]:
    real = (os.path.realpath(path) for path in paths if "\x00" not in path)
    return tuple(dict.fromkeys(path for path in real if Path(path).exists()))


def bubblewrap_arguments(bounds: Bounds) -> list[str]:
    """Options of bwrap for these bounds, in the order in which they are mounted."""
    options = ["--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc", "--tmpfs", "/tmp"]  # noqa: S108 (a private one)
    for path in bounds.writable:
        options += ["--bind", path, path]
    for path in bounds.frozen:
        options += ["--ro-bind", path, path]
    for path in bounds.masked:
        options += ["--tmpfs", path, "--remount-ro", path]
    for path in bounds.hidden:
        options += ["--tmpfs", path] if Path(path).is_dir() else ["--ro-bind", "/dev/null", path]
    options += ["--unshare-pid", "--unshare-ipc", "--unshare-uts", "--die-with-parent", "--new-session"]
    options += ["--cap-drop", "ALL"]
    return options if bounds.network else [*options, "--unshare-net"]


@lru_cache(maxsize=4)
def bubblewrap_problem(program: str) -> str:
    """Why bubblewrap cannot be used here, or empty. Tried once a process."""
    options = bubblewrap_arguments(Bounds((), (), (), (), network=False))
    try:
        done = subprocess.run(
            [program, *options, "--", "true"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=PROBE_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as problem:
        return str(problem)
    if done.returncode == 0:
        return ""
    return done.stderr.decode("utf-8", "replace").strip() or f"exit code {done.returncode}"


def landlock_prefix(bounds: Bounds) -> tuple[str, ...]:
    """How a command is started under Landlock: by a small wrapper that restricts itself first."""
    writable = [argument for path in bounds.writable for argument in ("--write", path)]
    network = ["--network"] if bounds.network else []
    return (sys.executable, "-P", "-m", "rein_tui.harness.permissions.landlock", *writable, *network)


def landlock_limits(abi: int) -> tuple[str, ...]:
    """What Landlock of this kernel does not hold back."""
    limits = [
        "protected files inside the project can be written",
        "secrets in your home folder can be read",
        "Unix sockets can be used",
    ]
    if abi < 4:
        limits.append("the network can be used")
    return tuple(limits)
