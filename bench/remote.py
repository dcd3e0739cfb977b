"""What the wire costs: a round trip on loopback, and fifty sessions that stream at once beside one stalled reader.

python -m bench.remote
"""

import asyncio
import statistics
import time
from contextlib import aclosing

from websockets.asyncio.client import connect

from rein_tui.harness.protocol.events import TextDelta
from rein_tui.harness.protocol.ports import Harness, Prompt
from rein_tui.harness.providers.scripted import ScriptedProvider, Step
from rein_tui.remote.hall import Limits
from tests.remote.stage import TOKEN, MemoryBench, served, turn

ROUNDS = 300
SESSIONS = 50
TEXT = "some words of an answer " * 200


async def round_trips() -> None:
    """How much longer a change of mode, and a whole small turn, take over the socket than beside the screen."""
    local = MemoryBench(lambda: ScriptedProvider([Step(text="Hello.")] * (ROUNDS + 1)))
    near = await local.open()
    async with served(MemoryBench(lambda: ScriptedProvider([Step(text="Hello.")] * (ROUNDS + 1)))) as server:
        far = await (await server.client()).open()
        for name, work in (("set_mode", _mode), ("a turn", _turn)):
            beside, away = [await _median(work, harness) for harness in (near, far)]
            print(f"{name:<10} beside {beside * 1e3:7.3f} ms   over the wire {away * 1e3:7.3f} ms"
                  f"   adds {(away - beside) * 1e3:6.3f} ms   (target: under 5 ms)")  # fmt: skip


async def _mode(harness: Harness, number: int) -> None:
    await harness.set_mode("plan" if number % 2 else "default")


async def _turn(harness: Harness, number: int) -> None:
    await turn(harness, str(number))


async def _median(work: object, harness: Harness) -> float:
    times: list[float] = []
    for number in range(ROUNDS):
        started = time.perf_counter()
        await work(harness, number)  # type: ignore[operator]
        times.append(time.perf_counter() - started)
    return statistics.median(times)


async def streams(*, stalled: bool) -> None:
    """Fifty turns at once, each streamed to its screen; with a reader that follows them all and reads nothing."""
    bench = MemoryBench(lambda: ScriptedProvider([Step(text=TEXT, chunk=24)], pace=0.001))
    async with served(bench, limits=Limits(), stall=60) as server:
        screens = [await server.client() for _ in range(SESSIONS)]
        sessions = [await screen.open() for screen in screens]
        dead = await connect(server.url, additional_headers={"Authorization": f"Bearer {TOKEN}"}, max_queue=1)
        try:
            if stalled:
                await dead.send('{"type":"hello"}')
                for session in sessions:
                    request = f'{{"type":"open","session":"{session.info.id}","role":"observer"}}'
                    await dead.send(f'{{"type":"call","id":1,"request":{request}}}')
                dead.transport.pause_reading()
            started = time.perf_counter()
            firsts = await asyncio.gather(*(_first_and_all(session) for session in sessions))
            took = time.perf_counter() - started
        finally:
            dead.transport.abort()
        deltas = sum(count for _, count in firsts)
        name = "with a stalled reader" if stalled else "all read"
        print(f"{SESSIONS} sessions, {name:<22} {took:5.2f} s   {deltas} parts"
              f"   slowest first part {max(first for first, _ in firsts) * 1e3:6.1f} ms")  # fmt: skip


async def _first_and_all(session: Harness) -> tuple[float, int]:
    started, first, count = time.perf_counter(), 0.0, 0
    async with aclosing(session.run(Prompt(text="go"))) as events:
        async for event in events:
            if isinstance(event, TextDelta):
                first = first or time.perf_counter() - started
                count += 1
    return first, count


async def main() -> None:
    """All of it."""
    await round_trips()
    await streams(stalled=False)
    await streams(stalled=True)


if __name__ == "__main__":
    asyncio.run(main())
