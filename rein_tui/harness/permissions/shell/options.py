"""Reading a program's own options against a positive list: an option that is not listed is not understood."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

Kind: TypeAlias = Literal["text", "number", "path"]
Operands: TypeAlias = Literal["paths", "texts", "pattern_then_paths", "none"]

_NUMBER = re.compile(r"[+-]?[0-9]+[A-Za-z]{0,3}")


@dataclass(frozen=True, slots=True)
class Table:
    """What a program may be given.

    `flags`: short letters without value; `valued`: with one. `long`: long names without value (also with `=value`
    when listed in `optional`); `long_valued`: with one. `numeric`: `-5` means a count. `pattern_options` name
    what replaces the first operand of a search. `globs` false: an unquoted glob could become an option.
    """

    flags: str = ""
    valued: Mapping[str, Kind] = field(default_factory=dict[str, Kind])
    long: frozenset[str] = frozenset()
    optional: frozenset[str] = frozenset()
    long_valued: Mapping[str, Kind] = field(default_factory=dict[str, Kind])
    operands: Operands = "paths"
    numeric: bool = False
    pattern_options: frozenset[str] = frozenset()
    globs: bool = True
    most: int = 1_000_000
    words: frozenset[str] = frozenset()


def table(
    flags: str = "",
    valued: str = "",
    long: str = "",
    optional: str = "",
    long_valued: str = "",
    operands: Operands = "paths",
    *,
    numeric: bool = False,
    pattern_options: str = "",
    globs: bool = True,
    most: int = 1_000_000,
    words: str = "",
) -> Table:
    """A table in short form: `valued="n:number f:path e"`, names separated by blanks, kind text unless given."""
    return Table(
        flags=flags,
        valued=_kinds(valued),
        long=frozenset(long.split()),
        optional=frozenset(optional.split()),
        long_valued=_kinds(long_valued),
        operands=operands,
        numeric=numeric,
        pattern_options=frozenset(pattern_options.split()),
        globs=globs,
        most=most,
        words=frozenset(words.split()),
    )


def _kinds(listed: str) -> dict[str, Kind]:
    kinds: dict[str, Kind] = {}
    for item in listed.split():
        name, _, kind = item.partition(":")
        kinds[name] = "number" if kind == "number" else "path" if kind == "path" else "text"
    return kinds


@dataclass(slots=True)
class Options:
    """What was read: options by name, path operands, and why not, if it was not understood."""

    seen: dict[str, str] = field(default_factory=dict[str, str])
    operands: list[str] = field(default_factory=list[str])
    paths: list[str] = field(default_factory=list[str])
    problem: str = ""


def read_options(words: Sequence[str], known: Table) -> Options:
    """Read the words after the program's name."""
    options = Options()
    index, only_operands = 0, False
    while index < len(words) and not options.problem:
        word = words[index]
        following = words[index + 1] if index + 1 < len(words) else None
        if only_operands or not word.startswith("-") or word == "-":
            options.operands.append(word)
            index += 1
        elif word == "--":
            only_operands = True
            index += 1
        elif word in known.words:
            options.seen[word] = ""
            index += 1
        elif word.startswith("--"):
            index += _long(word, following, known, options)
        elif known.numeric and re.fullmatch(r"-[0-9]+[A-Za-z]?", word):
            index += 1
        else:
            index += _short(word, following, known, options)
    _settle_operands(known, options)
    return options


def _keep(name: str, value: str, kind: Kind, options: Options) -> None:
    options.seen[name] = value
    if kind == "path":
        options.paths.append(value)
    elif kind == "number" and not _NUMBER.fullmatch(value):
        options.problem = f"`{name}` with `{value}` is not understood"


def _long(word: str, following: str | None, known: Table, options: Options) -> int:
    name, equals, value = word[2:].partition("=")
    if name in known.long_valued:
        if not equals and following is None:
            options.problem = f"`{word}` lacks its value"
            return 1
        _keep("--" + name, value if equals else following or "", known.long_valued[name], options)
        return 1 if equals else 2
    if (not equals and (name in known.long or name in known.optional)) or (equals and name in known.optional):
        options.seen["--" + name] = value
        return 1
    options.problem = f"the option `--{name}` is not on the list of harmless ones"
    return 1


def _short(word: str, following: str | None, known: Table, options: Options) -> int:
    for position, letter in enumerate(word[1:], start=1):
        if letter in known.valued:
            rest = word[position + 1 :]
            if not rest and following is None:
                options.problem = f"`{word}` lacks its value"
                return 1
            _keep("-" + letter, rest or following or "", known.valued[letter], options)
            return 1 if rest else 2
        if letter not in known.flags:
            options.problem = f"the option `-{letter}` is not on the list of harmless ones"
            return 1
        options.seen["-" + letter] = ""
    return 1


def _settle_operands(known: Table, options: Options) -> None:
    operands = options.operands
    if known.operands == "none" and operands:
        options.problem = options.problem or f"the operand `{operands[0]}` is not understood"
    if len(operands) > known.most:
        options.problem = options.problem or "it has too many operands"
    if known.operands == "paths":
        options.paths.extend(operands)
    elif known.operands == "pattern_then_paths":
        options.paths.extend(operands if known.pattern_options & options.seen.keys() else operands[1:])
