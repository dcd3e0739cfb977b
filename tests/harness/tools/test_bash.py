"""Bash and background tasks with real shells."""

import asyncio
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rein_tui.harness.protocol.displays import CommandDisplay
from rein_tui.harness.protocol.events import BackgroundFinished, BackgroundStarted, CwdChanged, ToolOutputDelta
from rein_tui.harness.protocol.tools import InvalidInput
from rein_tui.harness.tools.background import Background
from rein_tui.harness.tools.bash import Bash, Shell, Wrap
from rein_tui.harness.tools.exits import interpret

from .conftest import Bench, text_of

linux = pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")


async def test_output_and_shape(bench: Bench) -> None:
    result = await bench.call("Bash", command="echo out; echo err >&2", description="say it")
    assert result.content == "out\nerr"
    assert result.response == {"stdout": "out\nerr", "stderr": "", "interrupted": False, "isImage": False}
    assert isinstance(result.display, CommandDisplay)
    assert (result.display.exit_code, result.display.output) == (0, "out\nerr")
    assert "".join(delta.text for delta in bench.told(ToolOutputDelta)) == "out\nerr\n"


async def test_no_output_is_said(bench: Bench) -> None:
    assert (await bench.call("Bash", command="true")).content == "(no output)"


async def test_failure_is_an_error_with_its_code(bench: Bench) -> None:
    result = await bench.call("Bash", command="echo why; exit 3")
    assert result.is_error
    assert result.content == "Exit code 3\nwhy"
    assert result.response is not None
    assert "exit_code" not in result.response


async def test_killed_by_a_signal(bench: Bench) -> None:
    result = await bench.call("Bash", command="kill -9 $$")
    assert result.is_error
    assert "SIGKILL" in text_of(result)


@pytest.mark.parametrize(
    ("command", "meaning"),
    [
        ("grep x f", "No matches found"),
        ("cat f | grep x", "No matches found"),
        ("LANG=C rg x", "No matches found"),
        ("cd a && git diff --exit-code", "Files differ"),
        ("diff a b;", "Files differ"),
        ("[ -f x ]", "Condition is false"),
        ("test -f 'a;b'", "Condition is false"),
        ("(git grep foo)", "No matches found"),
        ("echo 'x | grep y'", ""),
        ("grep x f && make", ""),
        ("git status", ""),
        ("", ""),
        ("grep 'unfinished", ""),
    ],
)
def test_exit_code_one_is_an_answer_for_some(command: str, meaning: str) -> None:
    assert interpret(command, 1) == meaning
    assert interpret(command, 2) == ""


@given(st.text("ab '\"|&;()\n\\$`<>[]=", max_size=30), st.integers(0, 3))
def test_interpreting_never_fails(command: str, code: int) -> None:
    assert isinstance(interpret(command, code), str)


async def test_an_answer_is_no_error(bench: Bench) -> None:
    result = await bench.call("Bash", command="echo a | grep b")
    assert not result.is_error
    assert result.response is not None
    assert result.response["returnCodeInterpretation"] == "No matches found"


async def test_the_working_directory_lives_on(bench: Bench) -> None:
    (bench.root / "sub dir").mkdir()
    await bench.call("Bash", command="cd 'sub dir'")
    assert bench.workspace.cwd == bench.root / "sub dir"
    assert text_of(await bench.call("Bash", command="pwd; exit 1")).endswith("sub dir")
    assert [(e.old, e.new) for e in bench.told(CwdChanged)] == [(str(bench.root), str(bench.root / "sub dir"))]


async def test_it_lives_on_after_a_failure_and_an_exit(bench: Bench) -> None:
    (bench.root / "sub").mkdir()
    await bench.call("Bash", command="cd sub; exit 7")
    assert bench.workspace.cwd == bench.root / "sub"
    await bench.call("Bash", command="(cd /); true")
    assert bench.workspace.cwd == bench.root / "sub"


async def test_outside_the_workspace_it_is_reset(bench: Bench, tmp_path: Path) -> None:
    result = await bench.call("Bash", command="cd /")
    assert bench.workspace.cwd == bench.root
    assert f"Shell cwd was reset to {bench.root}" in text_of(result)
    assert result.response is not None
    assert result.response["stderr"] == f"Shell cwd was reset to {bench.root}"
    bench.workspace.additional.append(tmp_path)
    await bench.call("Bash", command="cd ..")
    assert bench.workspace.cwd == tmp_path


async def test_a_working_directory_that_vanished(bench: Bench) -> None:
    (bench.root / "sub").mkdir()
    await bench.call("Bash", command="cd sub; rmdir ../sub")
    result = await bench.call("Bash", command="pwd")
    assert not result.is_error
    assert str(bench.root) in text_of(result)
    assert bench.workspace.cwd == bench.root


