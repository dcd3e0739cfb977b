"""`rein-tui sessions …` and `rein-tui report`: the session store from the command line."""

import argparse
import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TextIO

import msgspec

from .. import __version__
from ..harness.places import Places
from ..harness.protocol.errors import ReinError, StoreError
from ..harness.protocol.events import Fact
from ..harness.protocol.ports import SessionInfo
from ..harness.store.bundle import make_bundle
from ..harness.store.checkpoints import Checkpoints
from ..harness.store.export import SUFFIXES, export, to_markdown
from ..harness.store.files import write_private
from ..harness.store.store import Store
from ..harness.store.summary import LATEST
from .sessions_import import take_all
from .sessions_options import FORMATS, add_sessions_parser

__all__ = ["add_sessions_parser", "run_sessions", "session_json"]

_DAY = 24 * 3600.0
_SAID = {
    "prompt_added": "prompt",
    "message_finished": "answer",
    "tool_call_requested": "call",
    "tool_call_finished": "result",
    "title_changed": "title",
    "compacted": "summary",
}


def run_sessions(args: argparse.Namespace, places: Places, stdout: TextIO, stderr: TextIO) -> int:
    """Do what was asked (`sessions VERB` or `report`); 0 when it worked, 1 with a reason on stderr when not."""
    verb = _report if args.command == "report" else _VERBS[args.sessions_verb]
    store = Store.open(places)
    try:
        code = verb(_Scene(args, places, store, stdout))
    except ReinError as error:
        stderr.write(f"rein-tui: {error}\n")
        code = 1
    finally:
        store.close()
    for notice in store.take_notices():
        stderr.write(f"rein-tui: {notice.text} ({notice.where})\n")
    return code


class _Scene:
    """What every verb works with."""

    def __init__(self, args: argparse.Namespace, places: Places, store: Store, stdout: TextIO) -> None:
        self.args, self.places, self.store, self._stdout = args, places, store, stdout

    def say(self, text: str) -> None:
        """One piece of text for a person, without control characters that a stored text may hold."""
        self._stdout.write("".join(c if c.isprintable() or c in "\n\t" else "\N{REPLACEMENT CHARACTER}" for c in text))
        self._stdout.write("\n")

    def tell(self, value: Any, text: str) -> None:
        """JSON where it was asked for, else text."""
        if self.args.json:
            self._stdout.write(json.dumps(value, ensure_ascii=True, indent=2) + "\n")
        else:
            self.say(text)

    def raw(self, data: bytes) -> None:
        """Bytes as they are."""
        self._stdout.write(data.decode("utf-8", "replace"))

    def facts(self, session_id: str) -> list[Fact]:
        """A session's whole story."""
        return [fact for _, fact in self.store.read(session_id)]


def session_json(info: SessionInfo) -> dict[str, Any]:
    """One session as `sessions list --json` tells it."""
    return {
        "id": info.id,
        "title": info.title,
        "cwd": info.cwd,
        "branch": info.branch,
        "created": _iso(info.created),
        "updated": _iso(info.updated),
        "turns": info.turns,
        "cost_usd": info.cost_usd,
        "state": info.state,
    }


def _list(scene: _Scene) -> int:
    cwd = str(Path.cwd()) if scene.args.here else None
    infos = scene.store.sessions(cwd=cwd, limit=scene.args.limit)
    scene.tell([session_json(info) for info in infos], _table(infos) or "No sessions yet.")
    return 0


def _search(scene: _Scene) -> int:
    hits = scene.store.search(" ".join(scene.args.words), limit=scene.args.limit)
    lines = [
        f"{hit.session_id[:8]}  {_day(hit.time)}  {' '.join(hit.title.split())[:30]:30}  turn {hit.turn:<3} "
        f"{_SAID.get(hit.kind, ''):7} {hit.snippet}"
        for hit in hits
    ]
    scene.tell([msgspec.to_builtins(hit) for hit in hits], "\n".join(lines) or "Nothing found.")
    return 0


def _show(scene: _Scene) -> int:
    info = scene.store.resolve(scene.args.session, loosely=True)
    facts = scene.facts(info.id)
    if scene.args.json:
        scene.tell({**session_json(info), "facts": [msgspec.to_builtins(fact) for fact in facts]}, "")
    else:
        scene.say(to_markdown(info, facts))
    return 0


def _export(scene: _Scene) -> int:
    info = scene.store.resolve(scene.args.session, loosely=True)
    form = FORMATS[scene.args.format]
    data = export(form, info, scene.facts(info.id))
    if scene.args.output == "-":
        scene.raw(data)
        return 0
    path = Path(scene.args.output or f"{info.id}{SUFFIXES[form]}")
    _spare(scene.args)
    try:
        write_private(path, data)
    except OSError as error:
        raise StoreError(error.strerror or str(error), where=str(path)) from error
    scene.tell({"id": info.id, "path": str(path)}, f"Written to {path}")
    return 0


