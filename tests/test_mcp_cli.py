"""`rein-tui mcp …` as a person runs it, and servers in a whole session without a screen."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from rein_tui.cli.main import run
from rein_tui.harness.places import Places
from rein_tui.harness.plugins.mcp.edit import add_server, remove_server
from rein_tui.harness.protocol.errors import ConfigError

NASTY = str(Path(__file__).parent / "harness" / "plugins" / "mcp" / "nasty.py")


class Desk:
    """Runs command lines in a project with a home of its own."""

    def __init__(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.home = tmp_path / "home"
        self.root = tmp_path / "project"
        self._capsys = capsys

    def run(self, *arguments: str) -> tuple[int, str, str]:
        """Exit code, output and errors."""
        try:
            code = run(["mcp", *arguments])
        except SystemExit as leaving:
            code = int(leaving.code or 0)
        said = self.said()
        return code, said.out, said.err

    def said(self) -> Any:
        """What was printed since."""
        return self._capsys.readouterr()

    def state(self) -> Any:
        """`~/.claude.json`."""
        return json.loads((self.home / ".claude.json").read_text())


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Desk:
    """In a fresh project."""
    made = Desk(tmp_path, capsys)
    made.home.mkdir(exist_ok=True)
    made.root.mkdir()
    monkeypatch.chdir(made.root)
    return made


def test_scopes_and_their_files(desk: Desk) -> None:
    (desk.home / ".claude.json").write_text('{"theme": "dark", "projects": {"/x": {"mcpServers": {}}}}')
    assert desk.run("add", "local", "--", "npx", "-y", "pkg", "--port", "1")[0] == 0
    assert desk.run("add", "-s", "user", "-e", "KEY=a=b", "mine", "uvx", "tool")[0] == 0
    assert desk.run("add", "-s", "project", "-t", "sse", "-H", "X-A: b: c", "ours", "http://127.0.0.1:1/sse")[0] == 0
    state = desk.state()
    assert state["theme"] == "dark"
    assert state["mcpServers"]["mine"] == {"type": "stdio", "command": "uvx", "args": ["tool"], "env": {"KEY": "a=b"}}
    local = state["projects"][str(desk.root)]["mcpServers"]["local"]
    assert local == {"type": "stdio", "command": "npx", "args": ["-y", "pkg", "--port", "1"]}
    ours = json.loads((desk.root / ".mcp.json").read_text())["mcpServers"]["ours"]
    assert ours == {"type": "sse", "url": "http://127.0.0.1:1/sse", "headers": {"X-A": "b: c"}}
    assert (desk.home / ".claude.json").stat().st_mode & 0o777 in (0o600, 0o644)


def test_list_get_and_remove(desk: Desk) -> None:
    desk.run("add", "web", "https://example.org/mcp", "-H", "Authorization: Bearer secret")
    desk.run("add-json", "-s", "project", "ours", '{"command": "run", "args": ["it"]}')
    code, out, _ = desk.run("list")
    assert code == 0
    assert "web" in out and "ready" in out and "unapproved" in out
    records = json.loads(desk.run("list", "--json")[1])
    assert [(r["name"], r["scope"], r["state"]) for r in records] == [
        ("web", "local", "ready"),
        ("ours", "project", "unapproved"),
    ]
    code, out, _ = desk.run("get", "web")
    assert code == 0 and "Authorization" in out and "secret" not in out
    assert json.loads(desk.run("get", "ours", "--json")[1])["summary"] == "run it"
    assert desk.run("remove", "web")[0] == 0
    assert desk.run("remove", "ours")[0] == 0
    code, _, err = desk.run("remove", "ours")
    assert code == 1 and "there is no server 'ours'" in err
    assert json.loads(desk.run("list", "--json")[1]) == []


def test_mistakes_change_nothing(desk: Desk) -> None:
    desk.run("add", "one", "cmd")
    before = (desk.home / ".claude.json").read_bytes()
    for arguments in (
        ("add", "one", "other"),
        ("add", "workspace", "cmd"),
        ("add", "-t", "http", "two", "not-an-address"),
        ("add", "-H", "A: b", "two", "cmd"),
        ("add", "-e", "A=b", "two", "https://example.org"),
        ("add-json", "two", "{broken"),
        ("add-json", "two", '{"url": "https://example.org"}'),
        ("get", "two"),
        ("logout", "two"),
    ):
        code, _, err = desk.run(*arguments)
        assert code == 1, arguments
        assert err.startswith("rein-tui: ")
    assert desk.run("add", "-e", "novalue", "two", "cmd")[0] == 2
    assert (desk.home / ".claude.json").read_bytes() == before


def test_a_broken_file_is_not_overwritten(places: Places, tmp_path: Path) -> None:
    places.global_state.write_text('{"a": 1,}')
    with pytest.raises(ConfigError, match="not valid JSON"):
        add_server(places, tmp_path, "user", "s", {"command": "x"})
    assert places.global_state.read_text() == '{"a": 1,}'
    with pytest.raises(ConfigError, match="no server"):
        remove_server(places, tmp_path, "project", "s")
    assert not (tmp_path / ".mcp.json").exists()


def test_a_flat_project_file_stays_flat(places: Places, tmp_path: Path) -> None:
    path = tmp_path / ".mcp.json"
    path.write_text('{"one": {"command": "x"}}')
    add_server(places, tmp_path, "project", "two", {"command": "y"})
    assert json.loads(path.read_text()) == {"one": {"command": "x"}, "two": {"command": "y"}}


def test_project_choices_and_logins_can_be_forgotten(desk: Desk) -> None:
    desk.run("add", "web", "https://example.org/mcp")
    assert "has no login" in desk.run("logout", "web")[1]
    assert desk.run("reset-project-choices")[0] == 0


def test_servers_in_a_session_without_a_screen(desk: Desk) -> None:
    entries = {"good": {"command": sys.executable, "args": ["-S", NASTY, "good"]}, "bad": {"command": "/bin/false"}}
    flags = ["--demo", "--no-session-persistence", "--output-format", "stream-json", "--max-turns", "1"]
    config = ["--strict-mcp-config", "--mcp-config", json.dumps({"mcpServers": entries})]
    command = [sys.executable, "-m", "rein_tui", "-p", "hello", *flags, *config]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    records = [json.loads(line) for line in done.stdout.splitlines()]
    init = next(record for record in records if record.get("subtype") == "init")
    assert init["mcp_servers"] == [{"name": "good", "status": "connected"}, {"name": "bad", "status": "failed"}]
    assert "mcp__good__echo" in init["tools"]
    told = [record["content"] for record in records if record.get("subtype") == "informational"]
    assert any("The MCP server bad is not there" in text for text in told)
