"""The doctor: each thing that can be wrong is found, with its place and what to do; keys are never shown."""

import argparse
import io
import json
import os
import socket
import sqlite3
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rein_tui.doctor.command import report, run_doctor
from rein_tui.doctor.finding import Finding
from rein_tui.doctor.machine import check_programs, check_python, check_store
from rein_tui.doctor.models import check_models
from rein_tui.doctor.project import check_project
from rein_tui.doctor.terminal import Terminal, check_terminal
from rein_tui.harness.places import Places
from rein_tui.harness.protocol.workbench import ModelChoice
from rein_tui.harness.settings.trust import read_trust, record_trust
from rein_tui.harness.store.store import Store
from rein_tui.harness.wiring.choices import remember
from tests.app.driving import on_stage
from tests.harness.store.stories import fill
from tests.pty_program import on_pty

SECRET = "sk-ant-never-shown-0123456789"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    (folder / ".claude").mkdir(parents=True)
    return folder


def texts(findings: Iterable[Finding], area: str, level: str) -> str:
    """What was found there, as one text."""
    found = [f for f in findings if f.area == area and f.level == level]
    return "\n".join(f"{f.text} | {f.todo} | {f.where}" for f in found)


def write_settings(places: Places, **settings: Any) -> None:
    places.config.mkdir(parents=True, exist_ok=True)
    places.user_settings.write_text(json.dumps(settings, indent=1))


def hook(command: str, **more: Any) -> dict[str, Any]:
    return {"PreToolUse": [{"matcher": "Bash", "hooks": [{"type": "command", "command": command, **more}]}]}


def look(places: Places, project: Path) -> tuple[Finding, ...]:
    return check_project(places, {"PATH": os.environ["PATH"]}, project).findings


# --- hooks --------------------------------------------------------------------------------------------------


def test_hooks_that_can_start_are_fine(places: Places, project: Path):
    script = project / "guard.sh"
    script.write_text("#!/bin/sh\n")
    script.chmod(0o755)
    commands = [
        "./guard.sh --now",
        f"{script} && echo done",
        "sh guard.sh",
        'LEVEL=2 "$CLAUDE_PROJECT_DIR"/guard.sh',
        "${CLAUDE_PROJECT_DIR}/guard.sh",
        "if true; then echo '{}'; fi",
        "python3 -c 'print(1)'",
        "cat >/dev/null; echo ok",
        "$HOME/whatever.sh",
    ]
    for command in commands:
        write_settings(places, hooks=hook(command))
        assert not texts(look(places, project), "hooks", "bad"), command
    write_settings(places, hooks=hook("${CLAUDE_PROJECT_DIR}/guard.sh", args=["a b"]))
    assert not texts(look(places, project), "hooks", "bad")


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("./missing.sh", "./missing.sh does not exist"),
        ("no-such-program-here --flag", "there is no program 'no-such-program-here'"),
        ("python3 missing.py", "missing.py does not exist"),
        ("sh -e scripts/missing.sh", "scripts/missing.sh does not exist"),
        ('"$CLAUDE_PROJECT_DIR"/plain.sh', "is not executable | chmod +x"),
        ("echo 'open", "No closing quotation"),
    ],
)
def test_hooks_that_cannot_start_are_found(places: Places, project: Path, command: str, said: str):
    (project / "plain.sh").write_text("#!/bin/sh\n")
    write_settings(places, hooks=hook(command))
    found = texts(look(places, project), "hooks", "bad")
    assert said in found
    assert f"{places.user_settings}:" in found


@given(st.text(max_size=30))
def test_no_command_line_upsets_the_doctor(tmp_path_factory: pytest.TempPathFactory, command: str):
    home = tmp_path_factory.getbasetemp()
    places = Places(home=home, config=home / "any", managed=home / "none", data=home, cache=home)
    write_settings(places, hooks=hook(command or "x"))
    look(places, home)


# --- settings and trust -------------------------------------------------------------------------------------


def test_problems_in_settings_come_with_file_and_line(places: Places, project: Path):
    write_settings(places, permissions={"allow": ["Bash(ls", 7]})
    found = texts(look(places, project), "settings", "bad")
    assert f"{places.user_settings}:" in found
    places.user_settings.write_text("{ not json")
    assert f"{places.user_settings}:1" in texts(look(places, project), "settings", "bad")


