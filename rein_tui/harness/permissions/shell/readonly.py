"""Programs that only read, with the options under which that is true. The lists are positive: what is missing asks."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from .options import Options, Table, read_options
from .readprograms import awk_problem, is_version_question, jq_problem, jq_words, ps_problem
from .readtables import TABLES

_FIND_ALONE = frozenset(
    "-print -print0 -ls -prune -quit -depth -d -mount -xdev -follow -empty -executable -readable -writable -nouser "
    "-nogroup -true -false -not -a -and -o -or -daystart -ignore_readdir_race -noignore_readdir_race -noleaf -warn "
    "-nowarn ! , ( ) -help --help -version --version".split()
)
_FIND_VALUED = frozenset(
    "-name -iname -path -ipath -wholename -iwholename -regex -iregex -type -xtype -size -mtime -atime -ctime -mmin "
    "-amin -cmin -used -maxdepth -mindepth -perm -user -group -uid -gid -links -inum -lname -ilname -regextype "
    "-fstype -printf -newermt -newerct -newerat -context".split()
)
_FIND_PATHS = frozenset("-newer -anewer -cnewer -samefile -newermm -newercc -newerma".split())
_PLAIN_VARIABLES = frozenset("PATH HOME PWD USER LOGNAME SHELL LANG LC_ALL TERM TZ EDITOR".split())
_TEST_UNARY = frozenset("-e -f -d -r -w -x -s -L -h -b -c -p -S -u -g -k -O -G -N".split())
_SEARCHERS = frozenset({"grep", "egrep", "fgrep"})
_FOLDER_GLOBS = frozenset("rg jq awk gawk mawk nawk sort strings".split())
"""Programs that take any number of files: a glob among these is fine once its names cannot be options."""
_HERE = frozenset({"ls", "du", "tree"})
_DATE = re.compile(r"\+[^\0]*")


@dataclass(slots=True)
class Reading:
    """A command that only reads: the paths that it opens, and the folders whose whole content it prints.

    `globs` may stand anywhere; `folder_globs` only where files do, with a folder in front.
    """

    paths: list[str] = field(default_factory=list[str])
    trees: list[str] = field(default_factory=list[str])
    globs: bool = True
    folder_globs: bool = False
    problem: str = ""


def reading_of(argv: Sequence[str], *, stdin: bool = True) -> Reading | None:
    """What a read-only program reads; None when the program is not on the list."""
    del stdin
    program, words = argv[0], argv[1:]
    if program in {"echo", "true", "false", ":"}:
        return Reading()
    if is_version_question(argv):
        return Reading()
    if program == "find":
        return _find(words)
    if program in {"test", "["}:
        return _test(program, words)
    if program == "printf":
        return _printf(words)
    if program == "date":
        return _date(words)
    if program == "sed":
        from .sedscript import sed_reading

        return sed_reading(words)
    if program == "command":
        return _command_query(words)
    if program == "type":
        return Reading(
            problem="" if all(not w.startswith("-") or w in {"-a", "-t", "-p"} for w in words) else "an option"
        )
    if program == "ps":
        return Reading(problem=ps_problem(words))
    if program == "printenv":
        return Reading(problem="" if words and set(words) <= _PLAIN_VARIABLES else "it shows what may be secret")
    if program == "jq":
        words = jq_words(words)
    known = TABLES.get(program)
    if known is None:
        return None
    return _by_table(program, words, known)


def _by_table(program: str, words: Sequence[str], known: Table) -> Reading:
    options = read_options(words, known)
    if options.problem:
        return Reading(problem=options.problem)
    reading = Reading(paths=[path for path in options.paths if path != "-"], globs=known.globs)
    reading.problem = _beyond_table(program, words, options)
    reading.folder_globs = program in _FOLDER_GLOBS
    recursive = options.seen.keys() & {"-r", "-R", "--recursive", "--dereference-recursive"}
    skips = options.seen.get("-d") == "recurse" or options.seen.get("--directories") == "recurse"
    if program == "rg" or (program in _SEARCHERS and (recursive or skips)):
        operands = options.operands if known.pattern_options & options.seen.keys() else options.operands[1:]
        reading.trees = [path for path in operands if path != "-"] or ["."]
        reading.paths = reading.paths or ["."]
    elif program == "diff" and recursive:
        reading.trees = list(options.operands)
    elif program in {"fd", "fdfind"}:
        reading.paths = reading.paths or ["."]
    if program in _HERE and not options.operands:
        reading.paths.append(".")
    return reading


def _beyond_table(program: str, words: Sequence[str], options: Options) -> str:
    """What a table of options cannot say: programs in a language of their own, operands with a meaning."""
    operands = options.operands
    if program in {"awk", "gawk", "mawk", "nawk"}:
        return awk_problem(operands)
    if program == "jq":
        return jq_problem(operands)
    if program == "strings" and any(operand.startswith("@") for operand in operands):
        return "`@` reads options from a file"
    if program == "xxd" and (operands != list(words[len(words) - len(operands) :]) or "--" in words):
        return "options after the file are taken for an output file"
    return ""


def _find(words: Sequence[str]) -> Reading:
    reading = Reading(globs=False)
    index = 0
    while index < len(words) and words[index] in {"-H", "-L", "-P", "-O0", "-O1", "-O2", "-O3"}:
        index += 1
    while index < len(words) and not words[index].startswith("-") and words[index] not in {"!", "(", ")", ","}:
        reading.paths.append(words[index])
        index += 1
    reading.paths = reading.paths or ["."]
    while index < len(words):
        word = words[index]
        if word in _FIND_ALONE:
            index += 1
        elif word in _FIND_VALUED and index + 1 < len(words):
            index += 2
        elif word in _FIND_PATHS and index + 1 < len(words):
            reading.paths.append(words[index + 1])
            index += 2
        else:
            reading.problem = f"`{word}` of find is not on the list of harmless ones"
            return reading
    return reading


def _test(program: str, words: Sequence[str]) -> Reading:
    """`test` with literal operands and operators that evaluate nothing."""
    if program == "[":
        if not words or words[-1] != "]":
            return Reading(problem="`[` is not closed")
        words = words[:-1]
    if words and words[0] == "!":
        words = words[1:]
    if len(words) == 2 and words[0] in _TEST_UNARY:
        return Reading(paths=[words[1]])
    if len(words) == 2 and words[0] in {"-n", "-z"}:
        return Reading()
    if len(words) == 3 and words[1] in {"=", "==", "!="}:
        return Reading()
    return Reading(problem="this form of test is not analysed")


def _printf(words: Sequence[str]) -> Reading:
    if words and words[0] == "--":
        words = words[1:]
    if not words or words[0].startswith("-"):
        return Reading(problem="`printf` with an option is not analysed")
    # %d and its kin evaluate nothing in bash's printf, but %n-style conversions are kept out all the same.
    formats = re.findall(r"%[-+ #0]*[0-9]*(?:\.[0-9]*)?(.)", words[0].replace("%%", ""))
    if any(letter not in "sbqdiouxXfeEgGc" for letter in formats):
        return Reading(problem="this format of printf is not analysed")
    return Reading()


def _date(words: Sequence[str]) -> Reading:
    fine = {"-u", "--utc", "-R", "--rfc-email", "-I", "--iso-8601"}
    if all(word in fine or _DATE.fullmatch(word) or re.fullmatch(r"(?:-I|--iso-8601=)\w+", word) for word in words):
        return Reading()
    return Reading(problem="this form of date is not analysed")


def _command_query(words: Sequence[str]) -> Reading | None:
    if len(words) >= 2 and words[0] in {"-v", "-V"} and not any(word.startswith("-") for word in words[1:]):
        return Reading()
    return None
