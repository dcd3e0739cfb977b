"""Finding sessions by what was said in them: prompts, answers, calls and tool results.

The full-text table is a fold of the facts that catches up at the end of a turn and before each search, so that
storing a fact costs nothing for it, and a store that had no FTS5 gains it later.
"""

import re
import sqlite3
from collections.abc import Sequence

from ..protocol.base import Word
from ..protocol.events import Fact, MessageFinished, PromptAdded, TitleChanged, ToolCallFinished, ToolCallRequested
from ..protocol.messages import TextBlock
from .codec import decode_fact
from .database import Database
from .schema import SEQ_BITS, key_range, seq_of

INDEXED_TYPES = ("prompt_added", "message_finished", "tool_call_requested", "tool_call_finished", "title_changed")

_LONGEST = 16_384
_TYPES = ", ".join(f"'{name}'" for name in INDEXED_TYPES)


_FIND = f"""
SELECT rowid, snippet(words, 0, '«', '»', '…', 24) FROM words WHERE words MATCH ?
    AND rowid >> {SEQ_BITS} NOT IN (SELECT number FROM sessions WHERE deleted > 0)
ORDER BY rowid DESC LIMIT ?
"""  # noqa: S608


class Hit(Word, frozen=True, kw_only=True):
    """One place where a search found its words. `snippet` is one line; what matched stands between « and »."""

    session_id: str
    title: str
    seq: int
    turn: int
    time: float
    kind: str
    snippet: str


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


def matching_sessions(database: Database, search: str) -> set[int]:
    """The numbers of the sessions in which every word of the search occurs. Raises StoreError."""
    found: set[int] | None = None
    for word in _split(search):
        if database.has_words:
            _catch_up(database)
            sql = f"SELECT DISTINCT rowid >> {SEQ_BITS} FROM words WHERE words MATCH ?"  # noqa: S608
            rows = database.read(sql, (_match(word),))
        else:
            sql = f"SELECT DISTINCT key >> {SEQ_BITS} FROM facts WHERE type IN ({_TYPES}) AND CAST(body AS TEXT) LIKE ? ESCAPE '!'"  # noqa: S608, E501
            rows = database.read(sql, (_like(word),))
        rows += database.read("SELECT number FROM sessions WHERE title LIKE ? ESCAPE '!'", (_like(word),))
        numbers = {int(row[0]) for row in rows}
        found = numbers if found is None else found & numbers
    return found or set()


def passages(database: Database, search: str, numbers: Sequence[int]) -> dict[int, str]:
    """Of these sessions the newest place in which all words of the search stand together, where there is one.

    Read from the texts: FTS5 takes milliseconds a session for words that are only begun, and for its snippets.
    """
    words = _split(search)
    if not database.has_words or not words:
        return {}
    clause = " AND text LIKE ? ESCAPE '!'" * len(words)
    newest = f"SELECT text FROM words WHERE rowid BETWEEN ? AND ?{clause} ORDER BY rowid DESC LIMIT 1"  # noqa: S608
    found: dict[int, str] = {}
    for number in numbers:
        for (text,) in database.read(newest, (*key_range(number), *(_like(word) for word in words))):
            found[number] = " ".join(_snippet(text, words).split())
    return found


def find(database: Database, search: str, limit: int) -> list[Hit]:
    """Places in which all words of the search stand together, newest first. Raises StoreError."""
    words = _split(search)
    if not words:
        return []
    if database.has_words:
        _catch_up(database)
        keys = database.read(_FIND, (" ".join(_match(word) for word in words), limit))
    else:
        clause = " AND ".join(["CAST(body AS TEXT) LIKE ? ESCAPE '!'"] * len(words))
        keys = database.read(
            f"SELECT key, '' FROM facts WHERE type IN ({_TYPES}) AND {clause} ORDER BY key DESC LIMIT ?",  # noqa: S608
            (*(_like(word) for word in words), limit),
        )
    hits = [_hit(database, int(key), snippet, words) for key, snippet in keys]
    return sorted((hit for hit in hits if hit is not None), key=lambda hit: -hit.time)


def _hit(database: Database, key: int, snippet: str, words: list[str]) -> Hit | None:
    rows = database.read(
        "SELECT s.id, s.title, f.turn, f.time, f.type, f.body FROM facts f JOIN sessions s ON s.number = ? "
        "WHERE f.key = ? AND s.deleted = 0",
        (key >> SEQ_BITS, key),
    )
    if not rows:
        return None
    session_id, title, turn, when, kind, body = rows[0]
    text = snippet or _snippet(words_of(decode_fact(body)), words)
    return Hit(
        session_id=session_id,
        title=title,
        seq=seq_of(key),
        turn=turn,
        time=when,
        kind=kind,
        snippet=" ".join(text.split()),
    )


def _snippet(text: str, words: list[str], around: int = 60) -> str:
    pattern = re.compile("|".join(re.escape(word) for word in words), re.IGNORECASE)
    match = pattern.search(text)
    start = max(match.start() - around, 0) if match else 0
    end = (match.end() if match else 0) + around
    cut = pattern.sub(lambda m: f"«{m[0]}»", text[start:end])
    return f"{'…' if start else ''}{cut}{'…' if end < len(text) else ''}"


def _catch_up(database: Database) -> None:
    if database.read("SELECT 1 FROM sessions WHERE indexed < last_seq LIMIT 1"):
        database.write(index)


def _split(search: str) -> list[str]:
    """Words, and "phrases in quotes"."""
    return [phrase or word for phrase, word in re.findall(r'"([^"]+)"|([^\s"]+)', search)]


def _match(word: str) -> str:
    quoted = word.replace('"', '""')
    return f'"{quoted}"*'


def _like(word: str) -> str:
    escaped = re.sub(r"([!%_])", r"!\1", word)
    return f"%{escaped}%"
