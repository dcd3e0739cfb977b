"""Running programs: what comes back, and that nothing stays behind. Real processes, nasty ones among them."""

import asyncio
import os
import secrets
import stat
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rein_tui.harness.processes.capture import Capture
from rein_tui.harness.processes.process import (
    OutputLimits,
    child_environment,
    exit_reason,
    run_process,
    uninterrupted,
)

linux = pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")


@pytest.fixture
def mark() -> str:
    """A mark by which a test finds its processes."""
    return f"mark-{secrets.token_hex(8)}"


def environment(mark: str = "") -> dict[str, str]:
    """A child's environment with the mark."""
    return child_environment({"TEST_MARK": mark} if mark else None)


def marked(mark: str) -> list[int]:
    """Living processes with the mark."""
    found: list[int] = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                if mark.encode() in (entry / "environ").read_bytes():
                    found.append(int(entry.name))
            except OSError:
                continue
    return found


def bash(script: str) -> list[str]:
    """The argv for a script."""
    return ["bash", "-c", script]


async def test_streams_and_exit_code(tmp_path: Path) -> None:
    done = await run_process(bash("echo out; echo err >&2; exit 3"), cwd=tmp_path, env=environment())
    assert (done.exit_code, done.stdout, done.stderr) == (3, b"out\n", b"err\n")
    assert exit_reason(done) == "exit code 3"


async def test_merged_streams_keep_their_order(tmp_path: Path) -> None:
    script = "echo a; echo b >&2; echo c"
    done = await run_process(bash(script), cwd=tmp_path, env=environment(), merge_stderr=True)
    assert done.stdout == b"a\nb\nc\n"
    assert done.stderr == b""


async def test_a_signal_is_not_an_exit_code(tmp_path: Path) -> None:
    done = await run_process(bash("kill -SEGV $$"), cwd=tmp_path, env=environment())
    assert (done.exit_code, done.signal) == (None, 11)
    assert exit_reason(done) == "killed by SIGSEGV"


async def test_standard_input(tmp_path: Path) -> None:
    data = secrets.token_bytes(300_000)
    limits = OutputLimits(head=1_000_000, tail=0)
    done = await run_process(["cat"], cwd=tmp_path, env=environment(), stdin=data, limits=limits)
    assert done.stdout == data


async def test_unread_standard_input_hangs_nobody(tmp_path: Path) -> None:
    done = await run_process(bash("exit 0"), cwd=tmp_path, env=environment(), stdin=b"x" * 5_000_000)
    assert done.exit_code == 0


@linux
async def test_without_input_it_is_dev_null(tmp_path: Path) -> None:
    done = await run_process(["readlink", "/proc/self/fd/0"], cwd=tmp_path, env=environment())
    assert done.stdout == b"/dev/null\n"


@pytest.mark.parametrize("argv", [["/no/such/program"], ["/etc"]])
async def test_what_cannot_start_raises(argv: list[str], tmp_path: Path) -> None:
    with pytest.raises(OSError):
        await run_process(argv, cwd=tmp_path, env=environment())


async def test_a_missing_folder_raises(tmp_path: Path) -> None:
    with pytest.raises(OSError):
        await run_process(["true"], cwd=tmp_path / "gone", env=environment())


STUBBORN = {
    "ignores TERM": "trap '' TERM; echo ready; while :; do sleep 1; done",
    "own session": "setsid sleep 300 & echo ready; sleep 300",
    "double fork": "(setsid bash -c 'sleep 300 & sleep 300' &) ; echo ready; sleep 300",
    "children that ignore": "bash -c 'trap \"\" TERM HUP; sleep 300' & echo ready; wait",
}


@linux
@pytest.mark.parametrize("script", STUBBORN.values(), ids=STUBBORN)
async def test_timeout_ends_the_whole_tree(script: str, tmp_path: Path, mark: str) -> None:
    done = await run_process(bash(script), cwd=tmp_path, env=environment(mark), timeout=0.5)
    assert done.timed_out
    assert done.exit_code is None
    assert marked(mark) == []


@linux
@pytest.mark.parametrize("script", STUBBORN.values(), ids=STUBBORN)
async def test_cancelling_ends_the_whole_tree(script: str, tmp_path: Path, mark: str) -> None:
    ready = asyncio.Event()

    async def heard(data: bytes) -> None:
        ready.set()

    running = asyncio.create_task(run_process(bash(script), cwd=tmp_path, env=environment(mark), on_output=heard))
    await ready.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert marked(mark) == []


