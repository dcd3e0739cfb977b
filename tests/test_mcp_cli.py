"""`rein-tui mcp …` as a person runs it, and servers in a whole session without a screen."""

import asyncio
import json
import subprocess
import sys
import threading
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from rein_tui.cli.main import run
from rein_tui.harness.places import Places
from rein_tui.harness.plugins.mcp.edit import add_server, remove_server
from rein_tui.harness.protocol.errors import ConfigError

from .harness.plugins.mcp.authority import Authority
from .harness.plugins.mcp.test_remote import BROWSER

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


def test_options_as_the_ecosystem_writes_them(desk: Desk) -> None:
    assert desk.run("add", "-e", "A=1", "B=2", "two", "--", "cmd", "-x")[0] == 0
    assert desk.run("add", "behind", "--env", "K=v", "--", "npx", "-y", "--flag")[0] == 0
    flags = ["--client-id", "mine", "--callback-port", "8123"]
    assert desk.run("add", "-t", "http", "web", "https://example.org/mcp", *flags)[0] == 0
    servers = desk.state()["projects"][str(desk.root)]["mcpServers"]
    assert servers["two"] == {"type": "stdio", "command": "cmd", "args": ["-x"], "env": {"A": "1", "B": "2"}}
    assert servers["behind"]["args"] == ["-y", "--flag"] and servers["behind"]["env"] == {"K": "v"}
    assert servers["web"]["oauth"] == {"clientId": "mine", "callbackPort": 8123}


@pytest.mark.parametrize("name", ["", "a b", "../x", "a.b", "a__b", "_a", "K=V", "a:b"])
def test_names_that_tools_cannot_have(desk: Desk, name: str) -> None:
    for arguments in (("add", name, "cmd"), ("add-json", name, '{"command": "x"}')):
        code, _, err = desk.run(*arguments)
        assert code == 1 and "cannot be the name of a server" in err


def test_a_name_in_several_scopes_is_not_guessed(desk: Desk) -> None:
    for scope in ("user", "project"):
        assert desk.run("add", "-s", scope, "twice", "cmd")[0] == 0
    code, _, err = desk.run("remove", "twice")
    assert code == 1 and "2 scopes: project, user" in err and "-s project or -s user" in err
    assert desk.run("remove", "twice", "-s", "user")[0] == 0
    assert ".mcp.json" in desk.run("remove", "twice")[1]


def test_a_secret_stands_in_no_settings(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MCP_CLIENT_SECRET", "hush")
    flags = ["--client-id", "mine", "--client-secret"]
    assert desk.run("add", "web", "https://example.org/mcp", *flags)[0] == 0
    assert "hush" not in (desk.home / ".claude.json").read_text()
    kept = [path for path in desk.home.rglob("mcp-tokens/*.json") if "hush" in path.read_text()]
    assert [path.stat().st_mode & 0o777 for path in kept] == [0o600]


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_the_rest_of_a_file_stays_as_it_is_written(places: Places, tmp_path: Path, newline: str) -> None:
    path = tmp_path / ".mcp.json"
    before = '{\n\t"other": [1,2, 3],\n\t"mcpServers": {\n\t\t"z": {"command": "\\u00e9"}\n\t}\n}\n'
    path.write_bytes(before.replace("\n", newline).encode())
    add_server(places, tmp_path, "project", "n", {"command": "x"})
    add_server(places, tmp_path, "project", "m", {"command": "y"})
    assert list(json.loads(path.read_bytes())["mcpServers"]) == ["z", "n", "m"]
    assert path.read_bytes().startswith(before.replace("\n", newline).encode()[:50])
    remove_server(places, tmp_path, "project", "n")
    remove_server(places, tmp_path, "project", "m")
    assert path.read_bytes() == before.replace("\n", newline).encode()
    remove_server(places, tmp_path, "project", "z")
    assert json.loads(path.read_bytes()) == {"other": [1, 2, 3], "mcpServers": {}}


def test_logging_in_from_the_command_line(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    browser = desk.root / "browser.py"
    browser.write_text(BROWSER)
    monkeypatch.setenv("BROWSER", f"{sys.executable} {browser} %s")
    with serving(Authority()) as url:
        desk.run("add", "web", url)
        code, out, err = desk.run("login", "web")
        assert code == 0 and "web is connected." in out and "/authorize?" in out, err
        assert "Logged out" in desk.run("logout", "web")[1]
    desk.run("add", "local", "cmd")
    assert "needs no login" in desk.run("login", "local")[2]


@contextmanager
def serving(authority: Authority) -> Generator[str]:
    """An authority on a loop of its own."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    listening = authority.listening()
    try:
        yield asyncio.run_coroutine_threadsafe(listening.__aenter__(), loop).result()
    finally:
        asyncio.run_coroutine_threadsafe(listening.__aexit__(None, None, None), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


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
