"""Run commands in a sandbox, by choice (`sandbox.enabled`): bubblewrap, else Landlock, else said so.

Everything is readable but secrets, only the session's folders are writable, protected files in them are not, and
the network is what settings let through (bubblewrap: single domains; else all or nothing). What a sandbox of this
machine cannot do is listed in its `limits`. A model can never ask for less. `sandbox_wrap` builds it once for a
session.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal

from rein_tui.harness.places import Places
from rein_tui.harness.protocol.tools import Workspace
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

_UNUSED = (
    ("filesystem", "disabled"),
    ("network", "allowUnixSockets"),
    ("network", "allowAllUnixSockets"),
    ("network", "allowLocalBinding"),
    ("network", "httpProxyPort"),
    ("network", "socksProxyPort"),
)

SOCKETS = ("/var/run/docker.sock", "/run/docker.sock", "/run/podman", "/run/user", "/run/dbus", "/run/containerd")
"""Doors to programs outside that would do what the sandbox forbids."""


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
    starter: tuple[str, ...] = ()
    is_weak: bool = False

    @property
    def contains(self) -> bool:
        """Whether it holds well enough to run commands in it that nobody approved."""
        return self.kind == "bubblewrap" and not self.is_weak

    def __call__(self, argv: list[str], temporary: str = "", readable: Sequence[str] = ()) -> list[str]:
        """The argument list that runs `argv` in the sandbox.

        It may write into the folder `temporary`, and read the files `readable` wherever they lie.
        """
        more: list[str] = []
        if self.kind == "landlock":
            more += ["--temporary", temporary] if temporary else []
        else:
            more += ["--bind", temporary, temporary] if temporary else []
            more += [word for path in readable for word in ("--ro-bind-try", path, path)]
        return [*self.prefix, *more, "--", *self.starter, *argv]


@dataclass(frozen=True, slots=True)
class Bounds:
    """What sandboxed commands may touch. Absolute, existing paths; `network` true means all of it.

    `opened` can be read although they lie in what is `hidden`.
    """

    writable: tuple[str, ...]
    frozen: tuple[str, ...]
    masked: tuple[str, ...]
    hidden: tuple[str, ...]
    network: bool
    allowed_hosts: tuple[str, ...] = ()
    denied_hosts: tuple[str, ...] = ()
    opened: tuple[str, ...] = ()


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
        return _bubblewrap(program, bounds, limits)
    weaker = settings.get("sandbox", "enableWeakerNestedSandbox", default=False) is True
    if weaker and program and not bubblewrap_problem(program, weak=True):
        return _bubblewrap(program, bounds, (*limits, "processes outside of it can be seen"), weak=True)
    abi = abi_version()
    if abi > 0:
        return Sandbox("landlock", landlock_prefix(bounds), (*limits, *landlock_limits(abi, bounds)))
    must_stop = bool(settings.get("sandbox", "failIfUnavailable", default=False))
    return SandboxUnavailable(_no_sandbox(failed), must_stop)


def _no_sandbox(failed: str) -> str:
    if sys.platform == "darwin":
        return "rein-tui has no sandbox for macOS yet"
    if sys.platform != "linux":
        return "rein-tui has a sandbox on Linux only"
    return f"no sandbox on this machine (bubblewrap: {failed}; no Landlock either)"


def _bubblewrap(program: str, bounds: Bounds, limits: tuple[str, ...], *, weak: bool = False) -> Sandbox:
    prefix = (program, *bubblewrap_arguments(bounds, weak=weak))
    if bounds.network or not bounds.allowed_hosts:
        return Sandbox("bubblewrap", prefix, limits, is_weak=weak)
    hosts = [word for host in bounds.allowed_hosts for word in ("--allow", host)]
    hosts += [word for host in bounds.denied_hosts for word in ("--deny", host)]
    python = (sys.executable, "-P", "-m")
    mounts = [word for path in _own_code() for word in ("--ro-bind", path, path)]
    gate = (*python, "rein_tui.harness.permissions.sandbox_proxy", *hosts, "--")
    starter = (*python, "rein_tui.harness.permissions.sandbox_inside")
    more = "hosts are let through for programs that use the proxy variables (HTTP and HTTPS)"
    return Sandbox("bubblewrap", (*gate, *prefix, *mounts), (*limits, more), starter, is_weak=weak)


def _own_code() -> list[str]:
    """Where Python and we are, as far as the sandbox's own /tmp hides it."""
    package = str(Path(__file__).resolve().parents[3])
    places = dict.fromkeys((sys.prefix, sys.base_prefix, package))
    return [place for place in places if place.startswith("/tmp/")]  # noqa: S108 (not a file that we make)


def _unsupported(settings: Settings) -> tuple[str, ...]:
    """Keys that would let more through, and do not."""
    unused = [".".join(keys) for keys in _UNUSED if settings.get("sandbox", *keys) not in (None, False, [])]
    return (f"not used, so stricter than the settings say: {', '.join(unused)}",) if unused else ()


