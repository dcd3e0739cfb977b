"""Sessions of Claude Code as facts: to browse, search and replay them here. Lenient; never writes there.

Only the newest line of descent counts: records of branches that were rewound away are left out. What subagents did
stands inside the call that started them.
"""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Literal, cast

from ..protocol.base import JsonObject, Word
from ..protocol.errors import StoreError
from ..protocol.events import Fact, Notice, TitleChanged
from ..protocol.ports import SessionInfo
from .claude_reader import Reader
from .claude_words import as_object, as_text, blocks_of
from .summary import SessionSummary

_LINKED = {"user", "assistant", "progress", "system", "attachment"}


class Imported(Word, frozen=True, kw_only=True):
    """A transcript as facts; `skipped` counts lines that could not be understood."""

    info: SessionInfo
    facts: tuple[Fact, ...]
    skipped: int = 0


def find_transcripts(folder: Path) -> list[Path]:
    """All transcripts of sessions in or below this folder, newest first; those of subagents belong to their session."""
    found = [
        path
        for pattern in ("*.jsonl", "*/*.jsonl")
        for path in folder.glob(pattern)
        if path.is_file() and not path.name.startswith("agent-")
    ]
    return sorted(found, key=lambda path: -path.stat().st_mtime)


def read_transcript(path: Path) -> Imported:
    """One transcript. Raises StoreError when it cannot be read or holds no conversation."""
    records, skipped = _parsed(path)
    chain = _newest_chain(records)
    if not chain:
        raise StoreError("There is no conversation in this file.", where=str(path), hint="Expected a session's JSONL.")
    session_id = as_text(chain[0].get("sessionId")) or path.stem
    reader = Reader(session_id, _subagents(path, records, chain))
    opening, *story = reader.read(chain)
    last = max((fact.time for fact in story), default=0.0)
    facts = (opening, *_left_out(skipped, path), *story, *_titles(records, last))
    summary = SessionSummary(id=session_id)
    summary.apply_all(facts)
    summary.state = "done"
    return Imported(info=summary.info, facts=facts, skipped=skipped)


def _left_out(lines: int, path: Path) -> Iterator[Fact]:
    if lines:
        count = "One line" if lines == 1 else f"{lines} lines"
        text = f"{count} of this recording could not be understood and {'is' if lines == 1 else 'are'} left out."
        yield Notice(text=text, level="warning", where=str(path), code="import.left_out")


def _parse(line: bytes) -> JsonObject | None:
    try:
        value: Any = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return cast(JsonObject, value) if isinstance(value, dict) else None


def _newest_chain(records: list[JsonObject]) -> list[JsonObject]:
    """From the newest leaf back to the root, by parentUuid; compaction boundaries are bridged."""
    linked = [
        r for r in records if as_text(r.get("type")) in _LINKED and as_text(r.get("uuid")) and not r.get("isSidechain")
    ]
    by_id = {as_text(record["uuid"]): record for record in linked}
    parents = {as_text(record.get("parentUuid")) for record in linked}
    leaves = [r for r in linked if r["type"] in {"user", "assistant"} and as_text(r["uuid"]) not in parents]
    leaf = (leaves or linked or [None])[-1]
    chain: list[JsonObject] = []
    seen: set[str] = set()
    while leaf is not None and as_text(leaf["uuid"]) not in seen:
        seen.add(as_text(leaf["uuid"]))
        chain.append(leaf)
        leaf = by_id.get(as_text(leaf.get("parentUuid")) or as_text(leaf.get("logicalParentUuid")))
    return _woven([record for record in reversed(chain) if record["type"] in {"user", "assistant"}], linked)


def _titles(records: Iterable[JsonObject], time: float) -> Iterator[Fact]:
    kinds: dict[str, tuple[str, Literal["model", "person"]]] = {
        "summary": ("summary", "model"),
        "ai-title": ("aiTitle", "model"),
        "custom-title": ("customTitle", "person"),
    }
    for record in records:
        kind = kinds.get(as_text(record.get("type")))
        if kind and (title := as_text(record.get(kind[0]))):
            yield TitleChanged(title=title, by=kind[1], time=time)


