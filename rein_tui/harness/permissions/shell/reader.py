"""A strict reader for the part of bash that may ever be approved without a person: simple commands with literal
words, redirects and here-documents, joined by `&& || ; | & newline`. Everything else is NotUnderstood.
"""

import re
from dataclasses import dataclass
from typing import Literal, TypeAlias

from .words import NotUnderstood, Word, WordReader, brace_values

Link: TypeAlias = Literal["", "&&", "||", ";", "&", "|", "|&"]

_RESERVED = frozenset(
    "if then elif else fi do done case esac while until for select function { } [[ ]] coproc in ((".split()
)
_TIME = frozenset({"time", "-p", "--"})
_ASSIGNMENT = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)(\+?=)")
_SUBSCRIPT = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\[")
_REDIRECT = re.compile(r"([0-9]*)(<<<|<<-|<<|<>|<&|<|&>>|&>|>>|>\||>&|>)")
_OPERATOR = re.compile(r"&&|\|\||\|&|;|&|\||\n")
_LINKS: dict[str, Link] = {"&&": "&&", "||": "||", ";": ";", "&": "&", "|": "|", "|&": "|&"}
_BLANK = re.compile(r"(?:[ \t]|\\\n)+")


@dataclass(frozen=True, slots=True)
class Assignment:
    """`NAME=value` before a command, or alone."""

    name: str
    value: Word


@dataclass(frozen=True, slots=True)
class Redirect:
    """One redirect. `body` is the text of a here-document; `expands` when bash expands it."""

    operator: str
    descriptor: str
    target: Word
    body: str = ""
    expands: bool = False

    @property
    def is_duplication(self) -> bool:
        """`2>&1`, `>&-`: no file."""
        return self.operator in {">&", "<&"} and re.fullmatch(r"[0-9]+-?|-", self.target.value) is not None

    @property
    def is_here(self) -> bool:
        """A here-document or here-string: no file."""
        return self.operator.startswith("<<")


@dataclass(frozen=True, slots=True)
class Command:
    """One simple command. `link` is the operator before it; `in_pipeline` when it is part of a pipeline."""

    words: tuple[Word, ...]
    assignments: tuple[Assignment, ...] = ()
    redirects: tuple[Redirect, ...] = ()
    link: Link = ""
    in_pipeline: bool = False
    in_background: bool = False
    source: str = ""

    @property
    def values(self) -> tuple[str, ...]:
        """The words as bash passes them, as far as known."""
        return tuple(word.value for word in self.words)


class LineReader:
    """Reads a whole line into commands."""

    def __init__(self, source: str, *, home: str, cwd: str) -> None:
        self.source = source
        self.home = home
        self.known_home = home if len(re.findall(r"\$\{?HOME\b", source)) == source.count("HOME") else None
        self.cwd = cwd
        self.position = 0
        self.commands: list[Command] = []
        self.spans: list[list[tuple[int, int]]] = []
        self.inert: list[tuple[int, int]] = []
        self.variables: dict[str, str] = {}
        self.globs: dict[str, str] = {}
        self.keeps_spans = True
        self._pending: list[tuple[int, int, str]] = []
        self._last_link: Link = ""

    def read(self) -> tuple[Command, ...]:
        """All commands in order. Raises NotUnderstood."""
        link: Link = ""
        while True:
            self._skip_blank_lines()
            if self.position >= len(self.source):
                if link in {"&&", "||", "|", "|&"}:
                    raise NotUnderstood(f"nothing follows `{link}`")
                return self._joined()
            link = self._statement(link)

    def _statement(self, link: Link) -> Link:
        """Read one command; the operator after it."""
        self.commands.append(self._command(link))
        return self._operator()

    def _joined(self) -> tuple[Command, ...]:
        """The commands, each told whether it runs in a subshell of a pipeline or in the background."""
        links = [command.link for command in self.commands] + [self._last_link]
        told: list[Command] = []
        background = False
        for index in range(len(self.commands) - 1, -1, -1):
            command, after = self.commands[index], links[index + 1]
            background = after == "&" or (background and after in {"&&", "||", "|", "|&"})
            piped = (after.startswith("|") and after != "||") or (command.link in {"|", "|&"})
            told.append(
                Command(
                    words=command.words,
                    assignments=command.assignments,
                    redirects=command.redirects,
                    link=command.link,
                    in_pipeline=piped,
                    in_background=background,
                    source=command.source,
                )
            )
        return tuple(reversed(told))

    def _skip_blanks(self) -> None:
        found = _BLANK.match(self.source, self.position)
        if found:
            self.position = found.end()
        if self.source.startswith("#", self.position):
            end = self.source.find("\n", self.position)
            self.position = len(self.source) if end < 0 else end

    def _skip_blank_lines(self) -> None:
        while True:
            self._skip_blanks()
            if not self.source.startswith("\n", self.position):
                return
            self._newline()

    def _newline(self) -> None:
        """A newline ends the line: here-documents begin after it."""
        self.position += 1
        for index, slot, delimiter in self._pending:
            self._body(index, slot, delimiter)
        self._pending.clear()

    def _body(self, index: int, slot: int, delimiter: str) -> None:
        start = self.position
        position = start
        while True:
            end = self.source.find("\n", position)
            line = self.source[position:] if end < 0 else self.source[position:end]
            if line == delimiter:
                self.position = len(self.source) if end < 0 else end
                break
            if end < 0:
                raise NotUnderstood("a here-document is not closed")
            position = end + 1
        self.position = min(self.position + 1, len(self.source))
        self._fill(index, slot, self.source[start:position])

    def _fill(self, index: int, slot: int, body: str) -> None:
        command = self.commands[index]
        redirects = list(command.redirects)
        before = redirects[slot]
        if before.expands and re.search(r"[$`\\]", body):
            raise NotUnderstood("a here-document with expansions is not analysed")
        redirects[slot] = Redirect(before.operator, before.descriptor, before.target, body, before.expands)
        self.commands[index] = Command(
            command.words, command.assignments, tuple(redirects), command.link, source=command.source
        )

    def _operator(self) -> Link:
        self._skip_blanks()
        if self.position >= len(self.source):
            self._close_documents()
            return ""
        found = _OPERATOR.match(self.source, self.position)
        if not found:
            raise NotUnderstood(f"`{self.source[self.position]}` is not analysed here")
        if found[0] == "\n":
            self._newline()
            return ";"
        self.position = found.end()
        self._last_link = _LINKS[found[0]]
        return self._last_link

    def _close_documents(self) -> None:
        if self._pending:
            raise NotUnderstood("a here-document is not closed")

    def _command(self, link: Link) -> Command:
        start = self.position
        negations = 0
        while re.compile(r"![ \t]").match(self.source, self.position):
            negations += 1
            self.position += 1
            self._skip_blanks()
        if negations > 1:
            raise NotUnderstood("a doubled `!` is not analysed")
        words: list[Word] = []
        assignments: list[Assignment] = []
        redirects: list[Redirect] = []
        spans: list[tuple[int, int]] = []
        end = self.position
        while self.position < len(self.source):
            redirect = self._redirect(len(redirects))
            if not redirect and _OPERATOR.match(self.source, self.position):
                break
            if redirect:
                redirects.append(redirect)
                spans.append((redirect.target.start, redirect.target.end))
            else:
                self._word(words, assignments, spans)
            end = self.position
            self._skip_blanks()
        if not (words or assignments or redirects):
            raise NotUnderstood("an operator stands where a command should")
        if self.keeps_spans:
            self.spans.append(spans)
        return Command(tuple(words), tuple(assignments), tuple(redirects), link, source=self.source[start:end])

    def _word(self, words: list[Word], assignments: list[Assignment], spans: list[tuple[int, int]]) -> None:
        assigned = None if words else _ASSIGNMENT.match(self.source, self.position)
        if not words and not assigned and _SUBSCRIPT.match(self.source, self.position):
            raise NotUnderstood("an array subscript is not analysed")
        if words and all(word.raw in _TIME for word in words) and _ASSIGNMENT.match(self.source, self.position):
            raise NotUnderstood("an assignment after `time` is not analysed")
        start = self.position
        word = self._read_word(assigned.end() if assigned else start)
        spans.append((start, word.end))
        if assigned:
            if self.source.startswith("(", self.position):
                raise NotUnderstood("an array is not analysed")
            assignments.append(Assignment(assigned[1], word))
            return
        if (word.raw in _RESERVED or (words and word.raw == "!")) and all(before.raw in _TIME for before in words):
            raise NotUnderstood(f"`{word.raw}` is not analysed")
        words.extend(self._expanded(word) if words else [word])

    @staticmethod
    def _expanded(word: Word) -> list[Word]:
        """The words that a brace expansion of plain text makes; else the word itself."""
        values = brace_values(word.raw) if word.unknown else []
        return [Word(value, value, word.start, word.end) for value in values] or [word]

    def _read_word(self, start: int) -> Word:
        reader = WordReader(self.source, start, home=self.known_home, cwd=self.cwd, variables=self.variables)
        word = reader.read()
        self.position = word.end
        self.inert.extend(word.inert)
        pattern = self.globs.get(word.raw)
        if pattern is not None:
            word = Word(pattern, pattern, word.start, word.end, is_glob=True)
        if word.end < len(self.source) and self.source[word.end] in "()":
            raise NotUnderstood("a subshell or function is not analysed")
        return word

    def _redirect(self, slot: int) -> Redirect | None:
        found = _REDIRECT.match(self.source, self.position)
        if not found:
            return None
        if found[1] and found[2].startswith("&"):
            return None
        self.position = found.end()
        self._skip_blanks()
        if self.position >= len(self.source) or self.source[self.position] in "\n;&|<>()":
            raise NotUnderstood("a redirect has no target")
        target = self._read_word(self.position)
        if found[2] == "<<-":
            raise NotUnderstood("`<<-` is not analysed")
        if found[2] == "<<":
            self._pending.append((len(self.commands), slot, self._delimiter(target)))
        expands = found[2] == "<<" and not target.is_quoted
        return Redirect(found[2], found[1], target, expands=expands)

    @staticmethod
    def _delimiter(target: Word) -> str:
        if not re.fullmatch(r"'[\w.-]+'|\"[\w.-]+\"|[\w.-]+|\\[\w.-]+", target.raw):
            raise NotUnderstood("an unusual here-document delimiter is not analysed")
        return target.value
