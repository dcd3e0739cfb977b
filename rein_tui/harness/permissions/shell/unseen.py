"""Commands that can start programs which their own words do not name."""

import re
from collections.abc import Sequence

from .escapes import code_escape
from .wrappers import INTERPRETERS, SHELLS, WRAPPERS, base_name

_ARITHMETIC_TESTS = frozenset("-eq -ne -lt -le -gt -ge -v -R".split())
_EVALUATING = frozenset(
    "let . source declare typeset local readonly alias enable hash bind complete mapfile readarray fc".split()
)


def may_run_unseen(program: str, words: Sequence[str], open_words: frozenset[str]) -> bool:
    """Whether a command can start programs that its own words do not name."""
    if program in _EVALUATING:
        return True
    if program in {"eval", "trap"}:
        return bool(open_words)
    if program in SHELLS:
        return not any(re.fullmatch(r"[^-+].*", word) for word in words) or any(word in open_words for word in words)
    if program in {"sed", "gsed", "awk", "gawk", "mawk", "nawk"} and code_escape(program, words):
        return True
    if program in INTERPRETERS and any(word in open_words for word in words):
        return True
    if program in {"xargs", "parallel"}:
        return any(base_name(word) in WRAPPERS or base_name(word) in SHELLS for word in words)
    if program in {"test", "[", "printf", "read", "unset", "wait", "getopts", "export"}:
        return any("$(" in word or "`" in word for word in words) or any(
            word in _ARITHMETIC_TESTS and not _are_numbers(words[index - 1 : index], words[index + 1 : index + 2])
            for index, word in enumerate(words)
        )
    return program == "{}"


def _are_numbers(*operands: Sequence[str]) -> bool:
    return all(len(operand) == 1 and re.fullmatch(r"-?[0-9]+", operand[0]) for operand in operands)
