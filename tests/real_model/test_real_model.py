"""Real tokens over both protocols: prose, a grammar-held tool call and its result, counts, cancelling, a crash."""

import asyncio
import os
import signal
from contextlib import aclosing

import pytest

from rein_tui.harness.protocol.errors import ProviderError
from rein_tui.harness.protocol.messages import Message, TextBlock, ToolResultBlock, ToolSpec
from rein_tui.harness.protocol.models import Completed, ModelRequest, Provider, ProviderEvent, TextChunk, ToolInputChunk
from rein_tui.harness.providers.anthropic import AnthropicOptions, AnthropicProvider
from rein_tui.harness.providers.embedded import EmbeddedProvider
from rein_tui.harness.providers.http import Endpoint, HttpServer
from rein_tui.harness.providers.keys import KeyRing
from rein_tui.harness.providers.openai_chat import ChatOptions, OpenAIChatProvider
from rein_tui.harness.providers.servers import look

pytestmark = [pytest.mark.real_model, pytest.mark.asyncio(loop_scope="session")]

READ = ToolSpec(
    name="Read",
    description="Reads a file",
    input_schema={"type": "object", "properties": {"file_path": {"type": "string"}}, "required": ["file_path"]},
)


def asking(*messages: Message, tools: tuple[ToolSpec, ...] = (), max_tokens: int = 60) -> ModelRequest:
    first = Message(role="user", blocks=(TextBlock(text="Read README.md, then say what it is."),))
    return ModelRequest(
        model="SmolLM2", system="Be brief.", messages=(first, *messages), tools=tools, max_tokens=max_tokens
    )


def clients(embedded: EmbeddedProvider) -> dict[str, Provider]:
    url, key = embedded.server
    return {
        "openai": OpenAIChatProvider(ChatOptions(Endpoint(url=f"{url}/v1")), KeyRing(key)),
        "anthropic": AnthropicProvider(KeyRing(key), AnthropicOptions(url=url)),
    }


async def play(provider: Provider, request: ModelRequest) -> list[ProviderEvent]:
    async with aclosing(provider.stream(request)) as events:
        return [event async for event in events]


def completed(events: list[ProviderEvent]) -> Completed:
    done = events[-1]
    assert isinstance(done, Completed)
    return done


@pytest.mark.parametrize("name", ["openai", "anthropic"])
async def test_prose_streams_and_is_counted(embedded: EmbeddedProvider, name: str) -> None:
    provider = clients(embedded)[name]
    events = await play(provider, asking(max_tokens=24))
    done = completed(events)
    assert "".join(event.text for event in events if isinstance(event, TextChunk)) == done.message.text
    assert done.message.text.strip()
    assert done.stop_reason in {"end_turn", "max_tokens"}
    assert done.usage.output_tokens > 0
    assert done.usage.input_tokens + done.usage.cache_read_tokens > 0
    await provider.close()


@pytest.mark.parametrize("name", ["openai", "anthropic"])
async def test_a_real_call_and_an_answer_from_its_result(embedded: EmbeddedProvider, name: str) -> None:
    provider = clients(embedded)[name]
    events = await play(provider, asking(tools=(READ,), max_tokens=200))
    done = completed(events)
    assert done.stop_reason == "tool_use"
    (call,) = done.message.tool_uses
    assert (call.name, call.malformed) == ("Read", "")
    assert isinstance(call.input["file_path"], str)
    assert any(isinstance(event, ToolInputChunk) and event.text for event in events)
    result = Message(role="user", blocks=(ToolResultBlock(tool_use_id=call.id, content="# A project"),))
    after = completed(await play(provider, asking(done.message, result, tools=(READ,))))
    assert not after.message.tool_uses
    await provider.close()


async def test_the_server_tells_what_it_is_and_wants_its_key(embedded: EmbeddedProvider) -> None:
    url, key = embedded.server
    server = HttpServer(Endpoint(url=url), KeyRing(key))
    found = await look(server, within=10)
    await server.close()
    assert found.flavour == "llamacpp"
    assert found.models[0].context_window == 4096
    stranger = OpenAIChatProvider(ChatOptions(Endpoint(url=url)))
    with pytest.raises(ProviderError) as caught:
        await play(stranger, asking())
    assert caught.value.kind == "auth"
    await stranger.close()


async def test_constrained_json_is_json(embedded: EmbeddedProvider) -> None:
    import json

    schema = {
        "type": "object",
        "properties": {"tool": {"enum": ["Read"]}, "path": {"type": "string", "maxLength": 30}},
        "required": ["tool", "path"],
        "additionalProperties": False,
    }
    provider = clients(embedded)["openai"]
    wished = ModelRequest(
        model="m", system="", messages=asking().messages, forced_schema=schema, max_tokens=120, temperature=0.0
    )
    answer = json.loads(completed(await play(provider, wished)).message.text)
    assert answer["tool"] == "Read"
    await provider.close()


async def test_closing_early_frees_the_server(embedded: EmbeddedProvider) -> None:
    provider = clients(embedded)["openai"]
    async with aclosing(provider.stream(asking(max_tokens=1000))) as events:
        async for event in events:
            if isinstance(event, TextChunk):
                break
    async with asyncio.timeout(60):
        assert completed(await play(provider, asking(max_tokens=4))).message.blocks
    await provider.close()


async def test_a_crash_of_the_server_is_survived(embedded: EmbeddedProvider) -> None:
    first = embedded.server[0]
    assert embedded.pid
    os.kill(embedded.pid, signal.SIGKILL)
    assert completed(await play(embedded, asking(max_tokens=4))).message.blocks
    assert embedded.server[0] != first
