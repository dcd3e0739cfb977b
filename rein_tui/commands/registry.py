"""One registry of all that a person can ask of the screen: slash command, palette entry and key are one thing."""

from collections.abc import Awaitable, Callable, Iterable
from difflib import get_close_matches
from typing import TYPE_CHECKING, TypeAlias

import msgspec

if TYPE_CHECKING:
    from rein_tui.app import ReinApp

Run: TypeAlias = "Callable[[ReinApp, str], Awaitable[None]]"
"""Does it; the string is what stood behind the command's name, stripped."""


class Command(msgspec.Struct, frozen=True):
    """One thing to ask for. `argument` is a hint such as `[file]`; `key` a Textual key, rebindable by `name`.

    `family` groups the help. A command with `in_palette` false is reached by its name or key only.
    """

    name: str
    summary: str
    run: Run
    argument: str = ""
    aliases: tuple[str, ...] = ()
    key: str = ""
    family: str = "session"
    in_palette: bool = True


class Registry:
    """Commands by name and alias; the first to claim a name keeps it."""

    def __init__(self, commands: Iterable[Command] = ()) -> None:
        self._commands: dict[str, Command] = {}
        self._names: dict[str, Command] = {}
        self._brought: dict[str, frozenset[str]] = {}
        for command in commands:
            self.add(command)

    def add(self, command: Command) -> bool:
        """Add a command; false when its name is taken (its free aliases do not count then)."""
        if command.name in self._names:
            return False
        self._commands[command.name] = command
        for name in (command.name, *command.aliases):
            self._names.setdefault(name, command)
        return True

    def replace(self, origin: str, commands: Iterable[Command]) -> None:
        """What an origin (files, servers) brings now, in place of what it brought before."""
        before = self._brought.get(origin, frozenset())
        self._commands = {name: command for name, command in self._commands.items() if name not in before}
        self._names = {key: command for key, command in self._names.items() if command.name not in before}
        self._brought[origin] = frozenset(command.name for command in commands if self.add(command))

    def get(self, name: str) -> Command | None:
        """The command of that name or alias."""
        return self._names.get(name)

    def closest(self, name: str) -> Command | None:
        """The command that a misspelt name probably meant."""
        found = get_close_matches(name, self._names, n=1, cutoff=0.6)
        return self._names[found[0]] if found else None

    def all(self) -> tuple[Command, ...]:
        """All commands, in the order added."""
        return tuple(self._commands.values())


def split_command(text: str) -> tuple[str, str]:
    """`/export notes.md` as its name and its argument."""
    name, _, argument = text.removeprefix("/").partition(" ")
    if "\n" in name:
        name, _, rest = name.partition("\n")
        argument = f"{rest} {argument}"
    return name, argument.strip()
