"""What a command gets (environment, input, folder), and what becomes of what it prints."""

import json
import os
import sys
from pathlib import Path

import msgspec
import pytest

from rein_tui.harness.hooks.engine import Hooks

from .conftest import Bench, call, command


async def test_exec_form_needs_no_shell(bench: Bench) -> None:
    spaced = bench.folder / "a b;c"
    bench.context.project_dir = str(spaced)
    line = "import sys; print(sys.argv[1:])"
    handler = command(sys.executable, args=["-c", line, "${CLAUDE_PROJECT_DIR}/x", "$HOME"])
    outcome = await bench.run(handler)
    assert outcome.runs[0].stdout.strip() == str([f"{spaced}/x", "$HOME"])
    missing = await bench.run(command("/no/such/program", args=[]))
    assert (missing.runs[0].result, missing.verdict) == ("failed", "ask")


async def test_a_folder_with_shell_syntax_in_its_name_runs_nothing(bench: Bench) -> None:
    evil = bench.folder / "x$(touch PWNED)'; touch PWNED; '"
    bench.context.project_dir = str(evil)
    outcome = await bench.run(command('echo "${CLAUDE_PROJECT_DIR}/hook"; echo ${CLAUDE_PROJECT_DIR:-.}'))
    assert outcome.runs[0].stdout.splitlines()[0] == f"{evil}/hook"
    assert not list(bench.folder.rglob("PWNED"))


async def test_environment_and_stdin(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-ant-secret")
    specs = bench.specs(
        {"SessionStart": [{"hooks": [command('env; echo "[${CLAUDE_PLUGIN_ROOT}]"; cat', shell="bash")]}]},
        plugin_id="p@m",
        plugin_root="/plugins/p",
        plugin_data="/data/p",
        options={"token": "s3cret", "strict": True},
    )
    bench.context.env_file = bench.folder / "env.sh"
    outcome = await bench.fire(Hooks(specs, bench.context), "SessionStart", source="startup")
    (run,) = outcome.runs
    lines = run.stdout.splitlines()
    assert "[/plugins/p]" in lines
    for wanted in (
        f"CLAUDE_PROJECT_DIR={bench.folder}",
        "CLAUDE_PLUGIN_ROOT=/plugins/p",
        "CLAUDE_PLUGIN_DATA=/data/p",
        "CLAUDE_PLUGIN_OPTION_token=s3cret",
        "CLAUDE_PLUGIN_OPTION_strict=true",
        f"CLAUDE_ENV_FILE={bench.context.env_file}",
        "CLAUDECODE=1",
        f"CLAUDE_CODE_SESSION_ID={bench.context.session_id}",
        f"CLAUDE_PID={os.getpid()}",
    ):
        assert wanted in lines
    assert "sk-ant-secret" not in run.stdout
    assert run.environment["CLAUDE_PLUGIN_OPTION_token"] == "…"
    payload = json.loads(lines[-1])
    assert payload["hook_event_name"] == "SessionStart"
    assert payload["source"] == "startup"
    assert "permission_mode" not in payload
    assert run.stdin.endswith("\n")


async def test_payload_of_a_call_inside_a_subagent(bench: Bench) -> None:
    hooks = bench.engine(command('read -r line; printf %s "$line" >seen'))
    moment = msgspec.structs.replace(call("PreToolUse"), agent_id="a1", agent_type="Explore")
    await hooks.fire(moment, bench.emit)
    assert json.loads((bench.folder / "seen").read_text()) == {
        "session_id": bench.context.session_id,
        "transcript_path": bench.context.transcript_path,
        "cwd": str(bench.folder),
        "permission_mode": "default",
        "hook_event_name": "PreToolUse",
        "agent_id": "a1",
        "agent_type": "Explore",
        "tool_name": "Bash",
        "tool_input": {"command": "ls"},
        "tool_use_id": "toolu_1",
    }


async def test_large_stdin_that_nobody_reads(bench: Bench) -> None:
    outcome = await bench.run(command("exec <&-; true"), tool_input={"command": "x" * 3_000_000})
    (run,) = outcome.runs
    assert run.result == "nothing"
    assert len(run.stdin) < 70_000
    assert "more characters, not kept" in run.stdin


async def test_a_lone_surrogate_travels_escaped(bench: Bench) -> None:
    outcome = await bench.run(command("cat >seen"), tool_input={"command": "\ud800"})
    assert outcome.runs[0].result == "nothing"
    assert json.loads((bench.folder / "seen").read_bytes())["tool_input"]["command"] == "\ud800"


async def test_a_daemon_holding_the_pipe_is_not_waited_for(bench: Bench) -> None:
    outcome = await bench.run(command("sleep 30 & echo $! >pid; exit 0"))
    os.kill(int((bench.folder / "pid").read_text()), 9)
    assert outcome.runs[0].result == "nothing"
    assert outcome.runs[0].duration < 20


async def test_a_vanished_folder_is_no_failure(bench: Bench) -> None:
    bench.context.cwd = lambda: "/no/such/folder"
    outcome = await bench.run(command("pwd"))
    assert outcome.runs[0].stdout.strip() == str(bench.folder)


async def test_options_never_become_shell_text(bench: Bench) -> None:
    specs = bench.specs(
        {
            "PreToolUse": [
                {"hooks": [command("echo ${user_config.name}"), command("echo", args=["${user_config.name}"])]}
            ]
        },
        options={"name": "x; touch PWNED"},
    )
    outcome = await bench.fire(Hooks(specs, bench.context))
    shell, direct = outcome.runs
    assert (shell.result, outcome.verdict) == ("failed", "ask")
    assert direct.stdout == "x; touch PWNED\n"
    assert not (bench.folder / "PWNED").exists()


async def test_long_texts_go_to_a_file(bench: Bench) -> None:
    outcome = await bench.run(command("head -c 20000 /dev/zero | tr '\\0' x"), point="SessionStart")
    (run,) = outcome.runs
    (path,) = run.spilled
    assert Path(path).read_text() == "x" * 20_000
    assert Path(path).stat().st_mode & 0o777 == 0o600
    assert path in outcome.context[0]
    assert len(outcome.context[0]) < 3_000


async def test_injected_text_is_harmless(bench: Bench) -> None:
    line = r"printf 'a\033[31mred\033[0m\033]0;title\007 \342\200\256b\302\233x\r\nc'"
    outcome = await bench.run(command(line), point="SessionStart")
    assert outcome.context[0].partition("\n")[2] == "ared b\nc"