def test_trust_says_what_waits(places: Places, project: Path):
    (project / ".claude/settings.json").write_text(json.dumps({"hooks": hook("./missing.sh")}))
    findings = look(places, project)
    assert "not trusted: 1 things in it wait" in texts(findings, "trust", "note")
    assert not texts(findings, "hooks", "bad"), "what does not run is not broken"
    record_trust(places, read_trust(places, project))
    findings = look(places, project)
    assert "is trusted" in texts(findings, "trust", "ok")
    assert "missing.sh" in texts(findings, "hooks", "bad")


def test_servers_and_plugins_are_looked_at(places: Places, project: Path):
    assert texts(look(places, project), "plugins", "ok").startswith("none")
    servers = {"there": {"command": "sh"}, "gone": {"command": "no-such-server"}, "wrong": {"command": 7}}
    (project / ".mcp.json").write_text(json.dumps({"mcpServers": servers}, indent=1))
    findings = look(places, project)
    found = texts(findings, "mcp", "bad")
    assert "gone: there is no program 'no-such-server'" in found
    assert f"{project / '.mcp.json'}:" in found
    assert "wrong" in found
    manifest = places.config / "skills" / "broken" / ".claude-plugin" / "plugin.json"
    manifest.parent.mkdir(parents=True)
    manifest.write_text("{ not json")
    assert "plugin.json" in texts(look(places, project), "plugins", "bad")


# --- store, machine, terminal -------------------------------------------------------------------------------


def test_a_store_is_judged(places: Places):
    assert texts(check_store(places), "store", "ok").startswith("no sessions yet")
    places.data.parent.mkdir(parents=True, exist_ok=True)
    places.data.write_text("a file where a folder should be")
    assert "is no folder" in texts(check_store(places), "store", "bad")
    places.data.unlink()
    store = Store.open(places)
    fill(store, "hello")
    store.close()
    assert texts(check_store(places), "store", "ok").startswith("1 session,")
    places.database.chmod(0o644)
    assert "chmod 600" in texts(check_store(places), "store", "bad")
    with sqlite3.connect(places.database) as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()
    assert "newer rein-tui" in texts(check_store(places), "store", "bad")
    before = places.database.read_bytes()
    places.database.write_bytes(b"not a database at all" * 100)
    assert "cannot be read" in texts(check_store(places), "store", "bad")
    assert places.database.read_bytes() != before, "looked at, not mended"


def test_python_and_programs(tmp_path: Path):
    assert texts(check_python(), "packages", "ok")
    assert "not found" in texts(check_programs({"PATH": str(tmp_path)}), "git", "note")
    assert not texts(check_programs({"PATH": os.environ["PATH"], "EDITOR": "vi"}), "editor", "note")


def test_a_terminal_is_judged_by_what_it_answers():
    poor = Terminal(size=(50, 10), kitty_keys=False, mouse=False, paste=False, synchronised=False)
    found = list(check_terminal(poor, {"TERM": "vt100", "SSH_CONNECTION": "x"}))
    areas = {f.area for f in found if f.level == "note"}
    assert areas == {"terminal", "colours", "encoding", "keys", "mouse", "paste", "drawing", "ssh"}
    assert all(f.todo for f in found)
    rich = Terminal(size=(120, 36), kitty_keys=True, mouse=True, paste=True, synchronised=True)
    found = list(check_terminal(rich, {"TERM": "xterm-kitty", "COLORTERM": "truecolor", "LANG": "de_DE.UTF-8"}))
    assert {f.level for f in found} == {"ok"}


# --- models -------------------------------------------------------------------------------------------------


async def test_keys_are_found_and_never_shown(places: Places):
    remember(places, ModelChoice(kind="anthropic", model="m"), SECRET)
    (places.data / "key").chmod(0o644)
    findings = await check_models(places, {"ANTHROPIC_API_KEY": SECRET})
    assert "ANTHROPIC_API_KEY is set" in texts(findings, "keys", "ok")
    assert "chmod 600" in texts(findings, "keys", "bad")
    assert SECRET not in report(findings)


