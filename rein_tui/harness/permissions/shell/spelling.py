"""How a command is written: for people, for rules, and which variables may stand before it."""

from .reader import Command
from .words import Word

SAFE_VARIABLES = frozenset(
    "NODE_ENV LANG LANGUAGE LC_ALL LC_CTYPE LC_COLLATE LC_MESSAGES LC_NUMERIC LC_TIME NO_COLOR FORCE_COLOR CLICOLOR "
    "CLICOLOR_FORCE TZ CI RUST_BACKTRACE PYTHONUNBUFFERED PYTHONDONTWRITEBYTECODE GOOS GOARCH CGO_ENABLED".split()
)
_SAFE_VALUE = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.,:+@-")
_QUOTE_FREE = _SAFE_VALUE | frozenset("/=%^")
STDIN_ARGUMENT = "\x00argument"


def expanded_words(command: Command) -> list[Word]:
    """Words that are no arguments but are expanded all the same."""
    here = [redirect.target for redirect in command.redirects if redirect.is_here]
    return [*(assignment.value for assignment in command.assignments), *here]


def is_safe_variable(name: str, value: str) -> bool:
    return name in SAFE_VARIABLES and set(value) <= _SAFE_VALUE


def canonical(value: str) -> str:
    """A word as the plainest source that means it."""
    if value and set(value) <= _QUOTE_FREE:
        return value
    return "'" + value.replace("'", "'\\''") + "'"


def shown(command: Command) -> str:
    words = [f"{a.name}={a.value.raw}" for a in command.assignments] + [word.raw for word in command.words]
    return " ".join(words) or command.source
