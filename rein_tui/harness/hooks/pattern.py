r"""Regular expressions as matchers use them: JavaScript's syntax, matched without backtracking.

A matcher is somebody's configuration and its subject somebody else's text (a server names its tools), so a
pattern such as `(a+)+$` must not hang the session. Every node maps the set of positions where it may start to
the set of positions where it may end; no path is walked twice, so time stays polynomial and small.
Understood: alternation, groups, classes, `. \d \w \s \b ^ $`, all quantifiers, lookahead. Not understood, and
reported: backreferences, lookbehind, `\p{…}`.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import TypeAlias

MAX_PATTERN = 1_000
MAX_SUBJECT = 1_000
MAX_REPEAT = 100
MAX_DEPTH = 12

Ends: TypeAlias = frozenset[int]
Node: TypeAlias = Callable[[str, Ends], Ends]
Accepts: TypeAlias = Callable[[str], bool]

_LINE_ENDS = "\n\r\u2028\u2029"
_CONTROLS = {"n": "\n", "r": "\r", "t": "\t", "v": "\v", "f": "\f", "0": "\0"}


class PatternError(ValueError):
    """The pattern does not parse; the text says why."""


def search(pattern: str, subject: str) -> bool:
    """Whether the pattern is found anywhere in the first MAX_SUBJECT characters. Raises PatternError."""
    subject = subject[:MAX_SUBJECT]
    return bool(compile_pattern(pattern)(subject, frozenset(range(len(subject) + 1))))


@lru_cache(maxsize=512)
def compile_pattern(pattern: str) -> Node:
    """The node for a whole pattern. Raises PatternError."""
    if len(pattern) > MAX_PATTERN:
        raise PatternError(f"longer than {MAX_PATTERN} characters")
    parser = _Parser(pattern)
    node = parser.alternation()
    if parser.rest:
        raise PatternError("unmatched )")
    return node


def _is_word(char: str) -> bool:
    return char == "_" or (char.isascii() and char.isalnum())


def _is_digit(char: str) -> bool:
    return char.isascii() and char.isdigit()


def _is_space(char: str) -> bool:
    return char.isspace() or char == "\ufeff"


_CLASSES: dict[str, Accepts] = {"w": _is_word, "d": _is_digit, "s": _is_space}


def _one(accepts: Accepts) -> Node:
    return lambda text, starts: frozenset(i + 1 for i in starts if i < len(text) and accepts(text[i]))


def _where(holds: Callable[[str, int], bool]) -> Node:
    return lambda text, starts: frozenset(i for i in starts if holds(text, i))


def _sequence(nodes: list[Node]) -> Node:
    def match(text: str, starts: Ends) -> Ends:
        for node in nodes:
            starts = node(text, starts)
        return starts

    return match


def _either(nodes: list[Node]) -> Node:
    if len(nodes) == 1:
        return nodes[0]
    return lambda text, starts: frozenset[int]().union(*(node(text, starts) for node in nodes))


def _repeat(node: Node, least: int, most: int | None) -> Node:
    def match(text: str, starts: Ends) -> Ends:
        for _ in range(least):
            starts = node(text, starts)
        reached = fresh = starts
        rounds = 0
        while fresh and (most is None or rounds < most - least):
            fresh = node(text, fresh) - reached
            reached |= fresh
            rounds += 1
        return reached

    return match


def _ahead(node: Node, wanted: bool) -> Node:
    return _where(lambda text, i: bool(node(text, frozenset((i,)))) is wanted)


def _is_boundary(text: str, i: int) -> bool:
    return (i > 0 and _is_word(text[i - 1])) != (i < len(text) and _is_word(text[i]))


def _literal(char: str) -> Accepts:
    return lambda c: c == char


class _Parser:
    """Recursive descent over one pattern."""

    def __init__(self, pattern: str) -> None:
        self._pattern = pattern
        self._at = 0
        self._depth = 0

    @property
    def rest(self) -> str:
        """What has not been read yet."""
        return self._pattern[self._at :]

    def _take(self, text: str) -> bool:
        if self._pattern.startswith(text, self._at):
            self._at += len(text)
            return True
        return False

    def _next(self) -> str:
        if self._at >= len(self._pattern):
            raise PatternError("ends too early")
        self._at += 1
        return self._pattern[self._at - 1]

    def alternation(self) -> Node:
        """`a|b|c`, up to a closing parenthesis or the end."""
        branches = [self._branch()]
        while self._take("|"):
            branches.append(self._branch())
        return _either(branches)

    def _branch(self) -> Node:
        nodes: list[Node] = []
        while self.rest and self.rest[0] not in "|)":
            nodes.append(self._quantified(self._atom()))
        return _sequence(nodes)

    def _quantified(self, node: Node) -> Node:
        least, most = 1, 1
        if self._take("*"):
            least, most = 0, None
        elif self._take("+"):
            least, most = 1, None
        elif self._take("?"):
            least, most = 0, 1
        elif (braces := self._braces()) is not None:
            least, most = braces
        else:
            return node
        self._take("?")
        if self.rest[:1] in ("*", "+", "?") and self.rest:
            raise PatternError("nothing to repeat")
        return _repeat(node, least, most)

    def _braces(self) -> tuple[int, int | None] | None:
        # `{` that opens no quantifier is a literal in JavaScript, so nothing is consumed then.
        end = self._pattern.find("}", self._at)
        if not self.rest.startswith("{") or end < 0:
            return None
        low, comma, high = self._pattern[self._at + 1 : end].partition(",")
        if not (low.isascii() and low.isdigit()) or (high and not (high.isascii() and high.isdigit())):
            return None
        self._at = end + 1
        least = int(low)
        most = (int(high) if high else None) if comma else least
        if least > MAX_REPEAT or (most is not None and (most > MAX_REPEAT or most < least)):
            raise PatternError(f"repeat counts must rise and stay within {MAX_REPEAT}")
        return least, most

    def _atom(self) -> Node:
        char = self._next()
        if char == "(":
            return self._group()
        if char == "[":
            return _one(self._class())
        if char == ".":
            return _one(lambda c: c not in _LINE_ENDS)
        if char == "^":
            return _where(lambda _, i: i == 0)
        if char == "$":
            return _where(lambda text, i: i == len(text))
        if char == "\\":
            if self._take("b"):
                return _where(_is_boundary)
            if self._take("B"):
                return _where(lambda text, i: not _is_boundary(text, i))
            return _one(self._escape())
        if char in "*+?":
            raise PatternError("nothing to repeat")
        return _one(_literal(char))

    def _group(self) -> Node:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise PatternError("nested too deeply")
        wrap: Callable[[Node], Node] = lambda node: node  # noqa: E731 - replaced for lookahead
        if self._take("?="):
            wrap = lambda node: _ahead(node, True)  # noqa: E731
        elif self._take("?!"):
            wrap = lambda node: _ahead(node, False)  # noqa: E731
        elif self._take("?<=") or self._take("?<!"):
            raise PatternError("lookbehind is not supported")
        elif self._take("?<"):
            name, found, _ = self.rest.partition(">")
            if not found or not name.isidentifier():
                raise PatternError("bad group name")
            self._at += len(name) + 1
        elif self._take("?") and not self._take(":"):
            raise PatternError("unknown group")
        node = self.alternation()
        if not self._take(")"):
            raise PatternError("missing )")
        self._depth -= 1
        return wrap(node)

    def _escape(self) -> Accepts:
        char = self._next()
        if char.lower() in _CLASSES:
            inside = _CLASSES[char.lower()]
            return inside if char.islower() else lambda c: not inside(c)
        return _literal(self._escaped_char(char))

    def _escaped_char(self, char: str) -> str:
        if char in _CONTROLS:
            return _CONTROLS[char]
        if char in "xu":
            digits = self.rest[: 2 if char == "x" else 4]
            if len(digits) == (2 if char == "x" else 4) and all(d in "0123456789abcdefABCDEF" for d in digits):
                self._at += len(digits)
                return chr(int(digits, 16))
            return char
        if char.isalnum() and char.isascii():
            raise PatternError(f"\\{char} is not supported")
        return char

    def _class(self) -> Accepts:
        negated = self._take("^")
        tests: list[Accepts] = []
        while not self._take("]"):
            low = self._class_item(tests)
            if low and self.rest.startswith("-") and not self.rest.startswith("-]"):
                self._at += 1
                high = self._class_item(tests)
                tests.append(self._range(low, high) if high else _literal("-"))
        return lambda c: any(test(c) for test in tests) is not negated

    def _class_item(self, tests: list[Accepts]) -> str:
        """Read one member; the character when it is a single one (already a test of its own)."""
        char = self._next()
        if char == "\\":
            char = self._next()
            if char.lower() in _CLASSES:
                inside = _CLASSES[char.lower()]
                tests.append(inside if char.islower() else lambda c: not inside(c))
                return ""
            char = "\b" if char == "b" else self._escaped_char(char)
        tests.append(_literal(char))
        return char

    def _range(self, low: str, high: str) -> Accepts:
        if low > high:
            raise PatternError("range out of order")
        return lambda c: low <= c <= high
