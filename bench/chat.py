"""What streaming, opening and paging cost in the chat: the real widget on a real pseudo-terminal.

Each case runs in a child of its own on a pty of 120×40 that is drained while it runs, beside a baseline that does the
least a Textual transcript can do (one line-API widget, blocks frozen, Rich's Markdown, a fixed 15 frames a second).
Read the ratios; seconds belong to the machine.

    python -m bench.chat            all cases, each three times, the best counts
    python -m bench.chat --rounds 1
"""

import argparse
import asyncio
import json
import resource
import tempfile
import time
from pathlib import Path
from typing import Any

from bench.terminal import terminal
from bench.words import CODE, LIST, PROSE, text_of, tokens_of

# --- children -----------------------------------------------------------------------------------------------


def chat_app() -> Any:
    """The real chat alone on the screen."""
    from textual.app import App, ComposeResult

    from rein_tui.harness.protocol.events import MessageFinished, StepFinished, TextDelta, TurnStarted
    from rein_tui.harness.protocol.messages import Message, TextBlock
    from rein_tui.widgets.chat import Chat

    class ChatApp(App[None]):
        work: Any

        def compose(self) -> ComposeResult:
            yield Chat()

        def on_mount(self) -> None:
            self.run_worker(self.work)

        async def begin(self) -> None:
            await self.query_one(Chat).apply(TurnStarted(text="go", turn=1))

        async def feed(self, text: str) -> None:
            await self.query_one(Chat).apply(TextDelta(text=text, turn=1))

        async def end(self, text: str) -> None:
            message = Message(role="assistant", blocks=(TextBlock(text=text),))
            await self.query_one(Chat).apply(MessageFinished(step=1, message=message, stop_reason="end_turn", turn=1))
            await self.query_one(Chat).apply(StepFinished(step=1, turn=1))

    return ChatApp()


def plain_app() -> Any:
    """The least that it could be."""
    from textual.app import App, ComposeResult

    from bench.plain_transcript import Transcript

    class PlainApp(App[None]):
        work: Any
        fed = 0

        def compose(self) -> ComposeResult:
            yield Transcript()

        def on_mount(self) -> None:
            self.run_worker(self.work)

        async def begin(self) -> None:
            await self.feed("> go\n\n")

        async def feed(self, text: str) -> None:
            self.query_one(Transcript).feed(text)
            self.fed += 1
            if self.fed % 50 == 0:
                await asyncio.sleep(0)

        async def end(self, text: str) -> None:
            self.query_one(Transcript).end()

    return PlainApp()


async def stream(app: Any, tokens: int, rate: float, report: Path) -> None:
    """Feed `tokens`, `rate` a second (0: as fast as they are taken), then write what it cost."""
    await asyncio.sleep(0.5)
    text = text_of(tokens)
    longest = 0.0

    async def heartbeat() -> None:
        nonlocal longest
        while True:
            before = time.perf_counter()
            await asyncio.sleep(0.005)
            longest = max(longest, time.perf_counter() - before - 0.005)

    beat = asyncio.create_task(heartbeat())
    cpu, wall = time.process_time(), time.perf_counter()
    await app.begin()
    for number, token in enumerate(tokens_of(text)):
        await app.feed(token)
        if rate and (ahead := number / rate - (time.perf_counter() - wall)) > 0.002:
            await asyncio.sleep(ahead)
    fed = time.perf_counter() - wall
    await app.end(text)
    painted = asyncio.Event()
    app.call_after_refresh(painted.set)
    await painted.wait()
    wall = time.perf_counter() - wall
    beat.cancel()
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    figures = {"cpu": time.process_time() - cpu, "wall": wall, "fed": fed, "stall_ms": longest * 1000, "rss_mb": memory}
    report.write_text(json.dumps(figures))
    app.exit()


