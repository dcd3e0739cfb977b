"""Which handlers a moment concerns: exact names, lists of names, or a regular expression."""

import re

from .pattern import PatternError, compile_pattern, search

_EXACT = re.compile(r"[A-Za-z0-9_\- ,|]+")
_EXACT_WORD = re.compile(r"[A-Za-z0-9_|]+")
_ALIASES = {"Task": "Agent"}


def matches(matcher: str, subject: str, *, word_matcher: bool = False) -> bool:
    """Whether a matcher fits. Empty and `*` fit everything.

    Letters, digits, `_ - , |` and blanks make an exact name or a list of names; anything else is an unanchored,
    case-sensitive JavaScript pattern. Old tool names stand for their new ones. Raises PatternError.
    """
    if matcher in ("", "*"):
        return True
    if _is_exact(matcher, word_matcher):
        names = {name.strip() for name in re.split(r"[|]" if word_matcher else r"[|,]", matcher)}
        return any(_ALIASES.get(name, name) == subject or name == subject for name in names if name)
    if search(matcher, subject):
        return True
    return any(new == subject and search(matcher, old) for old, new in _ALIASES.items())


def matcher_problem(matcher: str, *, word_matcher: bool = False) -> str:
    """Why a matcher cannot be used, or empty."""
    if matcher in ("", "*") or _is_exact(matcher, word_matcher):
        return ""
    try:
        compile_pattern(matcher)
    except PatternError as error:
        return str(error)
    return ""


def _is_exact(matcher: str, word_matcher: bool) -> bool:
    return bool((_EXACT_WORD if word_matcher else _EXACT).fullmatch(matcher))
