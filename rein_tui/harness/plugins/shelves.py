"""The folders in which a person and a project keep commands, skills, agents and styles; read again when they change."""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from msgspec import structs

from ..places import Places
from ..protocol.agents import AgentSpec
from ..protocol.errors import ConfigError
from ..protocol.events import Notice
from ..settings.repository import folders_up
from ..settings.trust import may_speak
from .agent_files import read_agent
from .definitions import markdown_below, read_definition, read_style
from .words import Definition, Owner, Style

ReadT = TypeVar("ReadT")

_NESTED_LIMIT = 50


@dataclass(frozen=True, slots=True)
class Shelf:
    """One `.claude` folder (or what stands for it) and whose it is. `scope` is set for one below the working folder."""

    folder: Path
    owner: Owner
    scope: str = ""


def shelves(places: Places, root: Path, additional: tuple[Path, ...] = (), *, trusted: bool) -> list[Shelf]:
    """All of them, highest precedence first: managed, the person's, the project's from here up, further folders'."""
    found = [
        Shelf(places.managed / ".claude", Owner(layer="managed", label="managed")),
        Shelf(places.config, Owner(layer="user", label="user")),
    ]
    speaks = may_speak(places, root, trusted=trusted)
    project = Owner(layer="project", label="project", trusted=trusted, may_speak=speaks)
    found += [Shelf(folder / ".claude", project) for folder in (*folders_up(root), *additional)]
    seen: set[str] = set()
    return [s for s in found if (real := os.path.realpath(s.folder)) not in seen and not seen.add(real)]


@dataclass(slots=True)
class Library:
    """What the shelves hold as of now. Files are read again only when they changed."""

    shelves: list[Shelf]
    forbidden_modes: frozenset[str] = frozenset()
    problems: list[Notice] = field(default_factory=list[Notice])
    _read: dict[tuple[str, str], tuple[tuple[int, int], Any]] = field(
        default_factory=dict[tuple[str, str], tuple[tuple[int, int], Any]]
    )

    def definitions(self) -> list[Definition]:
        """Commands and skills, one for each name: skills over commands, then the higher shelf."""
        found: dict[str, Definition] = {}
        self.problems = []
        kinds = (self._skills, self._commands)
        for kind in kinds:
            for shelf in self.shelves:
                for defined in kind(shelf):
                    self._note(defined.problems)
                    name = f"{shelf.scope}:{defined.name}" if shelf.scope and defined.name in found else defined.name
                    found.setdefault(name, _named(defined, name))
        return list(found.values())

    def agents(self) -> dict[str, AgentSpec]:
        """Agents by name: managed, then the project's from here up, then the person's."""
        found: dict[str, AgentSpec] = {}
        ranks = {"managed": 0, "project": 1}
        for shelf in sorted(self.shelves, key=lambda shelf: ranks.get(shelf.owner.layer, 2)):
            if shelf.owner.may_speak:
                for path in markdown_below(shelf.folder / "agents"):
                    read = self._cached(path, "agent", lambda path=path, shelf=shelf: read_agent(path, shelf.owner))
                    if read is not None:
                        self._note(read[1])
                        if read[0] is not None:
                            found.setdefault(read[0].name, self._limited(read[0]))
        return found

    def _limited(self, spec: AgentSpec) -> AgentSpec:
        """Without a mode that settings forbid."""
        if spec.mode is None or spec.mode not in self.forbidden_modes:
            return spec
        text = f"the agent {spec.name} asks for {spec.mode}, which settings forbid; the session's mode holds"
        self._note([Notice(text=text, level="warning", where=str(spec.source), code="entry_skipped")])
        return structs.replace(spec, mode=None)

    def styles(self) -> dict[str, Style]:
        """Output styles by name, the higher shelf first."""
        found: dict[str, Style] = {}
        for shelf in self.shelves:
            for path in markdown_below(shelf.folder / "output-styles") if shelf.owner.may_speak else ():
                style = self._cached(path, "style", lambda path=path, shelf=shelf: read_style(path, shelf.owner))
                if style is not None:
                    found.setdefault(style.name, style)
        return found

    def look_around(self, path: Path, root: Path) -> bool:
        """A file was touched: take up the `.claude` folders between it and the root. True when there is a new one."""
        project = next((s.owner for s in self.shelves if s.owner.layer == "project"), None)
        if project is None or not path.is_relative_to(root) or len(self.shelves) > _NESTED_LIMIT:
            return False
        known = {shelf.folder for shelf in self.shelves}
        fresh = [
            Shelf(folder / ".claude", project, folder.relative_to(root).as_posix())
            for folder in path.parents
            if folder != root and folder.is_relative_to(root) and folder / ".claude" not in known
        ]
        fresh = [shelf for shelf in fresh if (shelf.folder / "skills").is_dir()]
        self.shelves += fresh
        return bool(fresh)

    def add_folder(self, folder: Path) -> None:
        """Take up the `.claude` folder of a further folder, trusted as the project is."""
        project = next((s.owner for s in self.shelves if s.owner.layer == "project"), None)
        known = {os.path.realpath(shelf.folder) for shelf in self.shelves}
        if project is not None and os.path.realpath(folder / ".claude") not in known:
            self.shelves.append(Shelf(folder / ".claude", project))

    def _skills(self, shelf: Shelf) -> Iterator[Definition]:
        seen: set[str] = set()
        for path in _skill_files(shelf.folder / "skills"):
            real = os.path.realpath(path)
            if real in seen or (path.parent / ".claude-plugin").is_dir():
                continue
            seen.add(real)
            defined = self._cached(
                path,
                shelf.scope,
                lambda path=path: read_definition(path, shelf.owner, name=path.parent.name, is_skill=True),
            )
            if defined is not None:
                yield defined

    def _commands(self, shelf: Shelf) -> Iterator[Definition]:
        folder = shelf.folder / "commands"
        for path in markdown_below(folder):
            label = ":".join(path.relative_to(folder).parts[:-1])
            defined = self._cached(
                path,
                shelf.scope,
                lambda path=path, label=label: read_definition(
                    path, shelf.owner, name=path.stem, is_skill=False, label=label
                ),
            )
            if defined is not None:
                yield defined

    def _cached(self, path: Path, kind: str, read: Callable[[], ReadT]) -> ReadT | None:
        try:
            state = path.stat()
            stamp = (state.st_mtime_ns, state.st_size)
            known = self._read.get((str(path), kind))
            if known is None or known[0] != stamp:
                known = (stamp, read())
                self._read[str(path), kind] = known
            return known[1]
        except ConfigError as problem:
            self._note([Notice(text=problem.message, level="warning", where=problem.where, code="unreadable")])
        except OSError:
            return None  # it went away while we looked
        return None

    def _note(self, notices: tuple[Notice, ...] | list[Notice]) -> None:
        self.problems += [notice for notice in notices if notice not in self.problems]


def _named(defined: Definition, name: str) -> Definition:
    return defined if defined.name == name else structs.replace(defined, name=name)


def _skill_files(folder: Path) -> list[Path]:
    try:
        return sorted(path for child in folder.iterdir() if (path := child / "SKILL.md").is_file())
    except OSError:
        return []


def personal_plugins(found: list[Shelf]) -> list[Path]:
    """Plugins that lie in a skills folder (with a manifest of their own); a project's only when it is trusted."""
    folders: list[Path] = []
    for shelf in found:
        skills = shelf.folder / "skills"
        if shelf.owner.trusted and skills.is_dir():
            folders += sorted(p for p in skills.iterdir() if (p / ".claude-plugin" / "plugin.json").is_file())
    return folders