def history(messages: int) -> list[Any]:
    """Facts of a session with this many messages, calls among them."""
    from rein_tui.harness.protocol import events as ev
    from rein_tui.harness.protocol.displays import CommandDisplay
    from rein_tui.harness.protocol.messages import Message, TextBlock

    facts: list[Any] = []
    for turn in range(1, messages // 4 + 1):
        facts.append(ev.TurnStarted(text=f"question {turn}: please look at part {turn} of it", turn=turn))
        for step, body in enumerate((PROSE, PROSE + "\n\n" + CODE + LIST, PROSE * 2), 1):
            message = Message(role="assistant", blocks=(TextBlock(text=f"Turn {turn}. {body}"),))
            facts.append(ev.MessageFinished(step=step, message=message, stop_reason="end_turn", turn=turn))
            call = f"c{turn}.{step}"
            facts.append(ev.ToolCallRequested(call_id=call, name="Bash", summary=f"Bash make part-{turn}", turn=turn))
            facts.append(ev.ToolCallStarted(call_id=call, name="Bash", turn=turn))
            display = CommandDisplay(command=f"make part-{turn}", output="ok\n" * 20, exit_code=0)
            facts.append(
                ev.ToolCallFinished(call_id=call, name="Bash", outcome="ok", display=display, duration=0.1, turn=turn)
            )
    return facts


async def opening(app: Any, messages: int, report: Path) -> None:
    """Load a session, wait for its first frame, then page to its top."""
    from rein_tui.widgets.chat import Chat

    await asyncio.sleep(0.5)
    facts = history(messages)
    chat = app.query_one(Chat)
    cpu, started = time.process_time(), time.perf_counter()
    chat.load(facts)
    painted = asyncio.Event()
    app.call_after_refresh(painted.set)
    await painted.wait()
    first = time.perf_counter() - started
    opened = time.process_time() - cpu
    frames: list[float] = []
    costs: list[float] = []
    while chat.surface.scroll_y > 0:
        before, used = time.perf_counter(), time.process_time()
        chat.surface.scroll_page_up(animate=False)
        painted = asyncio.Event()
        app.call_after_refresh(painted.set)
        await painted.wait()
        frames.append(time.perf_counter() - before)
        costs.append(time.process_time() - used)
    frames.sort()
    costs.sort()
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    figures = {
        "first_paint_ms": first * 1000,
        "cpu_ms": opened * 1000,
        "pages": len(frames),
        "page_p50_ms": frames[len(frames) // 2] * 1000,
        "page_p99_ms": frames[int(len(frames) * 0.99)] * 1000,
        "page_max_ms": frames[-1] * 1000,
        "page_cpu_p50_ms": costs[len(costs) // 2] * 1000,
        "page_cpu_p99_ms": costs[int(len(costs) * 0.99)] * 1000,
        "page_cpu_max_ms": costs[-1] * 1000,
        "rss_mb": memory,
    }
    report.write_text(json.dumps(figures))
    app.exit()


def child(case: str, technique: str, report: str) -> None:
    """Run one case in this process."""
    app = chat_app() if technique == "chat" else plain_app()
    kind, size, rate = case.split(":")
    app.work = (
        opening(app, int(size), Path(report)) if kind == "open" else stream(app, int(size), float(rate), Path(report))
    )
    app.run()


# --- parent -------------------------------------------------------------------------------------------------


def run(case: str, technique: str, folder: Path) -> dict[str, float]:
    """One case in a child on a terminal; its figures and the bytes that came out."""
    report = folder / "report.json"
    report.unlink(missing_ok=True)
    with terminal("bench.chat", ["--child", case, technique, str(report)], folder) as program:
        program.until_end()
    if not report.exists():
        raise SystemExit(f"{technique} {case} failed:\n{program.text[-3000:].decode(errors='replace')}")
    return json.loads(report.read_text()) | {"bytes": float(program.bytes)}


CASES = {
    "10,000 tokens at 1,000/s": "stream:10000:1000",
    "2,000 tokens at 200/s": "stream:2000:200",
    "50,000 tokens unpaced": "stream:50000:0",
}


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", default="")
    parser.add_argument("--child", nargs=3, metavar=("CASE", "TECHNIQUE", "REPORT"))
    options = parser.parse_args()
    if options.child:
        child(*options.child)
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "work").mkdir()
        for title, case in CASES.items():
            if options.only in title:
                best = {}
                for technique in ("plain", "chat"):
                    rounds = [run(case, technique, folder) for _ in range(options.rounds)]
                    best[technique] = {key: min(figures[key] for figures in rounds) for key in rounds[0]}
                show(title, int(case.split(":")[1]), best)
        if options.only in "opening":
            rounds = [run("open:10000:0", "chat", folder) for _ in range(options.rounds)]
            best = {key: min(figures[key] for figures in rounds) for key in rounds[0]}
            print("opening 10,000 messages, paging through all of them")
            print("  " + "  ".join(f"{key} {value:,.1f}" for key, value in best.items()))


def show(title: str, tokens: int, best: dict[str, dict[str, float]]) -> None:
    """One case: both techniques and their ratio."""
    print(title)
    for technique, figures in best.items():
        print(
            f"  {technique:6} cpu {figures['cpu']:6.2f} s  wall {figures['wall']:6.2f} s  "
            f"behind {(figures['wall'] - figures['fed']) * 1000:5.0f} ms  longest stall {figures['stall_ms']:5.0f} ms  "
            f"{figures['bytes'] / tokens:6.0f} bytes a token  {figures['rss_mb']:5.0f} MB"
        )
    ratio = {key: best["chat"][key] / best["plain"][key] for key in ("cpu", "wall", "bytes")}
    print("  ratio  " + "  ".join(f"{key} {value:.2f}" for key, value in ratio.items()))


if __name__ == "__main__":
    main()