@linux
async def test_cancelling_while_it_starts(tmp_path: Path, mark: str) -> None:
    running = asyncio.create_task(run_process(["sleep", "300"], cwd=tmp_path, env=environment(mark)))
    await asyncio.sleep(0)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert marked(mark) == []


@linux
async def test_a_daemon_that_holds_the_pipe_is_not_waited_for(tmp_path: Path, mark: str) -> None:
    done = await run_process(bash("sleep 300 & echo done"), cwd=tmp_path, env=environment(mark))
    left = marked(mark)
    assert done.stdout == b"done\n"
    assert len(left) == 1
    os.kill(left[0], 9)


async def test_output_beyond_the_limit_of_all_output_ends_it(tmp_path: Path) -> None:
    spool = tmp_path / "spool"
    limits = OutputLimits(spool=20_000_000)
    argv = ["head", "-c", "100000000", "/dev/zero"]
    done = await run_process(argv, cwd=tmp_path, env=environment(), limits=limits, spool_folder=spool)
    assert done.overflowed
    assert done.dropped > 19_000_000
    assert len(done.stdout) < 40_000
    assert done.spool is not None
    assert 20_000_000 < done.spool.stat().st_size < 21_000_000
    assert stat.S_IMODE(done.spool.stat().st_mode) == 0o600
    assert exit_reason(done) == "stopped for printing too much"


async def test_long_output_keeps_both_ends_and_the_whole_in_a_file(tmp_path: Path) -> None:
    done = await run_process(["seq", "200000"], cwd=tmp_path, env=environment(), spool_folder=tmp_path)
    whole = "".join(f"{i}\n" for i in range(1, 200_001)).encode()
    assert done.spool is not None
    assert done.spool.read_bytes() == whole
    assert done.stdout.startswith(b"1\n2\n3\n")
    assert done.stdout.endswith(b"199999\n200000\n")
    assert f"{done.dropped:,} bytes left out".encode() in done.stdout


async def test_on_output_hears_everything_though_it_is_slow(tmp_path: Path) -> None:
    heard = bytearray()

    async def hear(data: bytes) -> None:
        await asyncio.sleep(0)
        heard.extend(data)

    await run_process(["seq", "300000"], cwd=tmp_path, env=environment(), on_output=hear)
    assert heard == "".join(f"{i}\n" for i in range(1, 300_001)).encode()


@linux
async def test_an_error_in_on_output_ends_the_child(tmp_path: Path, mark: str) -> None:
    async def refuse(data: bytes) -> None:
        raise ValueError("enough")

    with pytest.raises(ValueError, match="enough"):
        await run_process(bash("echo; sleep 300"), cwd=tmp_path, env=environment(mark), on_output=refuse)
    assert marked(mark) == []


async def test_no_descriptor_stays_open(tmp_path: Path) -> None:
    before = sum(1 for _ in Path("/dev/fd").iterdir())
    for _ in range(5):
        await run_process(["seq", "100000"], cwd=tmp_path, env=environment(), spool_folder=tmp_path, stdin=b"x")
    assert sum(1 for _ in Path("/dev/fd").iterdir()) <= before + 2


async def test_uninterrupted_work_is_finished_before_the_cancellation_arrives() -> None:
    steps: list[str] = []
    inside = asyncio.Event()
    go_on = asyncio.Event()

    async def work() -> None:
        inside.set()
        await go_on.wait()
        steps.append("finished")

    task = asyncio.create_task(uninterrupted(work()))
    await inside.wait()
    task.cancel()
    await asyncio.sleep(0)
    go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert steps == ["finished"]


@given(st.lists(st.binary(max_size=60)), st.integers(0, 40), st.integers(0, 40))
def test_capture_keeps_head_and_tail_however_it_comes(chunks: list[bytes], head: int, tail: int) -> None:
    capture = Capture(OutputLimits(head=head, tail=tail), None)
    for chunk in chunks:
        capture.add(chunk)
    whole = b"".join(chunks)
    if len(whole) <= head + tail:
        assert capture.kept == whole
        assert capture.dropped == 0
    else:
        assert capture.dropped == len(whole) - head - tail
        assert capture.kept.startswith(whole[:head])
        assert capture.kept.endswith(whole[len(whole) - tail :] if tail else b"\n")


