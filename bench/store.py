"""How quick the session store is: append, search over 1,000 sessions, opening a session of 10,000 messages.

    python bench/store.py [--sessions 1000] [--messages 10000]

Prints one line a figure: name, median and worst in milliseconds. CPU time where it says cpu, else wall time.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from rein_tui.harness.places import Places
from rein_tui.harness.protocol import events as e
from rein_tui.harness.protocol.events import Fact
from rein_tui.harness.protocol.messages import Message, TextBlock, ToolUseBlock, Usage
from rein_tui.harness.protocol.ports import SessionInfo
from rein_tui.harness.store.records import TranscriptFold
from rein_tui.harness.store.store import Store

WORDS = "the parser reads a token and the cache keeps what it returned until the file changes".split()


def a_turn(turn: int) -> list[Fact]:
    """A turn as a session has it: a prompt, a call with 2 kB of result, an answer."""
    text = " ".join(WORDS[(turn + i) % len(WORDS)] for i in range(60))
    call = f"call_{turn}"
    use = ToolUseBlock(id=call, name="Read", input={"file_path": f"/p/src/file_{turn}.py"})
    return [
        e.TurnStarted(text=text, turn=turn, time=turn),
        e.PromptAdded(message=Message(role="user", blocks=(TextBlock(text=text),)), turn=turn, time=turn),
        e.MessageFinished(
            step=1,
            message=Message(role="assistant", blocks=(TextBlock(text=text), use)),
            stop_reason="tool_use",
            usage=Usage(input_tokens=100, output_tokens=50, cost_usd=0.01),
            turn=turn,
            time=turn,
        ),
        e.ToolCallRequested(call_id=call, name="Read", input=use.input, summary=f"Read file_{turn}.py", turn=turn),
        e.ToolCallStarted(call_id=call, name="Read", input=use.input, turn=turn),
        e.ToolCallFinished(
            call_id=call, name="Read", outcome="ok", content=f"{text} unique{turn} " * 6, turn=turn, time=turn
        ),
        e.StepFinished(step=1, turn=turn, time=turn),
        e.TurnFinished(turn=turn, time=turn),
    ]


def say(name: str, seconds: list[float]) -> None:
    """One line of the result."""
    print(f"{name:44} median {statistics.median(seconds) * 1000:9.3f} ms   worst {max(seconds) * 1000:9.3f} ms")


def timed(work: Callable[[], object], rounds: int = 5) -> list[float]:
    """Wall time of each round."""
    taken: list[float] = []
    for _ in range(rounds):
        start = time.perf_counter()
        work()
        taken.append(time.perf_counter() - start)
    return taken


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sessions", type=int, default=1000)
    parser.add_argument("--messages", type=int, default=10_000)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        places = Places(home=folder, config=folder, managed=folder, data=folder / "data", cache=folder)
        store = Store.open(places)
        journal = store.create(SessionInfo(id="appended", cwd="/p"))
        cpu: list[float] = []
        wall: list[float] = []
        for turn in range(1, 101):
            for fact in a_turn(turn):
                start, began = time.process_time(), time.perf_counter()
                journal.append(fact)
                cpu.append(time.process_time() - start)
                wall.append(time.perf_counter() - began)
        say("append one fact (cpu)", cpu)
        print(f"{'append one fact (cpu), mean':44} {statistics.fmean(cpu) * 1000:16.3f} ms")
        say("append one fact (wall, with its sync)", wall)
        journal.close()
        for number in range(args.sessions):
            story = [fact for turn in range(1, 21) for fact in a_turn(number * 20 + turn)]
            store.take_in(SessionInfo(id=f"s{number}"), story)
        say(f"first search over {args.sessions} sessions (indexes)", timed(lambda: store.sessions(search="parser"), 1))
        for words in ("unique777", "parser", "parser cache token", "nowhere"):
            say(f"search {words!r}", timed(lambda words=words: store.sessions(search=words)))
            say(f"places of {words!r}", timed(lambda words=words: store.search(words)))
        say("list the newest 200", timed(store.sessions))
        long = [fact for turn in range(1, args.messages // 3 + 1) for fact in a_turn(turn)]
        store.take_in(SessionInfo(id="long"), long)
        say(f"read all {len(long)} facts", timed(lambda: list(store.read("long"))))
        facts = [fact for _, fact in store.read("long")]
        say("fold its transcript", timed(lambda: [TranscriptFold("long").apply(fact) for fact in facts], 2))
        store.close()
        say("open the store", timed(lambda: Store.open(places).close()))
        print(f"size of the file: {places.database.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