def _import(scene: _Scene) -> int:
    theirs = scene.places.config / "projects"
    taken = take_all(scene.store, scene.args.files or ([theirs] if theirs.is_dir() else []))
    told = {
        "imported": [session_json(info) for info in taken.new],
        "updated": [session_json(info) for info in taken.updated],
        "unchanged": [info.id for info in taken.unchanged],
        "refused": taken.refused,
    }
    counts = [f"{len(taken.new)} imported"]
    counts += [f"{len(taken.updated)} brought up to date"] if taken.updated else []
    counts += [f"{len(taken.unchanged)} already here"] if taken.unchanged else []
    lines = [_table([*taken.new, *taken.updated]), f"{', '.join(counts)}."]
    lines += [f"Left out: {reason}" for reason in taken.refused]
    scene.tell(told, "\n".join(line for line in lines if line))
    return 1 if taken.refused and not (taken.new or taken.updated or taken.unchanged) else 0


def _rename(scene: _Scene) -> int:
    info = scene.store.resolve(scene.args.session)
    scene.store.rename(info.id, scene.args.title)
    scene.tell(session_json(scene.store.info(info.id)), f"{info.id} is now called {scene.args.title!r}.")
    return 0


def _delete(scene: _Scene) -> int:
    if scene.args.undo:
        scene.tell({"restored": [scene.store.undelete(name) for name in scene.args.sessions]}, "Back again.")
        return 0
    ids = [scene.store.resolve(name).id for name in scene.args.sessions]  # all or none: a name may be wrong
    for session_id in dict.fromkeys(ids):
        scene.store.delete(session_id)
    undo = f"For a day, `rein-tui sessions delete --undo {' '.join(ids)}` brings back what was deleted."
    scene.tell({"deleted": ids}, undo)
    return 0


def _prune(scene: _Scene) -> int:
    before = time.time() - scene.args.older_than * _DAY
    gone = scene.store.prune(before=before, headless_only=scene.args.headless, dry=scene.args.dry_run)
    freed = 0
    if not scene.args.dry_run:
        try:
            freed = Checkpoints(scene.places.data / "checkpoints").collect(scene.store.file_contents())
        except OSError as error:
            raise StoreError(error.strerror or str(error)) from error
    verb = "would go" if scene.args.dry_run else "deleted"
    told = {"deleted": [session_json(info) for info in gone], "freed_bytes": freed, "dry_run": scene.args.dry_run}
    scene.tell(told, "\n".join(filter(None, [_table(gone), f"{len(gone)} sessions {verb}, {freed:,} bytes freed."])))
    return 0


def _report(scene: _Scene) -> int:
    newest = scene.store.sessions(limit=1)
    if not scene.args.session and not newest:
        raise StoreError("There is no session to report.")
    info = scene.store.resolve(scene.args.session) if scene.args.session else newest[0]
    bundle = make_bundle(info, scene.facts(info.id), version=__version__, home=str(scene.places.home))
    scene.say(f"Session {info.id}: {info.title}\n{bundle.preview()}")
    if not scene.args.preview:
        path = scene.args.output or Path(f"rein-tui-report-{info.id[:8]}.zip")
        _spare(scene.args)
        bundle.write(path)
        scene.say(f"Written to {path}")
    return 0


def _spare(args: argparse.Namespace) -> None:
    """Raises StoreError where a file that was named would be written over; our own names belong to the session."""
    path = Path(args.output) if args.output else None
    if path is not None and path.is_file() and path.stat().st_size and not args.force:
        raise StoreError("There is already a file of this name.", where=str(path), hint="--force writes over it.")


_VERBS: dict[str, Callable[[_Scene], int]] = {
    "list": _list,
    "search": _search,
    "show": _show,
    "export": _export,
    "import": _import,
    "rename": _rename,
    "delete": _delete,
    "prune": _prune,
}


def _table(infos: Sequence[SessionInfo]) -> str:
    rows = [
        f"{info.id[:8]}  {_day(info.updated)}  {info.turns:>4}  "
        f"{'' if info.cost_usd is None else f'${info.cost_usd:.2f}':>8}  {info.state:7}  "
        f"{' '.join(info.title.split())[:50]:50}  {info.cwd}"
        for info in infos
    ]
    return "\n".join(rows)


def _day(when: float) -> str:
    """To the minute; blank where the recording says none that a calendar knows."""
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(when)) if 0 < when < LATEST else " " * 16


def _iso(when: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(when))
