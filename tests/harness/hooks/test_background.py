"""Hooks that nobody waits for, and hooks that are ended from outside."""

import asyncio
import json
from pathlib import Path

import pytest

from .conftest import Bench, command


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


@pytest.mark.parametrize(
    "lines",
    [
        ["working …", '{"systemMessage": "first"}', "{broken", '{"systemMessage": "second"}'],
        ['{"async": true}', '{"systemMessage": "first"}', '{"systemMessage": "second"}'],
    ],
)
async def test_in_the_background_the_first_line_of_json_is_the_answer(bench: Bench, lines: list[str]) -> None:
    said: list[str] = []
    bench.context.deliver = said.append
    line = "\n".join(f"echo '{line}'" for line in lines)
    hooks = bench.engine(command(line, **{"async": lines[0] == "working …"}), point="PostToolUse")
    await bench.fire(hooks, "PostToolUse")
    await bench.until(lambda: bool(bench.runs))
    await hooks.close()
    assert (bench.runs[0].result, said) == ("message", ["first"])


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
