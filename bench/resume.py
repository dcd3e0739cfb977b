"""What opening a long session costs beside an empty start: paint, its last answer, the first typed key, memory.

    python -m bench.resume [--rounds 5] [--sizes 1000 10000] [--json]

Each start is a process of its own on a pseudo-terminal, as in `startup`; the sessions take turns, and medians are
compared. Memory is what the process shares with nobody, two seconds after the session is there.
"""

import argparse
import statistics
import tempfile
from collections.abc import Iterator
from pathlib import Path

from bench.figures import Figure, tell
from bench.startup import OURS
from bench.terminal import Terminal, terminal
from rein_tui.harness.places import Places
from rein_tui.harness.protocol import events as e
from rein_tui.harness.protocol.events import Fact
from rein_tui.harness.protocol.messages import Message, TextBlock, ToolUseBlock, Usage
from rein_tui.harness.protocol.ports import SessionInfo
from rein_tui.harness.store.store import Store

LAST = "END-OF-STORY"
"""What the last answer of each session ends with."""
_SETTLING = 2.0
_ANSWER = """The cause is in `load_{n}`: it reads the file again for each request.

1. Keep what was parsed beside its **mtime**.
2. Drop it when the file changes.

```python
def load_{n}(path: Path) -> Config:
    return _cache[path, path.stat().st_mtime_ns]
```
"""


def a_turn(turn: int, last: bool) -> Iterator[Fact]:
    """Four messages: a prompt, a call, its 2 kB of result, an answer."""
    call = f"call_{turn}"
    file = {"file_path": f"/p/src/file_{turn}.py"}
    use = ToolUseBlock(id=call, name="Read", input=file)
    asked = Message(role="user", blocks=(TextBlock(text=f"why is file_{turn}.py slow?"),))
    looked = Message(role="assistant", blocks=(TextBlock(text=f"I look at file {turn} first."), use))
    answer = Message(role="assistant", blocks=(TextBlock(text=_ANSWER.format(n=turn) + (LAST if last else "")),))
    usage = Usage(input_tokens=1000, output_tokens=50, cost_usd=0.01)
    content = "\n".join(f"{line:6}\tvalue_{line} = load_{turn}({line})" for line in range(1, 56))
    yield e.TurnStarted(text=asked.text, turn=turn, time=turn)
    yield e.PromptAdded(message=asked, turn=turn, time=turn)
    for step, message in enumerate((looked, answer), 1):
        yield e.StepStarted(step=step, model="none", turn=turn, time=turn)
        reason = "tool_use" if step == 1 else "end_turn"
        yield e.MessageFinished(
            step=step, message=message, stop_reason=reason, usage=usage, model="none", turn=turn, time=turn
        )
        if step == 1:
            yield e.ToolCallRequested(
                call_id=call, name="Read", input=file, summary=f"Read file_{turn}.py", read_only=True, turn=turn
            )
            yield e.ToolCallStarted(call_id=call, name="Read", input=file, turn=turn)
            yield e.ToolCallFinished(call_id=call, name="Read", outcome="ok", content=content, turn=turn, time=turn)
        yield e.StepFinished(step=step, turn=turn, time=turn)
    yield e.TurnFinished(turn=turn, time=turn)


def keep(home: Path, messages: int) -> str:
    """Store a session of so many messages where a program with this home finds it; returns its id."""
    data = home / ".local" / "share" / "rein-tui"
    places = Places(home=home, config=home / ".claude", managed=home, data=data, cache=home / ".cache")
    store = Store.open(places)
    turns = messages // 4
    cwd = str(home / "work")
    story: list[Fact] = [e.SessionStarted(session_id=f"long-{messages}", cwd=cwd, model="none")]
    story += [fact for turn in range(1, turns + 1) for fact in a_turn(turn, turn == turns)]
    info = store.take_in(SessionInfo(id=f"long-{messages}", cwd=cwd), story)
    store.close()
    return info.id


def memory(process_id: int) -> float:
    """MB that this process shares with nobody."""
    lines = Path(f"/proc/{process_id}/smaps_rollup").read_text().splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith("Private_")) / 1000


def settled(started: Terminal) -> float:
    """Memory once nothing more comes."""
    started.rest(_SETTLING)
    return memory(started.process_id)


def measure(rounds: int, sizes: list[int]) -> list[Figure]:
    """Medians of all sessions, opened in turns."""
    taken: dict[tuple[int, str], list[float]] = {}
    with tempfile.TemporaryDirectory() as name:
        home = Path(name)
        (home / "work").mkdir()
        ids = {size: keep(home, size) for size in sizes}
        for number in range(rounds + 1):
            for size in (0, *sizes):
                flags = ["--resume", ids[size]] if size else []
                with terminal("rein_tui", [*OURS, *flags], home) as started:
                    started.watch(LAST)
                    seen: dict[str, float] = dict(zip(("paint", "ready"), started.start(), strict=True))
                    if size:
                        seen["content"] = started.since_start(LAST)
                    seen["memory"] = settled(started)
                if number:  # the first round only warms caches
                    for key, value in seen.items():
                        taken.setdefault((size, key), []).append(value * (1 if key == "memory" else 1000))
    middle = {key: statistics.median(values) for key, values in taken.items()}
    figures: list[Figure] = []
    for size in sizes:
        of = f"resuming {size:,} messages"
        figures += [
            Figure(f"{of}: first paint", middle[size, "paint"], "ms", middle[0, "paint"], 1.5),
            Figure(f"{of}: its last answer on the screen", middle[size, "content"], "ms", middle[0, "paint"], 1.5),
            Figure(f"{of}: first key on the screen", middle[size, "ready"], "ms", middle[0, "ready"] + 200),
            Figure(f"{of}: memory above an empty one", middle[size, "memory"] - middle[0, "memory"], "MB", 100.0),
        ]
    return figures


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--sizes", type=int, nargs="+", default=[1_000, 10_000])
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    tell(measure(options.rounds, options.sizes), options.json)


if __name__ == "__main__":
    main()