async def test_a_subagent_does_not_move_the_session(bench: Bench) -> None:
    (bench.root / "sub").mkdir()
    tool = bench.tool("Bash")
    context = bench.context()
    inside = type(context)(
        call_id="c", workspace=bench.workspace, emit=bench.emit, prompter=bench.person, agent_id="agent_1"
    )
    await tool.run(tool.parse({"command": "cd sub"}), inside)
    assert bench.workspace.cwd == bench.root


async def test_variables_do_not_live_on(bench: Bench) -> None:
    await bench.call("Bash", command="export FOO=bar")
    assert (await bench.call("Bash", command='echo "[$FOO]"')).content == "[]"


async def test_heredocs_quotes_and_many_lines(bench: Bench) -> None:
    command = "cat <<'E'\n$HOME \"it's\"\nE\nfor i in 1 2; do\n  echo $i\ndone # end"
    assert (await bench.call("Bash", command=command)).content == '$HOME "it\'s"\n1\n2'


async def test_a_syntax_error_is_an_answer(bench: Bench) -> None:
    result = await bench.call("Bash", command="echo 'a")
    assert result.is_error
    assert "unexpected EOF" in text_of(result)


async def test_nobody_waits_for_input(bench: Bench) -> None:
    assert (await bench.call("Bash", command='read x; echo "[$x]"')).content == "[]"
    assert (await bench.call("Bash", command="tty")).is_error


@linux
async def test_timeout(bench: Bench) -> None:
    command = "echo begun; trap '' TERM; (setsid sleep 300 &); sleep 300"
    result = await bench.call("Bash", command=command, timeout=700)
    assert result.is_error
    assert "Timed out" in text_of(result)
    assert "begun" in text_of(result)
    assert result.response is not None
    assert result.response["interrupted"] is True
    assert bench.leftovers() == []


@linux
async def test_interrupting(bench: Bench) -> None:
    tool = bench.tool("Bash")
    command = "echo ready; (setsid bash -c 'trap \"\" TERM; sleep 300' &); sleep 300"
    running = asyncio.create_task(tool.run(tool.parse({"command": command}), bench.context()))
    while not bench.told(ToolOutputDelta):
        await asyncio.sleep(0)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert bench.leftovers() == []


async def test_long_output_keeps_both_ends_and_a_file(bench: Bench) -> None:
    result = await bench.call("Bash", command="seq 100000")
    text = text_of(result)
    assert len(text) < 32_000
    assert text.startswith("1\n2\n")
    assert "\n100000\n" in text
    assert result.response is not None
    path = Path(result.response["persistedOutputPath"])
    assert str(path) in text
    assert path.read_text().count("\n") == 100_000
    failed = text_of(await bench.call("Bash", command="seq 100000; false"))
    assert len(failed) < 11_000


async def test_endless_output_is_stopped(bench: Bench) -> None:
    result = await bench.call("Bash", command="yes")
    assert result.is_error
    assert "printing too much" in text_of(result)
    assert bench.leftovers() == []


async def test_bytes_that_are_no_text(bench: Bench) -> None:
    assert (await bench.call("Bash", command="printf 'a\\xff\\xfeb'")).content == "a\ufffd\ufffdb"
    spread = "printf '\\xc3'; sleep 0.1; printf '\\xa4'"
    bench.events.clear()
    assert (await bench.call("Bash", command=spread)).content == "ä"
    assert "".join(delta.text for delta in bench.told(ToolOutputDelta)) == "ä"


