"""Sessions lose nothing that was acknowledged, whatever ends the process or fills the disk."""

import contextlib
import json
import os
import random
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from msgspec import structs

from rein_tui.harness.places import Places
from rein_tui.harness.protocol import events as e
from rein_tui.harness.protocol.errors import StoreError
from rein_tui.harness.protocol.ports import SessionInfo
from rein_tui.harness.recorder import Recorder
from rein_tui.harness.store.salvage import salvage
from rein_tui.harness.store.store import Store
from rein_tui.harness.turn.conversation import Conversation, valid_messages

from .stories import a_turn, fill, user

needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
ROUNDS = 200 if os.environ.get("CI") else 30
SESSION = "the-session"


_children: list[int] = []


@pytest.fixture(autouse=True)
def no_child_survives() -> Iterator[None]:
    """End whatever a failed test left running."""
    yield
    while _children:
        pid = _children.pop()
        with contextlib.suppress(ChildProcessError):
            if os.waitpid(pid, os.WNOHANG) == (0, 0):
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)


def in_child(work: Callable[[], None]) -> int:
    """Run this in a process of its own; returns its id."""
    sys.stdout.flush()
    pid = os.fork()
    if pid == 0:
        try:
            work()
            os._exit(0)
        except BaseException:  # noqa: BLE001 - the child is ours to end
            traceback.print_exc()
            sys.stderr.flush()
        finally:
            os._exit(1)
    _children.append(pid)
    return pid


def work_for_ever(places: Places, effects: Path, acknowledge: int) -> None:
    """A session that calls tools until it is killed; says each number that the store promised to keep."""
    store = Store.open(places)
    journal = store.open_session(SESSION)
    turn = journal.info.turns
    while True:
        turn += 1
        for fact in a_turn(turn, f"prompt {turn}", result=f"result {turn}" * 50):
            seq = journal.append(fact)
            if isinstance(fact, e.PromptAdded | e.MessageFinished | e.ToolCallStarted | e.ToolCallFinished):
                os.write(acknowledge, f"{seq}\n".encode())
            if isinstance(fact, e.ToolCallStarted):
                with effects.open("a") as stream:
                    stream.write(f"{fact.call_id}\n")


def kill_after(places: Places, effects: Path, lines: int) -> int:
    """Let a child work until it has acknowledged so many facts, kill it, and return the last number it said."""
    reader, writer = os.pipe()
    pid = in_child(lambda: work_for_ever(places, effects, writer))
    os.close(writer)
    with os.fdopen(reader) as stream:
        last = 0
        for _ in range(lines):
            last = int(stream.readline())
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        rest = [line for line in stream.read().split("\n")[:-1] if line]
    return int(rest[-1]) if rest else last


@needs_fork
def test_killed_at_any_moment(places: Places, tmp_path: Path) -> None:
    chance = random.Random(ROUNDS)
    effects = tmp_path / "effects"
    with_one = Store.open(places)
    with_one.create(SessionInfo(id=SESSION, cwd="/p")).append(e.TurnStarted(text="x", turn=0))
    with_one.close()
    for _ in range(ROUNDS):
        last = kill_after(places, effects, chance.randint(1, 25))
        store = Store.open(places)
        assert store.problem == ""
        assert store.take_notices() == []
        assert store.info(SESSION).state == "done"
        journal = store.open_session(SESSION)
        stored = list(journal.read())
        assert [seq for seq, _ in stored] == list(range(1, len(stored) + 1))
        assert len(stored) >= last
        messages = Conversation(fact for _, fact in stored).messages()
        assert valid_messages(messages) == messages
        started = [fact.call_id for _, fact in stored if isinstance(fact, e.ToolCallStarted)]
        ran = effects.read_text().split() if effects.exists() else []
        assert len(set(ran)) == len(ran)
        assert set(ran) <= set(started)
        store.close()


