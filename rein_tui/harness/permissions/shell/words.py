"""One shell word: what bash makes of it, as far as that can be said without running anything.

This is our own reading of quotes and escapes, independent of the grammar library.
"""

import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

METACHARACTERS = frozenset(" \t\n;&|<>()")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_PLAIN_RUN = re.compile(r"[^\s;&|<>()\\'\"$`*?\[{}~#]+")
_QUOTED_RUN = re.compile(r'[^"\\$`]+')
_INERT_TEXT = re.compile(r"\$\(cat <<-?[ ]?(?:'([A-Za-z_]\w*)'|\"([A-Za-z_]\w*)\"|\\([A-Za-z_]\w*))\n")
_ANSI_ESCAPE = re.compile(
    r"\\(?:([0-7]{1,3})|x([0-9A-Fa-f]{1,2})|u([0-9A-Fa-f]{1,4})|U([0-9A-Fa-f]{1,8})|c(.)|(.))", re.DOTALL
)
_ANSI_LETTERS = {"a": "\a", "b": "\b", "e": "\x1b", "E": "\x1b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}


_PLAIN_PATH = re.compile(r"/[A-Za-z0-9_./@%+=,-]*")
_BRACES = re.compile(r"\{([^{}]*)\}")
_MOST_WORDS = 64


def brace_values(raw: str) -> list[str]:
    """The words of a brace expansion of plain text without one inside the other; empty where it is anything else."""
    if not re.fullmatch(r"[A-Za-z0-9_./:@%+=,{}-]+", raw) or (not raw[0].isalnum() and raw[0] not in "./{"):
        return []
    values = [""]
    rest = 0
    for found in _BRACES.finditer(raw):
        choices = _choices(found[1])
        before = raw[rest : found.start()]
        if not choices or "{" in before or "}" in before or len(values) * len(choices) > _MOST_WORDS:
            return []
        values = [value + before + choice for value in values for choice in choices]
        rest = found.end()
    tail = raw[rest:]
    if not rest or "{" in tail or "}" in tail:
        return []
    return [value + tail for value in values if value + tail]


def _choices(inside: str) -> list[str]:
    counted = re.fullmatch(r"(0|[1-9][0-9]{0,2})\.\.(0|[1-9][0-9]{0,2})", inside)
    if counted:
        first, last = int(counted[1]), int(counted[2])
        step = 1 if last >= first else -1
        return [str(number) for number in range(first, last + step, step)]
    return inside.split(",") if "," in inside and ".." not in inside else []


class NotUnderstood(Exception):
    """The text uses something that this reader does not model; the message says what, for a person."""


@dataclass(frozen=True, slots=True)
class Word:
    """One word of a command.

    `raw` is the source, `value` what bash makes of it; where that is unknown, `value` keeps the source text of
    the unknown part and `unknown` names it. `is_glob`: unquoted glob characters, so `value` is a pattern.
    `is_number`: it holds `$?` or `$#`, some number. `from_home`: it started with an unquoted `~` or used $HOME,
    already replaced in `value`. `blind`: it can run programs that no reading finds. `inert` are the spans of
    `$(cat <<'X')` texts.
    """

    raw: str
    value: str
    start: int
    end: int
    unknown: str = ""
    is_glob: bool = False
    from_home: bool = False
    is_quoted: bool = False
    blind: bool = False
    is_number: bool = False
    inert: tuple[tuple[int, int], ...] = ()

    @property
    def is_literal(self) -> bool:
        """Whether bash passes exactly `value`."""
        return not (self.unknown or self.is_glob or self.from_home or self.is_number)

    @property
    def is_open(self) -> bool:
        """Whether bash decides only when it runs what the word is."""
        return bool(self.unknown) or self.is_glob or self.is_number


def _ansi_character(found: re.Match[str]) -> str:
    octal, two, four, eight, control, other = found.groups()
    if octal:
        return chr(int(octal, 8) & 0xFF)
    for digits in (two, four, eight):
        if digits:
            return chr(min(int(digits, 16), 0x10FFFF))
    if control:
        return chr(ord(control) & 0x1F)
    return _ANSI_LETTERS.get(other, other if other in "\\'\"?" else "\\" + other)


class WordReader:
    """Reads one word from `source` at `start`. With `whole`, metacharacters do not end it (a bounded piece).

    `variables` are those whose values the line itself gives. Without `home` nothing is known of `~` and $HOME.
    """

    def __init__(
        self,
        source: str,
        start: int,
        *,
        home: str | None,
        cwd: str,
        whole: bool = False,
        variables: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self.source = source
        self.start = start
        self.position = start
        self.whole = whole
        self.home = home
        self.variables = variables
        self.guessed = {"HOME": home or "~", "PWD": cwd}
        self.is_given = False
        self.value: list[str] = []
        self.unknown = ""
        self.is_glob = False
        self.from_home = False
        self.is_quoted = False
        self.blind = False
        self.is_number = False
        self.braces: list[str] = []
        self.inert: list[tuple[int, int]] = []

    def read(self) -> Word:
        """The word. Raises NotUnderstood for an unfinished quote and, unless `whole`, for nested commands."""
        source, end = self.source, len(self.source)
        while self.position < end:
            run = _PLAIN_RUN.match(source, self.position)
            if run:
                self.value.append(run[0])
                if self.braces and ("," in run[0] or ".." in run[0]):
                    self._note("a brace expansion")
                self.position = run.end()
                continue
            if source[self.position] in METACHARACTERS and not self.whole:
                break
            self._step(source[self.position])
        value = "".join(self.value)
        return Word(
            raw=shlex.quote(value) if self.is_given else source[self.start : self.position],
            value=value,
            start=self.start,
            end=self.position,
            unknown=self.unknown,
            is_glob=self.is_glob,
            from_home=self.from_home,
            is_quoted=self.is_quoted,
            blind=self.blind,
            is_number=self.is_number,
            inert=tuple(self.inert),
        )

    def _note(self, what: str, blind: bool = False) -> None:
        self.unknown = self.unknown or what
        self.blind = self.blind or blind

    def _take(self, length: int, value: str | None = None) -> None:
        piece = self.source[self.position : self.position + length]
        self.value.append(piece if value is None else value)
        self.position += length

    def _step(self, character: str) -> None:
        if character == "\\":
            self._escape()
        elif character == "'":
            self._single_quotes()
        elif character == '"':
            self._double_quotes()
        elif character == "$":
            self._dollar(in_quotes=False)
        elif character == "`":
            self._nested("a command in backticks", blind=True)
        elif character in "*?[":
            self.is_glob = True
            self._take(1)
        elif character == "~" and self.position == self.start:
            self._tilde()
        else:
            if character == "{":
                self.braces.append(character)
            self._take(1)

    def _escape(self) -> None:
        following = self.source[self.position + 1 : self.position + 2]
        if not following:
            self._note("an escape at the end of the line")
        self.is_quoted = self.is_quoted or following != "\n"
        self._take(2, "" if following == "\n" else following)

    def _single_quotes(self) -> None:
        self.is_quoted = True
        close = self.source.find("'", self.position + 1)
        if close < 0:
            self._unfinished()
            return
        self._take(close + 1 - self.position, self.source[self.position + 1 : close])

    def _unfinished(self) -> None:
        if not self.whole:
            raise NotUnderstood("a quote is not closed")
        self._note("an unclosed quote", blind=True)
        self._take(len(self.source) - self.position)

    def _double_quotes(self) -> None:
        self.is_quoted = True
        self.position += 1
        source = self.source
        while self.position < len(source):
            character = source[self.position]
            if character == '"':
                self.position += 1
                return
            if character == "\\":
                following = source[self.position + 1 : self.position + 2]
                if following == "\n":
                    self._take(2, "")
                else:
                    self._take(2, following if following in '"\\$`' else "\\" + following)
            elif character == "$":
                self._dollar(in_quotes=True)
            elif character == "`":
                self._nested("a command in backticks", blind=True)
            else:
                run = _QUOTED_RUN.match(source, self.position)
                self._take(len(run[0]) if run else 1)
        self._unfinished()

    def _tilde(self) -> None:
        following = self.source[self.position + 1 : self.position + 2]
        if not following or following == "/" or (following in METACHARACTERS and not self.whole):
            self.from_home = True
            if self.home is None:
                self._note("a home folder that the line changes")
            self._take(1, self.guessed["HOME"])
            return
        self._note("a `~` that names another folder")
        self._take(1)

    def _dollar(self, *, in_quotes: bool) -> None:
        source, position = self.source, self.position
        following = source[position + 1 : position + 2]
        if following == "(":
            self._substitution(in_quotes)
        elif following == "{":
            self._braced()
        elif following == "'" and not in_quotes:
            self._ansi_quotes()
        elif following == '"' and not in_quotes:
            self._note("a translated string")
            self._take(1, "")
        elif following == "[":
            self._nested("arithmetic", blind=True)
        elif name := _NAME.match(source, position + 1):
            self._variable(name[0], len(name[0]) + 1)
        elif following and following in "?#":
            self.is_number = True
            self._take(2)
        elif following and following in "0123456789@*$!-":
            self._note(f"`${following}`, whose value is not known")
            self._take(2)
        else:
            self._take(1)

    def _variable(self, name: str, length: int) -> None:
        given = self.variables.get(name)
        if given is not None:
            self.is_given = True
            self._take(length, given)
            return
        if name == "HOME":
            self.from_home = True
        if name != "HOME" or self.whole or self.home is None or not _PLAIN_PATH.fullmatch(self.home):
            self._note(f"`${name}`, whose value is not known")
        self._take(length, self.guessed.get(name))

    def _braced(self) -> None:
        found = _NAME.match(self.source, self.position + 2)
        if found and self.source[found.end() : found.end() + 1] == "}":
            self._variable(found[0], len(found[0]) + 3)
            return
        self._nested("a parameter expansion", blind=True)

    def _ansi_quotes(self) -> None:
        self.is_quoted = True
        position = self.position + 2
        while position < len(self.source) and self.source[position] != "'":
            position += 2 if self.source[position] == "\\" else 1
        if position >= len(self.source):
            self._unfinished()
            return
        body = self.source[self.position + 2 : position]
        self._note("an ANSI-C quoted string")
        self._take(position + 1 - self.position, _ANSI_ESCAPE.sub(_ansi_character, body).split("\0", 1)[0])

    def _substitution(self, in_quotes: bool) -> None:
        opening = _INERT_TEXT.match(self.source, self.position) if in_quotes else None
        if opening:
            delimiter = opening[1] or opening[2] or opening[3]
            close = re.compile(rf"^{delimiter}\n[ \t\n]*\)", re.MULTILINE).search(self.source, opening.end())
            if close and "<<-" not in opening[0]:
                self.inert.append((self.position, close.end()))
                self._take(close.end() - self.position, self.source[opening.end() : close.start()].rstrip("\n"))
                return
        arithmetic = self.source.startswith("$((", self.position)
        self._nested("arithmetic" if arithmetic else "a command substitution", blind=arithmetic)

    def _nested(self, what: str, *, blind: bool) -> None:
        """Something whose end only a full grammar finds: the rest of the word stays unknown."""
        if not self.whole:
            raise NotUnderstood(f"{what} is not analysed")
        self._note(what, blind)
        self._take(len(self.source) - self.position)


def read_piece(raw: str, *, home: str, cwd: str) -> Word:
    """Read a bounded piece of source as one word; never raises."""
    return WordReader(raw, 0, home=home, cwd=cwd, whole=True).read()
