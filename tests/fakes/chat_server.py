"""A model server on loopback, in a thread, that answers /v1/chat/completions from a script: for tests of processes."""

import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Answer = dict[str, Any]


def say(text: str) -> Answer:
    """The model answers with prose."""
    return {"content": text}


def use(name: str, **arguments: Any) -> Answer:
    """The model calls a tool."""
    return {"name": name, "arguments": arguments}


class ChatServer:
    """Plays answers in order, one a request; `requests` keeps the bodies. Use it as a context manager."""

    def __init__(self) -> None:
        self.requests: list[dict[str, Any]] = []
        self._answers: list[Answer] = []
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self.url = f"http://127.0.0.1:{self._http.server_address[1]}/v1"
        self._is_open = True

    def __enter__(self) -> "ChatServer":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop listening."""
        if self._is_open:
            self._is_open = False
            self._http.shutdown()
            self._http.server_close()

    def plays(self, *answers: Answer) -> None:
        """What to answer from now on."""
        self._answers = list(answers)

    def _handler(self) -> Callable[..., BaseHTTPRequestHandler]:
        owner = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, format: str, *args: object) -> None:
                """Quiet."""

            def do_GET(self) -> None:
                found = self.path.endswith("/models")
                body = json.dumps(
                    {"object": "list", "data": [{"id": "m", "object": "model"}]} if found else {}
                ).encode()
                self.send_response(200 if found else 404)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def do_POST(self) -> None:
                request = json.loads(self.rfile.read(int(self.headers["content-length"])))
                if not self.path.endswith("/chat/completions"):
                    self.send_error(404)
                    return
                owner.requests.append(request)
                answer = owner._answers.pop(0) if owner._answers else say("(the script is over)")
                self.send_response(200)
                self.send_header("content-type", "text/event-stream")
                self.send_header("connection", "close")
                self.end_headers()
                for chunk in _chunks(answer):
                    self.wfile.write(b"data: " + json.dumps(chunk).encode() + b"\n\n")
                self.wfile.write(b"data: [DONE]\n\n")
                self.close_connection = True

        return Handler


def _chunks(answer: Answer) -> list[dict[str, Any]]:
    if "content" in answer:
        deltas: list[dict[str, Any]] = [{"content": answer["content"]}]
        reason = "stop"
    else:
        function = {"name": answer["name"], "arguments": json.dumps(answer["arguments"])}
        deltas = [{"tool_calls": [{"index": 0, "id": "call_1", "type": "function", "function": function}]}]
        reason = "tool_calls"
    base = {"id": "c1", "object": "chat.completion.chunk", "model": "m"}
    chunks = [{**base, "choices": [{"index": 0, "delta": d, "finish_reason": None}]} for d in deltas]
    usage = {"prompt_tokens": 2400, "completion_tokens": 5}
    return [*chunks, {**base, "choices": [{"index": 0, "delta": {}, "finish_reason": reason}], "usage": usage}]