def _woven(chain: list[JsonObject], linked: list[JsonObject]) -> list[JsonObject]:
    """The chain with what lies beside it: calls that one message makes at once, and their results, fork the chain."""
    told = {as_text(record["uuid"]) for record in chain}
    mates: dict[str, list[JsonObject]] = {}
    results: dict[str, JsonObject] = {}
    for record in linked:
        if record["type"] == "assistant":
            mates.setdefault(_message_id(record), []).append(record)
        for call_id in _answered(record):
            results.setdefault(call_id, record)
    for record in chain:
        results |= dict.fromkeys(_answered(record), record)
    woven: list[JsonObject] = []
    for number, record in enumerate(chain):
        woven.append(record)
        name = _message_id(record)
        following = chain[number + 1] if number + 1 < len(chain) else {}
        if record["type"] != "assistant" or not name or _message_id(following) == name:
            continue
        beside = [mate for mate in mates[name] if as_text(mate["uuid"]) not in told]
        calls = [block for mate in mates[name] for block in blocks_of(mate) if block.get("type") == "tool_use"]
        answers = [results[call] for block in calls if (call := as_text(block.get("id"))) in results]
        for extra in [*beside, *answers]:
            if as_text(extra["uuid"]) not in told:
                told.add(as_text(extra["uuid"]))
                woven.append(extra)
    return woven


def _message_id(record: JsonObject) -> str:
    return as_text(as_object(record.get("message")).get("id")) if record.get("type") == "assistant" else ""


def _answered(record: JsonObject) -> list[str]:
    """The calls that a record answers."""
    if record.get("type") != "user":
        return []
    return [as_text(block.get("tool_use_id")) for block in blocks_of(record) if block.get("type") == "tool_result"]


def _subagents(path: Path, records: list[JsonObject], chain: list[JsonObject]) -> dict[str, list[JsonObject]]:
    """What subagents did, by the call that started each: of this file, and of the files beside it."""
    groups: dict[str, list[JsonObject]] = {}
    roots: dict[str, str] = {}
    for record in records:
        if record.get("isSidechain") and record.get("type") in {"user", "assistant"} and as_text(record.get("uuid")):
            name, parent = as_text(record["uuid"]), as_text(record.get("parentUuid"))
            roots[name] = as_text(record.get("agentId")) or roots.get(parent, name)
            groups.setdefault(roots[name], []).append(record)
    for beside in sorted(path.with_suffix("").glob("subagents/agent-*.jsonl")):
        inner = [r for r in _parsed(beside)[0] if r.get("type") in {"user", "assistant"} and as_text(r.get("uuid"))]
        if inner:
            groups[as_text(inner[0].get("agentId")) or beside.stem.removeprefix("agent-")] = inner
    by_prompt = {_first_words(group): name for name, group in reversed(groups.items())}
    found: dict[str, list[JsonObject]] = {}
    agents = {
        call: as_text(as_object(record.get("toolUseResult")).get("agentId"))
        for record in chain
        for call in _answered(record)
    }
    for record in chain:
        for block in blocks_of(record):
            call = as_text(block.get("id"))
            if block.get("type") == "tool_use" and (prompt := as_text(as_object(block.get("input")).get("prompt"))):
                name = agents.get(call, "")
                name = name if name in groups else by_prompt.get(prompt, "")
                if name in groups:
                    found[call] = groups[name]
    return found


def _first_words(group: list[JsonObject]) -> str:
    return "\n".join(as_text(block.get("text")) for block in blocks_of(group[0]))


def _parsed(path: Path) -> tuple[list[JsonObject], int]:
    """The records of a file, and how many lines could not be understood. Raises StoreError."""
    try:
        with path.open("rb") as stream:
            parsed = [_parse(line) for line in stream if line.strip()]
    except OSError as error:
        raise StoreError(error.strerror or str(error), where=str(path)) from error
    records = [record for record in parsed if record is not None]
    return records, len(parsed) - len(records)