async def test_the_environment_is_scrubbed(bench: Bench, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    evil = tmp_path / "evil.sh"
    evil.write_text("echo EVIL")
    for name in ("BASH_ENV", "ENV", "PROMPT_COMMAND"):
        monkeypatch.setenv(name, str(evil))
    monkeypatch.setenv("ANTHROPIC_API_KEY", "s3cret")
    text = text_of(await bench.call("Bash", command="env"))
    assert "EVIL" not in text
    assert "s3cret" not in text
    assert "CLAUDECODE=1" in text
    assert f"BENCH={bench.mark}" in text


async def test_the_env_file_of_hooks_is_sourced_in_the_same_shell(bench: Bench, tmp_path: Path) -> None:
    env_file = tmp_path / "env.sh"
    tool = Bash(Shell(spool_folder=tmp_path, env_file=env_file))
    value = tool.parse({"command": "echo $WORD; greet", "timeout": None})
    assert (await tool.run(value, bench.context())).is_error
    env_file.write_text("export WORD=hello\ngreet() { echo hi; }\n")
    assert (await tool.run(value, bench.context())).content == "hello\nhi"


def behind(*words: str) -> Wrap:
    """A sandbox that is a word or two in front of the command."""

    def wrap(argv: list[str], temporary: str = "", readable: Sequence[str] = (), /) -> list[str]:
        del temporary, readable
        return [*words, *argv]

    return wrap


async def test_a_sandbox_can_wrap_the_command(bench: Bench, tmp_path: Path) -> None:
    shell = Shell(spool_folder=tmp_path, wrap=behind("env", "BOXED=yes"))
    tool = Bash(shell)
    assert (await tool.run(tool.parse({"command": "echo $BOXED"}), bench.context())).content == "yes"
    missing = Bash(Shell(spool_folder=tmp_path, wrap=behind("/no/sandbox")))
    result = await missing.run(missing.parse({"command": "true"}), bench.context())
    assert "could not be started" in text_of(result)


def test_what_only_reads_is_judged_by_the_analysis(tmp_path: Path) -> None:
    tool = Bash(Shell(spool_folder=tmp_path, is_read_only=lambda command: command == "ls"))
    assert tool.is_read_only(tool.parse({"command": "ls"}))
    assert not tool.is_read_only(tool.parse({"command": "ls", "run_in_background": True}))
    assert not tool.is_read_only(tool.parse({"command": "rm"}))


@pytest.mark.parametrize("command", ["", "  \n", "echo \0"])
def test_commands_that_are_none(command: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput):
        Bash(Shell(spool_folder=tmp_path)).parse({"command": command})


# --- background ---------------------------------------------------------------------------------------------


async def test_background_output_and_end(bench: Bench) -> None:
    result = await bench.call("Bash", command="echo one; exit 4", run_in_background=True)
    assert result.response is not None
    task_id = result.response["backgroundTaskId"]
    (started,) = bench.told(BackgroundStarted)
    assert (started.task_id, started.call_id) == (task_id, "call_1")
    output = await bench.call("TaskOutput", task_id=task_id)
    assert output.content == f"{task_id}: failed, exit code 4\none\n"
    again = await bench.call("TaskOutput", bash_id=task_id, block=False)
    assert "(no new output)" in text_of(again)
    (finished,) = bench.told(BackgroundFinished)
    assert (finished.exit_code, finished.status, finished.tail) == (4, "failed", "one\n")


async def test_waiting_for_the_background_has_an_end(bench: Bench) -> None:
    result = await bench.call("Bash", command="echo up; sleep 300", run_in_background=True)
    assert result.response is not None
    task_id = result.response["backgroundTaskId"]
    task = bench.parts.background.get(task_id)
    assert task is not None
    while not task.tail:
        await asyncio.sleep(0.01)
    output = await bench.call("TaskOutput", task_id=task_id, timeout=1)
    assert output.content == f"{task_id}: running\nup\n"
    assert output.response is not None
    assert output.response["retrieval_status"] == "timeout"


@linux
async def test_stopping_the_background(bench: Bench) -> None:
    result = await bench.call("Bash", command="setsid sleep 300 & sleep 300", run_in_background=True)
    assert result.response is not None
    task_id = result.response["backgroundTaskId"]
    while not bench.leftovers():
        await asyncio.sleep(0.01)
    stopped = await bench.call("KillShell", shell_id=task_id)
    assert "Stopped" in text_of(stopped)
    assert bench.leftovers() == []
    assert bench.told(BackgroundFinished)[0].status == "killed"
    assert "was over already: killed" in text_of(await bench.call("TaskStop", task_id=task_id))


async def test_an_unknown_task(bench: Bench) -> None:
    for name in ("TaskOutput", "TaskStop"):
        result = await bench.call(name, task_id="nine")
        assert result.is_error
        assert "known: none" in text_of(result)


async def test_more_output_than_anyone_asked_for_is_bounded(bench: Bench) -> None:
    result = await bench.call("Bash", command="seq 200000", run_in_background=True)
    assert result.response is not None
    task = bench.parts.background.get(result.response["backgroundTaskId"])
    assert task is not None
    await task.finished.wait()
    text = task.read()
    assert "bytes left out" in text
    assert text.endswith("\n200000\n")
    assert len(text) < 300_000


@linux
async def test_closing_ends_everything(bench: Bench) -> None:
    for _ in range(3):
        await bench.call("Bash", command="trap '' TERM; sleep 300", run_in_background=True)
    await bench.parts.background.close()
    assert bench.leftovers() == []
    assert len(bench.told(BackgroundFinished)) == 3


async def test_background_work_that_cannot_start(bench: Bench, tmp_path: Path) -> None:
    background = Background(bench.emit)
    tool = Bash(Shell(spool_folder=tmp_path, wrap=behind("/no/sandbox")), background)
    await tool.run(tool.parse({"command": "true", "run_in_background": True}), bench.context())
    (task,) = background
    await task.finished.wait()
    assert task.status == "failed"
    assert "No such file" in task.read()


async def test_output_to_a_closed_descriptor_is_no_leak(bench: Bench) -> None:
    before = sum(1 for _ in Path("/dev/fd").iterdir())
    for _ in range(3):
        await bench.call("Bash", command="exec 1>&-; exit 0")
    assert sum(1 for _ in Path("/dev/fd").iterdir()) <= before + 2
    assert os.listdir(bench.root) == []  # noqa: PTH208
