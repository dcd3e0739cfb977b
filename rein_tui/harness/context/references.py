"""`@path` in a prompt: the file's text, a folder's listing or an image goes along with the words.

What the person typed stays as typed. A name that leads nowhere stays a word; one that plainly meant a file is
told. Hooks do not see these reads; the read policy does.
"""

import base64
import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ..protocol.base import Word
from ..protocol.events import Notice
from ..protocol.messages import Block, ImageBlock, TextBlock
from ..tools.documents import IMAGE_BYTES, image_type, is_whole_image
from .reading import ReadProblem, decode, read_bytes

_REFERENCE = re.compile(
    r"""(?:(?<=^)|(?<=[\s(\[{,;]))@(?:"([^"\n]+)"|'([^'\n]+)'|((?!')(?:\\[ ]|[^\s"`\\@])+))""", re.MULTILINE
)
_RANGE = re.compile(r"^(.+?)(?::(\d{1,9})(?:-(\d{1,9}))?|\#L(\d{1,9})(?:-L?(\d{1,9}))?)$")
_PUNCTUATION = ".,;:!?)]}>'\""
_FILES = frozenset(
    "c cc cpp cs css csv go h html java jpeg jpg js json jsx kt md php png py rb rs scss sh sql svg swift toml ts tsx "
    "txt xml yaml yml".split()
)
"""Endings by which a name without a folder is plainly a file's."""
_LARGEST = 10 * 1024 * 1024
_LINES, _LINE_LENGTH, _CHARACTERS = 2000, 2000, 100_000
_ENTRIES = 200


class Referenced(Word, frozen=True, kw_only=True):
    """A file, folder or image that went along. Lines are 1-based; `total_lines` is 0 for what has none."""

    path: str
    first_line: int = 1
    last_line: int = 0
    total_lines: int = 0


class Expansion(Word, frozen=True, kw_only=True):
    """A prompt's blocks: its words first, then what they refer to."""

    blocks: tuple[Block, ...]
    notices: tuple[Notice, ...] = ()
    files: tuple[Referenced, ...] = ()


@dataclass(frozen=True, slots=True)
class ReferenceScope:
    """Where names are looked up, and what may be read."""

    cwd: Path
    home: Path
    may_read: Callable[[Path], bool] = lambda path: True


@dataclass(slots=True)
class _Found:
    blocks: list[Block]
    notices: list[Notice]
    files: list[Referenced]

    def warn(self, text: str, path: Path) -> None:
        self.notices.append(Notice(text=text, level="warning", where=str(path), code="reference.left_out"))


def expand_references(text: str, scope: ReferenceScope) -> Expansion:
    """The prompt with everything that it refers to. Reads files; never raises for what it finds there."""
    found = _Found([TextBlock(text=text)] if text.strip() else [], [], [])
    seen: set[tuple[Path, int, int]] = set()
    for match in _REFERENCE.finditer(text):
        name = match[1] or match[2] or match[3].replace("\\ ", " ")
        target = _locate(name, scope, is_quoted=match[3] is None)
        if target is None:
            if _is_meant(name):
                hint = "Check the spelling; a name with blanks needs quotes."
                found.notices.append(
                    Notice(text=f"@{name} does not exist.", level="warning", hint=hint, code="reference.missing")
                )
        elif target not in seen:
            seen.add(target)
            _add(*target, scope, found)
    return Expansion(blocks=tuple(found.blocks), notices=tuple(found.notices), files=tuple(found.files))


def _locate(name: str, scope: ReferenceScope, *, is_quoted: bool) -> tuple[Path, int, int] | None:
    """Path, first and last line (0: to the end) that a name means, its spelling taken literally first."""
    # Of words, a full stop, a closing bracket and what follows an apostrophe (@a.py's) are no part of a name.
    bare = name.rstrip(_PUNCTUATION)
    words = (name, bare, bare.partition("'")[0].rstrip(_PUNCTUATION))
    spellings = [name] if is_quoted else list(dict.fromkeys(words))
    for spelling in spellings:
        for each, first, last in ((spelling, 1, 0), _ranged(spelling)):
            path = scope.home / each[2:] if each.startswith("~/") else scope.cwd / each
            try:
                if each and path.exists():
                    return Path(os.path.normpath(path)), first, last
            except (OSError, ValueError):
                continue
    return None