def bounds_of(settings: Settings, workspace: Workspace, places: Places | None = None) -> Bounds:
    """The bounds that settings and session give."""
    home, root = str(workspace.home), str(workspace.root)

    def paths(name: str) -> list[str]:
        found: list[str] = []
        for layer in settings.layers:
            texts: list[str] = layer.value("sandbox", "filesystem", name) or []
            found += [_absolute(text, home, layer.base or root) for text in texts]
        return list(dict.fromkeys(found))

    roots = [root, *map(str, workspace.additional), *additional_directories(settings, home)]
    writable = [*roots, *paths("allowWrite")]
    frozen = [entry for folder in roots for entry in _protected_in(Path(folder))] + paths("denyWrite")
    masked = [path for folder in roots for path in _missing_in(folder)]
    hidden = [f"{home}/{name}" for name in SECRETS] + [*SOCKETS, *paths("denyRead")]
    if places is not None:
        hidden.append(str(places.data))
        frozen.append(str(places.config))
    allowed, denied = _hosts(settings)
    return Bounds(
        writable=_existing(writable),
        frozen=_existing(frozen),
        masked=tuple(masked),
        hidden=_existing(hidden),
        network="*" in allowed and not denied,
        allowed_hosts=allowed,
        denied_hosts=denied,
        opened=_opened(settings, home, places),
    )


def _missing_in(folder: str) -> Iterator[str]:
    """Protected folders that are not there and must not be made: the settings', and a repository's hooks."""
    if not os.path.lexists(f"{folder}/.claude"):
        yield f"{folder}/.claude"
    if Path(folder, ".git").is_dir() and not os.path.lexists(f"{folder}/.git/hooks"):
        yield f"{folder}/.git/hooks"


def _opened(settings: Settings, home: str, places: Places | None) -> tuple[str, ...]:
    """What settings open again of what they hide, never our own data."""
    lock = settings.managed("sandbox", "filesystem", "allowManagedReadPathsOnly")
    layers = settings.layers_of("managed") if lock else settings.layers
    texts = [(layer, text) for layer in layers for text in layer.value("sandbox", "filesystem", "allowRead") or ()]
    found = _existing([_absolute(text, home, layer.base) for layer, text in texts])
    ours = os.path.realpath(places.data) if places is not None else ""
    return tuple(
        path for path in found if not ours or not (Path(path).is_relative_to(ours) or Path(ours).is_relative_to(path))
    )


def excluded_commands(settings: Settings) -> tuple[str, ...]:
    """The commands that settings keep out of the sandbox, as patterns of rules."""
    return tuple(settings.merged("sandbox", "excludedCommands") or ())


def _hosts(settings: Settings) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The hosts that settings let through, and those that they keep out all the same."""
    network = ("sandbox", "network")
    only_managed = settings.managed(*network, "allowManagedDomainsOnly")
    given = settings.managed if only_managed else settings.merged
    allowed: list[str] = given(*network, "allowedDomains") or []
    denied: list[str] = settings.merged(*network, "deniedDomains") or []
    return tuple(allowed), tuple(denied)


def _absolute(text: str, home: str, base: str) -> str:
    """Sandbox paths: `/x` is absolute (unlike in rules), `~/x` home, anything else below the settings file's folder:
    the project for its files, the configuration folder for the user's."""
    return home + text[1:] if text == "~" or text.startswith("~/") else str(Path(base) / text)


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


def bubblewrap_arguments(bounds: Bounds, *, weak: bool = False) -> list[str]:
    """Options of bwrap for these bounds, in the order in which they are mounted. `weak` leaves /proc as it is."""
    options = ["--ro-bind", "/", "/", "--dev", "/dev"]
    options += [] if weak else ["--proc", "/proc"]
    options += ["--tmpfs", "/tmp"]  # noqa: S108 (a private one)
    options += ["--setenv", "TMPDIR", "/tmp"]  # noqa: S108
    for path in bounds.writable:
        options += ["--bind", path, path]
    for path in bounds.frozen:
        options += ["--ro-bind", path, path]
    for path in bounds.masked:
        options += ["--tmpfs", path, "--remount-ro", path]
    for path in bounds.hidden:
        options += ["--tmpfs", path] if Path(path).is_dir() else ["--ro-bind", "/dev/null", path]
    for path in bounds.opened:
        options += ["--ro-bind", path, path]
    options += ["--unshare-pid", "--unshare-ipc", "--unshare-uts", "--die-with-parent", "--new-session"]
    options += ["--cap-drop", "ALL"]
    return options if bounds.network else [*options, "--unshare-net"]


@lru_cache(maxsize=4)
def bubblewrap_problem(program: str, *, weak: bool = False) -> str:
    """Why bubblewrap cannot be used here, or empty. Tried once a process."""
    options = bubblewrap_arguments(Bounds((), (), (), (), network=False), weak=weak)
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


def landlock_limits(abi: int, bounds: Bounds) -> tuple[str, ...]:
    """What Landlock of this kernel does not hold back, or cannot let through."""
    limits = [
        "protected files inside the project can be written",
        "secrets in your home folder can be read",
        "Unix sockets and UDP can be used",
    ]
    if bounds.allowed_hosts and not bounds.network:
        limits.append("single domains cannot be let through without bubblewrap: commands have no network")
    if abi < 4:
        limits.append("the network can be used")
    return tuple(limits)
