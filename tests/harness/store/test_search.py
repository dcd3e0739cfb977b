"""Search finds words wherever they were said; tables move with the times."""

import contextlib
import sqlite3

import pytest

from rein_tui.harness.places import Places
from rein_tui.harness.protocol import events as e
from rein_tui.harness.protocol.messages import TextBlock
from rein_tui.harness.protocol.ports import SessionInfo
from rein_tui.harness.store.codec import encode_fact, tag_of
from rein_tui.harness.store.database import Database
from rein_tui.harness.store.files import is_on_network
from rein_tui.harness.store.indexing import words_of
from rein_tui.harness.store.schema import STEPS, VERSION, add_words, key_of, migrate, version_of
from rein_tui.harness.store.search import find, matching_sessions
from rein_tui.harness.store.store import Store

from .stories import a_turn, fill


@pytest.fixture
def store(places: Places) -> Store:
    opened = Store.open(places)
    fill(opened, "fix the Löwenzahn parser", "again", result="error: undefined_symbol in 漢字.py")
    fill(opened, "add a cache", result="x" * 50_000 + " needle-at-the-end")
    return opened


QUERIES = [
    ("löwenzahn", 1),
    ("LÖWENZAHN parser", 1),
    ("undefined_symbol", 1),
    ("undefined symb", 1),
    ("漢字", 1),
    ("needle", 1),
    ("cache", 1),
    ('"add a cache"', 1),
    ("claude nothing", 0),
    ("fix cache", 0),
    ('"', 0),
    ("***", 0),
    ("fix OR add", 0),
    ("NEAR(fix", 0),
]


@pytest.mark.parametrize(("query", "count"), QUERIES)
def test_queries(store: Store, query: str, count: int) -> None:
    assert len(store.sessions(search=query)) == count
    store.close()


def test_hits_tell_where(store: Store) -> None:
    first = store.search("undefined_symbol")[0]
    assert first.kind == "tool_call_finished"
    assert "«undefined_symbol»" in first.snippet
    assert (first.title, first.turn) == ("fix the Löwenzahn parser", 2)
    assert store.search("needle-at-the-end")[0].snippet.endswith("«needle-at-the-end»")
    assert store.search("") == []
    store.close()


def test_a_list_tells_where_a_search_found_its_words_and_grows_by_its_limit(store: Store) -> None:
    (found,) = store.sessions(search="undefined symb")
    assert found.found.startswith("error: «undefined»_«symb»ol")
    assert store.sessions(search="needle")[0].found.endswith("«needle»-at-the-end")
    assert {info.found for info in store.sessions()} == {""}
    assert [len(store.sessions(limit=limit)) for limit in (1, 2)] == [1, 2]
    store.close()


def test_without_fts5(places: Places, store: Store) -> None:
    store.close()
    database = Database(places.database)
    assert database.open()
    database.has_words = False
    for query, count in QUERIES:
        if query not in {"fix OR add", "undefined symb", "LÖWENZAHN parser", "löwenzahn"}:  # LIKE folds ASCII only
            assert len(matching_sessions(database, query)) == count, query
    (hit, *_) = find(database, "undefined_symbol", 5)
    assert "«undefined_symbol»" in hit.snippet
    assert find(database, "100% _sure_", 5) == []
    database.close()


def test_an_unfinished_turn_is_found_too(store: Store) -> None:
    journal = store.create(SessionInfo(id="", cwd="/p"))
    for fact in a_turn(1, "zebra crossing")[:3]:
        journal.append(fact)
    assert [info.id for info in store.sessions(search="zebra")] == [journal.session_id]
    store.close()


def test_what_is_searched() -> None:
    turn = a_turn(1, "p", answer="a", result="r")
    assert [words_of(fact) for fact in turn] == ["", "p", "a", "Bash ls", "", "r", ""]
    blocks = e.ToolCallFinished(call_id="c", name="X", outcome="ok", content=(TextBlock(text="in a block"),))
    assert words_of(blocks) == "in a block"
    long = e.ToolCallFinished(call_id="c", name="X", outcome="ok", content="a" * 99_999 + "end")
    assert words_of(long).endswith("end")
    assert len(words_of(long)) < 20_000


