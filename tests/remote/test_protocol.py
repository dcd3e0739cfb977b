"""The doors and the classic protocol, by a client written from its description alone: bare websockets and HTTP."""

import asyncio
import json
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from rein_tui.harness.protocol.errors import ConfigError, Failure
from rein_tui.harness.providers.scripted import ScriptedCall, ScriptedProvider, Step
from rein_tui.remote.address import Address
from rein_tui.remote.errors import error_of
from rein_tui.remote.guard import Bucket, doors_of, is_loopback
from rein_tui.remote.hall import Limits
from tests.fakes.engines import TablePermissions
from tests.remote.stage import TOKEN, MemoryBench, Served, served, until


def bench(*steps: Step) -> MemoryBench:
    return MemoryBench(lambda: ScriptedProvider(steps), permissions=lambda: TablePermissions({"Write": "ask"}))


def call(name: str) -> ScriptedCall:
    return ScriptedCall(name=name, input={"text": "hello"}, id=f"toolu_{name}")


async def answers(socket: ClientConnection) -> list[dict[str, Any]]:
    """All messages up to the end of the turn."""
    found: list[dict[str, Any]] = []
    async with asyncio.timeout(20):
        while not found or found[-1]["type"] not in ("turn_complete", "pong"):
            found.append(json.loads(await socket.recv()))
    return found


