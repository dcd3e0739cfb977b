"""Failures, order, switches, background runs: the engine with real processes."""

import asyncio
import json
import os
import sys
from pathlib import Path

import msgspec
import pytest

from rein_tui.harness.hooks.config import for_subagent, parse_hooks
from rein_tui.harness.hooks.context import HookSwitches
from rein_tui.harness.hooks.engine import Hooks
from rein_tui.harness.protocol.decisions import Source
from rein_tui.harness.protocol.events import HookFired, HooksSkipped, HookStarted
from rein_tui.harness.protocol.hooks import HookPoint, HookResult

from .conftest import Bench, call, command

ALLOW = """echo '{"hookSpecificOutput":{"hookEventName":"PreToolUse","permissionDecision":"allow"}}'"""

BROKEN: list[tuple[str, HookResult, str]] = [
    ("sleep 60 & sleep 60", "timeout", "no answer within 0.5 s"),
    ("trap '' TERM; sleep 60", "timeout", "no answer within 0.5 s"),
    ("kill -SEGV $$", "killed", "SIGSEGV"),
    ("echo Traceback >&2; exit 1", "failed", "exit code 1: Traceback"),
    ("echo '{\"a\": '", "bad_output", "not JSON"),
    ("/no/such/program", "failed", "exit code 127"),
    ("head -c 70000000 /dev/zero", "bad_output", "64 MiB"),
    ("head -c 1200000 /dev/zero", "bad_output", "1 MiB"),
]


@pytest.mark.parametrize(("line", "result", "reason"), BROKEN)
async def test_broken_gates_ask(bench: Bench, line: str, result: HookResult, reason: str) -> None:
    timeout = 0.5 if result == "timeout" else 60
    outcome = await bench.run(command(line, timeout=timeout))
    (run,) = outcome.runs
    assert (run.result, outcome.verdict) == (result, "ask")
    assert reason in run.reason
    assert [verdict.broken for verdict in outcome.verdicts] == [True]
    assert len(run.stdout) < 70_000


@pytest.mark.parametrize(("on_error", "verdict"), [("continue", None), ("ask", "ask"), ("block", "deny")])
async def test_on_error_of_a_gate(bench: Bench, on_error: str, verdict: str | None) -> None:
    outcome = await bench.run(command("exit 1", onError=on_error))
    assert (outcome.verdict, outcome.runs[0].result) == (verdict, "failed")
    prompt = await bench.run(command("exit 1", onError=on_error), point="UserPromptSubmit")
    assert (prompt.verdict, prompt.blocked) == ("ask" if on_error == "ask" else None, on_error == "block")


async def test_broken_observers_are_only_shown(bench: Bench) -> None:
    outcome = await bench.run(command("exit 1"), command("/no/such"), point="PostToolUse", tool_response={})
    assert [run.result for run in outcome.runs] == ["failed", "failed"]
    assert (outcome.verdict, outcome.feedback, outcome.blocked) == (None, (), False)


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


async def test_all_run_side_by_side_and_to_their_end(bench: Bench) -> None:
    bench.pipe("to_a")
    bench.pipe("to_b")
    outcome = await bench.run(
        command("echo a >to_b; read x <to_a; echo a >>ended"),
        command("read x <to_b; echo b >to_a; echo b >>ended"),
        command("exit 2"),
    )
    assert outcome.verdict == "deny"
    assert sorted((bench.folder / "ended").read_text().split()) == ["a", "b"]


async def test_the_last_to_finish_rewrites(bench: Bench) -> None:
    def rewrite(name: str) -> str:
        own = {"hookEventName": "PreToolUse", "permissionDecision": "allow", "updatedInput": {"command": name}}
        return f"echo '{json.dumps({'hookSpecificOutput': own})}'"

    gate = bench.pipe("gate")
    hooks = bench.engine(command(f"read x <gate; {rewrite('first')}"), command(rewrite("second")))
    task = asyncio.create_task(bench.fire(hooks))
    await bench.until(lambda: len(bench.runs) == 1)
    gate.say()
    outcome = await task
    assert outcome.updated_input == {"command": "first"}
    assert [run.updated_input for run in outcome.runs] == [{"command": "first"}, {"command": "second"}]


async def test_every_run_is_told_with_its_source(bench: Bench) -> None:
    await bench.run(command("true"), command("exit 1"))
    started = [e for e in bench.events if isinstance(e, HookStarted)]
    fired = [e for e in bench.events if isinstance(e, HookFired)]
    assert {e.run_id for e in started} == {e.run.id for e in fired}
    assert {e.call_id for e in fired} == {"toolu_1"}
    assert str(fired[0].run.hook.source) == "settings.json:1"