@needs_fork
def test_many_processes_write_at_once(places: Places) -> None:
    def work(name: str) -> None:
        store = Store.open(places)
        journal = store.create(SessionInfo(id=name, cwd="/p"))
        for turn in range(1, 11):
            for fact in a_turn(turn, f"{name} {turn}"):
                journal.append(fact)
        store.close()

    children = [in_child(lambda name=name: work(name)) for name in ("one", "two", "three", "four")]
    assert [os.waitpid(pid, 0)[1] for pid in children] == [0, 0, 0, 0]
    store = Store.open(places)
    assert {info.id: info.turns for info in store.sessions()} == dict.fromkeys(("one", "two", "three", "four"), 10)
    assert len(store.sessions(search="three 10")) == 1
    store.close()


@needs_fork
def test_a_lease_ends_with_its_process(places: Places) -> None:
    store = Store.open(places)
    session = fill(store, "one")
    store.close()
    ready, say = os.pipe()

    def hold() -> None:
        Store.open(places).open_session(session)
        os.write(say, b"x")
        signal.pause()

    pid = in_child(hold)
    os.read(ready, 1)
    store = Store.open(places)
    assert store.info(session).state == "idle"
    with pytest.raises(StoreError, match=f"process {pid} on"):
        store.open_session(session)
    with pytest.raises(StoreError, match="open"):
        store.delete(session)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    store.open_session(session).close()
    assert not list((places.data / "leases").iterdir())
    store.close()
    os.close(ready)
    os.close(say)


def test_a_file_where_the_folder_should_be(places: Places) -> None:
    places.data.write_text("in the way")
    store = Store.open(places)
    assert "cannot be used" in store.problem
    with pytest.raises(StoreError):
        store.sessions()
    journal = store.create(SessionInfo(id="", cwd="/p"))
    for fact in a_turn(1, "hello"):
        journal.append(fact)
    assert journal.problem
    assert [fact for _, fact in journal.read()] == a_turn(1, "hello")
    assert [info.turns for info in store.sessions()] == [1]
    places.data.unlink()
    for fact in a_turn(2, "again"):
        journal.append(fact)
    assert (journal.problem, store.problem) == ("", "")
    store.close()
    again = Store.open(places)
    assert [fact for _, fact in again.read(journal.session_id)] == [*a_turn(1, "hello"), *a_turn(2, "again")]
    again.close()


def nobody() -> None:
    """Give up root's right to write everywhere."""
    if os.getuid() == 0:
        os.setgid(65534)
        os.setuid(65534)


@needs_fork
def test_a_folder_that_may_only_be_read(places: Places) -> None:
    store = Store.open(places)
    session = fill(store, "findme")
    store.close()
    for path in (places.data, places.data / "leases"):
        path.chmod(0o555)
    for path in places.data.glob("sessions.db*"):
        path.chmod(0o444)
    for folder in places.data.parents:
        if folder.stat().st_uid == os.getuid() and folder != Path("/"):
            folder.chmod(folder.stat().st_mode | 0o055)

    def look() -> None:
        nobody()
        if os.access(places.data, os.W_OK):
            os._exit(77)
        store = Store.open(places)
        assert store.problem
        assert [info.id for info in store.sessions(search="findme")] == [session]
        assert len(list(store.read(session))) > 5
        journal = store.create(SessionInfo(id="", cwd="/p"))
        for fact in a_turn(1, "x"):
            journal.append(fact)
        assert journal.problem
        assert len(list(journal.read())) == len(a_turn(1, "x"))
        store.close()

    status = os.waitstatus_to_exitcode(os.waitpid(in_child(look), 0)[1])
    if status == 77:
        pytest.skip("this user may write everywhere")
    assert status == 0


@needs_fork
def test_a_folder_that_nobody_may_look_into(places: Places) -> None:
    store = Store.open(places)
    fill(store, "hidden")
    store.close()
    places.data.chmod(0o000)
    for folder in places.data.parents:
        if folder.stat().st_uid == os.getuid() and folder != Path("/"):
            folder.chmod(folder.stat().st_mode | 0o055)

    def look() -> None:
        nobody()
        if os.access(places.data, os.X_OK):
            os._exit(77)
        store = Store.open(places)
        assert "Permission denied" in store.problem
        journal = store.create(SessionInfo(id="", cwd="/p"))
        for fact in a_turn(1, "x"):
            journal.append(fact)
        assert journal.problem
        store.close()

    status = os.waitstatus_to_exitcode(os.waitpid(in_child(look), 0)[1])
    places.data.chmod(0o700)
    if status == 77:
        pytest.skip("this user may look everywhere")
    assert status == 0


