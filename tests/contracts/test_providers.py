"""One contract for all providers: any chunking gives the same events, a cut never gives an answer, closing is quick."""

import asyncio
import itertools
import re
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rein_tui.harness.protocol.errors import ProviderError
from rein_tui.harness.protocol.messages import Block, Message, TextBlock, ThinkingBlock, ToolUseBlock
from rein_tui.harness.protocol.models import (
    Completed,
    ModelRequest,
    Provider,
    ProviderEvent,
    TextChunk,
    ThinkingChunk,
    ToolInputChunk,
)
from rein_tui.harness.providers.anthropic import AnthropicOptions, AnthropicProvider
from rein_tui.harness.providers.anthropic_stream import MessageAccumulator
from rein_tui.harness.providers.base import NewId, Secret
from rein_tui.harness.providers.failures import Origin
from rein_tui.harness.providers.http import Endpoint
from rein_tui.harness.providers.keys import KeyRing
from rein_tui.harness.providers.ollama import OllamaOptions, OllamaProvider
from rein_tui.harness.providers.ollama_wire import OllamaAccumulator
from rein_tui.harness.providers.openai_chat import ChatOptions, OpenAIChatProvider
from rein_tui.harness.providers.openai_stream import ChatAccumulator
from rein_tui.harness.providers.sse import Decoder, LineDecoder, SseDecoder
from rein_tui.harness.providers.streaming import Accumulator, read_answer
from tests.fakes.model_server import model_server
from tests.fakes.streams import HABITS, anthropic_stream, chat_stream, ollama_stream

ORIGIN = Origin("http://test")
REQUEST = ModelRequest(model="m", system="", messages=(Message(role="user", blocks=(TextBlock(text="hi"),)),))


@dataclass(frozen=True, slots=True)
class Protocol:
    """One wire protocol: how an answer is written, and what reads it."""

    write: Callable[[Sequence[Block]], bytes]
    decoder: Callable[[], Decoder]
    accumulator: Callable[[NewId], Accumulator]
    signed: bool = False


def _chat(name: str) -> Protocol:
    return Protocol(
        lambda blocks: chat_stream(blocks, HABITS[name]),
        SseDecoder,
        lambda new_id: ChatAccumulator(ORIGIN, set(), None, new_id),
    )


PROTOCOLS = {
    "anthropic": Protocol(
        anthropic_stream, SseDecoder, lambda new_id: MessageAccumulator(ORIGIN, set(), new_id), signed=True
    ),
    "anthropic crlf": Protocol(
        lambda blocks: anthropic_stream(blocks, newline="\r\n"),
        SseDecoder,
        lambda new_id: MessageAccumulator(ORIGIN, set(), new_id),
        signed=True,
    ),
    "ollama native": Protocol(
        ollama_stream, LineDecoder, lambda new_id: OllamaAccumulator(ORIGIN, set(), None, new_id)
    ),
    **{f"chat {name}": _chat(name) for name in HABITS},
}

_texts = st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=12).map(lambda text: f"x{text}")
_values = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | _texts,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(_texts, inner, max_size=2),
    max_leaves=4,
)
_calls = st.builds(
    ToolUseBlock,
    id=st.uuids().map(lambda u: f"call_{u.hex[:8]}"),
    name=st.sampled_from(["Read", "Bash"]),
    input=st.dictionaries(_texts, _values, max_size=2),
)
_messages = st.tuples(
    st.lists(st.builds(ThinkingBlock, thinking=_texts, signature=st.just("sig")), max_size=1),
    st.lists(st.builds(TextBlock, text=_texts), max_size=1),
    st.lists(_calls, max_size=2, unique_by=lambda call: call.id),
).map(lambda parts: (*parts[0], *parts[1], *parts[2]))

FULL = (
    ThinkingBlock(thinking="größer", signature="sig"),
    TextBlock(text="naïve 😀 text"),
    ToolUseBlock(id="call_a", name="Bash", input={"command": "echo ü"}),
    ToolUseBlock(id="call_b", name="Read", input={"file_path": "/x", "limit": 3}),
)


