"""The whole program on a terminal, beside the plainest chat, against one scripted server: the figures people feel.

    python -m bench.whole [--rounds 1] [--json]

Both start and stream three answers; ours is typed at and left alone besides, and makes a hundred tool calls. Harness,
store and panes are on. Times at the server and at the terminal are of one clock. About two minutes; needs /proc.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from bench.figures import Figure, tell
from bench.terminal import KEYS, Terminal, terminal
from bench.words import begin_word, end_word

CALLS = 100
_IDLE = 10.0
_STREAMS = {"2k": (2000, 200), "10k": (10_000, 1000), "50k": (50_000, 0)}
_TYPED = (1000, 200)
_LOOKED_AWAY, _LOOKED_BACK = b"\x1b[O", b"\x1b[I"
_KEY = "sk-ant-bench-" + 40 * "0"
Taken = dict[str, float]


class Log:
    """What the server tells."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def lines(self, id: str, what: str) -> list[dict[str, float]]:
        """All of one kind, in order."""
        read = [json.loads(line) for line in self._path.read_text().splitlines()]
        return [line for line in read if (line["id"], line["what"]) == (id, what)]

    def at(self, id: str, what: str) -> float:
        """When it first happened."""
        return self.lines(id, what)[0]["at"]


@contextmanager
def scripted(folder: Path) -> Generator[tuple[int, Log]]:
    """A server of its own process, and its log."""
    log = folder / "server.jsonl"
    process = subprocess.Popen(
        [sys.executable, "-m", "bench.whole_server", str(log)],
        cwd=Path(__file__).parents[1],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    try:
        yield int(process.stdout.readline()), Log(log)
    finally:
        process.kill()
        process.wait()


def worst(seconds: list[float]) -> float:
    """What one in twenty exceeds; milliseconds."""
    return statistics.quantiles(seconds, n=20, method="inclusive")[-1] * 1000


def streamed(program: Terminal, log: Log, id: str, tokens: int, rate: int, *, typing: bool = False) -> Taken:
    """One answer, from Enter to its last word on the screen; with `typing` the keys meanwhile."""
    begin, end = begin_word(id), end_word(id)
    program.watch(begin, end)
    pressed = program.submit(f"stream {id} {tokens} {rate}")
    cpu, sent = program.cpu(), program.bytes
    taken: Taken = {}
    if rate:  # without one it is gone before it is painted
        taken["first"] = (program.when(begin) - log.at(id, "first")) * 1000
    if typing:
        program.rest(0.5)
        taken["echo"] = worst(program.echoes(KEYS))
    last = program.when(end)
    program.rest(0.7)
    return taken | {
        "request": (log.at(id, "request") - pressed) * 1000,
        "last": (last - log.at(id, "last")) * 1000,
        "wall": last - log.at(id, "first"),
        "cpu": program.cpu() - cpu,
        "bytes": (program.bytes - sent) / tokens,
    }


def started(program: Terminal) -> Taken:
    """The start, until it came to rest."""
    _, ready = program.start()
    program.erase(40)  # more than was typed until the first letter showed
    program.rest(2.5)
    return {"ready": ready * 1000, "memory": program.memory()}


def rested(program: Terminal) -> Taken:
    """Keys, one at a time, and ten seconds without any."""
    taken = {"echo": worst(program.echoes(KEYS) + program.echoes(KEYS))}
    program.rest(1.0)
    taken["idle"] = _share(program)
    program.send(_LOOKED_AWAY)
    program.rest(1.0)
    taken["idle unseen"] = _share(program)
    program.send(_LOOKED_BACK)
    return taken


def _share(program: Terminal) -> float:
    """Percent of a processor that it takes without any input."""
    cpu = program.cpu()
    program.rest(_IDLE)
    return (program.cpu() - cpu) / _IDLE * 100


def answered(program: Terminal, log: Log, prefix: str) -> Taken:
    """The three answers that both programs show."""
    taken: Taken = {}
    for name, (tokens, rate) in _STREAMS.items():
        got = streamed(program, log, f"{prefix}{name}", tokens, rate)
        taken |= {f"{name} {key}": value for key, value in got.items()}
    return taken


def chained(program: Terminal, log: Log, file: Path) -> Taken:
    """A hundred calls on the screen: from the server's last byte to the next request."""
    program.watch(end_word("chain"))
    program.submit(f"chain chain {CALLS} {file}")
    program.when(end_word("chain"))
    called = [line["at"] for line in log.lines("chain", "called")]
    asked = [line["at"] for line in log.lines("chain", "request")]
    gaps = [(after - before) * 1000 for before, after in zip(called, asked[1:], strict=True)]
    return {
        "call": statistics.median(gaps),
        "first ten": statistics.median(gaps[:10]),
        "last ten": statistics.median(gaps[-10:]),
    }


def one_round(folder: Path) -> tuple[Taken, Taken]:
    """Ours and the plain one, each in a home of its own."""
    file = folder / "work" / "two.txt"
    file.write_text("one\ntwo\n")
    with scripted(folder) as (port, log):
        flags = ["--local-url", f"http://127.0.0.1:{port}/v1", "--local-model", "bench", "--native-tools"]
        with terminal("bench.plain_app", [str(port)], folder) as program:
            plain = started(program) | answered(program, log, "plain")
        with terminal("rein_tui", flags, folder) as program:
            ours = started(program) | rested(program) | answered(program, log, "ours")
            program.rest(2.0)
            ours["memory after"] = program.memory()
            got = streamed(program, log, "typed", *_TYPED, typing=True)
            ours |= {f"typed {key}": value for key, value in got.items()}
            ours["echo late"] = worst(program.echoes(KEYS) + program.echoes(KEYS))
        with terminal("rein_tui", flags, folder) as program:
            started(program)
            ours |= chained(program, log, file)
        claude = {"ANTHROPIC_API_KEY": _KEY, "ANTHROPIC_BASE_URL": f"http://127.0.0.1:{port}"}
        with terminal("rein_tui", ["--model", "claude-bench"], folder, claude) as program:
            got = started(program) | answered(program, log, "claude")
            program.rest(2.0)
            got["memory after"] = program.memory()
            ours |= {f"claude {key}": value for key, value in got.items()}
    return ours, plain


def figures(ours: Taken, plain: Taken) -> list[Figure]:
    """The Speed section, in its order."""

    def beside(name: str, key: str, unit: str, most: float) -> Figure:
        return Figure(name, ours[key], unit, plain[key], most)

    return [
        beside("start: first key on the screen", "ready", "ms", 1.2),
        Figure("memory at the prompt", ours["memory"], "MB", 60.0),
        Figure("memory after 63,000 tokens", ours["memory after"], "MB", 90.0),
        Figure("memory after as many over Claude's SDK", ours["claude memory after"], "MB", 160.0),
        beside("2,000 tokens at 200 a second, cpu", "2k cpu", "s", 1.0),
        beside("10,000 tokens at 1,000 a second, cpu", "10k cpu", "s", 1.2),
        beside("50,000 tokens unpaced, wall", "50k wall", "s", 1.4),
        Figure("2,000 tokens over Claude's SDK, cpu", ours["claude 2k cpu"], "s", plain["2k cpu"], 1.0),
        Figure("10,000 tokens over Claude's SDK, cpu", ours["claude 10k cpu"], "s", plain["10k cpu"], 1.2),
        Figure("50,000 tokens over Claude's SDK, wall", ours["claude 50k wall"], "s", plain["50k wall"], 1.4),
        Figure("first token on the screen behind the server's", ours["2k first"], "ms", 40.0),
        Figure("last token on the screen behind the server's", ours["2k last"], "ms", 40.0),
        Figure("bytes to the terminal a token, 200 a second", ours["2k bytes"], "B", 300.0),
        Figure("key to echo, p95", ours["echo"], "ms", 16.0),
        Figure("key to echo while an answer streams, p95", ours["typed echo"], "ms", 30.0),
        Figure("key to echo after the long session, p95", ours["echo late"], "ms", 16.0),
        Figure("key to echo after it beside before, p95", ours["echo late"], "ms", ours["echo"], 1.25),
        Figure("idle, of one processor", ours["idle"], "%", 0.3),
        Figure("idle while nobody looks", ours["idle unseen"], "%", 0.1, 0.0),
        Figure("Enter to request, first turn", ours["2k request"], "ms", 120.0),
        Figure("Enter to request, warm", ours["typed request"], "ms", 25.0),
        Figure("Enter to request over Claude's SDK, first turn", ours["claude 2k request"], "ms", 120.0),
        Figure("Enter to request over Claude's SDK, warm", ours["claude 10k request"], "ms", 25.0),
        Figure("a tool call on the screen, median", ours["call"], "ms", 6.0),
        Figure("its last ten calls beside the first ten", ours["last ten"], "ms", ours["first ten"], 1.1),
    ]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    rounds: list[tuple[Taken, Taken]] = []
    for _ in range(options.rounds):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            (folder / "work").mkdir()
            rounds.append(one_round(folder))
    ours, plain = ({key: statistics.median(r[n][key] for r in rounds) for key in rounds[0][n]} for n in (0, 1))
    tell(figures(ours, plain), options.json)


if __name__ == "__main__":
    main()
