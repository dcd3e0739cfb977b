"""`rein-tui hooks list` and `rein-tui hooks test`, on a real engine."""

import argparse
import io
import json
from pathlib import Path
from typing import Any

import pytest

from rein_tui.cli.hooks import add_hooks_parser, run_hooks
from rein_tui.harness.hooks.config import parse_hooks
from rein_tui.harness.hooks.context import HookContext
from rein_tui.harness.hooks.engine import Hooks
from rein_tui.harness.places import Places
from rein_tui.harness.processes.process import child_environment
from rein_tui.harness.protocol.base import JsonObject
from rein_tui.harness.protocol.decisions import Source
from rein_tui.harness.protocol.errors import ConfigError
from rein_tui.harness.protocol.events import Event, ToolCallRequested

HOOKS: JsonObject = {
    "PreToolUse": [
        {
            "matcher": "Bash|Edit",
            "hooks": [
                {"type": "command", "command": "grep -q forbidden && { echo 'not that' >&2; exit 2; }; exit 0"},
                {"type": "command", "command": "true", "if": "Edit(src/**)"},
            ],
        }
    ],
    "SessionStart": [{"hooks": [{"type": "command", "command": r"printf 'hi\033[31m'", "timeout": 5}]}],
    "TaskCreated": [{"hooks": []}],
}


@pytest.fixture
def hooks(tmp_path: Path, places: Places) -> tuple[Hooks, list[Any]]:
    specs, problems = parse_hooks(HOOKS, lambda pointer: Source(layer="user", path="s.json", line=len(pointer)))
    context = HookContext(
        session_id="s",
        transcript_path=str(tmp_path / "t.jsonl"),
        project_dir=str(tmp_path),
        places=places,
        cwd=lambda: str(tmp_path),
        mode=lambda: "default",
        environment=child_environment,
        spill_folder=tmp_path / "spill",
    )
    return Hooks(specs, context), problems


async def run(hooks: tuple[Hooks, list[Any]], *argv: str, facts: list[Event] | None = None) -> tuple[int, str]:
    """Exit code and output of one command line."""
    parser = argparse.ArgumentParser()
    add_hooks_parser(parser.add_subparsers())
    out = io.StringIO()
    code = await run_hooks(parser.parse_args(["hooks", *argv]), hooks[0], hooks[1], lambda _: facts or [], out)
    return code, out.getvalue()


async def test_list(hooks: tuple[Hooks, list[Any]]) -> None:
    code, text = await run(hooks, "list")
    assert code == 0
    assert "PreToolUse Bash|Edit · command · if Edit(src/**) · user · s.json:4" in text
    assert "SessionStart · command · timeout 5 s · user · s.json:4" in text
    assert "info: s.json:1: Hooks: TaskCreated never fires here" in text


async def test_list_as_json(hooks: tuple[Hooks, list[Any]]) -> None:
    _, text = await run(hooks, "list", "--json")
    found = json.loads(text)
    first = found["hooks"][0]
    assert (first["event"], first["file"], first["line"]) == ("PreToolUse", "s.json", 4)
    assert len(found["problems"]) == 1


async def test_a_denied_call(hooks: tuple[Hooks, list[Any]]) -> None:
    code, text = await run(hooks, "test", "PreToolUse", "--tool", "Bash", "--input", '{"command":"forbidden"}')
    assert code == 0
    assert "* deny · exit 2" in text
    assert "    stderr   not that" in text
    assert "- not run: true · s.json:4 · `if: Edit(src/**)` is not met" in text
    assert text.rstrip().endswith("= deny: not that")


async def test_paths_become_absolute(hooks: tuple[Hooks, list[Any]], tmp_path: Path) -> None:
    _, text = await run(hooks, "test", "PreToolUse", "--tool", "Edit", "--input", '{"file_path":"src/a.py"}')
    assert f'"file_path":"{tmp_path}/src/a.py"' in text


async def test_as_json_with_a_payload_file(hooks: tuple[Hooks, list[Any]], tmp_path: Path) -> None:
    file = tmp_path / "payload.json"
    file.write_text('{"tool_name":"Write","tool_input":{}}')
    code, text = await run(hooks, "test", "PreToolUse", "--payload", str(file), "--json")
    found = json.loads(text)
    assert (code, found["outcome"]) == (0, {})
    assert len(found["skipped"]) == 2


async def test_output_cannot_reach_the_terminal(hooks: tuple[Hooks, list[Any]]) -> None:
    _, text = await run(hooks, "test", "SessionStart")
    assert "\x1b" not in text
    assert "* context · exit 0" in text


async def test_from_a_session(hooks: tuple[Hooks, list[Any]]) -> None:
    facts: list[Event] = [ToolCallRequested(call_id="c1", name="Bash", input={"command": "forbidden"})]
    _, text = await run(hooks, "test", "PreToolUse", "--from-session", "abc:c1", facts=facts)
    assert "= deny" in text


@pytest.mark.parametrize(
    "argv",
    [
        ["--input", "nonsense"],
        ["--input", "[]"],
        ["--payload", "/no/such/file"],
        ["--from-session", "abc"],
        ["--from-session", "abc:nope"],
    ],
)
async def test_what_cannot_be_read_is_told(hooks: tuple[Hooks, list[Any]], argv: list[str]) -> None:
    with pytest.raises(ConfigError):
        await run(hooks, "test", "PreToolUse", *argv)


@pytest.mark.parametrize(
    "argv",
    [
        ["SessionStart", "--tool", "Bash"],
        ["Stop", "--input", "{}"],
        ["Stop", "--from-session", "s:c"],
        ["PreToolUse", "--tool", "Bash", "--from-session", "s:c"],
        ["PreToolUse", "--input", "{}", "--from-session", "s:c"],
    ],
)
async def test_no_option_is_taken_and_ignored(hooks: tuple[Hooks, list[Any]], argv: list[str]) -> None:
    facts: list[Event] = [ToolCallRequested(call_id="c", name="Bash", input={"command": "ls"}, step=1)]
    with pytest.raises(ConfigError):
        await run(hooks, "test", *argv, facts=facts)


@pytest.mark.parametrize(
    ("name", "said"),
    [("pretooluse", "did you mean PreToolUse?"), ("FileChanged", "FileChanged never fires here"), ("x", "there are")],
)
async def test_a_wrong_event_is_told(name: str, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    parser = argparse.ArgumentParser()
    add_hooks_parser(parser.add_subparsers())
    with pytest.raises(SystemExit):
        parser.parse_args(["hooks", "test", name])
    assert said in capsys.readouterr().err


async def test_broken_hooks_fail_the_command(hooks: tuple[Hooks, list[Any]]) -> None:
    specs, _ = parse_hooks(
        {"Stop": [{"hooks": [{"type": "command", "command": "exit 3"}]}]}, lambda _: Source(layer="user")
    )
    hooks[0].replace(specs)
    assert (await run(hooks, "test", "Stop"))[0] == 1