async def test_an_address_with_a_password_is_told_without_it(places: Places):
    findings = await check_models(places, {"ANTHROPIC_BASE_URL": f"https://me:{SECRET}@gateway.test/v1"})
    assert "must not hold a password" in texts(findings, "keys", "bad")
    assert SECRET not in report(findings)


async def test_a_gateway_on_this_machine_needs_no_key(places: Places):
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
        found = await check_models(places, {"ANTHROPIC_BASE_URL": url})
    assert f"is asked at {url}" in texts(found, "keys", "ok")
    assert not any("nobody can answer" in finding.text for finding in found)
    assert any("nobody" in f.text for f in await check_models(places, {"ANTHROPIC_BASE_URL": "https://gateway.test"}))


async def test_a_gateway_that_is_not_there_and_a_key_that_is_none(places: Places):
    with socket.socket() as taken:  # bound, but nobody listens
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        findings = await check_models(places, {"ANTHROPIC_BASE_URL": url, "ANTHROPIC_API_KEY": f"'{SECRET}'"})
    assert "nothing answers there | start that server" in texts(findings, "servers", "bad")
    assert "export ANTHROPIC_API_KEY anew" in texts(findings, "keys", "bad")
    assert SECRET not in report(findings)


async def test_a_server_that_should_answer_and_does_not(places: Places):
    with socket.socket() as taken:  # bound, but nobody listens
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/v1"
        findings = await check_models(places, {"LOCAL_LLM_URL": url})
    assert "nothing answers there" in texts(findings, "servers", "bad")


# --- the command --------------------------------------------------------------------------------------------


async def test_json_and_exit_code(places: Places, project: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(project)
    out = io.StringIO()
    environment = {"PATH": os.environ["PATH"], "ANTHROPIC_API_KEY": SECRET, "LANG": "C.UTF-8"}
    assert await run_doctor(argparse.Namespace(json=True), places, environment, out) == 0
    told = json.loads(out.getvalue())
    assert told["ok"] is True
    assert {"terminal", "python", "packages", "store", "settings", "trust", "hooks", "keys"} <= {
        finding["area"] for finding in told["findings"]
    }
    write_settings(places, hooks=hook("./missing.sh"))
    out = io.StringIO()
    assert await run_doctor(argparse.Namespace(json=False), places, environment, out) == 1
    assert out.getvalue().endswith("1 to mend.\n")
    assert SECRET not in out.getvalue()


async def test_foreign_text_is_harmless(places: Places, project: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(project)
    write_settings(places, hooks=hook("./\x1b]0;owned\x07missing.sh"))
    out = io.StringIO()
    assert await run_doctor(argparse.Namespace(json=False), places, {"PATH": os.environ["PATH"]}, out) == 1
    assert "missing.sh" in out.getvalue()
    assert "\x1b" not in out.getvalue()


async def test_the_screen_shows_it_too(tmp_path: Path):
    async with on_stage() as stage:
        await stage.say("/doctor")
        await stage.until(lambda: "Doctor" in stage.text() and "packages" in stage.text())
        await stage.pilot.press("escape")


# --- a real terminal ----------------------------------------------------------------------------------------


@pytest.mark.pty
def test_the_terminal_is_asked(places: Places, project: Path):
    environment = {
        "HOME": str(places.home),
        "REIN_TUI_DATA_DIR": str(places.data),
        "ANTHROPIC_API_KEY": SECRET,
        "COLUMNS": "120",
    }
    with on_pty(["doctor", "--json"], project, environment) as program:
        said = program.until(lambda data: b"\x1b[c" in data)
        program.send(b"\x1b[?0u\x1b[?1006;2$y\x1b[?2004;2$y\x1b[?2026;0$y\x1b[?62;22c")
        said += program.until(lambda data: b"\n}" in data)
    told = json.loads(said[said.index(b"{") :].decode())
    found = {(finding["area"], finding["level"]) for finding in told["findings"]}
    assert any("every key arrives" in finding["text"] for finding in told["findings"])
    assert ("drawing", "note") in found
    assert ("mouse", "note") not in found
