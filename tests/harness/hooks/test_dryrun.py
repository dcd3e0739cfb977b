"""Rehearsals: the same answers, and nothing told, delivered or spent."""

import pytest

from rein_tui.harness.hooks.dryrun import call_from, call_of_run, dry_run, recorded_call, sample_payload
from rein_tui.harness.hooks.points import POINTS, subject_of
from rein_tui.harness.protocol.events import HookFired, ToolCallFinished, ToolCallRequested, ToolCallStarted
from rein_tui.harness.protocol.hooks import HookPoint

from .conftest import Bench, call, command


async def test_a_rehearsal_tells_and_delivers_nothing(bench: Bench) -> None:
    delivered: list[str] = []
    bench.context.deliver = bench.context.wake = delivered.append
    bench.context.env_file = bench.folder / "env.sh"
    hooks = bench.engine(
        command('echo "export A=1" >>"$CLAUDE_ENV_FILE"; echo later', **{"async": True}), point="SessionStart"
    )
    found = await dry_run(hooks, call("SessionStart", source="startup"))
    (run,) = found.outcome.runs
    assert (run.dry, run.result, found.exports) == (True, "context", "export A=1\n")
    assert (bench.events, delivered, bench.context.env_file.exists()) == ([], [], False)


async def test_a_hook_that_reads_the_transcript_can_be_rehearsed(bench: Bench) -> None:
    bench.context.transcript_path = str(bench.folder / "none.jsonl")
    path = 'path=$(sed \'s/.*"transcript_path": *"\\([^"]*\\)".*/\\1/\'); test -f "$path" || exit 2'
    hooks = bench.engine(command(path))
    assert (await dry_run(hooks, call("PreToolUse"))).outcome.verdict is None
    (bench.folder / "none.jsonl").touch()
    (run,) = (await dry_run(hooks, call("PreToolUse"))).outcome.runs
    assert bench.context.transcript_path in run.stdin
    assert run.exit_code == 0


async def test_a_rehearsal_decides_like_the_real_thing(bench: Bench) -> None:
    hooks = bench.engine(command("exit 2"), command("exit 1"), command("true", **{"if": "Edit"}))
    dry = await dry_run(hooks, call("PreToolUse"))
    real = await bench.fire(hooks)
    assert (dry.outcome.verdict, dry.outcome.verdicts) == (real.verdict, real.verdicts)
    assert [skip.reason for skip in dry.skipped] == ["`if: Edit` is not met"]


async def test_a_recorded_run_can_be_rehearsed(bench: Bench) -> None:
    hooks = bench.engine(command("cat"))
    await bench.fire(hooks, tool_input={"command": "make"})
    again = call_of_run(bench.runs[0])
    assert again is not None
    assert (again.point, again.subject, again.call_id) == ("PreToolUse", "Bash", "toolu_1")
    assert again.payload == {"tool_name": "Bash", "tool_input": {"command": "make"}, "tool_use_id": "toolu_1"}


async def test_a_recorded_call_is_found_or_rebuilt(bench: Bench) -> None:
    facts = [
        ToolCallRequested(call_id="c1", name="Bash", input={"command": "a"}),
        ToolCallStarted(call_id="c1", name="Bash", input={"command": "b"}),
        ToolCallFinished(call_id="c1", name="Bash", outcome="ok", response={"stdout": "x"}),
    ]
    after = recorded_call(facts, "c1", "PostToolUse")
    assert after is not None
    assert (after.payload["tool_input"], after.payload["tool_response"]) == ({"command": "b"}, {"stdout": "x"})
    assert recorded_call(facts, "c2", "PostToolUse") is None
    await bench.fire(bench.engine(command("true")), tool_use_id="c1", tool_input={"command": "seen"})
    before = recorded_call([*facts, *(e for e in bench.events if isinstance(e, HookFired))], "c1", "PreToolUse")
    assert before is not None
    assert before.payload["tool_input"] == {"command": "seen"}


@pytest.mark.parametrize("point", list(POINTS))
def test_every_moment_has_a_sample(point: HookPoint) -> None:
    payload = sample_payload(point)
    assert bool(subject_of(point, payload)) == bool(POINTS[point].subject)
    assert call_from(point, payload).point == point
