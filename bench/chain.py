"""What a tool call costs beside the model and the tool: a hundred calls against a scripted server on loopback.

    python -m bench.chain [--calls 100] [--json]

The server answers each request with one call and takes the time until the next request arrives: parse, hooks,
permission, run (a Read of two lines), store with its sync, build and send. `rein-tui -p` with everything on.
"""

import argparse
import asyncio
import json
import os
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.figures import Figure, tell

ROOT = Path(__file__).parents[1]
GOAL_MS = 6.0
GOAL_BYTES = 10_000.0
GOAL_LEAN_BYTES = 5_000.0
SMALL_MODEL = 400_000_000


@dataclass(slots=True)
class Server:
    """Plays the chain; `gaps` are seconds from an answer's last byte to the next request's last."""

    calls: int
    file: Path
    model_size: int = 0
    gaps: list[float] = field(default_factory=list[float])
    sizes: list[int] = field(default_factory=list[int])
    _answered: float = 0.0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, kept alive."""
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                lines = head.decode().lower().split("\r\n")
                length = next((int(line.split(":")[1]) for line in lines if line.startswith("content-length:")), 0)
                body = await reader.readexactly(length)
                await self._answer(lines[0].startswith("post"), body, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def _answer(self, is_chat: bool, body: bytes, writer: asyncio.StreamWriter) -> None:
        if not is_chat:
            meta = {"meta": {"size": self.model_size}} if self.model_size else {}
            models = json.dumps({"object": "list", "data": [{"id": "bench", **meta}]}).encode()
            writer.write(_head("application/json", len(models)) + models)
            return
        now = time.perf_counter()
        self.sizes.append(len(body))
        if self._answered:
            self.gaps.append(now - self._answered)
        content = self._script(len(self.sizes))
        writer.write(_head("text/event-stream", len(content)) + content)
        await writer.drain()
        self._answered = time.perf_counter()

    def _script(self, number: int) -> bytes:
        if number > self.calls:
            return _sse({"content": "done"}, "stop", self.sizes[-1])
        arguments = json.dumps({"file_path": str(self.file), "limit": number})  # the same call again would be stopped
        function = {"name": "Read", "arguments": arguments}
        call = {"index": 0, "id": f"call_{number}", "type": "function", "function": function}
        return _sse({"tool_calls": [call]}, "tool_calls", self.sizes[-1])


def _head(kind: str, length: int) -> bytes:
    return f"HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\ncontent-length: {length}\r\n\r\n".encode()


def _sse(delta: dict[str, Any], reason: str, sent: int) -> bytes:
    read = sent // 3  # tokens
    parts: list[dict[str, Any]] = [
        {"choices": [{"index": 0, "delta": {"role": "assistant", **delta}}]},
        {"choices": [{"index": 0, "delta": {}, "finish_reason": reason}]},
        {"choices": [], "usage": {"prompt_tokens": read, "completion_tokens": 10, "total_tokens": read + 10}},
    ]
    chunks = [f"data: {json.dumps({'id': 'x', 'object': 'chat.completion.chunk', **part})}\n\n" for part in parts]
    return "".join([*chunks, "data: [DONE]\n\n"]).encode()


async def played(calls: int, model_size: int = 0) -> Server:
    """A chain of this many calls with a model of that many bytes (0: the server does not tell)."""
    with tempfile.TemporaryDirectory() as name:
        home = Path(name)
        project = home / "work"
        project.mkdir()
        file = project / "two.txt"
        file.write_text("one\ntwo\n")
        played = Server(calls, file, model_size)
        server = await asyncio.start_server(played.serve, "127.0.0.1", 0)
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
        environment = {"PATH": os.environ["PATH"], "HOME": str(home), "PYTHONPATH": str(ROOT), "LANG": "C.UTF-8"}
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "rein_tui", "-p", "read it, again and again", "--local-url", url),
            *("--local-model", "bench", "--native-tools", "--max-turns", str(calls + 10)),
            cwd=project,
            env=environment,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
        )
        said, _ = await process.communicate()
        server.close()
        if process.returncode != 0 or len(played.gaps) < calls:
            raise SystemExit(f"the chain broke after {len(played.gaps)} calls: {said.decode()[-500:]}")
    return played


async def measure(calls: int) -> list[Figure]:
    """Run the chain once, and ask a small model once."""
    chain = await played(calls)
    gaps = [gap * 1000 for gap in chain.gaps[:calls]]
    few = max(1, min(10, calls // 2))
    first, last = statistics.median(gaps[:few]), statistics.median(gaps[-few:])
    lean = await played(0, SMALL_MODEL)
    return [
        Figure("a tool call, median", statistics.median(gaps), "ms", GOAL_MS),
        Figure("the last ten calls beside the first ten", last, "ms", first, 1.1),
        Figure("the first request", float(chain.sizes[0]), "B", GOAL_BYTES),
        Figure("the first request to a small model", float(lean.sizes[0]), "B", GOAL_LEAN_BYTES),
    ]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", type=int, default=100)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    tell(asyncio.run(measure(options.calls)), options.json)


if __name__ == "__main__":
    main()