def overflow_and_recover(places: Places, make_room: Callable[[], None]) -> None:
    """Write until the disk takes no more, go on, make room, and find everything stored."""
    store = Store.open(places)
    journal = store.create(SessionInfo(id=SESSION, cwd="/p"))
    turn = 0
    while not journal.problem:
        turn += 1
        assert turn < 200
        for fact in a_turn(turn, f"prompt {turn}", result="r" * 20_000):
            journal.append(fact)
    for fact in a_turn(turn + 1, "while full"):
        journal.append(fact)
    assert journal.problem
    make_room()
    for fact in a_turn(turn + 2, "after"):
        journal.append(fact)
    assert journal.problem == ""
    expected = (turn + 2) * len(a_turn(1, "x"))
    store.close()
    again = Store.open(places)
    assert [seq for seq, _ in again.read(SESSION)] == list(range(1, expected + 1))
    again.close()


@needs_fork
def test_a_file_size_limit(places: Places) -> None:
    def work() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
        resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, hard))
        overflow_and_recover(places, lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard)))

    assert os.waitstatus_to_exitcode(os.waitpid(in_child(work), 0)[1]) == 0


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)]
    if shutil.which("mount") is None or subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        pytest.skip("this user may not mount a small disk")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_full_disk(small_disk: Path, tmp_path: Path) -> None:
    places = Places(
        home=tmp_path, config=tmp_path, managed=tmp_path, data=small_disk / "data", cache=tmp_path / "cache"
    )
    filler = small_disk / "filler"
    filler.write_bytes(b"x" * 500_000)
    overflow_and_recover(places, filler.unlink)


def test_damage_on_a_full_disk(small_disk: Path, places: Places) -> None:
    whole = a_big_store(places)
    places = structs.replace(places, data=small_disk / "data")
    places.data.mkdir(mode=0o700)
    places.database.write_bytes(bytes(16) + whole[16:])
    filler = small_disk / "filler"
    filler.write_bytes(b"x" * (1_000_000 - len(whole)))
    store = Store.open(places)
    assert "could not be salvaged: database or disk is full" in store.problem
    assert sorted(path.name for path in places.data.iterdir()) == ["leases", "sessions.db"]
    store.close()
    filler.unlink()
    assert use_damaged(places) == FACTS


def damaged_copies(places: Places) -> list[Path]:
    return list(places.data.glob("sessions.db.damaged-*"))


def a_big_store(places: Places) -> bytes:
    store = Store.open(places)
    for name in ("alpha", "beta", "gamma"):
        journal = store.create(SessionInfo(id=name, cwd="/p"))
        for turn in range(1, 6):
            for fact in a_turn(turn, f"{name} {turn}", result=f"{name} {turn} " * 300):
                journal.append(fact)
        journal.close()
    store.close()
    return places.database.read_bytes()


FACTS = 3 * 5 * len(a_turn(1, "x"))
"""How many facts the big store holds."""


def use_damaged(places: Places) -> int:
    """Whatever the damage, the store opens, lists, reads and takes a new session; returns the facts it still has."""
    store = Store.open(places)
    count = sum(len(list(store.read(info.id))) for info in store.sessions())
    store.sessions(search="alpha")
    journal = store.create(SessionInfo(id="", cwd="/p"))
    for fact in a_turn(1, "after the damage"):
        journal.append(fact)
    assert journal.problem == ""
    journal.close()
    assert len(list(store.read(journal.session_id))) == len(a_turn(1, "x"))
    if damaged_copies(places):
        assert [notice.code for notice in store.take_notices()].count("store.salvaged") == 1
    store.close()
    return count


