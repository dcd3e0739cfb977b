"""What a model's answer costs before anybody draws it: 50,000 tokens over loopback, parsed, told and folded.

    python -m bench.providers [--rounds N] [--json]

Each protocol is served by a process of its own, a token an event, many events a read, and lived through by a session
without a screen; only the session's CPU counts. Beside it: what the decoder and the state machine cost by themselves,
and how much memory Claude's SDK adds to a session.
"""

import argparse
import asyncio
import subprocess
import sys
import time
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import aclosing
from pathlib import Path
from statistics import median
from typing import Any

import msgspec

from bench.figures import Figure, tell
from rein_tui.harness.protocol.events import TextDelta
from rein_tui.harness.protocol.models import Provider
from rein_tui.harness.protocol.ports import Prompt
from rein_tui.harness.providers.anthropic import AnthropicOptions, AnthropicProvider
from rein_tui.harness.providers.anthropic_stream import MessageAccumulator
from rein_tui.harness.providers.base import Secret
from rein_tui.harness.providers.failures import Origin
from rein_tui.harness.providers.http import Endpoint
from rein_tui.harness.providers.keys import KeyRing
from rein_tui.harness.providers.ollama import OllamaOptions, OllamaProvider
from rein_tui.harness.providers.ollama_wire import OllamaAccumulator
from rein_tui.harness.providers.openai_chat import ChatOptions, OpenAIChatProvider
from rein_tui.harness.providers.openai_stream import ChatAccumulator
from rein_tui.harness.providers.sse import Decoder, LineDecoder, SseDecoder
from rein_tui.harness.providers.streaming import Accumulator, read_answer
from rein_tui.harness.providers.text_mode.mode import ToolText
from tests.fakes.engines import rig

TOKENS = 50_000
READ = 16_384
"""Bytes that one read gives: about a hundred events, as from a server faster than any model."""

_ORIGIN = Origin("http://bench")


def tokens() -> Iterator[str]:
    """Prose with code, tables and half-open brackets in it, a token at a time."""
    for number in range(TOKENS):
        yield f" word{number % 97}" if number % 13 else "\n- `f(x)` {a}" if number % 26 else ".\n"


