"""HTTP to this machine by our own few lines: framing in any cut, connections kept, and servers that misbehave."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rein_tui.harness.protocol.errors import ProviderError
from rein_tui.harness.providers.failures import Origin
from rein_tui.harness.providers.loopback import ChunkedBody, Loopback, Reply

ORIGIN = Origin("http://127.0.0.1")
OK = b"HTTP/1.1 200 OK\r\n"


@given(st.lists(st.binary(min_size=1, max_size=40), max_size=6), st.lists(st.integers(1, 30), max_size=40))
def test_any_cut_gives_the_same_content(parts: list[bytes], cuts: list[int]) -> None:
    framed = b"".join(b"%x;note=1\r\n%b\r\n" % (len(part), part) for part in parts)
    framed += b"0\r\nTrailer: yes\r\n\r\nnext"
    body, content = ChunkedBody(), b""
    for size in [*cuts, len(framed)]:
        content += body.feed(framed[:size])
        framed = framed[size:]
    assert content == b"".join(parts)
    assert body.done
    assert body.leftover + framed == b"next" or (body.leftover + framed).endswith(b"next")


@pytest.mark.parametrize("framed", [b"zz\r\nx", b"-1\r\n", b"\r\n", b"1\r\nxy\r\n", b"f" * 5000, b"1" * 16 + b"\r\n"])
def test_what_is_no_chunk_is_refused(framed: bytes) -> None:
    with pytest.raises(ValueError, match="chunk"):
        ChunkedBody().feed(framed)


@asynccontextmanager
async def serving(*connections: Sequence[bytes]) -> AsyncGenerator[tuple[Loopback, list[bytes]]]:
    """A server that plays, connection by connection, one answer a request, then closes. And what it was sent."""
    heads: list[bytes] = []
    waiting = list(connections)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            for answer in waiting.pop(0):
                heads.append(await reader.readuntil(b"\r\n\r\n"))
                writer.write(answer)
                await writer.drain()
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    near = Loopback(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/base", idle=10)
    async with asyncio.timeout(20), server:
        yield near, heads
        await near.close()


async def asked(near: Loopback) -> bytes:
    reply = await near.send("GET", "/x", {"x-one": "1"}, b"", ORIGIN)
    try:
        return await reply.read()
    finally:
        await reply.close()


async def test_connections_are_kept_and_a_closed_one_is_replaced() -> None:
    answer = OK + b"content-length: 2\r\n\r\nhi"
    async with serving([answer, answer], [answer]) as (near, heads):
        assert [await asked(near) for _ in range(2)] == [b"hi", b"hi"]
        assert await asked(near) == b"hi"  # the first connection is closed by now, noticed or not
        assert len(heads) == 3
        assert heads[0].startswith(b"GET /base/x HTTP/1.1\r\n")
        assert b"x-one: 1\r\n" in heads[0]


async def test_bodies_end_by_length_by_chunks_or_with_the_connection() -> None:
    async with serving(
        [OK + b"Content-Length: 3\r\n\r\none"],
        [b"HTTP/1.1 100 Continue\r\n\r\n" + OK + b"Transfer-Encoding: chunked\r\n\r\n3\r\ntwo\r\n0\r\n\r\n"],
        [b"HTTP/1.0 200 OK\r\n\r\nthree"],
        [b"HTTP/1.1 204 No Content\r\n\r\n"],
    ) as (near, _):
        assert [await asked(near) for _ in range(4)] == [b"one", b"two", b"three", b""]


async def test_what_comes_after_an_answer_is_not_taken_for_the_next() -> None:
    good = OK + b"content-length: 4\r\n\r\ngood"
    async with serving([OK + b"content-length: 2\r\n\r\nhi" + OK + b"\r\nfalse"], [good]) as (near, _):
        assert await asked(near) == b"hi"
        assert await asked(near) == b"good"


async def test_a_late_close_leaves_the_next_user_of_a_connection_alone() -> None:
    answer = OK + b"content-length: 2\r\n\r\nhi"
    async with serving([answer, answer]) as (near, _):
        first = await near.send("GET", "/x", {}, b"", ORIGIN)
        assert await first.read() == b"hi"
        second: Reply = await near.send("GET", "/x", {}, b"", ORIGIN)
        await first.close()
        assert await second.read() == b"hi"
        await second.close()


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (b"", "cut"),
        (b"SSH-2.0-OpenSSH\r\n\r\n", "malformed"),
        (OK + b"no colon\r\n\r\n", "malformed"),
        (OK + b"content-length: -1\r\n\r\n", "malformed"),
        (OK + b"content-encoding: gzip\r\n\r\n", "malformed"),
        (OK + b"transfer-encoding: gzip, chunked\r\n\r\n", "malformed"),
        (OK + b"x: " + b"y" * 200_000, "malformed"),
        (OK + b"content-length: 9\r\n\r\nshort", "cut"),
        (OK + b"transfer-encoding: chunked\r\n\r\n5\r\nhel", "cut"),
        (OK + b"transfer-encoding: chunked\r\n\r\nnope\r\n", "cut"),
    ],
)
async def test_servers_that_misbehave_are_told(answer: bytes, kind: str) -> None:
    async with serving([answer]) as (near, _):
        with pytest.raises(ProviderError) as told:
            await asked(near)
        assert told.value.kind == kind


async def test_a_header_cannot_bring_another() -> None:
    async with serving() as (near, heads):
        with pytest.raises(ProviderError):
            await near.send("GET", "/x", {"authorization": "Bearer a\r\nx-evil: 1"}, b"", ORIGIN)
        assert not heads


async def test_nobody_listens() -> None:
    async with serving() as (near, _):
        pass
    with pytest.raises(ProviderError) as told:
        await asked(near)
    assert told.value.kind == "connection"