def _ranged(name: str) -> tuple[str, int, int]:
    match = _RANGE.match(name)
    if match is None:
        return "", 1, 0
    ends = [int(end) for end in (match[2], match[3], match[4], match[5]) if end]
    return match[1], max(min(ends), 1), max(ends)


def _add(path: Path, first: int, last: int, scope: ReferenceScope, found: _Found) -> None:
    if not scope.may_read(path) or not scope.may_read(path.resolve()):
        found.warn(f"A deny rule keeps {path.name} from being read; it was left out.", path)
        return
    try:
        if path.is_dir():
            found.blocks.append(TextBlock(text=_listing(path)))
            found.files.append(Referenced(path=str(path)))
            return
        content = read_bytes(path, _LARGEST)
        if media_type := image_type(content[:64]):
            _add_image(path, content, media_type, found)
        else:
            _add_text(path, decode(content), (first, last), found)
    except ReadProblem as problem:
        found.warn(f"{path.name} was left out: {problem}.", path)
    except OSError as error:
        found.warn(f"{path.name} was left out: {error.strerror}.", path)


def _add_image(path: Path, content: bytes, media_type: str, found: _Found) -> None:
    if len(content) > IMAGE_BYTES:
        found.warn(f"{path.name} was left out: an image of more than {IMAGE_BYTES:,} bytes.", path)
        return
    if not is_whole_image(media_type, content):
        found.warn(f"{path.name} was left out: the end of the image is missing.", path)
        return
    data = base64.b64encode(content).decode("ascii")
    found.blocks.append(ImageBlock(media_type=media_type, data=data, name=str(path)))
    found.files.append(Referenced(path=str(path)))


def _add_text(path: Path, text: str, wanted: tuple[int, int], found: _Found) -> None:
    lines = text.split("\n")
    if lines[-1] == "":
        lines.pop()
    first, end = wanted[0], min(wanted[1] or len(lines), len(lines))
    if first > max(len(lines), 1):
        found.warn(f"{path.name} has only {len(lines):,} lines; nothing of it was taken along.", path)
        return
    shown, room = list[str](), _CHARACTERS
    for number, line in enumerate(lines[first - 1 : min(end, first - 1 + _LINES)], first):
        cut = line if len(line) <= _LINE_LENGTH else f"{line[:_LINE_LENGTH]}…"
        room -= len(cut) + 8
        if room < 0:
            break
        shown.append(f"{number:6}\t{cut}")
    last = first + len(shown) - 1
    body = "\n".join(shown) or "(The file is empty.)"
    if last < end:
        body += f"\n(PARTIAL view: lines {first}-{last} of {len(lines):,}. Read the rest with offset {last + 1}.)"
    span = "" if (first, last) == (1, len(lines)) else f" lines {first}-{last} of {len(lines):,}"
    found.blocks.append(TextBlock(text=f"Contents of {path}{span}:\n{body}"))
    found.files.append(Referenced(path=str(path), first_line=first, last_line=last, total_lines=len(lines)))


def _listing(folder: Path) -> str:
    with os.scandir(folder) as entries:
        names = sorted(f"{entry.name}/" if entry.is_dir() else entry.name for entry in entries)
    shown = "\n".join(names[:_ENTRIES]) or "(The folder is empty.)"
    more = f"\n… and {len(names) - _ENTRIES:,} more" if len(names) > _ENTRIES else ""
    return f"Files in {folder}:\n{shown}{more}"


def _is_meant(name: str) -> bool:
    """Whether a name that leads nowhere was plainly meant as a path: not a package, a handle or an address."""
    if "://" in name or re.match(r"^[\w.-]+:\w+", name):
        return False
    bare = re.sub(r"[:#].*$", "", name).rstrip(_PUNCTUATION)
    is_file = bool(re.search(r"/.*\.\w{1,5}$", bare)) or bare[1:].partition(".")[2].rpartition(".")[2].lower() in _FILES
    return name.startswith(("./", "../", "~/", "/")) or is_file
