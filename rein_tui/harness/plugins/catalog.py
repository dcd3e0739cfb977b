"""Everything that can be used by name in a session: the shelves' definitions and those of plugins, joined.

A snapshot, taken anew at the start of each turn, so that what changed on disk holds and a turn never sees two states.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

from msgspec import structs

from ..context.globs import matches
from ..protocol.agents import AgentSpec
from ..protocol.events import Notice
from ..protocol.workbench import CommandInfo
from .shelves import Library
from .words import Definition, Plugin, Style

_LEFT_OUT = "off"
_NAME_ONLY = "name-only"
_PERSON_ONLY = "user-invocable-only"


class Catalog:
    """Commands, skills, agents and styles by name. `overrides` are the settings' `skillOverrides`."""

    def __init__(
        self, library: Library, plugins: Sequence[Plugin], root: Path, overrides: Mapping[str, str] | None = None
    ) -> None:
        self._library = library
        self._root = root
        self._overrides = overrides or {}
        self._told: set[Notice] = set()
        self._touched: set[str] = set()
        self.used: dict[str, int] = {}
        self.plugins = tuple(plugins)
        self.refresh()

    def use_plugins(self, plugins: Sequence[Plugin]) -> None:
        """Take up other plugins, as after /reload-plugins."""
        self.plugins = tuple(plugins)
        self.refresh()

    def refresh(self) -> None:
        """Look at the disk again."""
        active = [plugin for plugin in self.plugins if plugin.enabled and plugin.loaded]
        own = [kept for each in self._library.definitions() if (kept := self._overridden(each)) is not None]
        brought = [each for plugin in active for each in (*plugin.skills, *plugin.commands)]
        self._by_name: dict[str, Definition] = {}
        for each in (*own, *brought):
            self._by_name.setdefault(each.name, each)
        self._by_alias: dict[str, Definition] = {}
        for each in self._by_name.values():
            for alias in each.aliases:
                self._by_alias.setdefault(alias, each)
        agents: dict[str, AgentSpec] = {}
        for spec in (spec for plugin in active for spec in plugin.agents):
            agents.setdefault(spec.name, spec)
        self._agents = agents | self._library.agents()
        styles = [style for plugin in active for style in plugin.styles]
        self._styles = {style.name: style for style in styles} | self._library.styles()

    def add_folder(self, folder: Path) -> None:
        """The session works in a further folder: its commands, skills and agents count too."""
        self._library.add_folder(folder)
        self.refresh()

    def _overridden(self, defined: Definition) -> Definition | None:
        match self._overrides.get(defined.name, "on"):
            case word if word == _LEFT_OUT:
                return None
            case word if word == _PERSON_ONLY:
                return structs.replace(defined, for_model=False)
            case word if word == _NAME_ONLY:
                return structs.replace(defined, description="", when="")
            case _:
                return defined

    def new_problems(self) -> list[Notice]:
        """What is wrong on the shelves and was not told before; trifles excepted."""
        fresh = [n for n in self._library.problems if n.level != "info" and n not in self._told]
        self._told |= set(fresh)
        return fresh

    def definitions(self) -> tuple[Definition, ...]:
        """All commands and skills, the person's and the project's first."""
        return tuple(self._by_name.values())

    def find(self, name: str) -> Definition | None:
        """A command or skill by its name, or by a short name that nobody else has."""
        return self._by_name.get(name) or self._by_alias.get(name)

    def stays(self, name: str) -> bool:
        """Whether this is a skill whose words stay in the conversation once it is used."""
        defined = self.find(name)
        return defined is not None and defined.kind == "skill" and not defined.forks

    def agents(self) -> dict[str, AgentSpec]:
        """Agents by name."""
        return self._agents

    def styles(self) -> dict[str, Style]:
        """Output styles by name."""
        return self._styles

    def for_model(self) -> tuple[Definition, ...]:
        """What the model may use by itself, now: skills about certain files only once such a file was touched."""
        return tuple(
            each for each in self._by_name.values() if each.for_model and (not each.paths or self._is_near(each))
        )

    def _is_near(self, defined: Definition) -> bool:
        return any(matches(defined.paths, path) for path in self._touched)

    def touch(self, path: str) -> None:
        """A file was read or changed: skills about such files come up, also those of folders near it."""
        place = Path(path)
        if place.is_relative_to(self._root):
            self._touched.add(place.relative_to(self._root).as_posix())
        if self._library.look_around(place, self._root):
            self.refresh()

    def infos(self) -> tuple[CommandInfo, ...]:
        """What a person may type, for completion and help."""
        return tuple(
            CommandInfo(
                name=each.name,
                summary=each.description.split("\n", 1)[0],
                argument=each.hint,
                source=each.owner.label,
                aliases=self._short_names(each),
            )
            for each in self._by_name.values()
            if each.for_person
        )

    def _short_names(self, defined: Definition) -> tuple[str, ...]:
        """The aliases that mean this one and nothing else, and that can be typed."""
        return tuple(
            alias
            for alias in defined.aliases
            if alias not in self._by_name and self._by_alias[alias] is defined and not any(map(str.isspace, alias))
        )
