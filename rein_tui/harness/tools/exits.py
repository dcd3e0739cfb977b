"""What an exit code means: 1 is no failure for programs that answer a question with it."""

import shlex

_ANSWERS = {
    "grep": "No matches found",
    "egrep": "No matches found",
    "fgrep": "No matches found",
    "rg": "No matches found",
    "git grep": "No matches found",
    "find": "Some folders could not be read",
    "diff": "Files differ",
    "git diff": "Files differ",
    "test": "Condition is false",
    "[": "Condition is false",
}


def interpret(command: str, exit_code: int) -> str:
    """What exit code 1 of the last program in `command` says, or empty where it means failure."""
    if exit_code != 1:
        return ""
    lexer = shlex.shlex(command, posix=True, punctuation_chars=";&|()\n")
    lexer.whitespace = " \t\r"
    lexer.whitespace_split = True
    try:
        words = list(lexer)
    except ValueError:
        return ""
    while words and not words[-1].strip(";&|()\n"):
        words.pop()
    last: list[str] = []
    for word in words:
        last = [] if not word.strip(";&|()\n") else [*last, word]
    while last and "=" in last[0] and last[0].split("=", 1)[0].isidentifier():
        last.pop(0)
    return (_ANSWERS.get(last[0]) or _ANSWERS.get(" ".join(last[:2])) or "") if last else ""