def test_a_truncated_file(places: Places) -> None:
    whole = a_big_store(places)
    for size in (len(whole) - 4096, len(whole) // 2, 5000, 4096, 100, 0):
        shutil.rmtree(places.data)
        places.data.mkdir(mode=0o700)
        places.database.write_bytes(whole[:size])
        count = use_damaged(places)
        if size:
            assert damaged_copies(places)
        if size >= len(whole) // 2:
            assert count >= FACTS * size // len(whole) // 2


@pytest.mark.parametrize("at", [0, 15, 16, 17, 19, 20, 21, 29, 30, 47, 52, 56, 60, 61, 93])
def test_one_wrong_bit_in_the_header_loses_nothing(places: Places, at: int) -> None:
    whole = a_big_store(places)
    shutil.rmtree(places.data)
    places.data.mkdir(mode=0o700)
    places.database.write_bytes(whole[:at] + bytes([whole[at] ^ 8]) + whole[at + 1 :])
    assert use_damaged(places) == FACTS


def test_a_lost_inner_page_loses_no_leaf(places: Places) -> None:
    whole = a_big_store(places)
    with contextlib.closing(sqlite3.connect(places.database)) as connection:
        roots = dict(connection.execute("SELECT name, rootpage FROM sqlite_master WHERE rootpage > 0"))
    for name, page in {"the first page": 1, **roots}.items():
        shutil.rmtree(places.data)
        places.data.mkdir(mode=0o700)
        places.database.write_bytes(whole[: (page - 1) * 4096] + bytes(4096) + whole[page * 4096 :])
        assert use_damaged(places) == FACTS, name
        store = Store.open(places)
        assert len(store.search("alpha 3")) == 2, name
        store.close()


def test_what_was_deleted_for_good_does_not_come_back(places: Places) -> None:
    a_big_store(places)
    store = Store.open(places)
    store.delete("beta")
    store.purge(before=time.time() + 1)
    store.close()
    with contextlib.closing(sqlite3.connect(places.database)) as connection:
        (page,) = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'facts'").fetchone()
    with places.database.open("r+b") as stream:
        stream.seek((page - 1) * 4096)
        stream.write(bytes(4096))
    again = Store.open(places)
    assert len(list(again.read("alpha"))) == FACTS // 3
    assert {info.id for info in again.sessions()} == {"alpha", "gamma"}
    again.close()
    with contextlib.closing(sqlite3.connect(places.database)) as connection:
        assert connection.execute("SELECT count(*) FROM facts").fetchone() == (FACTS * 2 // 3,)


def test_a_wrong_byte_in_a_row_hides_no_other_session(places: Places) -> None:
    whole = a_big_store(places)
    for wrong in (b"alpha 1", b"gamma 1"):  # titles
        assert whole.count(wrong)
        shutil.rmtree(places.data)
        places.data.mkdir(mode=0o700)
        places.database.write_bytes(whole.replace(wrong, b"\xff" + wrong[1:]))
        store = Store.open(places)
        assert len(store.sessions()) == 3
        store.close()


def test_an_index_that_does_not_know_a_session(places: Places) -> None:
    whole = a_big_store(places)
    with contextlib.closing(sqlite3.connect(places.database)) as connection:
        (page,) = connection.execute(
            "SELECT rootpage FROM sqlite_master WHERE name = 'sqlite_autoindex_sessions_1'"
        ).fetchone()
    start = (page - 1) * 4096
    at = whole.index(b"beta", start)
    assert at < start + 4096
    places.database.write_bytes(whole[:at] + b"z" + whole[at + 1 :])
    store = Store.open(places)
    assert len(list(store.read("beta"))) == FACTS // 3
    (notice,) = store.take_notices()
    assert "its index does not know" in notice.text
    store.close()


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir], ids=["a pipe", "a folder"])
def test_something_else_in_the_place_of_the_file(places: Places, make: Callable[[Path], None]) -> None:
    places.data.mkdir(mode=0o700)
    make(places.database)
    store = Store.open(places)
    assert "no regular file; move it away" in store.problem
    store.close()
    assert not places.database.is_file()


