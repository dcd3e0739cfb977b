"""Rule patterns: `*` is any run of characters, a trailing ` *` (or `:*`) ends at a word boundary.

Matching is linear in its input: a pattern is cut at its stars and the pieces are searched from left to right.
"""

import re
from dataclasses import dataclass
from functools import lru_cache

_BLANKS_OR_QUOTED = re.compile(r"""'[^']*'|"(?:[^"\\]|\\.)*"|\\.|[ \t]+""", re.DOTALL)


def rule_spec(text: str) -> str | None:
    """What stands in a rule's parentheses: `Bash(npm test *)` → `npm test *`; None for a bare tool name.

    The spec ends at the last closing parenthesis, because specs contain parentheses themselves.
    """
    start = text.find("(")
    end = text.rfind(")")
    return text[start + 1 : end] if 0 <= start < end else None


def collapse_blanks(text: str) -> str:
    """Runs of blanks and tabs outside quotes become one blank; the ends are trimmed."""
    if "\t" not in text and "  " not in text:
        return text.strip(" ")
    return _BLANKS_OR_QUOTED.sub(lambda found: " " if found[0][0] in " \t" else found[0], text).strip(" ")


@dataclass(frozen=True, slots=True)
class Pattern:
    """One compiled spec. `pieces` are the literal texts between stars; one piece means an exact pattern.

    `short` are the pieces with a trailing ` *` left out, empty when the spec has none. `program` is the literal
    first word that every matching text starts with, "" when the pattern leaves it open; `head` is all the literal
    text at their start.
    """

    spec: str
    pieces: tuple[str, ...]
    short: tuple[str, ...]
    program: str
    head: str

    @property
    def is_exact(self) -> bool:
        """Whether it matches one text only."""
        return len(self.pieces) == 1

    @property
    def is_everything(self) -> bool:
        """Whether it is the lone star."""
        return self.pieces == ("", "")

    def matches(self, text: str) -> bool:
        """Whether the whole text matches."""
        return _spans(self.pieces, text) or (bool(self.short) and _spans(self.short, text))


def _spans(pieces: tuple[str, ...], text: str) -> bool:
    """Whether the pieces occur in order, the first at the start and the last at the end."""
    first, last = pieces[0], pieces[-1]
    if len(pieces) == 1:
        return text == first
    if not text.endswith(last) or not text.startswith(first) or len(text) < len(first) + len(last):
        return False
    position, limit = len(first), len(text) - len(last)
    for piece in pieces[1:-1]:
        found = text.find(piece, position, limit)
        if found < 0:
            return False
        position = found + len(piece)
    return True


def _cut_at_stars(spec: str) -> tuple[str, ...]:
    """The literal texts between stars; `\\*` is a literal star."""
    pieces: list[str] = [""]
    position = 0
    while position < len(spec):
        if spec.startswith("\\*", position):
            pieces[-1] += "*"
            position += 2
            continue
        if spec[position] == "*":
            pieces.append("")
        else:
            pieces[-1] += spec[position]
        position += 1
    return tuple(pieces)


@lru_cache(maxsize=4096)
def compile_pattern(spec: str) -> Pattern:
    """Compile one spec. `pre:*` is the same as `pre *`; `:*` is literal anywhere else."""
    text = collapse_blanks(spec)
    if text.endswith(":*"):
        text = text[:-2] + " *"
    pieces = _cut_at_stars(text)
    short: tuple[str, ...] = ()
    if len(pieces) > 1 and not pieces[-1] and pieces[-2].endswith(" ") and text != " *":
        short = (*pieces[:-2], pieces[-2][:-1])
    word, blank, _ = next(iter(pieces)).partition(" ")
    program = word if blank or len(pieces) == 1 else ""
    head = next(iter(short or pieces))
    return Pattern(spec=spec, pieces=pieces, short=short, program=program, head=head)


def match_command(spec: str, text: str) -> bool:
    """Whether a rule's spec matches a text; runs of blanks outside quotes are not significant."""
    pattern = compile_pattern(spec)
    return pattern.matches(text) or pattern.matches(collapse_blanks(text))
