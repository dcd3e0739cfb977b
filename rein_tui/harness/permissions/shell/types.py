"""What the shell analysis needs to know of the world, and what it answers.

The analysis sees files through `FileFacts` and `folder_names`, and has paths judged by `path_check`.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import islice
from typing import Literal, Protocol, TypeAlias

from rein_tui.harness.protocol.decisions import DecidedBy, Mode, Outcome, PartDecision, Rule, RuleTrial

Access: TypeAlias = Literal["read", "write", "covered_write"]
"""`covered_write`: a write by a command that an allow rule covers (`wget -O x` under `Bash(wget *)`): judged as in
acceptEdits, so that protected paths, deny and ask rules and the working directories still hold."""

PathCheck: TypeAlias = Callable[[str, Access], PartDecision]
"""Judges one absolute path, `..` and links still in it. The answer is final for the mode of the scene: rules,
protected paths, working directories and (for writes) acceptEdits and bypassPermissions are already applied."""


PathSuggestion: TypeAlias = Callable[[str, Access], str]
"""The rule that would approve this access (`Read(//tmp/**)`), or "" when none should."""


def no_suggestion(path: str, access: Access) -> str:
    """Suggest nothing."""
    del path, access
    return ""


FolderNames: TypeAlias = Callable[[str, int], tuple[str, ...] | None]
"""The names in a folder; empty when it is missing, None when it cannot be read or holds more than the limit."""


def names_on_disk(path: str, limit: int) -> tuple[str, ...] | None:
    """The names in a real folder. Never raises."""
    try:
        with os.scandir(path) as entries:
            names = tuple(entry.name for entry in islice(entries, limit + 1))
    except (FileNotFoundError, NotADirectoryError):
        return ()
    except (OSError, ValueError):
        return None
    return names if len(names) <= limit else None


class FileFacts(Protocol):
    """The few facts about files that decide what a command does. No method raises."""

    def exists(self, path: str) -> bool:
        """Whether something (also a dangling link) is there."""
        ...

    def is_dir(self, path: str) -> bool:
        """Whether it is a directory, links followed."""
        ...

    def realpath(self, path: str) -> str:
        """The path with every link followed, as far as it exists."""
        ...

    def read_text(self, path: str, limit: int) -> str | None:
        """At most `limit` characters of a regular file; None when it is missing, unreadable or longer."""
        ...


@dataclass(frozen=True, slots=True)
class ShellScene:
    """Where and under which rules a line would run.

    `allow`, `ask`, `deny` hold the rules of tool Bash as written (`Bash`, `Bash(npm test *)`), highest layer
    first, without those on other parameters (`Bash(run_in_background:true)`). `cwd` and `home` are absolute.
    `roots` are the working directories. `trusted` false keeps read-only git from running at all.

    `guarded` are absolute globs of what a deny or ask rule keeps from reading: `*`, `?`, `[…]` within a name,
    `**` for any names, everything below a match included (`/w/proj/**/.env`). They decide what a glob operand
    or a recursive search might reach. A rule that has no such form is given as `/**`. `folder_names` lets globs
    be followed to the files (and links) that they mean just now.
    """

    mode: Mode
    cwd: str
    home: str
    path_check: PathCheck
    facts: FileFacts
    allow: tuple[Rule, ...] = ()
    ask: tuple[Rule, ...] = ()
    deny: tuple[Rule, ...] = ()
    roots: tuple[str, ...] = ()
    guarded: tuple[str, ...] = ()
    trusted: bool = True
    path_suggestion: PathSuggestion = no_suggestion
    folder_names: FolderNames = names_on_disk


@dataclass(frozen=True, slots=True)
class ShellVerdict:
    """What becomes of a line, with every reason.

    `parts` are its sub-commands and file targets in order. `trials` are all rules tried on all parts.
    `suggestions` are allow rules that would have let it pass, at most five, empty when no rule should. `exact` are
    those for these very commands; `exact_lasts` when they mean the same on another day.
    `waivable` says whether a hook's "allow" may answer an ask (also one that the mode turned into a deny).
    """

    outcome: Outcome
    decided_by: DecidedBy
    reason: str
    rule: Rule | None = None
    parts: tuple[PartDecision, ...] = ()
    trials: tuple[RuleTrial, ...] = ()
    suggestions: tuple[str, ...] = ()
    warnings: tuple[str, ...] = field(default=())
    waivable: bool = False
    exact: tuple[str, ...] = ()
    exact_lasts: bool = False
