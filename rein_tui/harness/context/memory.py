"""Memory files: the standing instructions that people keep in CLAUDE.md and beside it.

Order, later ones being closer: managed, the person's own, then every folder from the root down to the working
directory, each with its rules and its local file. Below the working directory a file is loaded when something
beside it is read (`touch`), and a rule with `paths` when a matching file is.
"""

import contextlib
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple, TypeAlias

from msgspec import structs

from ..places import Places
from ..protocol.base import JsonObject, Word
from ..protocol.events import Notice
from ..protocol.workbench import MemoryOffer
from .globs import matches
from .markdown import imports_of, split_rule, strip_comments
from .reading import ReadProblem, read_text

MemoryType: TypeAlias = Literal["Managed", "User", "Project", "Local"]
LoadReason: TypeAlias = Literal["session_start", "nested_traversal", "path_glob_match", "include", "compact"]

LARGEST = 4 * 1024 * 1024
"""Bytes beyond which a memory file is skipped."""

_DEEPEST = 4
_AUTO_LINES, _AUTO_BYTES = 200, 25_000
_HEAD = "Standing instructions from the person and the project. They override defaults; follow them where they apply."
_LABELS: dict[MemoryType, str] = {
    "Managed": "set by the administrator",
    "User": "the person's own, for all projects",
    "Project": "of this project",
    "Local": "the person's own, for this project",
}


class MemoryFile(Word, frozen=True, kw_only=True):
    """One loaded file. `globs` are the paths of a scoped rule; `parent` is the file that imported it."""

    path: str
    type: MemoryType
    text: str
    reason: LoadReason = "session_start"
    globs: tuple[str, ...] = ()
    parent: str = ""
    trigger: str = ""

    def message(self) -> str:
        """The text as the model gets it."""
        return f"Contents of {self.path} ({_LABELS[self.type]}):\n\n{self.text}"

    def payload(self) -> JsonObject:
        """What InstructionsLoaded hooks are told."""
        told: JsonObject = {"file_path": self.path, "memory_type": self.type, "load_reason": self.reason}
        if self.globs:
            told["globs"] = list(self.globs)
        if self.trigger:
            told["trigger_file_path"] = self.trigger
        if self.parent:
            told["parent_file_path"] = self.parent
        return told


class _Candidate(NamedTuple):
    """A file that may be there. `base` is set for rules: the folder that their globs are relative to."""

    path: Path
    type: MemoryType
    base: Path | None = None
    reason: LoadReason = "session_start"
    parent: str = ""
    trigger: str = ""
    depth: int = 0


@dataclass(frozen=True, slots=True)
class MemoryScope:
    """Where to look. `project` false leaves out everything of the folder (not trusted).

    `additional` are `--add-dir` folders whose memory counts too. `accepted` are the offers (kind, path) that the person
    took up. `may_read` is the read policy.
    `managed_text` is what an administrator's settings say themselves; `remembered` is the file of auto memory.
    """

    places: Places
    cwd: Path
    root: Path
    additional: tuple[Path, ...] = ()
    excludes: tuple[str, ...] = ()
    project: bool = True
    accepted: frozenset[tuple[str, str]] = frozenset()
    managed_text: str = ""
    remembered: Path | None = None
    may_read: Callable[[Path], bool] = lambda path: True


