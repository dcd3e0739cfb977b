"""`rein-tui sessions` and `rein-tui report` from argv to output."""

import argparse
import io
import json
import re
from pathlib import Path
from typing import Any

import pytest

from rein_tui.cli.sessions import add_sessions_parser, run_sessions
from rein_tui.harness.places import Places
from rein_tui.harness.protocol.events import FileChanged, Notice, TitleChanged
from rein_tui.harness.protocol.ports import SessionInfo
from rein_tui.harness.store.bundle import read_bundle
from rein_tui.harness.store.checkpoints import Checkpoints
from rein_tui.harness.store.store import Store

from .harness.store.stories import a_turn, fill


class Cli:
    """The command line over one store."""

    def __init__(self, places: Places) -> None:
        self.places = places

    def __call__(self, *argv: str, code: int = 0) -> str:
        parser = argparse.ArgumentParser()
        add_sessions_parser(parser.add_subparsers(dest="command", required=True))
        out, err = io.StringIO(), io.StringIO()
        assert run_sessions(parser.parse_args(argv), self.places, out, err) == code, err.getvalue()
        return out.getvalue() if code == 0 else err.getvalue()

    def json(self, *argv: str) -> Any:
        return json.loads(self("sessions", *argv, "--json"))


@pytest.fixture
def cli(places: Places, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Cli:
    monkeypatch.chdir(tmp_path)
    return Cli(places)


@pytest.fixture
def session(places: Places) -> str:
    store = Store.open(places)
    fill(store, "old one", cwd="/a")
    newest = fill(store, "fix the login", "again", cwd=str(Path.cwd()), result="needle in a result")
    store.close()
    return newest


def test_list_as_json_is_what_was_promised(cli: Cli, session: str) -> None:
    rows = cli.json("list")
    assert [list(row) for row in rows] == [
        ["id", "title", "cwd", "branch", "created", "updated", "turns", "cost_usd", "state"]
    ] * 2
    assert rows[0]["id"] == session
    assert rows[0] | {"id": "", "cwd": ""} == {
        "id": "",
        "title": "fix the login",
        "cwd": "",
        "branch": "main",
        "created": "1970-01-01T00:16:40Z",
        "updated": "1970-01-01T00:16:42Z",
        "turns": 2,
        "cost_usd": 0.5,
        "state": "done",
    }
    assert len(cli.json("list", "--limit", "1")) == 1


def test_list_for_people(cli: Cli, session: str) -> None:
    lines = cli("sessions", "list").splitlines()
    assert lines[0].startswith(session[:8])
    assert "$0.50" in lines[0]
    assert len(cli("sessions", "list", "--here").splitlines()) in {0, 1}


def test_nothing_yet(cli: Cli) -> None:
    assert cli("sessions", "list") == "No sessions yet.\n"
    assert cli.json("list") == []
    assert "no session" in cli("report", code=1)


def test_control_characters_never_reach_the_terminal(cli: Cli, places: Places) -> None:
    store = Store.open(places)
    fill(store, "evil \x1b]0;title\x07 \u202e", result="\x1b[31mred")
    store.close()
    for argv in (("list",), ("show", "evil \x1b]0;title\x07 \u202e"), ("search", "red")):
        out = cli("sessions", *argv)
        assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e]", out)


def test_search_and_show(cli: Cli, session: str) -> None:
    assert "«needle»" in cli("sessions", "search", "needle")
    assert cli.json("search", "needle")[0]["session_id"] == session
    assert cli("sessions", "search", "nowhere") == "Nothing found.\n"
    assert "needle in a result" in cli("sessions", "show", session[:6])
    assert len(cli.json("show", "fix the login")["facts"]) > 10


def test_export_and_import(cli: Cli, session: str, tmp_path: Path) -> None:
    for form, suffix in (("markdown", "md"), ("html", "html"), ("transcript", "jsonl"), ("jsonl", "jsonl")):
        path = tmp_path / f"out.{suffix}"
        cli("sessions", "export", session, "--format", form, "-o", str(path), "--force")
        assert "needle" in path.read_text()
        assert path.stat().st_mode & 0o077 == 0
    assert cli("sessions", "export", session, "-o", "-").startswith("# fix the login")
    assert "rein-tui:" in cli("sessions", "export", session, "-o", str(tmp_path / "no" / "x"), code=1)
    assert "rein-tui" not in cli("sessions", "import", str(tmp_path / "out.jsonl"), code=1)
    cli("sessions", "delete", session)
    cli("sessions", "prune", "--older-than", "0")
    assert cli.json("list") == []
    told = cli.json("import", str(tmp_path / "out.jsonl"), str(tmp_path / "out.md"))
    assert [row["id"] for row in told["imported"]] == [session]
    assert len(told["refused"]) == 1
    assert "needle" in cli("sessions", "show", session)


