"""Every command that a line may start, wherever it hides: what deny and ask rules are tried on.

Broad on purpose. What is found here can only make an answer stricter.
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import accumulate

from .compound import CompoundReader
from .reader import Command
from .tree import Found, Tree, parse
from .unseen import may_run_unseen
from .words import NotUnderstood, Word, read_piece
from .wrappers import SHELLS, base_name, inner_commands

MAX_LENGTH = 10_000
_MAX_DEPTH = 3
_MAX_INVOCATIONS = 20_000
_CUTS = re.compile(r"[;&|\n\r(){}`<>\u2028\u2029\x85\x0b\x0c]+|\$\(")
_CUTS_AND_QUOTES = re.compile(r"[;&|\n\r(){}`<>'\"\u2028\u2029\x85\x0b\x0c]+|\$\(")
_REDIRECTED = re.compile(r"[0-9]*[<>]")
_BRACE_COMMAND = re.compile(r"(?:^|[;&|\n(){}`]|\b(?:do|then|else|if|while|until))[ \t]*\{[^ \t\n]")
_STARTS = re.compile(r"[;&|\n(){}`]+")
_LEADING = re.compile(
    r"(?:(?:then|do|else|elif|if|while|until|coproc|function|!)[ \t]+|time[ \t]+(?:-p[ \t]+)?(?:--[ \t]+)?|[\s#]+)*"
)
_ASSIGNED = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(?:\[[^\]]*\])?\+?=")
_GIT_VALUED = frozenset(
    "-C -c --exec-path --git-dir --work-tree --namespace --super-prefix --config-env --attr-source".split()
)
_MAX_LEVEL = 6
_RUN_VARIABLES = frozenset("BASH_ENV ENV PS4 PROMPT_COMMAND PS0 PS1 PS2".split())


@dataclass(slots=True)
class Invocation:
    """One command that may start. `texts` are the spellings that rules are tried on; `open_words` are the words of
    it that are not known before it runs; `suspect` when it is a guess. `assigned` are the values of the variables
    before it, `fed` the texts that it reads from the line itself."""

    argv: tuple[str, ...]
    texts: tuple[str, ...]
    raw_words: tuple[str, ...] = ()
    open_words: frozenset[str] = frozenset()
    suspect: bool = False
    assigned: tuple[str, ...] = ()
    fed: tuple[str, ...] = ()


@dataclass(slots=True)
class Survey:
    """What a line holds. `commands` are set when both readings agree on it; else `problem` says why not. `blind`:
    something may start programs that are not among `invocations`. `writes` and `reads` are redirect targets."""

    commands: tuple[Command, ...] | None = None
    problem: str = ""
    blind: bool = False
    invocations: list[Invocation] = field(default_factory=list[Invocation])
    targets: list[tuple[str, Word]] = field(default_factory=list[tuple[str, Word]])


def unfit_character(text: str) -> str:
    """The first control, invisible or otherwise deceptive character, as `U+XXXX`; "" when there is none."""
    if text.isascii() and text.isprintable():
        return ""
    for character in text:
        code = ord(character)
        if character in "\n\t" or 0x20 <= code < 0x7F:
            continue
        if code < 0xA0 or unicodedata.category(character) in {"Cf", "Zl", "Zp", "Zs", "Cs", "Co", "Cn", "Cc"}:
            return f"U+{code:04X}"
    return ""


def survey(command: str, *, home: str, cwd: str, depth: int = 0) -> Survey:
    """Read a line both ways and collect what it may start; remembered, and not to be changed. Never raises."""
    return (_remembered if len(command) <= MAX_LENGTH else _survey)(command, home, cwd, depth)


def _survey(command: str, home: str, cwd: str, depth: int) -> Survey:
    found = Survey()
    surveyor = _Surveyor(found, home, cwd, depth)
    unfit = unfit_character(command)
    if unfit or len(command) > MAX_LENGTH:
        found.problem = (
            f"it holds the invisible or control character {unfit}"
            if unfit
            else f"it is longer than {MAX_LENGTH:,} characters"
        )
        found.blind = True
        surveyor.fragments(command)
        return found
    surveyor.line(command)
    return found


_remembered = lru_cache(maxsize=32)(_survey)


class _Surveyor:
    def __init__(self, found: Survey, home: str, cwd: str, depth: int) -> None:
        self.found = found
        self.home = home
        self.cwd = cwd
        self.depth = depth
        self._assigned: tuple[str, ...] = ()
        self._fed: tuple[str, ...] = ()
        self._piped: tuple[str, ...] = ()

    def line(self, command: str) -> None:
        """Both readings of a fit line."""
        reader = CompoundReader(command, home=self.home, cwd=self.cwd)
        commands: tuple[Command, ...] | None = None
        problem = ""
        try:
            commands = reader.read()
        except NotUnderstood as reason:
            problem = str(reason)
        tree = parse(command.encode(), frozenset(_byte_spans(command, [reader.inert])[0]))
        if commands is not None:
            problem = tree.problem or self._disagreement(command, reader, tree)
            for one in commands:
                self._command(one)
        if problem:
            self.found.problem = problem
            self.found.blind = self.found.blind or tree.blind
            joined = command.replace("\\\n", "")
            for found in (tree.found, parse(joined.encode()).found if joined != command else []):
                for node in found:
                    self._node(node)
            # The grammar alone proves nothing: what stands between separators may be a command all the same.
            self.fragments(command, suspect=not tree.broken)
        else:
            self.found.commands = commands

    @staticmethod
    def _disagreement(command: str, reader: CompoundReader, tree: Tree) -> str:
        # The grammar loses a lone `-` in front of a here-document; it means standard input and nothing else.
        source = command.encode()
        own, theirs = (
            [[span for span in sorted(spans) if source[span[0] : span[1]] != b"-"] for spans in groups]
            for groups in (_byte_spans(command, reader.spans), tree.groups)
        )
        return "" if own == theirs else "two ways of reading it disagree"

    def _command(self, command: Command) -> None:
        words = command.words
        bodies = [one.body if one.operator == "<<" else one.target.value for one in command.redirects if one.is_here]
        self._assigned = tuple(assignment.value.value for assignment in command.assignments)
        self._fed = (*(self._piped if command.link in {"|", "|&"} else ()), *bodies)
        self._piped = (*self._fed, *command.values[1:])
        self._judge_program(words[0] if words else None)
        if words:
            self._add(words, [command.source])
        for redirect in command.redirects:
            if redirect.is_here:
                self._program_text(words, redirect.body if redirect.operator == "<<" else redirect.target.value)
            elif not redirect.is_duplication:
                self.found.targets.append((redirect.operator, redirect.target))
        for assignment in command.assignments:
            self._judge_assignment(assignment.name, assignment.value.value)

    def _node(self, node: Found) -> None:
        words = [read_piece(raw, home=self.home, cwd=self.cwd) for raw in node.words]
        self._assigned, self._fed = (), tuple(node.bodies)
        while words and (assigned := _ASSIGNED.match(words[0].raw)):
            self._assigned = (*self._assigned, words[0].value[assigned.end() :])
            self._judge_assignment(assigned[0].rstrip("+="), self._assigned[-1])
            words = words[1:]
        self._judge_program(words[0] if words else None)
        if words:
            self._add(words, [node.source])
        for body in node.bodies:
            self._program_text(words, body)
            self.found.blind = self.found.blind or "`" in body or "$" in body
        for operator, raw in node.redirects:
            target = read_piece(raw, home=self.home, cwd=self.cwd)
            if operator.startswith("<<"):
                self._program_text(words, target.value)
            elif not (operator in {">&", "<&"} and re.fullmatch(r"[0-9]+-?|-", target.value)):
                self.found.targets.append((operator, target))

    def _judge_program(self, word: Word | None) -> None:
        if word is None or word.value == "[":
            return
        if word.is_open and not word.unknown.startswith("an ANSI"):
            self.found.blind = True

    def _judge_assignment(self, name: str, value: str) -> None:
        """A variable that bash or a shell runs, or a text that arithmetic would."""
        if name in _RUN_VARIABLES or name.startswith("BASH_FUNC") or "$(" in value or "`" in value:
            self.found.blind = True

    def _program_text(self, words: Sequence[Word], body: str) -> None:
        """A here-document for a shell is a script."""
        if words and any(base_name(word.value) in SHELLS for word in words):
            self._script(body, self.depth)

    def _script(self, script: str, depth: int) -> None:
        if depth >= _MAX_DEPTH:
            self.found.blind = True
            self.fragments(script)
            return
        inner = survey(script, home=self.home, cwd=self.cwd, depth=depth + 1)
        self.found.invocations.extend(inner.invocations)
        self.found.targets.extend(inner.targets)
        self.found.blind = self.found.blind or inner.blind

    def _add(self, words: Sequence[Word], sources: Iterable[str]) -> None:
        argv = tuple(word.value for word in words)
        raw = tuple(word.raw for word in words)
        open_words = frozenset(word.value for word in words if word.is_open and word.value != "[")
        self._invocation(argv, raw, open_words, extra=(" ".join(raw), *sources))

    def _invocation(
        self,
        argv: tuple[str, ...],
        raw: tuple[str, ...],
        open_words: frozenset[str],
        extra: Iterable[str] = (),
        suspect: bool = False,
        level: int = 0,
    ) -> None:
        while argv and (argv[0] == "!" or (level and _ASSIGNED.match(argv[0]))):
            argv = argv[1:]
        if not argv or len(self.found.invocations) > _MAX_INVOCATIONS:
            return
        program = base_name(argv[0])
        texts = dict.fromkeys((" ".join(argv), *extra))
        texts[" ".join((program, *argv[1:]))] = None
        if program == "git":
            texts[" ".join(("git", *_without_git_globals(argv[1:])))] = None
        found = Invocation(argv, tuple(texts), raw, open_words, suspect, self._assigned, self._fed)
        self.found.invocations.append(found)
        if not suspect and (argv[0] in open_words or may_run_unseen(program, argv[1:], open_words, self._fed)):
            self.found.blind = True
        if level < _MAX_LEVEL:
            self._inner(argv, open_words, suspect, level)

    def _inner(self, argv: tuple[str, ...], open_words: frozenset[str], suspect: bool, level: int) -> None:
        inner = inner_commands(argv)
        for command in inner.commands:
            self._invocation(command, command, open_words, suspect=suspect, level=level + 1)
        for command in inner.suspects:
            self._invocation(command, command, open_words, suspect=True, level=_MAX_LEVEL)
        for script in inner.scripts:
            if "{}" in script or script in open_words:
                self.found.blind = True
            self._script(script, self.depth)

    def fragments(self, text: str, *, suspect: bool = False) -> None:
        """Text that no reading covers: everything between separators may be a command."""
        self._assigned = self._fed = ()
        visible = "".join(c for c in text if unicodedata.category(c) != "Cf") if not text.isascii() else text
        self._dynamic_starts(visible)
        pieces: dict[str, None] = {}
        for cut in (_CUTS, _CUTS_AND_QUOTES, _STARTS):
            for variant in dict.fromkeys((visible, visible.replace("\\\n", ""))):
                pieces.update(dict.fromkeys(cut.split(variant)))
        for piece in pieces:
            stripped = _LEADING.sub("", piece, count=1)
            words = [read_piece(raw, home=self.home, cwd=self.cwd) for raw in stripped[:4000].split()[:200]]
            while words and _ASSIGNED.match(words[0].raw):
                words = words[1:]
            if words:
                values = tuple(word.value for word in words)
                raw_words = tuple(word.raw for word in words)
                self._invocation(values, raw_words, frozenset(values), (stripped,), suspect, level=3)

    def _dynamic_starts(self, text: str) -> None:
        """Whether some command may begin with a word that is not known before it runs."""
        for piece in dict.fromkeys(_STARTS.split(text)):
            words = _LEADING.sub("", piece, count=1)[:4000].split()
            while words and (_ASSIGNED.match(words[0]) or _REDIRECTED.match(words[0])):
                words = words[1 if len(words[0].lstrip("0123456789<>&|")) else 2 :]
            if words and ("$" in words[0] or (words[0] != "[" and set(words[0]) & set("*?["))):
                self.found.blind = True
        if _BRACE_COMMAND.search(text):
            self.found.blind = True


def _without_git_globals(words: Sequence[str]) -> tuple[str, ...]:
    """Git's words without the options that stand before its sub-command."""
    index = 0
    while index < len(words) and words[index].startswith("-"):
        index += 2 if words[index] in _GIT_VALUED else 1
    return tuple(words[index:])


def _byte_spans(text: str, groups: list[list[tuple[int, int]]]) -> list[list[tuple[int, int]]]:
    """Character offsets as UTF-8 offsets."""
    if text.isascii():
        return groups
    offsets = [0, *accumulate(len(character.encode()) for character in text)]
    return [[(offsets[start], offsets[end]) for start, end in spans] for spans in groups]
