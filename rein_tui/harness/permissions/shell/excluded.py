"""Which lines settings keep out of the sandbox (`sandbox.excludedCommands`): those that wholly consist of such."""

from collections.abc import Sequence

from rein_tui.harness.protocol.decisions import Rule, Source

from .coverage import covering_rule
from .rulebook import RuleBook
from .spelling import is_safe_variable
from .stripping import strip_for_allow
from .survey import survey


def is_excluded(command: str, patterns: Sequence[str], *, home: str, cwd: str) -> bool:
    """Whether every command of an understood line is one of these, written as in rules; `docker` means `docker *`."""
    named = [text for text in patterns if text.strip("*: \t")]  # everything is no command
    if not named:
        return False
    found = survey(command, home=home, cwd=cwd)
    if not found.commands or found.blind:
        return False
    texts = [f"Bash({text} *)" if text.strip() and " " not in text.strip() else f"Bash({text})" for text in named]
    book = RuleBook.of(tuple(Rule(text=text, behavior="allow", source=Source(layer="builtin")) for text in texts))
    for one in found.commands:
        if not one.words or any(word.unknown for word in one.words):
            return False
        unsafe = next((a.name for a in one.assignments if not is_safe_variable(a.name, a.value.value)), "")
        covered, _ = covering_rule(book, one, strip_for_allow(one.values), unsafe)
        if covered is None:
            return False
    return True
