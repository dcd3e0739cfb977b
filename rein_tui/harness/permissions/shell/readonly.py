"""Programs that only read, with the options under which that is true. The lists are positive: what is missing asks."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from .options import Table, read_options, table

_GREP = table(
    "EFGPivwxclLnHhoqsrRabzZUTI",
    "e f:path m:number A:number B:number C:number d D",
    long="extended-regexp fixed-strings basic-regexp perl-regexp ignore-case no-ignore-case invert-match word-regexp "
    "line-regexp count files-with-matches files-without-match line-number with-filename no-filename only-matching "
    "quiet silent no-messages recursive dereference-recursive text byte-offset null-data null initial-tab help version",
    optional="color colour",
    long_valued="regexp file:path max-count:number after-context:number before-context:number context:number include "
    "exclude exclude-dir exclude-from:path binary-files devices directories label",
    operands="pattern_then_paths",
    numeric=True,
    pattern_options="-e -f --regexp --file",
)

TABLES: dict[str, Table] = {
    "ls": table(
        "aAbBcCdDfFgGhHiklLmnNopqQrRsStTuUvxXZ1",
        "I w:number",
        long="all almost-all author escape ignore-backups directory dired full-time group-directories-first no-group "
        "human-readable si dereference-command-line inode kibibytes dereference numeric-uid-gid "
        "literal hide-control-chars "
        "show-control-chars quote-name reverse recursive size zero help version",
        optional="color classify hyperlink",
        long_valued="block-size format indicator-style ignore hide quoting-style sort time time-style tabsize:number "
        "width:number",
    ),
    "cat": table(
        "AbeEnstTuv",
        long="show-all number-nonblank show-ends number squeeze-blank show-tabs show-nonprinting help version",
    ),
    "echo": table(operands="texts"),
    "true": table(operands="texts"),
    "false": table(operands="texts"),
    ":": table(operands="texts"),
    "pwd": table("LP", operands="none"),
    "head": table(
        "qvz",
        "n:number c:number",
        long="quiet silent verbose zero-terminated help version",
        long_valued="lines:number bytes:number",
        numeric=True,
    ),
    "tail": table(
        "qvzr",
        "n:number c:number",
        long="quiet silent verbose zero-terminated help version",
        long_valued="lines:number bytes:number",
        numeric=True,
    ),
    "grep": _GREP,
    "egrep": _GREP,
    "fgrep": _GREP,
    "wc": table("cmlLw", long="bytes chars lines max-line-length words help version", long_valued="total"),
    "which": table("as", long="all", operands="texts"),
    "diff": table(
        "uqscrNiEbwBatyTdpZne",
        "U:number C:number W:number x L F I",
        long="unified context brief report-identical-files recursive new-file ignore-case ignore-tab-expansion "
        "ignore-space-change ignore-all-space ignore-blank-lines text expand-tabs side-by-side minimal show-c-function "
        "ignore-trailing-space strip-trailing-cr suppress-common-lines left-column no-dereference normal help version",
        optional="color unified context",
        long_valued="exclude label width:number ignore-matching-lines show-function-line tabsize:number palette",
    ),
    "cmp": table("bls", "i:number n:number", long="print-bytes verbose quiet silent", most=2),
    "comm": table("123z", long="check-order nocheck-order total zero-terminated", most=2),
    "stat": table("Lft", "c", long="dereference file-system terse help version", long_valued="format printf cached"),
    "du": table(
        "0abchHkDlmsSx",
        "d:number B t",
        long="null all apparent-size bytes total human-readable si count-links summarize separate-dirs one-file-system "
        "inodes help version",
        optional="time",
        long_valued="max-depth:number block-size exclude threshold time-style",
    ),
    "file": table(
        "bhikLNprsv0E",
        "e F P",
        long="brief mime mime-type mime-encoding extension keep-going dereference no-dereference "
        "no-pad raw print0 version",
        long_valued="exclude separator",
    ),
    "sort": table(
        "bdfghiMnRrVcCmsuz",
        "k t S",
        long="ignore-leading-blanks dictionary-order ignore-case general-numeric-sort human-numeric-sort month-sort "
        "numeric-sort random-sort reverse version-sort check merge stable unique zero-terminated help version",
        long_valued="key field-separator sort buffer-size parallel:number",
        globs=False,
    ),
    "uniq": table(
        "cdDiuz",
        "f:number s:number w:number",
        long="count repeated ignore-case unique zero-terminated",
        optional="all-repeated group",
        long_valued="skip-fields:number skip-chars:number check-chars:number",
        most=1,
        globs=False,
    ),
    "cut": table(
        "nsz",
        "b c d f",
        long="complement only-delimited zero-terminated",
        long_valued="bytes characters delimiter fields output-delimiter",
    ),
    "paste": table("sz", "d", long="serial zero-terminated", long_valued="delimiters"),
    "column": table("txenR", "s o c:number", long="table fillrows", long_valued="separator output-separator"),
    "tr": table("cCdst", long="complement delete squeeze-repeats truncate-set1", operands="texts"),
    "nl": table("p", "b d f h i:number l:number n s v:number w:number"),
    "tac": table("br", "s", long="before regex", long_valued="separator"),
    "rev": table(),
    "seq": table("w", "s f", long="equal-width", long_valued="separator format", operands="texts", numeric=True),
    "basename": table("az", "s", long="multiple zero", long_valued="suffix", operands="texts"),
    "dirname": table("z", long="zero", operands="texts"),
    "realpath": table("eLmPqsz", long="canonicalize-existing canonicalize-missing logical physical quiet strip zero"),
    "readlink": table("efmnqsvz", long="canonicalize canonicalize-existing canonicalize-missing no-newline quiet zero"),
    "sha256sum": table("btz", long="binary text tag zero"),
    "sha1sum": table("btz", long="binary text tag zero"),
    "sha512sum": table("btz", long="binary text tag zero"),
    "md5sum": table("btz", long="binary text tag zero"),
    "cksum": table("z", "a"),
    "whoami": table(operands="none"),
    "uname": table("asnrvmpio", operands="none"),
    "nproc": table(long="all", operands="none"),
    "arch": table(operands="none"),
}

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
_TEST_UNARY = frozenset("-e -f -d -r -w -x -s -L -h -b -c -p -S -u -g -k -O -G -N".split())
_DATE = re.compile(r"\+[^\0]*")


@dataclass(slots=True)
class Reading:
    """A command that only reads: the paths that it opens, and the folders whose whole content it prints."""

    paths: list[str] = field(default_factory=list[str])
    trees: list[str] = field(default_factory=list[str])
    globs: bool = True
    problem: str = ""


def reading_of(argv: Sequence[str], *, stdin: bool = True) -> Reading | None:
    """What a read-only program reads; None when the program is not on the list."""
    del stdin
    program, words = argv[0], argv[1:]
    if program in {"echo", "true", "false", ":"}:
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
    known = TABLES.get(program)
    if known is None:
        return None
    return _by_table(program, words, known)


def _by_table(program: str, words: Sequence[str], known: Table) -> Reading:
    options = read_options(words, known)
    if options.problem:
        return Reading(problem=options.problem)
    reading = Reading(paths=[path for path in options.paths if path != "-"], globs=known.globs)
    recursive = options.seen.keys() & {"-r", "-R", "--recursive", "--dereference-recursive"}
    skips = options.seen.get("-d") == "recurse" or options.seen.get("--directories") == "recurse"
    if program in {"grep", "egrep", "fgrep"} and (recursive or skips):
        operands = options.operands if _GREP.pattern_options & options.seen.keys() else options.operands[1:]
        reading.trees = [path for path in operands if path != "-"] or ["."]
        reading.paths = reading.paths or ["."]
    elif program == "diff" and recursive:
        reading.trees = list(options.operands)
    if program in {"ls", "du"} and not options.operands:
        reading.paths.append(".")
    return reading


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