def anthropic_bytes() -> bytes:
    """The Messages API."""
    start: dict[str, Any] = {
        "type": "message_start",
        "message": {"id": "m1", "role": "assistant", "model": "m", "usage": {}},
    }
    block = {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}
    deltas = ({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": t}} for t in tokens())
    stop = {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": TOKENS}}
    events: list[dict[str, Any]] = [
        start,
        block,
        *deltas,
        {"type": "content_block_stop", "index": 0},
        stop,
        {"type": "message_stop"},
    ]
    return b"".join(b"event: %s\ndata: %s\n\n" % (str(e["type"]).encode(), msgspec.json.encode(e)) for e in events)


def chat_bytes() -> bytes:
    """Chat Completions, with all that servers put around a token."""
    frame = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "m"}
    chunks: list[dict[str, Any]] = [
        {**frame, "choices": [{"index": 0, "delta": {"content": t}, "finish_reason": None}]} for t in tokens()
    ]
    chunks.append({**frame, "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
    return b"".join(b"data: %s\n\n" % msgspec.json.encode(chunk) for chunk in chunks) + b"data: [DONE]\n\n"


def ollama_bytes() -> bytes:
    """Ollama's lines."""
    stamp = {"model": "m", "created_at": "2026-01-01T00:00:00.000000000Z"}
    lines: list[dict[str, Any]] = [
        {**stamp, "message": {"role": "assistant", "content": t}, "done": False} for t in tokens()
    ]
    last = {**stamp, "message": {"role": "assistant", "content": ""}, "done": True, "prompt_eval_count": 5}
    return b"".join(msgspec.json.encode(line) + b"\n" for line in [*lines, last])


STREAMS: dict[str, tuple[Callable[[], bytes], str, Callable[[], Decoder], Callable[[], Accumulator]]] = {
    "anthropic": (anthropic_bytes, "text/event-stream", SseDecoder, lambda: MessageAccumulator(_ORIGIN, set())),
    "chat": (chat_bytes, "text/event-stream", SseDecoder, lambda: ChatAccumulator(_ORIGIN, set())),
    "ollama": (ollama_bytes, "application/x-ndjson", LineDecoder, lambda: OllamaAccumulator(_ORIGIN, set())),
}


# --- the server, in a process of its own --------------------------------------------------------------------


async def serve(name: str) -> None:
    """Answer every POST with the stream of that name, until standard input ends."""
    make, kind, _, _ = STREAMS[name]
    body = make()
    head = f"HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\ncontent-length: {len(body)}\r\nconnection: close\r\n\r\n"

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = await reader.readuntil(b"\r\n\r\n")
        is_post = request.startswith(b"POST")
        writer.write(head.encode() + body if is_post else b"HTTP/1.1 404 X\r\ncontent-length: 0\r\n\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.to_thread(sys.stdin.read)


# --- what is measured ---------------------------------------------------------------------------------------


def provider_of(name: str, url: str) -> Provider:
    """The provider for a stream; `text` reads it for calls as well, as every local server's answers are read."""
    match name:
        case "anthropic":
            return AnthropicProvider(KeyRing(Secret("bench-key")), AnthropicOptions(url=url))
        case "ollama":
            return OllamaProvider(OllamaOptions(Endpoint(url=url)), text_mode=ToolText())
        case _:
            return OpenAIChatProvider(ChatOptions(Endpoint(url=url), 200_000), text_mode=ToolText())


async def lived(name: str, url: str) -> float:
    """Seconds of CPU of one turn with that stream, in a session without a screen."""
    provider = provider_of(name, url)
    await provider.warm()
    session = rig(provider).session
    before, told = time.process_time(), 0
    async with aclosing(session.run(Prompt(text="go"))) as events:
        async for event in events:
            told += isinstance(event, TextDelta)
    cost = time.process_time() - before
    await provider.close()
    assert told, "nothing was told"
    return cost


async def parsed(name: str) -> float:
    """Seconds of CPU of decoder and state machine alone."""
    make, _, decoder, accumulator = STREAMS[name]
    body = make()

    async def chunks() -> AsyncGenerator[bytes]:
        for at in range(0, len(body), READ):
            yield body[at : at + READ]

    before = time.process_time()
    async with aclosing(read_answer(chunks(), decoder(), accumulator(), _ORIGIN)) as events:
        async for _ in events:
            pass
    return time.process_time() - before


def over_loopback(name: str, rounds: int) -> float:
    """The median of some turns."""
    command = [sys.executable, "-m", "bench.providers", "--serve", name]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        assert server.stdin is not None
        url = f"http://127.0.0.1:{int(server.stdout.readline())}"
        costs = [asyncio.run(lived(name, url)) for _ in range(rounds)]
        server.stdin.close()
    return median(costs)


_MEMORY = """
import asyncio, sys
from bench.providers import provider_of
import rein_tui.harness.wiring.build
asyncio.run(provider_of(sys.argv[1], "http://127.0.0.1:9").warm())
print(next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmRSS")))
"""


def memory(name: str) -> float:
    """MB of a session's program that is ready for its first request to this kind of server."""
    command = [sys.executable, "-c", _MEMORY, name]
    return int(subprocess.run(command, capture_output=True, text=True, check=True).stdout) / 1024


def figures(rounds: int) -> list[Figure]:
    """Everything, against the aims: a second, and 70 MB."""
    found: list[Figure] = []
    for name in STREAMS:
        alone = median(asyncio.run(parsed(name)) for _ in range(rounds))
        found.append(Figure(f"{TOKENS:,} tokens of {name}, parsed, cpu", alone, "s", 1.0))
        found.append(
            Figure(f"{TOKENS:,} tokens of {name}, over HTTP and folded, cpu", over_loopback(name, rounds), "s", 1.0)
        )
    if Path("/proc/self/status").exists():
        more = memory("anthropic") - memory("chat")
        found.append(Figure("memory that Claude's SDK adds to a session on a local server", more, "MB", 70.0))
    return found


def main() -> None:
    """Measure, or serve for one that does."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--serve", default="", choices=["", *STREAMS], help=argparse.SUPPRESS)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    if args.serve:
        asyncio.run(serve(args.serve))
    else:
        tell(figures(args.rounds), args.json)


if __name__ == "__main__":
    main()
