"""A typed `/name …` as the session sees it, whoever knows what the name means."""

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches

from ..protocol.events import PromptAdded

_COMMAND = re.compile(r"/([A-Za-z][\w:.-]*)(?=\s|\Z)")


@dataclass(frozen=True, slots=True)
class Unfolded:
    """What a command line became: the messages that go to the model, or why nothing goes."""

    messages: tuple[PromptAdded, ...] = ()
    refused: str = ""


def command_name(text: str) -> str:
    """The name of the command that a text begins with; empty for words, and for what is a path (`/usr/bin`, `/tmp`)."""
    found = _COMMAND.match(text)
    return "" if found is None or os.path.lexists(found[0]) else found[1]


def closest(name: str, known: Iterable[str]) -> str:
    """The name that a misspelt one probably meant; empty when none is near."""
    found = get_close_matches(name, list(known), n=1, cutoff=0.6)
    return found[0] if found else ""