async def test_skips_are_told_with_reasons(bench: Bench) -> None:
    groups = [
        {"matcher": "Edit", "hooks": [command("true")]},
        {"matcher": "Bash", "hooks": [command("true", **{"if": "Edit(*)"}), command("echo a"), command("echo a")]},
    ]
    hooks = Hooks(bench.specs({"PreToolUse": groups}), bench.context)
    outcome = await bench.fire(hooks)
    (skipped,) = [e for e in bench.events if isinstance(e, HooksSkipped)]
    assert [skip.reason for skip in skipped.skipped] == [
        "matcher 'Edit' does not match 'Bash'",
        "`if: Edit(*)` is not met",
        "the same handler as in settings.json:1",
    ]
    assert len(outcome.runs) == 1


async def test_duplicates_run_once_a_source(bench: Bench) -> None:
    hooks = {"PreToolUse": [{"hooks": [command("echo ${CLAUDE_PLUGIN_ROOT}")]}]}
    specs = [
        *bench.specs(hooks, "project", "p.json"),
        *bench.specs(hooks, "user", "u.json"),
        *bench.specs(hooks, "plugin", "a.json", plugin_id="a", plugin_root="/a"),
        *bench.specs(hooks, "plugin", "b.json", plugin_id="b", plugin_root="/b"),
    ]
    outcome = await bench.fire(Hooks(specs, bench.context))
    assert [run.hook.source.path for run in outcome.runs] == ["p.json", "a.json", "b.json"]


async def test_a_background_copy_cannot_replace_a_gate(bench: Bench) -> None:
    gate = command("exit 2")
    specs = [
        *bench.specs({"PreToolUse": [{"hooks": [gate | {"async": True}]}]}, "project", "p.json"),
        *bench.specs({"PreToolUse": [{"hooks": [gate]}]}, "user", "u.json"),
    ]
    hooks = Hooks(specs, bench.context)
    assert (await bench.fire(hooks)).verdict == "deny"
    await bench.until(lambda: len(bench.runs) == 2)
    await hooks.close()


async def test_ignored_for_the_session(bench: Bench) -> None:
    hooks = bench.engine(command("exit 1"))
    outcome = await bench.fire(hooks)
    hooks.ignore([verdict.hook_id for verdict in outcome.verdicts])
    assert (await bench.fire(hooks)).verdict is None


@pytest.mark.parametrize(
    ("switches", "ran"),
    [
        (HookSwitches(), ["managed", "user", "good", "other"]),
        (HookSwitches(disable_all=True), ["managed"]),
        (HookSwitches(disable_all=True, disable_managed=True), []),
        (HookSwitches(managed_only=True, managed_plugins=frozenset({"good@corp"})), ["managed", "good"]),
    ],
)
async def test_switches(bench: Bench, switches: HookSwitches, ran: list[str]) -> None:
    specs = [
        *bench.specs({"PreToolUse": [{"hooks": [command("echo managed")]}]}, "managed"),
        *bench.specs({"PreToolUse": [{"hooks": [command("echo user")]}]}, "user"),
        *bench.specs({"PreToolUse": [{"hooks": [command("echo good")]}]}, "plugin", plugin_id="good@corp"),
        *bench.specs({"PreToolUse": [{"hooks": [command("echo other")]}]}, "plugin", plugin_id="good@elsewhere"),
    ]
    bench.context.switches = switches
    outcome = await bench.fire(Hooks(specs, bench.context))
    assert [run.stdout.strip() for run in outcome.runs] == ran


async def test_a_gate_with_a_bad_matcher_asks_for_every_call(bench: Bench) -> None:
    entry = {"PreToolUse": [{"matcher": "Bash([", "hooks": [command("true")]}]}
    specs, notices = parse_hooks(entry, lambda _: Source(layer="user", path="s.json", line=3))
    outcome = await bench.fire(Hooks(specs, bench.context), tool_name="Read", tool_input={})
    assert (outcome.verdict, outcome.verdicts[0].broken) == ("ask", True)
    assert (notices[0].code, notices[0].where) == ("bad_matcher", "s.json:3")
    assert bench.runs[0].result == "failed"


async def test_async_runs_in_the_background_and_speaks_later(bench: Bench) -> None:
    delivered: list[str] = []
    bench.context.deliver = delivered.append
    text = json.dumps({"systemMessage": "done", "hookSpecificOutput": {"additionalContext": "late"}})
    gate = bench.pipe("gate")
    line = f"read x <gate; echo '{text}'"
    hooks = bench.engine(command(line, **{"async": True}), point="PostToolUse")
    outcome = await bench.fire(hooks, "PostToolUse")
    assert (outcome.runs, delivered) == ((), [])
    gate.say()
    await bench.until(lambda: bool(bench.runs))
    await bench.until(lambda: len(delivered) == 2)
    assert [text.partition("\n")[2] or text for text in delivered] == ["late", "done"]


async def test_a_hook_can_send_itself_to_the_background(bench: Bench) -> None:
    delivered: list[str] = []
    bench.context.deliver = delivered.append
    gate = bench.pipe("gate")
    line = """echo '{"async": true, "asyncTimeout": 60000}'; read x <gate; echo '{"systemMessage": "late"}'"""
    outcome = await bench.run(command(line), command("true"), point="SessionStart")
    assert [run.hook.title for run in outcome.runs] == ["true"]
    gate.say()
    await bench.until(lambda: len(bench.runs) == 2)
    await bench.until(lambda: bool(delivered))
    assert (bench.runs[1].result, delivered) == ("message", ["late"])