SECRETS = {
    "ANTHROPIC_API_KEY": "x",
    "GITHUB_TOKEN": "x",
    "XDG_SECRET": "x",
    "LC_PASSWORD": "x",
    "HTTPS_PROXY": "http://user:hunter2@proxy:8080",
    "PIP_INDEX_URL": "https://me:pw@index.example/simple",
    "EDITOR": "sk-" + "a1" * 12,
    "PAGER": "ghp_" + "a1" * 15,
    "BASH_ENV": "/tmp/evil",
    "LD_PRELOAD": "/tmp/evil.so",
    "BASH_FUNC_ls%%": "() { evil; }",
    "SOMETHING": "else",
}


@pytest.mark.parametrize("name", SECRETS)
def test_secrets_and_strangers_do_not_reach_children(name: str) -> None:
    assert child_environment(source={name: SECRETS[name], "PATH": "/bin"}) == {"PATH": "/bin"}


def test_the_path_is_never_lost_for_a_folder_that_looks_like_a_key() -> None:
    source = {"PATH": "/opt/sk-learn-environment-2026/bin:/bin"}
    assert child_environment(source=source) == source


def test_harmless_names_reach_children() -> None:
    source = {"PATH": "/bin", "HOME": "/h", "LC_ALL": "C", "XDG_CACHE_HOME": "/c", "TERM": "xterm", "TZ": "UTC"}
    assert child_environment(source=source) == source


def test_what_is_configured_is_added_as_it_is() -> None:
    assert child_environment({"MY_TOKEN": "t"}, source={}) == {"MY_TOKEN": "t"}


@given(
    st.text("ABCXYZ_", max_size=5), st.sampled_from(["TOKEN", "Secret", "passwd", "KEY", "AUTH"]), st.text(max_size=5)
)
def test_no_secret_looking_name_passes(before: str, word: str, after: str) -> None:
    assert child_environment(source={f"XDG_{before}{word}{after}": "value"}) == {}


@linux
async def test_children_cannot_read_our_environment(tmp_path: Path) -> None:
    script = (
        "import os, subprocess\n"
        "from rein_tui.harness.processes.process import hide_from_children, set_child_subreaper\n"
        "assert hide_from_children() and set_child_subreaper()\n"
        "child = 'try: print(open(\"/proc/%d/environ\").read())\\nexcept OSError as e: print(type(e).__name__)'\n"
        "argv = ['python3', '-c', child % os.getpid()]\n"
        "subprocess.run(argv, user=65534 if os.getuid() == 0 else None)\n"
    )
    env = child_environment({"MY_KEY": "s3cret", "PYTHONPATH": str(Path(__file__).parents[2])})
    done = await run_process([sys.executable, "-c", script], cwd="/", env=env)
    assert b"s3cret" not in done.stdout
    assert done.exit_code == 0, done.stderr


@linux
async def test_inherited_orphans_do_not_stay_as_zombies(tmp_path: Path) -> None:
    script = """
import asyncio, os, pathlib
from rein_tui.harness.processes.process import child_environment, run_process, set_child_subreaper

def orphans():
    found = []
    for stat in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            state, parent, group, session = stat.read_text().rpartition(")")[2].split()[:4]
        except OSError:
            continue
        if int(parent) == os.getpid() and session != stat.parent.name:
            found.append(stat.parent.name)
    return found

async def main():
    assert set_child_subreaper()
    run = lambda command: run_process(["bash", "-c", command], cwd="/", env=child_environment())
    await run("for i in 1 2 3; do (sleep 0.05 >/dev/null 2>&1 &); done; sleep 300 >/dev/null 2>&1 & echo $!")
    seen = orphans()
    assert seen, "orphans come to the subreaper"
    while len(orphans()) > 1:
        await run("true")
    os.kill(int(orphans()[0]), 9)
    while orphans():
        await run("true")
    print("none left")

asyncio.run(main())
"""
    env = child_environment({"PYTHONPATH": str(Path(__file__).parents[2])})
    done = await run_process([sys.executable, "-c", script], cwd=tmp_path, env=env, timeout=60)
    assert done.stdout == b"none left\n", done.stderr
