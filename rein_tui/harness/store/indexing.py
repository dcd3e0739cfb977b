"""The full-text table: which words of which facts a search looks at, and how the table catches up with the facts.

It is a fold of the facts that catches up at the end of a turn and before each search, so that storing a fact costs
nothing for it, and a store that had no FTS5 gains it later.
"""

import sqlite3

from ..protocol.events import (
    Compacted,
    Fact,
    MessageFinished,
    PromptAdded,
    TitleChanged,
    ToolCallFinished,
    ToolCallRequested,
)
from ..protocol.messages import TextBlock
from .codec import decode_fact
from .schema import INDEXED_TYPES, key_range

_LONGEST = 16_384
_TYPES = ", ".join(f"'{name}'" for name in INDEXED_TYPES)


def words_of(fact: Fact) -> str:
    """What a search looks at in this fact; long results by their head and tail."""
    match fact:
        case PromptAdded(origin="prompt" | "steer" | "command" | "shell"):
            text = fact.message.text
        case MessageFinished():
            text = fact.message.text
        case ToolCallRequested():
            text = f"{fact.name} {fact.summary}"
        case ToolCallFinished():
            content = fact.content
            text = (
                content if isinstance(content, str) else "\n".join(b.text for b in content if isinstance(b, TextBlock))
            )
        case TitleChanged():
            text = fact.title
        case Compacted():
            text = fact.summary
        case _:
            text = ""
    if len(text) > _LONGEST:
        text = f"{text[: _LONGEST * 3 // 4]}\n…\n{text[-_LONGEST // 4 :]}"
    return text


def index(connection: sqlite3.Connection, number: int | None = None) -> None:
    """Let the full-text table catch up with the facts, of one session or of all. Inside a transaction."""
    which, parameters = ("AND number = ?", (number,)) if number is not None else ("", ())
    behind = connection.execute(
        f"SELECT number, indexed, last_seq FROM sessions WHERE indexed < last_seq {which}",  # noqa: S608
        parameters,
    ).fetchall()
    for session, indexed, last in behind:
        rows = connection.execute(
            f"SELECT key, body FROM facts WHERE key BETWEEN ? AND ? AND type IN ({_TYPES})",  # noqa: S608
            key_range(session, indexed),
        )
        texts = [(key, text) for key, body in rows if (text := words_of(decode_fact(body)))]
        connection.executemany("INSERT OR REPLACE INTO words (rowid, text) VALUES (?, ?)", texts)
        connection.execute("UPDATE sessions SET indexed = ? WHERE number = ?", (last, session))
