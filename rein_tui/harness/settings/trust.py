"""Whether a person trusts a folder, for exactly what it holds now.

Trust is kept for a repository's root (the main checkout of a worktree) or else the start folder, together with
digests of everything executable that was there when the person said yes. New or changed executable content asks
again. The ecosystem's own records (`hasTrustDialogAccepted`) are read, never written.
"""

import json
import os
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkstemp
from typing import Any

from rein_tui.harness.places import Places
from rein_tui.harness.protocol.base import JsonObject
from rein_tui.harness.protocol.errors import ConfigError

from .executables import TrustItem, inspect
from .reader import read_json
from .repository import trust_root
from .shapes import is_list, is_object

KEPT_DIGESTS = 50
_STATE_LIMIT = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class TrustReport:
    """What the trust dialog shows, and what it would record.

    `root` is the folder that trust is kept for. `changed` means that the person trusted it before, with other
    content. `can_remember` is false for the home folder: trust in it lasts one session. `items` is everything that
    a yes enables; `digest` stands for it.
    """

    root: str
    start: str
    trusted: bool
    changed: bool = False
    can_remember: bool = True
    items: tuple[TrustItem, ...] = ()
    digest: str = ""


def read_trust(places: Places, root: Path) -> TrustReport:
    """Whether the folder is trusted as it is now, and what trusting it would enable. Runs and writes nothing."""
    base = trust_root(root)
    items, digest = inspect(places, root)
    known = _digests(places, base)
    remembered = os.path.realpath(places.home) != str(base)
    accepted = known is not None and (not digest or digest in known)
    if known is None:
        accepted = remembered and _accepted_elsewhere(places, base)
    return TrustReport(
        root=str(base),
        start=str(root),
        trusted=accepted and remembered,
        changed=known is not None and not accepted,
        can_remember=remembered,
        items=items,
        digest=digest,
    )


def nothing_to_trust(places: Places, root: Path) -> bool:
    """Whether trusting the folder would enable nothing at all as it is now. Runs and writes nothing."""
    report = read_trust(places, root)
    return report.can_remember and not report.items


def may_speak(places: Places, root: Path, *, trusted: bool) -> bool:
    """Whether what the folder tells the model counts: it is trusted, or there is nothing that asks for trust."""
    return trusted or nothing_to_trust(places, root)


def record_trust(places: Places, report: TrustReport) -> None:
    """The person said yes to this report. Does nothing for the home folder. Raises ConfigError."""
    if not report.can_remember:
        return
    folders = _records(places)
    entry = folders.get(report.root)
    known = _strings(entry.get("digests")) if is_object(entry) else []
    digests = [digest for digest in known if digest != report.digest]
    if report.digest:
        digests.append(report.digest)
    folders[report.root] = {"accepted": time.time(), "digests": digests[-KEPT_DIGESTS:]}
    _save(places, folders)


def trusted_folders(places: Places) -> list[tuple[str, float]]:
    """Every folder that was trusted here and when (epoch seconds), the latest first. Raises ConfigError."""
    found = [(path, entry.get("accepted")) for path, entry in _records(places).items() if is_object(entry)]
    known = [(path, float(when) if isinstance(when, int | float) else 0.0) for path, when in found]
    return sorted(known, key=lambda one: -one[1])


def forget_trust(places: Places, root: Path) -> bool:
    """Take trust back; false when we had none recorded. Raises ConfigError."""
    folders = _records(places)
    if folders.pop(str(trust_root(root)), None) is None:
        return False
    _save(places, folders)
    return True


@contextmanager
def keep_trust(places: Places, root: Path) -> Generator[None]:
    """Around a change that the person makes through us: what they trusted stays trusted."""
    before = read_trust(places, root)
    yield
    if before.trusted:
        record_trust(places, read_trust(places, root))


def _digests(places: Places, base: Path) -> list[str] | None:
    try:
        entry = _records(places).get(str(base))
    except ConfigError:
        return None
    return _strings(entry.get("digests")) if is_object(entry) else None


def _records(places: Places) -> JsonObject:
    document = read_json(places.trust_file)
    folders = document.data.get("folders") if document is not None and is_object(document.data) else None
    return dict(folders) if is_object(folders) else {}


def _accepted_elsewhere(places: Places, base: Path) -> bool:
    try:
        document = read_json(places.global_state, _STATE_LIMIT)
    except ConfigError:
        return False
    projects = document.data.get("projects") if document is not None and is_object(document.data) else None
    project = projects.get(str(base)) if is_object(projects) else None
    return is_object(project) and project.get("hasTrustDialogAccepted") is True


def _strings(value: Any) -> list[str]:
    return [item for item in value if isinstance(item, str)] if is_list(value) else []


def _save(places: Places, folders: JsonObject) -> None:
    path = places.trust_file
    content = json.dumps({"version": 1, "folders": folders}, indent=1, ensure_ascii=False)
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle, name = mkstemp(prefix=".trust-", dir=path.parent)  # created 0600
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except OSError as problem:
        raise ConfigError(f"trust cannot be remembered: {problem.strerror or problem}", where=str(path)) from problem
