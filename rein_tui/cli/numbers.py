"""Numbers on the command line, refused in words that say what is expected."""

import argparse
import math
from collections.abc import Callable
from typing import TypeVar

NumberT = TypeVar("NumberT", int, float)


def number(read: Callable[[str], NumberT], least: float, most: float, expected: str) -> Callable[[str], NumberT]:
    """An argument's type: what `read` makes of the text, from `least` to `most`, else "expected …"."""

    def parse(text: str) -> NumberT:
        try:
            value = read(text)
        except ValueError:
            value = None
        if value is None or not math.isfinite(value) or not least <= value <= most:
            raise argparse.ArgumentTypeError(f"{text!r}: expected {expected}")
        return value

    return parse