def test_what_is_missing_is_said(places: Places) -> None:
    store = Store.open(places)
    fill(store, "whole")
    hurt = fill(store, "hurt", "hurt again")
    store.close()
    with sqlite3.connect(places.database) as connection:
        connection.execute("DELETE FROM facts WHERE key % 4294967296 = 3 AND key >> 32 = 2")
        assert connection.execute("SELECT max(number) FROM sessions").fetchone() == (2,)
        connection.execute("ALTER TABLE sessions DROP COLUMN origin")
        connection.execute("PRAGMA user_version = 1")
    connection.close()
    fresh = places.data / "fresh.db"
    fresh.touch()
    assert salvage(places.database, fresh).incomplete == ("hurt",)
    fresh.replace(places.database)
    again = Store.open(places)
    assert [seq for seq, _ in again.read(hurt)] == [1, 2, *range(4, 17)]
    again.close()


def test_flipped_bytes(places: Places) -> None:
    whole = a_big_store(places)
    chance = random.Random(7)
    lost = 0
    for _ in range(25):
        shutil.rmtree(places.data)
        places.data.mkdir(mode=0o700)
        at = chance.randrange(100, len(whole))
        places.database.write_bytes(whole[:at] + bytes([whole[at] ^ (1 << chance.randrange(8))]) + whole[at + 1 :])
        lost += 105 - use_damaged(places)
    assert lost < 25 * 20


def test_a_file_that_is_no_database(places: Places) -> None:
    places.data.mkdir(mode=0o700)
    places.database.write_text("not a database at all" * 500)
    assert use_damaged(places) == 0
    (aside,) = damaged_copies(places)
    assert aside.read_text().startswith("not a database")


def test_damage_while_a_session_is_open(places: Places) -> None:
    store = Store.open(places)
    journal = store.create(SessionInfo(id="", cwd="/p"))
    for fact in a_turn(1, "before"):
        journal.append(fact)
    other = Store.open(places)
    other.close()
    with places.database.open("r+b") as stream:
        stream.write(b"garbage" * 2000)
    for path in places.data.glob("sessions.db-*"):
        path.write_bytes(b"garbage" * 100)
    for turn in (2, 3):
        for fact in a_turn(turn, "after"):
            journal.append(fact)
    journal.append(e.PromptAdded(message=user("last"), turn=4))
    assert [fact.turn for _, fact in journal.read()][-1] == 4
    store.close()
    again = Store.open(places)
    turns = {fact.turn for info in again.sessions() for _, fact in again.read(info.id)}
    assert turns >= {2, 3, 4}
    again.close()


def test_a_salvage_under_a_running_session_is_told_in_it(places: Places) -> None:
    store = Store.open(places)
    journal = store.create(SessionInfo(id="", cwd="/p"))
    recorder = Recorder(journal, [], [], time.time)
    recorder.begin_turn()
    for fact in a_turn(1, "before"):
        recorder.record(fact)
    with places.database.open("r+b") as stream:
        stream.write(b"garbage" * 2000)
    for path in places.data.glob("sessions.db-*"):
        path.write_bytes(b"garbage" * 100)
    for fact in a_turn(1, "after"):
        recorder.record(fact)
    assert [fact.code for fact in recorder.facts if isinstance(fact, e.Notice)] == ["store.salvaged"]
    store.close()


def test_a_damaged_record_is_left_out_and_said(places: Places) -> None:
    store = Store.open(places)
    session = fill(store, "one")
    store.close()
    raw = places.database.read_bytes()
    body = json.dumps({"type": "turn_finished", "time": 1001.0, "turn": 1}, separators=(",", ":")).encode()
    assert body in raw
    places.database.write_bytes(raw.replace(body, b"\x00" + body[1:]))
    store = Store.open(places)
    notices = [fact for _, fact in store.read(session) if isinstance(fact, e.Notice)]
    assert [notice.code for notice in notices] == ["store.damaged"]
    store.close()
