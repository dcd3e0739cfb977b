"""What a text in the composer is, and what is being typed in it: pure functions over strings."""

import re
from typing import Literal, TypeAlias

Kind: TypeAlias = Literal["prompt", "shell", "private_shell", "command"]

Typed: TypeAlias = tuple[Literal["/", "@", " "], str, int]
"""What is being completed: its kind, what was typed of it, and the column where it begins.

A blank stands for the words of a command that a server brings: then all of the line was typed.
"""

LABELS: dict[Kind, str] = {
    "prompt": "",
    "command": "",
    "shell": "shell · the output joins the conversation",
    "private_shell": "private shell · the output stays with you",
}

_COMMAND = re.compile(r"/[A-Za-z][\w:-]*(?=\s|$)")
_SERVER_PROMPT = re.compile(r"/mcp__\S+ (?:.*\s)?([^\s\"@]*)")
_MENTION = re.compile(r"(?:^|(?<=\s))@(\"?)([^\s\"]*)$")


def kind_of(text: str) -> Kind:
    """What a text would be if it were submitted now. A path such as `/usr/bin/x` is no command."""
    if text.startswith("!!"):
        return "private_shell"
    if text.startswith("!"):
        return "shell"
    return "command" if _COMMAND.match(text) else "prompt"


def typed_before(row: int, before: str) -> Typed | None:
    """What is being completed where the line holds `before` left of the cursor; None for plain text."""
    if row == 0 and re.fullmatch(r"/[\w:-]*", before):
        return ("/", before[1:], 0)
    if row == 0 and (words := _SERVER_PROMPT.fullmatch(before)):
        return (" ", before, words.start(1))
    found = _MENTION.search(before)
    return ("@", found.group(2), found.start()) if found else None
