"""sed, as far as it only prints and replaces: a strict reader of its script language."""

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from .options import read_options, table

if TYPE_CHECKING:
    from .readonly import Reading

OPTIONS = table(
    "nEruszl",
    "e",
    long="quiet silent regexp-extended unbuffered separate null-data posix debug sandbox",
    long_valued="expression line-length:number",
    operands="pattern_then_paths",
    pattern_options="-e --expression",
    globs=False,
)
_MAX_SCRIPT = 2000
_BLANKS = re.compile(r"[ \t]*")
_BETWEEN = re.compile(r"[ \t\n;]*")
_NUMBER_ADDRESS = re.compile(r"[0-9]+(?:~[0-9]+)?|\$")
_RANGE_COUNT = re.compile(r"[+~][0-9]+")
_REGEX_FLAGS = re.compile(r"[IM]*")
_SUBSTITUTE_FLAGS = re.compile(r"[gpIiMm0-9]*")
_LABEL = re.compile(r"[ \t]*[A-Za-z0-9_]*")
_EXIT_CODE = re.compile(r"[ \t]*[0-9]*")
_BRACKET = re.compile(r"\[\^?\]?[^\]]*\]")


class _Unsafe(Exception):
    """The script does something else, or something that this reader does not know."""


class _Script:
    """Walks one script; raises _Unsafe at the first thing that is not printing, deleting or replacing."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.position = 0
        self.open_braces = 0

    def read(self) -> None:
        """The whole script."""
        self._skip(_BETWEEN)
        while self.position < len(self.text):
            self._addresses()
            self._command()
            self._skip(_BETWEEN)
        if self.open_braces:
            raise _Unsafe

    def _skip(self, pattern: re.Pattern[str]) -> bool:
        found = pattern.match(self.text, self.position)
        if not found or not found[0]:
            return False
        self.position = found.end()
        return True

    def _next(self) -> str:
        character = self.text[self.position : self.position + 1]
        self.position += 1
        return character

    def _addresses(self) -> None:
        if self._address():
            self._skip(_BLANKS)
            if self.text.startswith(",", self.position):
                self.position += 1
                self._skip(_BLANKS)
                if not self._skip(_RANGE_COUNT) and not self._address():
                    raise _Unsafe
        while self._skip(re.compile(r"[ \t!]+")):
            pass

    def _address(self) -> bool:
        if self._skip(_NUMBER_ADDRESS):
            return True
        if not self.text.startswith("/", self.position):
            return False
        self.position += 1
        self._delimited("/")
        self._skip(_REGEX_FLAGS)
        return True

    def _delimited(self, delimiter: str, *, regex: bool = True) -> None:
        """Text up to an unescaped delimiter. Seds differ on a delimiter in brackets, so that is not known."""
        start = self.position
        while True:
            character = self._next()
            if character in {"", "\n"}:
                raise _Unsafe
            if character == delimiter:
                break
            if character == "\\" and self._next() == "":
                raise _Unsafe
        body = self.text[start : self.position - 1]
        if regex and "[" in _BRACKET.sub("", body):
            raise _Unsafe

    def _command(self) -> None:
        command = self._next()
        if command == "{":
            self.open_braces += 1
        elif command == "}":
            self.open_braces -= 1
            if self.open_braces < 0:
                raise _Unsafe
        elif command in "sy" and command:
            self._replace(command)
        elif command in "bt" and command:
            self._skip(_LABEL)
            self._end()
        elif command in "qQlL" and command:
            self._skip(_EXIT_CODE)
            self._end()
        elif command and command in "pPdDnNgGhHxz=":
            self._end()
        else:
            raise _Unsafe

    def _replace(self, command: str) -> None:
        delimiter = self._next()
        if not delimiter or delimiter in "\\\n[] \t;" or delimiter.isalnum():
            raise _Unsafe
        self._delimited(delimiter)
        self._delimited(delimiter, regex=False)
        if command == "s":
            self._skip(_SUBSTITUTE_FLAGS)
        self._end()

    def _end(self) -> None:
        """After a command only a separator may follow."""
        self._skip(_BLANKS)
        if self.position < len(self.text) and self.text[self.position] not in ";\n}":
            raise _Unsafe


def is_harmless_script(script: str) -> bool:
    """Whether a sed script can neither write files nor run commands nor read others."""
    if len(script) > _MAX_SCRIPT:
        return False
    try:
        _Script(script).read()
    except _Unsafe:
        return False
    return True


def sed_scripts(words: Sequence[str]) -> list[str] | None:
    """The scripts among sed's words; None when they cannot be told apart from the rest."""
    options = read_options(words, OPTIONS)
    if options.problem:
        return None
    if not OPTIONS.pattern_options & options.seen.keys():
        return options.operands[:1]
    found = [words[index + 1] for index, word in enumerate(words[:-1]) if word in {"-e", "--expression"}]
    named = sum(1 for word in words if re.match(r"-[A-Za-z]*e|--expression", word))
    return found if named == len(found) else None


def sed_reading(words: Sequence[str]) -> "Reading":
    """What `sed` reads, when its script only prints and replaces."""
    from .readonly import Reading

    options = read_options(words, OPTIONS)
    if options.problem:
        return Reading(problem=options.problem)
    scripts = sed_scripts(words)
    if not scripts or not all(map(is_harmless_script, scripts)):
        return Reading(problem="the sed script does more than print and replace")
    return Reading(paths=list(options.paths), globs=False)
