"""Sessions survive, can be listed, found, forked, renamed and deleted."""

import sqlite3
import stat
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rein_tui.harness.places import Places
from rein_tui.harness.protocol.errors import StoreError
from rein_tui.harness.protocol.events import (
    Fact,
    SessionStarted,
    TitleChanged,
    ToolCallStarted,
    TurnFinished,
    TurnStarted,
)
from rein_tui.harness.protocol.ports import SessionInfo
from rein_tui.harness.store.codec import decode_fact, encode_fact, tag_of
from rein_tui.harness.store.store import Store

from .stories import a_turn, facts, fill


def test_facts_come_back_in_order(places: Places) -> None:
    store = Store.open(places)
    session = fill(store, "fix it", "again")
    facts = [fact for _, fact in store.read(session)]
    expected = [*a_turn(1, "fix it"), *a_turn(2, "again")]
    assert facts[1:-1] == expected
    assert [seq for seq, _ in store.read(session)] == list(range(1, len(facts) + 1))
    assert [seq for seq, _ in store.read(session, after=5)] == list(range(6, len(facts) + 1))
    store.close()
    again = Store.open(places)
    assert [fact for _, fact in again.read(session)] == facts
    again.close()


def test_the_list_tells_what_happened(places: Places) -> None:
    store = Store.open(places)
    session = fill(store, "fix the login", "and the logout")
    (info,) = store.sessions()
    assert info == SessionInfo(
        id=session,
        title="fix the login",
        cwd="/p",
        branch="main",
        created=1000.0,
        updated=1002.0,
        turns=2,
        cost_usd=0.5,
        state="done",
        model="claude-x",
    )
    store.close()


def test_a_session_without_a_prompt_is_never_stored(places: Places) -> None:
    store = Store.open(places)
    journal = store.create(SessionInfo(id="", cwd="/p"))
    journal.append(SessionStarted(session_id=journal.session_id, cwd="/p"))
    journal.append(TitleChanged(title="x"))
    assert store.sessions() == []
    assert len(list(journal.read())) == 2
    journal.close()
    assert store.sessions() == []
    store.close()


def test_an_open_session_is_listed_and_read_before_it_is_on_disk(places: Places) -> None:
    store = Store.open(places)
    journal = store.create(SessionInfo(id="", cwd="/p"))
    journal.append(TurnStarted(text="hello", turn=1, time=5.0))
    (info,) = store.sessions()
    assert (info.state, info.turns) == ("running", 1)
    assert len(list(store.read(journal.session_id))) == 1
    store.close()


def test_open_again_goes_on_counting(places: Places) -> None:
    store = Store.open(places)
    session = fill(store, "one")
    before = len(list(store.read(session)))
    journal = store.open_session(session)
    assert journal.append(TurnStarted(text="two", turn=2, time=2000.0)) == before + 1
    journal.close()
    assert len(list(store.read(session))) == before + 1
    assert store.info(session).turns == 2
    store.close()


def test_two_writers_on_one_session(places: Places) -> None:
    first, second = Store.open(places), Store.open(places)
    session = fill(first, "one")
    journal = first.open_session(session)
    with pytest.raises(StoreError) as caught:
        second.open_session(session)
    assert "open in another process" in caught.value.message
    assert caught.value.hint
    assert len(list(second.read(session))) == len(list(journal.read()))
    forked = second.fork(session)
    assert forked.session_id != session
    journal.close()
    second.open_session(session).close()
    first.close()
    second.close()


def test_latest_of_a_folder_skips_headless_ones(places: Places) -> None:
    store = Store.open(places)
    person = fill(store, "one", cwd="/a")
    script = fill(store, "one", "two", cwd="/a", headless=True)
    fill(store, "one", "two", "three", cwd="/b")
    latest, newest = store.latest("/a"), store.latest("/a", include_headless=True)
    assert latest is not None and latest.id == person
    assert newest is not None and newest.id == script
    assert store.latest("/nowhere") is None
    store.close()