async def test_a_search_in_a_thread_finds_the_same_and_tells_of_a_salvage(places: Places, store: Store) -> None:
    expected = [info.id for info in store.sessions(search="parser", cwd="/p")]
    assert [info.id for info in await store.find("parser", "/p", 10)] == expected != []
    with contextlib.closing(sqlite3.connect(places.database)) as connection:
        (page,) = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'words_data'").fetchone()
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    store.close()
    with places.database.open("r+b") as stream:
        stream.seek((page - 1) * 4096)
        stream.write(bytes(4096))
    assert [info.id for info in await store.find("parser", "/p", 10)] == expected
    assert [notice.code for notice in store.take_notices()] == ["store.salvaged"]


def test_migrations_run_once_and_whole(places: Places, store: Store) -> None:
    store.close()
    first = "CREATE TABLE one (x);\nINSERT INTO one VALUES (1)"
    connection = sqlite3.connect(":memory:", isolation_level=None)
    migrate(connection, (first,))
    migrate(connection, (first,))
    assert (version_of(connection), connection.execute("SELECT count(*) FROM one").fetchone()) == (1, (1,))
    broken = "CREATE TABLE two (x);\nINSERT INTO nowhere VALUES (1)"
    with pytest.raises(sqlite3.OperationalError):
        migrate(connection, (first, broken))
    assert version_of(connection) == 1
    assert connection.execute("SELECT name FROM sqlite_master WHERE name = 'two'").fetchall() == []
    migrate(connection, (first, "ALTER TABLE one ADD COLUMN y;\nUPDATE one SET y = 2"))
    assert connection.execute("SELECT x, y FROM one").fetchall() == [(1, 2)]
    connection.close()


@pytest.mark.parametrize("version", range(1, VERSION))
def test_every_older_version_is_brought_up_to_date(places: Places, version: int) -> None:
    places.data.mkdir(mode=0o700, exist_ok=True)
    connection = sqlite3.connect(places.database, isolation_level=None)
    migrate(connection, STEPS[:version])
    add_words(connection)
    story = [*a_turn(1, "an early prompt"), e.Compacted(summary="the heron came back", turn=2)]
    connection.execute(
        "INSERT INTO sessions (number, id, title, turns, last_seq, indexed) VALUES (7, 'old', 'Old', 1, ?, ?)",
        (len(story), len(story)),
    )
    for seq, fact in enumerate(story, 1):
        row = (key_of(7, seq), tag_of(fact), fact.turn, fact.time, encode_fact(fact))
        connection.execute("INSERT INTO facts VALUES (?, ?, ?, ?, ?)", row)
    connection.close()
    store = Store.open(places)
    assert store.problem == ""
    assert [(info.id, info.title, info.read_only) for info in store.sessions()] == [("old", "Old", "")]
    assert [fact for _, fact in store.read("old")] == story
    assert [hit.kind for hit in store.search("heron")] == ["compacted"]
    journal = store.open_session("old")
    for fact in a_turn(2, "a late prompt"):
        journal.append(fact)
    assert journal.problem == ""
    store.close()
    again = sqlite3.connect(places.database)
    assert version_of(again) == VERSION
    again.close()


def test_a_newer_store_is_left_alone(places: Places, store: Store) -> None:
    store.close()
    connection = sqlite3.connect(places.database)
    connection.execute(f"PRAGMA user_version = {VERSION + 1}")
    connection.close()
    before = places.database.read_bytes()
    newer = Store.open(places)
    assert "newer rein-tui" in newer.problem
    journal = newer.create(SessionInfo(id="", cwd="/p"))
    for fact in a_turn(1, "x"):
        journal.append(fact)
    assert "newer rein-tui" in journal.problem
    assert len(newer.sessions()) == 1
    newer.close()
    assert places.database.read_bytes() == before


def test_network_file_systems_are_known(places: Places) -> None:
    mounts = places.home / "mounts"
    mounts.write_text(f"x / ext4 rw 0 0\nserver:/x {places.home} nfs4 rw 0 0\nshort\n")
    assert is_on_network(places.home / "a" / "b", mounts)
    assert not is_on_network(places.home.parent / "other", mounts)
    assert not is_on_network(places.home, places.home / "no-such-file")
