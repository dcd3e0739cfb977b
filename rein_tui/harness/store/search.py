"""Finding sessions by what was said in them: prompts, answers, calls, tool results and summaries."""

import re
from collections.abc import Sequence

from ..protocol.base import Word
from .codec import decode_fact
from .database import Database
from .indexing import index, words_of
from .schema import INDEXED_TYPES, SEQ_BITS, key_range, seq_of

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
