"""Reads `if … fi` and `for NAME in WORDS; do … done` on top of the strict reader, as the commands inside them.

A loop over plain words is read once for each word, with the variable known: what would run is judged, not a pattern.
Over a glob, `"$name"` as a whole word stands for that glob, which means every file that it could ever be.
Pipes, redirects and the background around such a statement are not understood, nor is `cd` in it, nor a here-document.
"""

import re

from .reader import Command, LineReader, Link
from .words import NotUnderstood, Word

_KEYWORD = re.compile(r"(if|then|elif|else|fi|for|do|done)(?=[ \t\n;]|\\\n|$)")
_HEAD = re.compile(r"for[ \t]+([a-z][a-z0-9]{0,11})[ \t]+in(?=[ \t])")
"""Names of variables without an underscore or capitals: none that a program looks at."""
_PLAIN = re.compile(r"[A-Za-z0-9_./:@%+=,-]+")
_SETS_VARIABLES = frozenset(
    "read export declare typeset local readonly unset mapfile readarray getopts let eval source . set shift trap exec "
    "wait coproc alias unalias shopt enable hash".split()
)
_BEFORE_BUILTINS = frozenset({"command", "builtin", "time", "!"})
_GLOB = re.compile(r"[A-Za-z0-9_./*?][A-Za-z0-9_./*?-]*")
_STARS = frozenset("*?")
_MOVES = frozenset({"cd", "pushd", "popd"})
_MOST_ROUNDS = 20
_MOST_COMMANDS = 100
_DEEPEST = 4


class CompoundReader(LineReader):
    """Reads a whole line into commands, those of loops and conditions included."""

    def __init__(self, source: str, *, home: str, cwd: str) -> None:
        super().__init__(source, home=home, cwd=cwd)
        self._depth = 0
        self._has_loop = False

    def _statement(self, link: Link) -> Link:
        keyword = _KEYWORD.match(self.source, self.position)
        if keyword is None or keyword[1] not in {"if", "for"}:
            return super()._statement(link)
        if link in {"|", "|&"} or self._depth >= _DEEPEST:
            raise NotUnderstood(f"`{keyword[1]}` in a pipe is not analysed")
        first = len(self.commands)
        self._depth += 1
        if keyword[1] == "if":
            self._condition()
        else:
            self._loop()
        self._depth -= 1
        self._check(self.commands[first:], is_loop=keyword[1] == "for")
        after = self._operator()
        if after in {"|", "|&", "&"}:
            raise NotUnderstood("a loop or condition in a pipe or in the background is not analysed")
        return after

    def _condition(self) -> None:
        self._expect("if")
        self._list("then")
        ended = self._list("elif", "else", "fi")
        while ended == "elif":
            self._list("then")
            ended = self._list("elif", "else", "fi")
        if ended == "else":
            self._list("fi")

    def _loop(self) -> None:
        head = _HEAD.match(self.source, self.position)
        if head is None or head[1] in self.variables or f'"${head[1]}"' in self.globs:
            raise NotUnderstood("this form of `for` is not analysed")
        self.position = head.end()
        values = self._values()
        self._skip_blank_lines()
        self._expect("do")
        body, has_spans = self.position, self.keeps_spans
        outer = self.variables, self.globs
        for value in values:
            self.position = body
            if set(value) & _STARS:
                self.globs = {**outer[1], f'"${head[1]}"': value, f'"${{{head[1]}}}"': value}
            else:
                self.variables = {**outer[0], head[1]: value}
            self._list("done")
            self.keeps_spans = False
            self.variables, self.globs = outer
        self.keeps_spans = has_spans

    def _values(self) -> list[str]:
        values: list[str] = []
        spans: list[tuple[int, int]] = []
        self._skip_blanks()
        while self.position < len(self.source) and self.source[self.position] not in ";\n":
            if self.source[self.position] in "&|<>()":
                raise NotUnderstood("this form of `for` is not analysed")
            words = self._expanded(self._read_word(self.position))
            spans.append((words[0].start, words[0].end))
            values += [word.value for word in words]
            if not all(_is_plain(word) for word in words):
                raise NotUnderstood("a loop over anything but plain words is not analysed")
            self._skip_blanks()
        if not 0 < len(values) <= _MOST_ROUNDS:
            raise NotUnderstood(f"a loop over {len(values)} words is not analysed")
        if self.source.startswith(";", self.position):
            self.position += 1
        if self.keeps_spans:
            self.spans.append(spans)
        return values

    def _list(self, *ends: str) -> str:
        """Read statements until one of these words stands where one would begin; which it was."""
        before = len(self.commands)
        link: Link = ";"
        while True:
            self._skip_blank_lines()
            keyword = _KEYWORD.match(self.source, self.position)
            if keyword is not None and keyword[1] in ends and link == ";" and len(self.commands) > before:
                self.position = keyword.end()
                return keyword[1]
            if self.position >= len(self.source) or len(self.commands) > _MOST_COMMANDS:
                raise NotUnderstood("a loop or condition is not closed, or too long")
            link = self._statement(link) or ";"

    def _expect(self, word: str) -> None:
        keyword = _KEYWORD.match(self.source, self.position)
        if keyword is None or keyword[1] != word:
            raise NotUnderstood(f"`{word}` is missing")
        self.position = keyword.end()

    def _check(self, commands: list[Command], *, is_loop: bool) -> None:
        """What would carry over from one command to the next in ways that are not followed here."""
        self._has_loop = self._has_loop or is_loop
        for command in commands:
            if command.link == "&" or any(redirect.is_here for redirect in command.redirects):
                raise NotUnderstood("a here-document or background work in a loop or condition is not analysed")
            if _builtin(command) in _MOVES:
                raise NotUnderstood("a change of folders in a loop or condition is not analysed")

    def read(self) -> tuple[Command, ...]:
        """All commands in order. Raises NotUnderstood."""
        commands = super().read()
        if self._has_loop and any(_sets_variables(command) for command in commands):
            raise NotUnderstood("what changes variables beside a loop is not analysed")
        return commands


def _is_plain(word: Word) -> bool:
    """A word without anything special in it, or a glob of plain letters; one that names folders, as anywhere else,
    is no option, and any other is fit only for programs without options that do harm."""
    if word.is_glob:
        return not word.unknown and not word.is_quoted and _GLOB.fullmatch(word.value) is not None
    return word.is_literal and _PLAIN.fullmatch(word.value) is not None


def _builtin(command: Command) -> str:
    """The program, also where it stands behind words that let the shell itself run it."""
    words = iter(command.values)
    return next((word for word in words if word not in _BEFORE_BUILTINS and not word.startswith("-")), "")


def _sets_variables(command: Command) -> bool:
    program = _builtin(command)
    if program == "printf":
        return any(word.startswith("-v") for word in command.values)
    return program in _SETS_VARIABLES or any(word.unknown for word in command.words[:1])
