"""Commands that can start programs which their own words do not name."""

import re
from collections.abc import Sequence

from .escapes import code_escape, evaluates
from .mentions import code_may_start_programs
from .readonly import reading_of
from .wrappers import INTERPRETERS, SHELLS, WRAPPERS, base_name

_EVALUATING = frozenset(
    "let . source declare typeset local readonly alias enable hash bind complete compgen mapfile readarray fc".split()
)
_EDITORS = frozenset("sed gsed awk gawk mawk nawk".split())


def may_run_unseen(program: str, words: Sequence[str], open_words: frozenset[str], fed: Sequence[str] = ()) -> bool:
    """Whether a command can start programs that its own words do not name. `fed`: what it reads from the line."""
    if program in _EVALUATING:
        return True
    if program in {"eval", "trap"}:
        return bool(open_words)
    if program in SHELLS:
        return not any(re.fullmatch(r"[^-+].*", word) for word in words) or any(word in open_words for word in words)
    if program in _EDITORS and code_escape(program, words):
        reading = reading_of((program, *words))
        if reading is None or reading.problem:
            return True
    if program in INTERPRETERS and any(word in open_words for word in words):
        return True
    if program in {"xargs", "parallel"}:
        return any(base_name(word) in WRAPPERS or base_name(word) in SHELLS for word in words)
    if evaluates(program, words) or code_may_start_programs(program, words, fed):
        return True
    return program == "{}"