async def _read(protocol: Protocol, chunks: Sequence[bytes]) -> list[ProviderEvent]:
    numbers = itertools.count(1)

    async def feed() -> AsyncGenerator[bytes]:
        for chunk in chunks:
            yield chunk

    accumulator = protocol.accumulator(lambda: f"new_{next(numbers)}")
    return [event async for event in read_answer(feed(), protocol.decoder(), accumulator, ORIGIN)]


def _bare(blocks: Sequence[Block], signed: bool) -> list[Block]:
    """Blocks without what a protocol does not carry: ids may be new, signatures are Claude's."""
    found: list[Block] = []
    for block in blocks:
        if isinstance(block, ToolUseBlock):
            found.append(ToolUseBlock(id="", name=block.name, input=block.input, malformed=block.malformed))
        elif isinstance(block, ThinkingBlock) and not signed:
            found.append(ThinkingBlock(thinking=block.thinking))
        else:
            found.append(block)
    return found


@pytest.mark.parametrize("name", PROTOCOLS)
@settings(max_examples=25, deadline=None)
@given(blocks=_messages, cuts=st.lists(st.integers(0, 10_000), max_size=12))
def test_any_chunking_gives_the_same_events(name: str, blocks: tuple[Block, ...], cuts: list[int]) -> None:
    protocol = PROTOCOLS[name]
    data = protocol.write(blocks)
    places = sorted({cut % (len(data) + 1) for cut in cuts})
    chunks = [data[a:b] for a, b in itertools.pairwise([0, *places, len(data)])]
    whole = asyncio.run(_read(protocol, [data]))
    assert asyncio.run(_read(protocol, chunks)) == whole
    assert asyncio.run(_read(protocol, [data[at : at + 1] for at in range(len(data))])) == whole


@pytest.mark.parametrize("name", PROTOCOLS)
@settings(max_examples=25, deadline=None)
@given(blocks=_messages)
def test_the_answer_is_what_was_sent(name: str, blocks: tuple[Block, ...]) -> None:
    protocol = PROTOCOLS[name]
    events = asyncio.run(_read(protocol, [protocol.write(blocks)]))
    done = events[-1]
    assert isinstance(done, Completed)
    assert [type(event) for event in events].count(Completed) == 1
    assert _bare(done.message.blocks, protocol.signed) == _bare(blocks, protocol.signed)
    assert done.stop_reason == ("tool_use" if done.message.tool_uses else "end_turn")
    assert "".join(e.text for e in events if isinstance(e, TextChunk)) == done.message.text
    thought = "".join(b.thinking for b in done.message.blocks if isinstance(b, ThinkingBlock))
    assert "".join(e.text for e in events if isinstance(e, ThinkingChunk)) == thought
    told = {e.call_id for e in events if isinstance(e, ToolInputChunk)}
    assert told >= {call.id for call in done.message.tool_uses if call.input}
    if name not in {"chat lmstudio", "chat no id", "chat objects"}:
        assert (done.usage.input_tokens, done.usage.output_tokens) == (7, 11)


@pytest.mark.parametrize("name", PROTOCOLS)
async def test_a_cut_at_any_byte_is_never_an_answer(name: str) -> None:
    protocol = PROTOCOLS[name]
    data = protocol.write(FULL)
    says_so = max(data.rfind(mark) for mark in (b'"stop_reason"', b'"finish_reason"', b'"done": true'))
    for length in range(len(data)):
        try:
            done = (await _read(protocol, [data[:length]]))[-1]
        except ProviderError as error:
            assert error.kind in {"cut", "malformed"}
            assert error.retryable
            continue
        assert isinstance(done, Completed)
        kept = _bare(done.message.blocks, protocol.signed)
        whole = _bare(FULL, protocol.signed)
        if done.stop_reason == "incomplete":
            assert kept
            *before, last = kept
            assert before == whole[: len(before)]
            prose = isinstance(last, TextBlock) and FULL[1].text.startswith(last.text)  # as far as it came
            assert prose or last == whole[len(before)]
        else:
            assert length > says_so  # only the trailer is missing
            assert kept == whole