def test_import_of_claude_code(cli: Cli, places: Places) -> None:
    folder = places.config / "projects" / "-p"
    folder.mkdir(parents=True)
    line = {
        "type": "user",
        "uuid": "1",
        "sessionId": "abc-def",
        "message": {"role": "user", "content": "from elsewhere"},
    }
    (folder / "abc-def.jsonl").write_text(json.dumps(line))
    (folder / "agent-1.jsonl").write_text(json.dumps(line | {"isSidechain": True}))
    assert [row["title"] for row in cli.json("import")["imported"]] == ["from elsewhere"]
    assert cli.json("import", str(folder)) == {
        "imported": [],
        "updated": [],
        "unchanged": ["abc-def"],
        "refused": [],
    }
    later = line | {"uuid": "2", "parentUuid": "1", "message": {"role": "user", "content": "and again"}}
    (folder / "abc-def.jsonl").write_text(f"{json.dumps(line)}\n{json.dumps(later)}\n")
    assert [row["turns"] for row in cli.json("import")["updated"]] == [2]
    cli("sessions", "delete", "abc-def")
    assert "1 imported." in cli("sessions", "import")
    assert [row["title"] for row in cli.json("list")] == ["from elsewhere"]


def test_rename_delete_and_undo(cli: Cli, session: str) -> None:
    assert "cannot be empty" in cli("sessions", "rename", session[:6], " ", code=1)
    assert cli.json("rename", session[:6], "Better")["title"] == "Better"
    assert cli.json("delete", "Better") == {"deleted": [session]}
    assert len(cli.json("list")) == 1
    assert "no session" in cli("sessions", "show", "Better", code=1)
    assert cli.json("delete", "--undo", session) == {"restored": [session]}
    assert len(cli.json("list")) == 2


def test_a_deletion_is_whole_and_outlives_a_prune(cli: Cli, places: Places, session: str) -> None:
    assert "no session 'nope'" in cli("sessions", "delete", session, "nope", code=1)
    assert len(cli.json("list")) == 2
    cli("sessions", "delete", session)
    assert len(cli.json("prune", "--older-than", "0")["deleted"]) == 1
    assert cli.json("delete", "--undo", session[:6]) == {"restored": [session]}
    assert [row["id"] for row in cli.json("list")] == [session]
    assert "no deleted session" in cli("sessions", "delete", "--undo", session, code=1)


def test_no_file_is_written_over_unasked(cli: Cli, session: str, tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    kept.write_text("mine")
    assert "already a file" in cli("sessions", "export", session, "-o", str(kept), code=1)
    assert "already a file" in cli("report", session, "-o", str(kept), code=1)
    assert kept.read_text() == "mine"
    cli("sessions", "export", session, "-o", str(kept), "--force")
    assert "needle" in kept.read_text()


def test_a_title_is_one_line_and_any_time_can_be_shown(cli: Cli, places: Places) -> None:
    story = [*a_turn(1, "x"), TitleChanged(title="two\nlines", by="person", time=1e300)]
    store = Store.open(places)
    store.take_in(SessionInfo(id="odd"), story)
    store.close()
    (line,) = cli("sessions", "list").splitlines()
    assert "two lines" in line
    assert "two lines" in cli("sessions", "search", "lines")


def test_prune_frees_contents_that_nobody_needs(cli: Cli, places: Places, session: str) -> None:
    checkpoints = Checkpoints(places.data / "checkpoints")
    needed, orphan = checkpoints.keep(b"needed"), checkpoints.keep(b"orphan")
    store = Store.open(places)
    journal = store.open_session(session)
    journal.append(FileChanged(call_id="c", path="/p/a", before=needed, turn=2, time=9e9))
    store.close()
    dry = cli.json("prune", "--dry-run")
    assert (len(dry["deleted"]), dry["freed_bytes"]) == (1, 0)
    told = cli.json("prune")
    assert [row["title"] for row in told["deleted"]] == ["old one"]
    assert told["freed_bytes"] > 0
    assert (checkpoints.content(needed), checkpoints.content(orphan)) == (b"needed", None)


def test_report(cli: Cli, places: Places, session: str, tmp_path: Path) -> None:
    assert "facts.jsonl" in cli("report", "--preview")
    assert not list(tmp_path.glob("*.zip"))
    cli("report")
    cli("report")
    assert [path.name for path in tmp_path.glob("*.zip")] == [f"rein-tui-report-{session[:8]}.zip"]
    cli("report", session, "-o", str(tmp_path / "r.zip"))
    assert len(read_bundle(tmp_path / "r.zip")) > 10


def test_a_damaged_store_is_said(cli: Cli, places: Places) -> None:
    places.data.mkdir()
    places.database.write_bytes(b"garbage" * 1000)
    parser = argparse.ArgumentParser()
    add_sessions_parser(parser.add_subparsers(dest="command", required=True))
    out, err = io.StringIO(), io.StringIO()
    assert run_sessions(parser.parse_args(["sessions", "list"]), places, out, err) == 0
    assert "was damaged" in err.getvalue()


def test_a_new_session_can_be_imported_under_its_own_name(places: Places) -> None:
    store = Store.open(places)
    info = store.take_in(SessionInfo(id="mine"), [*a_turn(1, "x"), Notice(text="n")])
    assert info.id == "mine"
    store.close()
