"""What can be completed: candidates, and where they come from."""

from collections.abc import AsyncGenerator, Callable, Sequence
from typing import Protocol

import msgspec

from .. import fuzzy


class Candidate(msgspec.Struct, frozen=True):
    """One line of the completion list. `insert` replaces what was typed; `marks` are positions in `label` to stress."""

    insert: str
    label: str
    note: str = ""
    marks: tuple[int, ...] = ()


class CommandHint(msgspec.Struct, frozen=True):
    """What the composer knows of a slash command: its name without the slash, what it does, what it takes."""

    name: str
    summary: str
    argument: str = ""
    aliases: tuple[str, ...] = ()


_ALIAS = 50
"""What a match of an alias is worth less than one of the name."""


class Completer(Protocol):
    """A source of candidates that may take its time: each list that it yields replaces the one before.

    A query with a blank is a line whose last word is being typed; any other stands behind an `@`.
    """

    def complete(self, query: str) -> AsyncGenerator[Sequence[Candidate]]:
        """Ever better answers for `query`. Closing the generator stops the search."""
        ...


def complete_command(query: str, commands: Callable[[], Sequence[CommandHint]], limit: int = 50) -> list[Candidate]:
    """Slash commands whose name or alias matches, best first; all of them for an empty query."""
    found: list[tuple[int, str, Candidate]] = []
    for command in commands():
        direct = fuzzy.match(query, command.name)
        other = [hit[0] - _ALIAS for name in command.aliases if (hit := fuzzy.match(query, name))]
        if direct is None and not other:
            continue
        score: int = max([*other, direct[0]] if direct else other)
        marks = tuple(position + 1 for position in direct[1]) if direct else ()
        label = f"/{command.name} {command.argument}".rstrip()
        found.append((score, command.name, Candidate(f"/{command.name} ", label, command.summary, marks)))
    found.sort(key=lambda entry: (-entry[0], entry[1]) if query else (0, entry[1]))
    return [candidate for _, _, candidate in found[:limit]]