class Memory:
    """The memory of one session: what is loaded so far, and what waits for a matching file."""

    def __init__(self, scope: MemoryScope) -> None:
        self._scope = scope
        self._seen: set[Path] = set()
        self._scoped: list[tuple[Path, MemoryFile]] = []
        self.files: list[MemoryFile] = []
        self.notices: list[Notice] = []
        self.offers: list[MemoryOffer] = []

    @classmethod
    def load(cls, scope: MemoryScope, reason: LoadReason = "session_start") -> "Memory":
        """Everything that holds from the start, or again after a compaction."""
        memory = cls(scope)
        if text := strip_comments(scope.managed_text[:LARGEST]).strip():
            memory.files.append(MemoryFile(path="claudeMd", type="Managed", text=text, reason=reason))
        for candidate in memory._starting():
            memory.files += memory._load(candidate._replace(reason=reason))
        memory._offer_agents(reason)
        return memory

    def stamp(self) -> frozenset[tuple[str, int, int]]:
        """What the files look like from outside: other when one that counts changed, came or went."""
        paths = [*(str(candidate.path) for candidate in self._starting()), *(file.path for file in self.files)]
        found: set[tuple[str, int, int]] = set()
        for path in dict.fromkeys(paths):
            with contextlib.suppress(OSError, ValueError):
                state = os.stat(path)  # noqa: PTH116 - before every turn
                found.add((path, state.st_mtime_ns, state.st_size))
        return frozenset(found)

    def messages(self) -> list[tuple[str, str]]:
        """(path, text) of each loaded file, the first one with a word on what these are."""
        texts = [(file.path, file.message()) for file in self.files]
        return [(path, f"{_HEAD}\n\n{text}" if i == 0 else text) for i, (path, text) in enumerate(texts)]

    def touch(self, path: Path) -> list[MemoryFile]:
        """What else holds now that this file was read: memory of folders below the start, rules for such files."""
        new: list[MemoryFile] = []
        if not self._scope.project:
            return new
        if path.is_relative_to(self._scope.cwd):
            between = path.relative_to(self._scope.cwd).parts[:-1]
            for depth in range(1, len(between) + 1):
                folder = self._scope.cwd.joinpath(*between[:depth])
                for candidate in _of_folder(folder):
                    new += self._load(candidate._replace(reason="nested_traversal", trigger=str(path)))
        waiting, self._scoped = self._scoped, []
        for base, file in waiting:
            if path.is_relative_to(base) and matches(file.globs, path.relative_to(base).as_posix()):
                new.append(structs.replace(file, reason="path_glob_match", trigger=str(path)))
            else:
                self._scoped.append((base, file))
        self.files += new
        return new

    # --- finding --------------------------------------------------------------------------------------------

    def _starting(self) -> Iterator[_Candidate]:
        scope = self._scope
        yield _Candidate(scope.places.managed / "CLAUDE.md", "Managed")
        yield _Candidate(scope.places.config / "CLAUDE.md", "User")
        yield from _rules(scope.places.config / "rules", "User", scope.root)
        if scope.project:
            for folder in (*reversed(scope.cwd.parents), scope.cwd, *scope.additional):
                yield from _of_folder(folder)
            if scope.remembered is not None:
                yield _Candidate(scope.remembered, "Local")

    def _offer_agents(self, reason: LoadReason) -> None:
        scope = self._scope
        if not scope.project or any(f.type == "Project" and f.path.endswith("CLAUDE.md") for f in self.files):
            return
        found = [folder / "AGENTS.md" for folder in dict.fromkeys((scope.root, scope.cwd))]
        for path in (path for path in found if path.is_file()):
            if ("agents", str(path)) in scope.accepted:
                self.files += self._load(_Candidate(path, "Project", reason=reason))
            else:
                self.offers.append(MemoryOffer(kind="agents", path=str(path)))
                self.notices.append(
                    Notice(
                        text="This project has an AGENTS.md and no CLAUDE.md; AGENTS.md is not read by itself.",
                        where=str(path),
                        hint="/memory takes it in; so does a CLAUDE.md with the line @AGENTS.md.",
                        code="memory.agents_md",
                    )
                )

    # --- loading --------------------------------------------------------------------------------------------

    def _load(self, wanted: _Candidate) -> list[MemoryFile]:
        """This file and what it imports; empty when it is missing, excluded, seen already or waits for its paths."""
        text = self._text_of(wanted)
        if text is None:
            return []
        globs, body = split_rule(text) if wanted.base is not None else ((), text)
        body = strip_comments(body).strip()
        if wanted.path.name == "MEMORY.md":
            body = "\n".join(body.splitlines()[:_AUTO_LINES]).encode()[:_AUTO_BYTES].decode(errors="ignore")
        file = MemoryFile(
            path=str(wanted.path),
            type=wanted.type,
            text=body,
            reason=wanted.reason,
            globs=globs,
            parent=wanted.parent,
            trigger=wanted.trigger,
        )
        if globs and wanted.base is not None:
            self._scoped.append((wanted.base, file))
            return []
        return ([file] if body else []) + self._imports(wanted, body)

    def _imports(self, importer: _Candidate, body: str) -> list[MemoryFile]:
        files: list[MemoryFile] = []
        for name in imports_of(body) if importer.depth < _DEEPEST else ():
            target = _import_target(name, importer.path.parent, self._scope.places.home)
            if target is not None:
                wanted = importer._replace(path=target, base=None, reason="include", parent=str(importer.path))
                files += self._load(wanted._replace(depth=importer.depth + 1))
            elif name.startswith(("./", "../", "~/", "/")) or name.endswith(".md"):
                self._warn(f"@{name} does not exist.", importer.path, code="memory.missing_import")
        return files

    def _text_of(self, wanted: _Candidate) -> str | None:
        """The text of a file that may be read and was not yet."""
        try:
            real = wanted.path.resolve(strict=True)
        except (OSError, RuntimeError, ValueError):
            return None
        if real in self._seen or (wanted.type != "Managed" and matches(self._scope.excludes, str(wanted.path))):
            return None
        self._seen.add(real)
        if not self._scope.may_read(real):
            self._warn("A deny rule keeps this memory file from being read.", wanted.path, code="memory.denied")
            return None
        is_accepted = ("import", str(real)) in self._scope.accepted
        if not is_accepted and self._is_external(real, wanted):
            asks = wanted.parent or str(wanted.path)
            self.offers.append(MemoryOffer(kind="import", path=str(real), wanted_by=asks))
            self._warn(
                "A memory file of this project leads outside of it and was left out.",
                real,
                hint=f"Asked for by {asks}. /memory takes it in.",
                code="memory.external_import",
            )
            return None
        try:
            return read_text(real, LARGEST)
        except ReadProblem as problem:
            self._warn(f"A memory file was left out: {problem}.", wanted.path, code="memory.unreadable")
            return None

    def _is_external(self, real: Path, wanted: _Candidate) -> bool:
        """Whether a project's file leaves the project; one found by walking up may not leave its own folder."""
        if wanted.type not in {"Project", "Local"} or wanted.path == self._scope.remembered:
            return False
        homes = [self._scope.root, self._scope.places.config, *self._scope.additional]
        if not wanted.parent:
            folder = wanted.path.parent
            homes.append(wanted.base or (folder.parent if folder.name == ".claude" else folder))
        return not any(real.is_relative_to(home.resolve()) for home in homes)

    def _warn(self, text: str, path: Path, *, hint: str = "", code: str) -> None:
        self.notices.append(Notice(text=text, level="warning", where=str(path), hint=hint, code=code))


def _of_folder(folder: Path) -> Iterator[_Candidate]:
    yield _Candidate(folder / "CLAUDE.md", "Project")
    yield _Candidate(folder / ".claude" / "CLAUDE.md", "Project")
    yield from _rules(folder / ".claude" / "rules", "Project", folder)
    yield _Candidate(folder / "CLAUDE.local.md", "Local")


def _rules(folder: Path, kind: MemoryType, base: Path) -> Iterator[_Candidate]:
    if folder.is_dir():
        for path in sorted(folder.rglob("*.md")):
            yield _Candidate(path, kind, base)


def _import_target(name: str, folder: Path, home: Path) -> Path | None:
    """The file that an import means, if it exists; a sentence's full stop is not part of a name."""
    for spelling in dict.fromkeys((name, name.rstrip(".,;:!?)]'\""))):
        if not spelling:
            continue
        path = home / spelling[2:] if spelling.startswith("~/") else folder / spelling
        try:
            if path.is_file():
                return path
        except (OSError, ValueError):
            continue
    return None
