"""A scripted model server of its own process: streams at a rate, chains of tool calls; tells when what happened.

    python -m bench.whole_server LOG

The last prompt says what to do: `stream ID TOKENS RATE` (a token an event; rate 0: as fast as they are taken), or
`chain ID CALLS FILE` (a Read of FILE at a time, of OpenAI's protocol only). Streams are spoken in Claude's protocol,
too. Prints its port, then writes lines of JSON to LOG:
`{"id", "what": "request" | "first" | "last" | "called", "at", "bytes"}`.
"""

import asyncio
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TextIO

from bench.words import begin_word, end_word, tokens

_OK = "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-type: "
_MODELS = '{"object": "list", "data": [{"id": "bench"}]}'


class Server:
    """Plays the prompts and keeps the log."""

    def __init__(self, log: TextIO) -> None:
        self._log = log

    def note(self, id: str, what: str, at: float, size: int = 0) -> None:
        """One line of the log."""
        self._log.write(json.dumps({"id": id, "what": what, "at": at, "bytes": size}) + "\n")
        self._log.flush()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One request; the connection is closed behind it."""
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
            at = time.perf_counter()
            if not head.startswith("post"):
                found = "/models" in head
                writer.write(f"{_OK}application/json\r\n\r\n{_MODELS if found else '{}'}".encode())
                return
            length = int(head.partition("content-length:")[2].split()[0])
            body: dict[str, Any] = json.loads(await reader.readexactly(length))
            writer.write(f"{_OK}text/event-stream\r\n\r\n".encode())
            if head.startswith("post /v1/messages"):
                await self._answer_as_claude(body["messages"], at, length, writer)
            else:
                await self._answer(body["messages"], at, length, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def _answer(self, messages: list[Any], at: float, size: int, writer: asyncio.StreamWriter) -> None:
        asked = max(n for n, message in enumerate(messages) if message["role"] == "user")
        words = _text(messages[asked]["content"]).split()
        done = len([message for message in messages[asked:] if message["role"] == "tool"])
        match words[:4]:
            case ["stream", id, count, rate]:
                self.note(id, "request", at, size)
                await self._stream(id, int(count), float(rate), _said, writer)
                reason = "stop"
            case ["chain", id, count, file] if done < int(count):
                self.note(id, "request", at, size)
                arguments = json.dumps({"file_path": file, "limit": done + 1})  # the same call again would be stopped
                function = {"name": "Read", "arguments": arguments}
                calls = [{"index": 0, "id": f"call_{id}_{done}", "type": "function", "function": function}]
                writer.write(_event({"tool_calls": calls}))
                reason = "tool_calls"
            case ["chain", id, *_]:
                self.note(id, "request", at, size)
                writer.write(_event({"content": end_word(id)}))
                reason = "stop"
            case _:
                writer.write(_event({"content": "ok"}))
                reason = "stop"
        usage = {"prompt_tokens": size // 3, "completion_tokens": 10, "total_tokens": size // 3 + 10}
        writer.write(_event({}, reason) + f"data: {json.dumps({'choices': [], 'usage': usage})}\n\n".encode())
        writer.write(b"data: [DONE]\n\n")
        await writer.drain()
        if reason == "tool_calls":
            self.note(words[1], "called", time.perf_counter())

    async def _answer_as_claude(self, messages: list[Any], at: float, size: int, writer: asyncio.StreamWriter) -> None:
        usage = {"input_tokens": size // 3, "output_tokens": 10}
        message: dict[str, Any] = {
            "id": "msg_bench",
            "type": "message",
            "role": "assistant",
            "model": "bench",
            "content": [],
        }
        writer.write(_claude_event("message_start", message=message | {"stop_reason": None, "usage": usage}))
        writer.write(_claude_event("content_block_start", index=0, content_block={"type": "text", "text": ""}))
        match _text(messages[-1]["content"]).split()[:4]:
            case ["stream", id, count, rate]:
                self.note(id, "request", at, size)
                await self._stream(id, int(count), float(rate), _said_by_claude, writer)
            case _:
                writer.write(_said_by_claude("ok"))
        writer.write(_claude_event("content_block_stop", index=0))
        writer.write(_claude_event("message_delta", delta={"stop_reason": "end_turn"}, usage=usage))
        writer.write(_claude_event("message_stop"))
        await writer.drain()

    async def _stream(
        self, id: str, count: int, rate: float, said: Callable[[str], bytes], writer: asyncio.StreamWriter
    ) -> None:
        writer.write(said(begin_word(id) + "\n\n"))
        await writer.drain()
        began = time.perf_counter()
        self.note(id, "first", began)
        for number, token in enumerate(tokens(count)):
            if rate and (ahead := number / rate - (time.perf_counter() - began)) > 0:
                await asyncio.sleep(ahead)
            writer.write(said(token))
            if number % 50 == 0:
                await writer.drain()
        writer.write(said(f"\n\n{end_word(id)}"))
        await writer.drain()
        self.note(id, "last", time.perf_counter())


def _said(text: str) -> bytes:
    return _event({"content": text})


def _said_by_claude(text: str) -> bytes:
    return _claude_event("content_block_delta", index=0, delta={"type": "text_delta", "text": text})


def _claude_event(kind: str, **fields: Any) -> bytes:
    return f"event: {kind}\ndata: {json.dumps({'type': kind, **fields})}\n\n".encode()


def _text(content: Any) -> str:
    return content if isinstance(content, str) else " ".join(part.get("text", "") for part in content)


def _event(delta: dict[str, Any], reason: str | None = None) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": reason}
    return f"data: {json.dumps({'id': 'x', 'object': 'chat.completion.chunk', 'choices': [choice]})}\n\n".encode()


async def main(log: Path) -> None:
    """Serve until killed."""
    with log.open("w") as file:
        server = await asyncio.start_server(Server(file).serve, "127.0.0.1", 0)
        print(server.sockets[0].getsockname()[1], flush=True)
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
