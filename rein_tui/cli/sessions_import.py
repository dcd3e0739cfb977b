"""Recordings of other programs, bundles and files of facts into the store, one by one: a bad one stops no other."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from ..harness.protocol.errors import StoreError
from ..harness.protocol.events import SessionStarted
from ..harness.protocol.ports import SessionInfo
from ..harness.store.bundle import read_bundle
from ..harness.store.claude_import import find_transcripts, read_transcript
from ..harness.store.store import Store
from ..harness.store.summary import SessionSummary

_ORIGIN = "Claude Code"


@dataclass(slots=True)
class Taken:
    """What became of each file."""

    new: list[SessionInfo] = field(default_factory=list[SessionInfo])
    updated: list[SessionInfo] = field(default_factory=list[SessionInfo])
    unchanged: list[SessionInfo] = field(default_factory=list[SessionInfo])
    refused: list[str] = field(default_factory=list[str])


def take_all(store: Store, paths: Iterable[Path]) -> Taken:
    """Keep every recording of these files, and every transcript below these folders."""
    taken = Taken()
    for path in _files(paths):
        try:
            _take(store, path, taken)
        except StoreError as error:
            taken.refused.append(f"{path}: {error.message}")
    return taken


def _files(paths: Iterable[Path]) -> Iterator[Path]:
    for path in paths:
        if path.is_dir():
            yield from find_transcripts(path)
        else:
            yield path


def _take(store: Store, path: Path, taken: Taken) -> None:
    try:
        facts = read_bundle(path)
    except StoreError:
        imported = read_transcript(path)
        session_id, count = imported.info.id, len(imported.facts)
        if store.has_taken(session_id, _ORIGIN, count):
            taken.unchanged.append(store.info(session_id))
            return
        is_known = store.has_taken(session_id, _ORIGIN)
        info = store.take_in(imported.info, imported.facts, origin=_ORIGIN)
        (taken.updated if is_known else taken.new).append(info)
        return
    started = (fact.session_id for fact in facts if isinstance(fact, SessionStarted))
    summary = SessionSummary(id=next(started, ""))
    summary.apply_all(facts)
    taken.new.append(store.take_in(summary.info, facts))