def test_private_files(places: Places) -> None:
    places.data.mkdir(mode=0o755)
    store = Store.open(places)
    fill(store, "one")
    assert stat.S_IMODE(places.data.stat().st_mode) == 0o700
    for path in places.data.glob("sessions.db*"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path
    store.close()


def test_own_keys_never_reach_the_disk(places: Places) -> None:
    secret = 'k"ey-\\with-odd-ünicode'
    store = Store.open(places, secrets=[secret, "", "ab"])
    session = fill(store, f"my key is {secret} ok", result=f"{secret}{secret} and sk-ant-api03-{'x' * 40}")
    store.close()
    raw = b"".join(path.read_bytes() for path in places.data.rglob("*") if path.is_file())
    assert b"with-odd" not in raw
    assert b"sk-ant-api03" not in raw
    again = Store.open(places)
    text = str([fact for _, fact in again.read(session)])
    assert "my key is [redacted] ok" in text
    again.close()


def test_a_key_that_comes_later_is_kept_from_the_disk_too(places: Places) -> None:
    store = Store.open(places)
    journal = store.create(SessionInfo(id="", cwd="/p"))
    store.protect("local-key-12345", "short")
    for fact in a_turn(1, 'my key is local-key-12345 and "short" is a word', result="local-key-12345\n"):
        journal.append(fact)
    told = str([fact for _, fact in journal.read()])
    store.close()
    assert "local-key" not in told
    assert "short" in told
    assert b"local-key" not in places.database.read_bytes()


def test_lone_surrogates_and_odd_values_are_stored(places: Places) -> None:
    store = Store.open(places)
    journal = store.create(SessionInfo(id="", cwd="/p"))
    journal.append(TurnStarted(text="caf\udce9 \ud83d", turn=1))
    nested: dict[str, object] = {}
    for _ in range(50_000):
        nested = {"a": nested}
    journal.append(ToolCallStarted(call_id="c", name="X", input={"n": 2**80, "s": "\udfff"}))
    journal.append(ToolCallStarted(call_id="d", name="X", input=nested))
    journal.flush()
    facts = [fact for _, fact in journal.read()]
    assert facts[0] == TurnStarted(text="caf\ufffd \ufffd", turn=1)
    assert facts[1] == ToolCallStarted(call_id="c", name="X", input={"n": 2**80, "s": "\ufffd"})
    assert "nested too deeply" in str(facts[2])
    store.close()


def test_delete_can_be_undone_for_a_day(places: Places) -> None:
    store = Store.open(places)
    session, other = fill(store, "findme one"), fill(store, "two")
    store.delete(session)
    assert [info.id for info in store.sessions()] == [other]
    assert store.sessions(search="findme") == []
    assert store.search("findme") == []
    store.undelete(session)
    assert len(store.sessions()) == 2
    store.delete(session)
    store.close()
    again = Store.open(places)
    again.undelete(session)
    assert len(again.sessions()) == 2
    again.delete(session)
    again.purge(before=9e9)
    with pytest.raises(StoreError):
        again.undelete(session)
    again.close()
    with sqlite3.connect(places.database) as connection:
        assert connection.execute("SELECT count(*) FROM words WHERE words MATCH 'findme'").fetchone() == (0,)
    connection.close()


def test_a_session_that_is_open_elsewhere_is_not_deleted(places: Places) -> None:
    store, other = Store.open(places), Store.open(places)
    session = fill(store, "one")
    journal = store.open_session(session)
    with pytest.raises(StoreError):
        other.delete(session)
    assert "another process" in other.held_elsewhere(session)
    assert store.held_elsewhere(session) == ""
    journal.close()
    other.delete(session)
    store.close()
    other.close()


def test_a_session_that_is_open_here_is_closed_and_deleted(places: Places) -> None:
    store = Store.open(places)
    fresh = store.create(SessionInfo(id="", cwd="/p"))
    store.delete(fresh.session_id)
    session = fill(store, "one")
    journal = store.open_session(session)
    store.delete(session)
    for fact in a_turn(2, "told too late"):
        journal.append(fact)
    journal.close()
    assert (store.sessions(), journal.problem) == ([], "")
    store.undelete(session)
    assert [info.turns for info in store.sessions()] == [1]
    store.open_session(session).close()
    store.close()


def test_a_session_of_another_program_is_read_only(places: Places) -> None:
    store = Store.open(places)
    info = store.take_in(SessionInfo(id="theirs"), a_turn(1, "ancient words"), origin="Claude Code")
    assert info.read_only == "This session was recorded by Claude Code."
    with pytest.raises(StoreError, match="recorded by"):
        store.open_session("theirs")
    store.rename("theirs", "Mine now")
    assert (store.info("theirs").title, store.info("theirs").read_only) == ("Mine now", info.read_only)
    copy = store.fork("theirs")
    assert (copy.info.read_only, copy.info.title) == ("", "Mine now")
    store.close()


def test_a_store_of_the_first_version_is_brought_up_to_date(places: Places) -> None:
    store = Store.open(places)
    session = fill(store, "kept")
    store.close()
    with sqlite3.connect(places.database) as connection:
        connection.execute("ALTER TABLE sessions DROP COLUMN origin")
        connection.execute("PRAGMA user_version = 1")
    connection.close()
    again = Store.open(places)
    assert [(info.id, info.read_only) for info in again.sessions()] == [(session, "")]
    again.close()


def test_rename_beats_every_other_title(places: Places) -> None:
    store = Store.open(places)
    session = fill(store, "one")
    before = store.info(session)
    store.rename(session, "My title")
    assert (store.info(session).title, store.info(session).updated) == ("My title", before.updated)
    journal = store.open_session(session)
    journal.append(TitleChanged(title="A model's", by="model", time=5000.0))
    journal.close()
    assert store.info(session).title == "My title"
    open_one = store.open_session(session)
    store.rename(session, "Third")
    assert open_one.info.title == "Third"
    other = Store.open(places)
    other.rename(session, "From elsewhere")
    open_one.append(TurnStarted(text="x", turn=2))
    open_one.close()
    assert other.info(session).title == "From elsewhere"
    other.close()
    store.close()


def test_fork_shares_the_story_up_to_a_turn(places: Places) -> None:
    store = Store.open(places)
    session = fill(store, "one", "two", "three")
    journal = store.fork(session, 2)
    facts = [fact for _, fact in journal.read()]
    assert isinstance(facts[-1], TurnFinished) and facts[-1].turn == 2
    assert facts == [fact for _, fact in store.read(session)][: len(facts)]
    info = journal.info
    assert (info.turns, info.state, info.cost_usd, info.title) == (2, "idle", None, "one")
    journal.close()
    assert store.info(journal.session_id).turns == 2
    assert len([*store.fork(session).read()]) == len([*store.read(session)])
    assert next(iter(store.fork(session, 0).read()))[1] == SessionStarted(
        session_id=session, cwd="/p", branch="main", time=1000.0
    )
    with pytest.raises(StoreError):
        store.fork(session, 9)
    store.close()


def test_names_resolve(places: Places) -> None:
    store = Store.open(places)
    session, _ = fill(store, "alpha"), fill(store, "beta")
    assert store.resolve(session).id == session
    assert store.resolve(session[:8]).id == session
    assert store.resolve("ALPHA").id == session
    fill(store, "alpha")
    with pytest.raises(StoreError, match="2 sessions"):
        store.resolve("alpha")
    with pytest.raises(StoreError):
        store.resolve("gamma")
    store.close()


def test_prune(places: Places) -> None:
    store = Store.open(places)
    keep, gone = fill(store, "a", "b", "c", "d"), fill(store, "a")
    headless = fill(store, "a", headless=True)
    assert [i.id for i in store.prune(before=1003.0, headless_only=True, dry=True)] == [headless]
    assert len(store.sessions()) == 3
    assert {i.id for i in store.prune(before=1003.0)} == {gone, headless}
    assert [i.id for i in store.sessions()] == [keep]
    with pytest.raises(StoreError):
        store.undelete(gone)
    store.close()


@pytest.mark.parametrize("name", ["../../x", "a/b", ".hidden", "a\0b", "x" * 200, "ü"])
def test_ids_that_are_no_file_names(places: Places, name: str, tmp_path: Path) -> None:
    store = Store.open(places)
    with pytest.raises(StoreError):
        store.create(SessionInfo(id=name))
    store.close()


def test_the_same_id_twice(places: Places) -> None:
    store = Store.open(places)
    session = fill(store, "x")
    with pytest.raises(StoreError, match="already"):
        store.create(SessionInfo(id=session))
    store.close()


@given(facts)
def test_any_fact_comes_back_as_it_was(fact: Fact) -> None:
    body = encode_fact(fact)
    assert b"\n" not in body
    assert decode_fact(body) == fact
    assert f'"type":"{tag_of(fact)}"'.encode() in body


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(facts, max_size=30))
def test_any_order_of_facts_is_kept(places: Places, story: list[Fact]) -> None:
    store = Store.open(places)
    journal = store.create(SessionInfo(id=""))
    journal.append(TurnStarted(text="x", turn=1))
    for fact in story:
        journal.append(fact)
    assert [fact for _, fact in journal.read()][1:] == story
    live = journal.info
    journal.close()
    assert [fact for _, fact in store.read(journal.session_id)][1:] == story
    reopened = store.open_session(journal.session_id)
    assert (reopened.info.title, reopened.info.turns, reopened.info.updated) == (live.title, live.turns, live.updated)
    store.close()
