"""Paths as a person in a folder would say them: from that folder on, or from home; the whole path stands elsewhere."""

import re
from pathlib import Path

_BEGIN = r"(?<![^\s\"'`(\[=:])"
_GOES_ON = r"/(?=[^/~\s\"'`])"
"""Nothing is left out where what remains would read as another place."""


def nearby(text: str, folder: str) -> str:
    """`text` with the paths below `folder` told from there, and others below the home folder by `~`."""
    for place, short in ((folder, ""), (str(Path.home()), "~/")):
        if place.strip("/") and f"{place}/" in text:
            text = re.sub(_BEGIN + re.escape(place) + _GOES_ON, lambda _, short=short: short, text)
    return text
