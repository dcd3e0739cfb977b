"""The text that the benches stream: mixed as answers are, about four characters a token."""

from collections.abc import Iterator

PROSE = (
    "The quick answer is that the loop reads one event at a time, so nothing is lost when the server is slow. "
    "Then **each** block is rendered once and `frozen`, which is why a long answer costs no more than a short one. "
)
CODE = (
    "```python\ndef fold(events):\n    state = State()\n    for event in events:\n"
    "        state = state.apply(event)  # pure\n    return state\n```\n\n"
)
LIST = "- first point with some words\n- second point, `code` in it\n  - a nested one\n- third\n\n"
TABLE = "| name | value |\n|---|---|\n| alpha | 1 |\n| beta | 22 |\n\n"


def text_of(count: int) -> str:
    """About this many tokens."""
    parts, size, number = [], 0, 0
    while size < count * 4:
        number += 1
        part = f"## Part {number}\n\n{PROSE * 3}\n\n{CODE}{LIST}{TABLE if number % 3 == 0 else ''}"
        parts.append(part)
        size += len(part)
    return "".join(parts)[: count * 4]


def tokens_of(text: str) -> Iterator[str]:
    """Pieces of four characters."""
    return (text[i : i + 4] for i in range(0, len(text), 4))


def tokens(count: int) -> Iterator[str]:
    """Without capitals: those are what the benches type."""
    return tokens_of(text_of(count).lower())


def begin_word(id: str) -> str:
    """What a streamed answer begins with."""
    return f"begin{id}zq"


def end_word(id: str) -> str:
    """What it ends with."""
    return f"end{id}zq"
