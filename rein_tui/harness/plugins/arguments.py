"""Arguments in a command's or skill's body: `$ARGUMENTS`, `$0`, `$ARGUMENTS[1]`, `$name`, in one pass."""

import re
import shlex
from collections.abc import Sequence

_PLACE = r"(?P<escape>(?<!\\)\\)?\$(?:ARGUMENTS\[(?P<index>\d+)\]|(?P<all>ARGUMENTS)\b|(?P<number>\d+)(?!\w){names})"


def split_arguments(raw: str) -> list[str]:
    """The words of an argument string, quoted as in a shell."""
    try:
        return shlex.split(raw)
    except ValueError:  # an open quote, as in "don't"
        return raw.split()


def fill_arguments(body: str, raw: str, names: Sequence[str] = (), base: int = 0) -> str:
    """The body with the arguments in their places; appended where it has no place for them.

    `$N` counts from `base` (0: `$1` is the second). A number without an argument stays as it is, a name becomes
    empty; `\\$1` is a literal `$1`.
    """
    words = split_arguments(raw)
    known = "|".join(re.escape(name) for name in names)
    pattern = _PLACE.replace("{names}", rf"|(?P<name>{known})\b" if known else "")
    used = False

    def place(match: re.Match[str]) -> str:
        nonlocal used
        if match["escape"]:
            return match[0][1:]
        found = _value(match, raw, words, names, base)
        used = used or found is not None
        return match[0] if found is None else found

    text = re.sub(pattern, place, body)
    return text if used or not raw.strip() else f"{text.rstrip()}\n\nARGUMENTS: {raw}"


def _value(match: re.Match[str], raw: str, words: list[str], names: Sequence[str], base: int) -> str | None:
    if match["all"]:
        return raw
    groups = match.groupdict()
    if groups.get("name"):
        at = list(names).index(groups["name"])
        return words[at] if at < len(words) else ""
    at = int(match["index"] or match["number"]) - (0 if match["index"] else base)
    return words[at] if 0 <= at < len(words) else None


def counts_from_one(body: str) -> bool:
    """Whether the body looks as if written for `$1` being the first argument."""
    numbers = set(re.findall(r"(?<!\\)\$(\d)(?!\w)", body))
    return "1" in numbers and "0" not in numbers
