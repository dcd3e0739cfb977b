"""A session's title: the first words of its first prompt at once, better ones from a model later."""

import re

TITLE_RANKS = {"": 0, "first_words": 1, "model": 2, "hook": 3, "person": 4}
"""Who may overwrite whose title: a later one of at least the same rank wins."""

_LENGTH = 60
_ASKED = 2000
_WRAPPED = re.compile(r"<(system-reminder|command-\w+|local-command-\w+)>.*?</\1>", re.DOTALL)

TITLE_PROMPT = (
    "Give this coding session a title: three to six words in the language of the message, sentence case, no "
    "quotes, no full stop. Answer with the title alone.\n\nFirst message:\n"
)


def first_words(text: str, length: int = _LENGTH) -> str:
    """The first line that says something, cut at a word."""
    plain = _WRAPPED.sub("", text)
    line = next((" ".join(part.split()) for part in plain.splitlines() if part.strip()), "")
    if len(line) <= length:
        return line
    cut = line[: length - 1]
    head, blank, _ = cut.rpartition(" ")
    return (head if blank and len(head) > length // 2 else cut).rstrip(" ,;:.-") + "…"


def title_request(prompt: str) -> str:
    """What to ask a model for a title."""
    return TITLE_PROMPT + prompt[:_ASKED]


def clean_title(answer: str) -> str:
    """A title out of whatever a model answered; empty when there is none."""
    without_thoughts = re.sub(r"<think>.*?(?:</think>|\Z)", "", answer, flags=re.DOTALL)
    line = next((part.strip() for part in without_thoughts.splitlines() if part.strip()), "")
    line = re.sub(r"^(?:title|titel)\s*:\s*", "", line, flags=re.IGNORECASE)
    line = line.strip("*_#`\"'“”„«» ").rstrip(".")
    return first_words(line) if any(char.isalnum() for char in line) else ""
