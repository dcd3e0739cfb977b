"""Failures, order, what is told and the shared time: the engine with real processes."""

import asyncio
import json

import pytest

from rein_tui.harness.hooks.engine import Hooks
from rein_tui.harness.protocol.events import HookFired, HookStarted
from rein_tui.harness.protocol.hooks import HookResult

from .conftest import Bench, command

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
