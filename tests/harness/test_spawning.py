"""Starting programs: who makes the session, and what waits in the pipe."""

import asyncio
import os
import shutil
import sys
import threading
from pathlib import Path

import pytest

from rein_tui.harness.processes.process import run_process
from rein_tui.harness.processes.spawning import PIPE_ROOM, filled_pipe, session_leader, watch_by_kernel

ENV = {"PATH": os.environ["PATH"]}
SESSIONS = "import os, sys; sys.stdout.write(f'{os.getsid(0)} {os.getpid()} {len(sys.stdin.buffer.read())}')"


@pytest.mark.parametrize("size", [0, 1, PIPE_ROOM - 1, PIPE_ROOM, PIPE_ROOM + 1, 1_000_000])
async def test_a_child_leads_its_own_session_and_reads_all_of_its_input(size: int, tmp_path: Path) -> None:
    argv = [sys.executable, "-c", SESSIONS]
    done = await run_process(argv, cwd=tmp_path, env=ENV, stdin=b"x" * size)
    session, pid, read = (int(word) for word in done.stdout.split())
    assert session == pid != os.getsid(0)
    assert read == size


def test_a_pipe_takes_what_fits() -> None:
    assert filled_pipe(b"x" * (PIPE_ROOM + 1)) is None
    reading = filled_pipe(b"hello")
    if reading is not None:
        assert (os.read(reading, 10), os.read(reading, 10)) == (b"hello", b"")
        os.close(reading)


@pytest.mark.parametrize("program", ["no-such-program", "/no/such/program", "./here", "/etc"])
async def test_a_program_that_is_not_there_fails_at_the_start(program: str, tmp_path: Path) -> None:
    assert session_leader([program], ENV, is_busy=True) == ()
    with pytest.raises(OSError):
        await run_process([program], cwd=tmp_path, env=ENV, stdin=b"{}")


def test_only_a_busy_machine_pays_for_a_second_exec() -> None:
    assert session_leader([sys.executable], ENV, is_busy=False) == ()
    leader = session_leader([sys.executable], ENV, is_busy=True)
    assert [Path(part).name for part in leader] == (["setsid"] if shutil.which("setsid") else [])


async def test_a_program_is_looked_for_in_the_childs_own_path(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("#!/bin/sh\necho found\n")
    (tmp_path / "mine").chmod(0o755)
    done = await run_process(["mine"], cwd=tmp_path, env={"PATH": str(tmp_path)})
    assert done.stdout == b"found\n"


@pytest.mark.skipif(sys.platform != "linux", reason="Linux tells of the end of a child")
async def test_no_thread_waits_for_a_child(tmp_path: Path) -> None:
    watch_by_kernel()
    threads = threading.active_count()
    counts: list[int] = []

    async def count(_: bytes) -> None:
        counts.append(threading.active_count())

    line = ["sh", "-c", "echo here; exit 7"]
    runs = (run_process(line, cwd=tmp_path, env=ENV, on_output=count) for _ in range(5))
    assert [done.exit_code for done in await asyncio.gather(*runs)] == [7] * 5
    assert counts == [threads] * 5


def test_every_loop_hears_of_its_own_children(tmp_path: Path) -> None:
    codes: list[int | None] = []

    def work(code: int) -> None:
        done = asyncio.run(run_process(["sh", "-c", f"exit {code}"], cwd=tmp_path, env=ENV))
        codes.append(done.exit_code)

    threads = [threading.Thread(target=work, args=(code,)) for code in (1, 2, 3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert sorted(code or 0 for code in codes) == [1, 2, 3]