async def test_its_own_shorter_timeout_counts(bench: Bench) -> None:
    line = """echo '{"async": true, "asyncTimeout": 100}'; sleep 60"""
    outcome = await bench.run(command(line), point="Stop")
    assert outcome.runs == ()
    await bench.until(lambda: bool(bench.runs))
    assert (bench.runs[0].result, bench.runs[0].reason) == (
        "timeout",
        "not done within its own asyncTimeout; killed",
    )


@pytest.mark.parametrize(
    ("line", "woken"), [("echo bad >&2; exit 2", ["bad"]), ("echo out; exit 2", ["out"]), ("exit 0", [])]
)
async def test_async_rewake(bench: Bench, line: str, woken: list[str]) -> None:
    wakes: list[str] = []
    bench.context.wake = wakes.append
    hooks = bench.engine(command(line, asyncRewake=True), point="PostToolUse")
    await bench.fire(hooks, "PostToolUse")
    await bench.until(lambda: bool(bench.runs))
    await hooks.close()
    assert wakes == woken


async def test_close_ends_background_runs(bench: Bench) -> None:
    started = bench.pipe("started")
    hooks = bench.engine(command("echo $$ >started; exec sleep 60", **{"async": True}), point="Stop")
    await bench.fire(hooks, "Stop")
    pid = await started.hear()
    await hooks.close()
    assert bench.runs[0].result == "killed"
    assert not Path(f"/proc/{pid}").exists()


async def test_interrupting_kills_and_tells(bench: Bench) -> None:
    started = bench.pipe("started")
    hooks = bench.engine(command("echo $$ >started; sleep 60"))
    task = asyncio.create_task(bench.fire(hooks))
    pid = await started.hear()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert [run.result for run in bench.runs] == ["killed"]
    assert not Path(f"/proc/{pid}").exists()


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


async def test_once_is_for_skills(bench: Bench) -> None:
    handler = {"Stop": [{"hooks": [command("echo x", once=True)]}]}
    hooks = Hooks(bench.specs(handler), bench.context)
    hooks.add(bench.specs(handler, owner="skill:tidy"))
    first, second = await bench.fire(hooks, "Stop"), await bench.fire(hooks, "Stop")
    assert ([r.hook.owner for r in first.runs], [r.hook.owner for r in second.runs]) == (["", "skill:tidy"], [""])


async def test_hooks_of_a_subagent_stay_with_it(bench: Bench) -> None:
    hooks = Hooks([], bench.context)
    specs = bench.specs({"Stop": [{"hooks": [command("exit 2")]}], "PreToolUse": [{"hooks": [command("exit 2")]}]})
    hooks.add(for_subagent(specs, "a1"))
    hooks.add(for_subagent(specs, "a2"))

    async def blocked(point: HookPoint, agent_id: str) -> bool:
        moment = msgspec.structs.replace(call(point), agent_id=agent_id, agent_type="Explore")
        outcome = await hooks.fire(moment, bench.emit)
        return outcome.blocked or outcome.verdict == "deny"

    assert not hooks.has("Stop")
    assert await blocked("SubagentStop", "a1")
    assert await blocked("PreToolUse", "a2")
    assert not await blocked("PreToolUse", "")
    hooks.remove("agent:a1")
    assert not await blocked("SubagentStop", "a1")


async def test_changed_settings_keep_what_skills_brought(bench: Bench) -> None:
    hooks = bench.engine(command("echo old"))
    hooks.add(bench.specs({"Stop": [{"hooks": [command("echo skill")]}]}, owner="skill:x"))
    hooks.replace(bench.specs({"Stop": [{"hooks": [command("echo new")]}]}), HookSwitches())
    assert not hooks.has("PreToolUse")
    assert [run.stdout.strip() for run in (await bench.fire(hooks, "Stop")).runs] == ["new", "skill"]


async def test_session_end_shares_a_budget(bench: Bench) -> None:
    quick = await bench.run(command("sleep 30"), point="SessionEnd", reason="other")
    assert quick.runs[0].result == "timeout"
    assert "1.5 s" in quick.runs[0].reason
    bench.context.ambient = {"CLAUDE_CODE_SESSIONEND_HOOKS_TIMEOUT_MS": "300"}
    quick = await bench.run(command("sleep 30", timeout=50), point="SessionEnd", reason="other")
    assert "0.3 s" in quick.runs[0].reason


async def test_nothing_configured_tells_nothing(bench: Bench) -> None:
    hooks = Hooks([], bench.context)
    outcome = await bench.fire(hooks)
    assert (outcome.runs, bench.events, hooks.has("PreToolUse")) == ((), [], False)