async def http(
    server: Served, request: str, body: bytes = b"", *, token: str = TOKEN, host: str = "", headers: str = ""
) -> tuple[int, Any]:
    """One HTTP exchange, by hand."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    lines = [f"{request} HTTP/1.1", f"Host: {host or f'127.0.0.1:{server.port}'}", "Connection: close"]
    lines += [f"Authorization: Bearer {token}"] if token else []
    lines += [f"Content-Length: {len(body)}"] if body else []
    writer.write(("\r\n".join([*lines, *filter(None, [headers]), "", ""])).encode() + body)
    await writer.drain()
    async with asyncio.timeout(20):
        answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    head, _, rest = answer.partition(b"\r\n\r\n")
    return int(head.split()[1]), json.loads(rest) if rest else None


# --- the classic protocol -----------------------------------------------------------------------------------


async def test_a_turn_in_the_classic_protocol() -> None:
    steps = (
        Step(text="Reading. " * 9, calls=(call("Read"),)),
        Step(text="Writing.", calls=(call("Write"),)),
        Step(text="Done."),
    )
    async with served(bench(*steps)) as server, server.raw() as socket:
        await socket.send('{"type":"ping"}')
        assert json.loads(await socket.recv()) == {"type": "pong"}
        await socket.send(json.dumps({"type": "message", "content": "go", "system_prompt": None}))
        told = await answers(socket)
        text = "".join(m["data"]["text"] for m in told if m["type"] == "text_delta")
        assert text == "Reading. " * 9 + "Writing." + "Done."
        uses = [m["data"] for m in told if m["type"] == "tool_use"]
        assert uses[0] == {"id": "toolu_Read", "name": "Read", "input": {"text": "hello"}}
        results = [m["data"] for m in told if m["type"] == "tool_result"]
        assert results[0] == {
            "tool_use_id": "toolu_Read",
            "tool_name": "Read",
            "result": "hello",
            "is_error": False,
        }
        assert results[1]["is_error"], "what asks is never allowed where nobody can answer"
        usage, end = told[-2:]
        assert usage["type"] == "usage"
        assert set(usage["data"]) == {"input_tokens", "output_tokens"}
        assert end == {"type": "turn_complete", "data": {"stop_reason": "end_turn"}}


async def test_the_token_as_first_message_and_two_turns() -> None:
    async with served(bench(Step(text="One."), Step(text="Two."))) as server, server.raw("") as socket:
        await socket.send(json.dumps({"type": "auth", "token": TOKEN}))
        for number in ("One.", "Two."):
            await socket.send(json.dumps({"type": "message", "content": "go"}))
            assert number in str(await answers(socket))


async def test_errors_are_told_and_the_turn_still_ends() -> None:
    failing = Step(error=Failure(message="no such model", kind="not_found"))
    async with served(bench(failing)) as server, server.raw() as socket:
        for nonsense in (
            "",
            "[]",
            '{"type":"nothing"}',
            '{"type":"message"}',
            '{"type":"message","content":7}',
            "{" * 900,
        ):
            await socket.send(nonsense)
            assert json.loads(await socket.recv())["type"] == "error"
        await socket.send(json.dumps({"type": "message", "content": "go"}))
        told = await answers(socket)
        assert [m["type"] for m in told] == ["error", "usage", "turn_complete"]
        assert told[0]["data"]["message"] == "no such model"


async def test_chat_over_http() -> None:
    async with served(
        bench(Step(text="Reading.", calls=(call("Read"),)), Step(text="Done."), Step(text="Again."))
    ) as server:
        json_type = "Content-Type: application/json"
        status, answer = await http(server, "POST /api/chat", b'{"message":"go"}', headers=json_type)
        assert status == 200
        assert answer["response"] == "Reading.\n\nDone."
        assert answer["tool_calls"][0]["name"] == "Read"
        assert set(answer["usage"]) == {"input_tokens", "output_tokens"}
        body = json.dumps({"message": "more", "session_id": answer["session_id"]}).encode()
        assert (await http(server, "POST /api/chat", body, headers=json_type))[1]["response"] == "Again."
        assert (await http(server, "POST /api/chat", b'{"message":"x","session_id":"no"}', headers=json_type))[0] == 404
        for bad in (b"{", b"[]", b'{"message":""}', b'{"message":1}', b'{"message":"x","more":1}'):
            assert (await http(server, "POST /api/chat", bad, headers=json_type))[0] == 422


async def test_the_other_endpoints() -> None:
    async with served(bench()) as server:
        assert await http(server, "GET /health", token="") == (200, {"status": "ok"})
        assert (await http(server, "GET /api/tools"))[1]["tools"][0]["name"] == "Read"
        assert (await http(server, "GET /api/settings"))[1] == {"model": "sonnet"}
        schema = (await http(server, "GET /openapi.json"))[1]
        assert set(schema["paths"]) == {"/health", "/api/tools", "/api/settings", "/api/chat", "/openapi.json"}
        assert "PermissionRequest" in schema["components"]["schemas"]
        assert "client" in schema["x-websocket"]["messages"]


# --- the doors ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/api/tools", "/api/settings", "/openapi.json", "/docs", "/nothing"])
async def test_nothing_without_the_token(path: str) -> None:
    async with served(bench()) as server:
        assert (await http(server, f"GET {path}", token=""))[0] == 401
        assert (await http(server, f"GET {path}", token="wrong"))[0] == 401


async def test_foreign_names_and_pages_are_refused_before_accept() -> None:
    async with served(bench()) as server:
        for host in ("evil.example", f"evil.example:{server.port}", "127.0.0.1", "127.0.0.1:1"):
            assert (await http(server, "GET /health", host=host))[0] == 421
        for origin in ("https://evil.example", "null", f"http://127.0.0.1:{server.port + 1}"):
            assert (await http(server, "GET /health", headers=f"Origin: {origin}"))[0] == 403
            with pytest.raises(InvalidStatus) as refused:
                async with server.raw(headers={"Origin": origin}):
                    pass
            assert refused.value.response.status_code == 403
        status, _ = await http(server, "GET /health", headers=f"Origin: http://127.0.0.1:{server.port}")
        assert status == 200


async def test_wrong_tokens_on_the_socket() -> None:
    async with served(bench(), auth_seconds=0.2) as server:
        with pytest.raises(InvalidStatus) as refused:
            async with server.raw("wrong"):
                pass
        assert refused.value.response.status_code == 401
        for first in ('{"type":"auth","token":"wrong"}', '{"type":"message","content":"hi"}', "nonsense", None):
            async with server.raw("") as socket:
                if first is not None:
                    await socket.send(first)
                with pytest.raises(ConnectionClosed) as closed:
                    await socket.recv()
                assert closed.value.rcvd is not None
                assert closed.value.rcvd.code == 4401


async def test_guessing_is_stopped() -> None:
    async with served(bench()) as server:
        statuses = [(await http(server, "GET /api/tools", token=f"wrong{n}"))[0] for n in range(14)]
        assert statuses[0] == 401
        assert statuses[-1] == 429


async def test_bodies_of_the_wrong_kind_and_size() -> None:
    async with served(bench(), limits=Limits(body=1000, message=1000)) as server:
        assert (await http(server, "POST /api/chat", b"x=1", headers="Content-Type: text/plain"))[0] == 415
        large = b'{"message":"' + b"x" * 2000 + b'"}'
        assert (await http(server, "POST /api/chat", large, headers="Content-Type: application/json"))[0] == 413
        async with server.raw() as socket:
            await socket.send(large.decode())
            with pytest.raises(ConnectionClosed) as closed:
                await socket.recv()
            assert closed.value.rcvd is not None
            assert closed.value.rcvd.code == 1009


async def test_too_many_messages() -> None:
    async with served(bench()) as server, server.raw() as socket:
        with pytest.raises(ConnectionClosed):
            for _ in range(1000):
                await socket.send('{"type":"ping"}')
            while True:
                await socket.recv()


# --- our own protocol, by hand ------------------------------------------------------------------------------


async def test_our_protocol_without_our_client() -> None:
    async with served(bench(Step(text="Hello."))) as server, server.raw() as socket:
        await socket.send('{"type":"hello","protocols":[1],"client":"bare"}')
        assert json.loads(await socket.recv())["type"] == "welcome"
        await socket.send('{"type":"call","id":1,"request":{"type":"open"}}')
        attached = json.loads(await socket.recv())
        assert (attached["type"], attached["id"], attached["result"]["role"]) == ("reply", 1, "owner")
        session = attached["result"]["info"]["id"]
        run = {"type": "run", "session": session, "prompt": {"text": "hi"}}
        await socket.send(json.dumps({"type": "call", "id": 2, "request": run}))
        await socket.send('{"type":"call","id":3,"request":{"type":"what"}}')
        numbers: list[int] = []
        kinds: list[str] = []
        faults = 0
        while "turn_finished" not in kinds:
            frame = json.loads(await socket.recv())
            faults += frame["type"] == "fault"
            for envelope in frame.get("events", ()):
                numbers.append(envelope["seq"])
                kinds.append(envelope["event"]["type"])
        assert faults == 1
        assert numbers == sorted(set(numbers))
        assert kinds[0] == "session_started"


async def test_a_reader_that_stalls_is_dropped_and_slows_nobody() -> None:
    big = Step(text="word " * 40_000, chunk=20_000)
    async with served(bench(*[big] * 40), stall=0.3) as server:
        remote = await server.client()
        session = await remote.open()
        async with connect(
            server.url,
            additional_headers={"Authorization": f"Bearer {TOKEN}"},
            proxy=None,
            max_queue=1,
            close_timeout=0.1,
        ) as stalled:
            await stalled.send('{"type":"hello"}')
            opened = {"type": "open", "session": session.info.id, "role": "observer"}
            await stalled.send(json.dumps({"type": "call", "id": 1, "request": opened}))
            await until(lambda: len(server.hall.hubs("owner")[0].story.listeners) == 2)
            stalled.transport.pause_reading()
            from tests.remote.stage import turn

            for number in range(40):
                assert len(await turn(session, f"turn {number}")) > 3
            await until(lambda: len(server.hall.hubs("owner")[0].story.listeners) == 1)


async def test_fifty_sessions_at_once() -> None:
    from tests.remote.stage import turn

    async with served(bench(Step(text="word " * 200, chunk=10, calls=(call("Read"),)), Step(text="Done."))) as server:
        remote = await server.client()
        sessions = [await remote.open() for _ in range(50)]
        stories = await asyncio.gather(*(turn(session, "go") for session in sessions))
        assert all(type(story[-1]).__name__ == "TurnFinished" for story in stories)


# --- small parts --------------------------------------------------------------------------------------------


def test_doors() -> None:
    doors = doors_of("127.0.0.1", 8765)
    assert doors.hosts == {"127.0.0.1:8765", "localhost:8765", "[::1]:8765"}
    assert "http://localhost:8765" in doors.origins
    tls = doors_of("0.0.0.0", 443, tls=True, extra=("rein.example", "other.example:8443"))
    assert {"rein.example", "rein.example:443", "other.example:8443"} <= tls.hosts
    assert "https://rein.example" in tls.origins


def test_loopback() -> None:
    assert all(is_loopback(h) for h in ("127.0.0.1", "localhost", "::1", "127.9.9.9"))
    assert not any(is_loopback(h) for h in ("0.0.0.0", "::", "example.com", "192.168.0.1"))


def test_a_bucket_fills_again() -> None:
    now = 0.0
    bucket = Bucket(rate=2, burst=3, clock=lambda: now)
    assert [bucket.take() for _ in range(4)] == [True, True, True, False]
    now = 1.0
    assert [bucket.take() for _ in range(3)] == [True, True, False]
    assert bucket.is_empty


def test_addresses_that_would_leak_the_token() -> None:
    for url in ("ws://example.com/ws/chat", "http://127.0.0.1", "ws://127.0.0.1/ws/chat?token=x", "wss://a:b@c/"):
        with pytest.raises(ConfigError):
            Address(url=url).check()
    Address(url="wss://example.com/ws/chat").check()
    assert type(error_of(Failure(message="m", kind="StoreError"))).__name__ == "StoreError"
    assert type(error_of(Failure(message="m", kind="overloaded"))).__name__ == "ProviderError"
