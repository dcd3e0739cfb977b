"""Which operands of which programs are files, for deny rules and for writes: broad where it makes stricter."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from .wrappers import base_name

_READERS = frozenset(
    "cat head tail less more most nl tac rev sort uniq wc diff cmp comm cut paste join fold fmt column strings xxd od "
    "hexdump base64 base32 md5sum sha1sum sha256sum sha512sum shasum cksum file stat ls bat batcat pr expand unexpand "
    "shuf split csplit iconv gzip gunzip zcat bzcat xzcat bzip2 xz zstd zip tar cpio dd cp mv ln install rsync scp "
    "source . tee vim vi nano view emacs ex ed pico open xdg-open gpg openssl jq yq envsubst dos2unix patch du find "
    "sum b2sum sdiff diff3 vimdiff colordiff icdiff delta python python3 node perl ruby php bash sh "
    "zsh curl wget".split()
)
_SEARCHERS = frozenset("grep egrep fgrep zgrep rg ag ack sed gsed awk gawk mawk nawk jq yq perl ugrep git".split())
_ALL_WRITE = frozenset("touch mkdir rmdir rm unlink shred truncate tee chmod chown chgrp mkfifo mknod sponge".split())
_LAST_WRITES = frozenset("cp mv ln install rsync scp".split())
_OUTPUT_OPTIONS: dict[str, tuple[str, ...]] = {
    "sort": ("-o", "--output"),
    "wget": ("-O", "--output-document", "-o", "--output-file", "-a", "--append-output", "-P", "--directory-prefix"),
    "curl": (
        "-o",
        "--output",
        "-D",
        "--dump-header",
        "-c",
        "--cookie-jar",
        "--trace",
        "--trace-ascii",
        "--stderr",
        "--output-dir",
        "--etag-save",
        "--hsts",
        "--alt-svc",
        "--libcurl",
    ),
    "tree": ("-o",),
    "tar": ("-f", "--file", "-C", "--directory"),
    "unzip": ("-d",),
    "patch": ("-o", "--output", "-d", "--directory", "-r", "--reject-file"),
    "gcc": ("-o",),
    "cc": ("-o",),
    "clang": ("-o",),
    "g++": ("-o",),
    "go": ("-o",),
    "iconv": ("-o", "--output"),
    "shuf": ("-o", "--output"),
    "cp": ("-t", "--target-directory"),
    "mv": ("-t", "--target-directory"),
    "ln": ("-t", "--target-directory"),
    "install": ("-t", "--target-directory"),
    "strace": ("-o", "--output"),
    "time": ("-o", "--output"),
    "git": ("--output", "-o", "--output-directory"),
    "openssl": ("-out",),
    "gpg": ("-o", "--output"),
    "yq": ("-i",),
    "pandoc": ("-o", "--output"),
    "dot": ("-o",),
    "esbuild": ("--outfile", "--outdir"),
    "tsc": ("--outFile", "--outDir"),
    "pip": ("-t", "--target", "-d", "--dest"),
    "split": (),
}
_KEEPS_NAME = re.compile(r"-[A-Za-z]*O[A-Za-z]*|--remote-name(?:-all)?")
_IN_PLACE = frozenset("sed gsed perl ruby".split())


@dataclass(slots=True)
class FileUse:
    """Files that a command names: those it may read and those it may write."""

    reads: list[str] = field(default_factory=list[str])
    writes: list[str] = field(default_factory=list[str])


def file_use(argv: Sequence[str]) -> FileUse:
    """The files that a known program names, by a broad reading of its options."""
    program = base_name(argv[0])
    use = FileUse()
    operands, values = _operands(argv[1:])
    if program in _SEARCHERS or program in _READERS:
        searches = program in _SEARCHERS and not any(re.match(r"-[a-zA-Z]*[ef]|--regexp|--file", w) for w in argv[1:])
        use.reads = operands[1:] if searches and program not in {"git"} else list(operands)
        use.reads += values
        if program == "git":
            use.reads += [word.partition(":")[2] for word in operands if ":" in word]
    _writes(program, argv, operands, use)
    return use


def _operands(words: Sequence[str]) -> tuple[list[str], list[str]]:
    """Words that are no options, and values attached to options (`--file=x`, `-fx`, `if=x`, `@x`)."""
    operands: list[str] = []
    values: list[str] = []
    only_operands = False
    for word in words:
        if word == "--":
            only_operands = True
        elif word.startswith("-") and not only_operands:
            name, equals, value = word.partition("=")
            if equals:
                values.append(value)
            elif not name.startswith("--") and len(name) > 2:
                values.append(name[2:])
        else:
            operands.append(word)
            if re.match(r"[a-z]+=.", word):
                values.append(word.partition("=")[2])
            if "@" in word:
                values.append(word.rpartition("@")[2])
    return operands, [value for value in values if value]


def _writes(program: str, argv: Sequence[str], operands: list[str], use: FileUse) -> None:
    if program in _ALL_WRITE:
        use.writes += operands
    elif program in _LAST_WRITES and operands:
        use.writes += operands if program == "mv" else operands[-1:]
    elif program in _IN_PLACE and any(re.match(r"-[a-zA-Z]*i|--in-place", word) for word in argv[1:]):
        use.writes += operands
    elif program == "dd":
        use.writes += [word[3:] for word in argv[1:] if word.startswith("of=")]
    elif program in {"uniq", "xxd"} and len(operands) > 1:
        use.writes += operands[1:]
    elif program == "wget" or (program == "curl" and any(_KEEPS_NAME.fullmatch(word) for word in argv[1:])):
        use.writes += [name for word in operands if (name := word.split("?")[0].rstrip("/").rsplit("/", 1)[-1])]
    use.writes += _option_values(argv[1:], _OUTPUT_OPTIONS.get(program, ()))


def _option_values(words: Sequence[str], options: tuple[str, ...]) -> list[str]:
    found: list[str] = []
    for index, word in enumerate(words):
        following = words[index + 1] if index + 1 < len(words) else ""
        for option in options:
            if word == option:
                found.append(following)
            elif option.startswith("--"):
                name, equals, value = word.partition("=")
                if equals and len(name) > 3 and option.startswith(name):
                    found.append(value)
            elif len(option) == 2 and word.startswith(option) and not word.startswith("--"):
                found.append(word[2:].removeprefix("="))
            elif len(option) == 2 and re.fullmatch(rf"-[A-Za-z]*{option[1]}", word):
                found.append(following)
    return [path for path in found if path]