def _providers(url: str) -> dict[str, Provider]:
    return {
        "anthropic": AnthropicProvider(KeyRing(Secret("test-key", "a test")), AnthropicOptions(url=url)),
        "openai": OpenAIChatProvider(ChatOptions(Endpoint(url=url))),
        "ollama": OllamaProvider(OllamaOptions(Endpoint(url=url))),
    }


_BEGINNINGS = {
    "anthropic": ("text/event-stream", anthropic_stream([TextBlock(text="first words")])[:-250]),
    "openai": ("text/event-stream", chat_stream([TextBlock(text="first words")], HABITS["openai"])[:-220]),
    "ollama": ("application/x-ndjson", ollama_stream([TextBlock(text="first words")])[:-150]),
}


@pytest.mark.parametrize("name", _BEGINNINGS)
async def test_closing_the_stream_closes_the_connection(name: str) -> None:
    kind, beginning = _BEGINNINGS[name]
    head = {"op": "head", "status": 200, "headers": {"content-type": kind}}
    script = [head, {"op": "send", "data": beginning.decode()}, {"op": "stall", "s": 30}]
    async with model_server(
        route=lambda seen: script if "chat" in seen.path or "messages" in seen.path else []
    ) as fake:
        provider = _providers(fake.url)[name]
        async with asyncio.timeout(20), aclosing(provider.stream(REQUEST)) as events:
            async for event in events:
                if isinstance(event, TextChunk):
                    break
        async with asyncio.timeout(20):
            await provider.close()


@pytest.mark.parametrize("name", _BEGINNINGS)
async def test_cancelling_a_stalled_stream_ends_it(name: str) -> None:
    kind, beginning = _BEGINNINGS[name]
    head = {"op": "head", "status": 200, "headers": {"content-type": kind}}
    script = [head, {"op": "send", "data": beginning.decode()}, {"op": "stall", "s": 30}]
    async with model_server(
        route=lambda seen: script if "chat" in seen.path or "messages" in seen.path else []
    ) as fake:
        provider = _providers(fake.url)[name]
        began = asyncio.Event()

        async def watch() -> None:
            async with aclosing(provider.stream(REQUEST)) as events:
                async for _ in events:
                    began.set()

        task = asyncio.create_task(watch())
        async with asyncio.timeout(20):
            await began.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            await provider.close()


_ANSWERS = {
    "anthropic": ("text/event-stream", anthropic_stream([TextBlock(text="words")])),
    "openai": ("text/event-stream", chat_stream([TextBlock(text="words")], HABITS["openai"])),
    "ollama": ("application/x-ndjson", ollama_stream([TextBlock(text="words")])),
}


@pytest.mark.parametrize("name", _ANSWERS)
async def test_one_connection_serves_many_requests(name: str) -> None:
    """Connecting anew for every call costs a handshake each time, over TLS more than the rest of the call."""
    kind, answer = _ANSWERS[name]
    connections = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        asked = 0
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                length = re.search(rb"content-length: (\d+)", head.lower())
                await reader.readexactly(int(length[1]) if length else 0)
                asks = b"/chat" in head or b"/messages" in head
                connections += asks and not asked
                asked += asks
                body = answer if asks else b"{}"
                writer.write(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n")
                writer.write(f"content-type: {kind if asks else 'application/json'}\r\n\r\n".encode())
                writer.write(b"%x\r\n%b\r\n" % (len(body), body))
                await writer.drain()
                writer.write(b"0\r\n\r\n")  # the end of the body comes by itself, as it does from real servers
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    provider = _providers(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")[name]
    async with asyncio.timeout(20), server:
        for _ in range(3):
            async with aclosing(provider.stream(REQUEST)) as events:
                assert isinstance([event async for event in events][-1], Completed)
        await provider.close()
    assert connections == 1
