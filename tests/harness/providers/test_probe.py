"""Local servers told apart, found, and tried out."""

from collections.abc import Sequence
from contextlib import aclosing
from typing import Any

import pytest

from rein_tui.harness.protocol.messages import Message, TextBlock, ToolUseBlock
from rein_tui.harness.protocol.models import Completed, ModelRequest, Provider, ProviderEvent, Retrying
from rein_tui.harness.protocol.workbench import FoundServer
from rein_tui.harness.providers.base import Secret
from rein_tui.harness.providers.http import Endpoint, HttpServer
from rein_tui.harness.providers.keys import KeyRing
from rein_tui.harness.providers.local import LocalProvider
from rein_tui.harness.providers.ollama import OllamaOptions, OllamaProvider
from rein_tui.harness.providers.openai_chat import ChatOptions, OpenAIChatProvider
from rein_tui.harness.providers.probe import ToolProber, find_servers
from rein_tui.harness.providers.retry import Pace
from rein_tui.harness.providers.servers import look
from tests.fakes.local_servers import LLAMACPP, LMSTUDIO, LMSTUDIO_OLD, LOCALAI, OLLAMA, OTHER, VLLM, site
from tests.fakes.model_server import ModelServer, Op, Seen, answer, model_server
from tests.fakes.streams import HABITS, chat_stream, ollama_stream

REQUEST = ModelRequest(model="m", system="s", messages=(Message(role="user", blocks=(TextBlock(text="hi"),)),))


async def play(provider: Provider) -> list[ProviderEvent]:
    async with aclosing(provider.stream(REQUEST)) as events:
        return [event async for event in events]


@pytest.mark.parametrize(
    ("pages", "flavour", "windows", "abilities"),
    [
        (OLLAMA, "ollama", [131_072, 131_072], ("completion", "tools")),
        (LLAMACPP, "llamacpp", [4096], ("completion", "vision")),
        (LMSTUDIO, "lmstudio", [8_192], ("completion", "tools")),
        (LMSTUDIO_OLD, "lmstudio", [2048], ("completion", "vision", "tools")),
        (VLLM, "vllm", [40_960], ()),
        (LOCALAI, "localai", [0], ()),
        (OTHER, "openai", [100], ()),
    ],
)
async def test_servers_are_told_apart(
    pages: dict[str, Any], flavour: str, windows: list[int], abilities: tuple[str, ...]
) -> None:
    async with model_server(route=site(pages)) as fake:
        server = HttpServer(Endpoint(url=f"{fake.url}/v1"))
        found = await look(server, within=10)
        await server.close()
    assert (found.flavour, found.url) == (flavour, fake.url)
    assert [model.context_window for model in found.models] == windows
    assert found.models[0].abilities == abilities
    if flavour == "ollama":
        assert [(model.id, model.loaded) for model in found.models] == [("qwen:7b", False), ("tiny", True)]


async def test_servers_are_found_where_they_are_and_nowhere_else() -> None:
    async with model_server() as gone:
        pass
    async with model_server(route=site(VLLM)) as one, model_server(route=site({})) as nothing:
        found = await find_servers([f"{one.url}/v1", "http://example.com"], usual=(gone.url, one.url, nothing.url))
    assert [(server.url, server.flavour) for server in found] == [(one.url, "vllm")]


async def test_a_key_goes_to_addresses_that_a_person_named_and_to_no_other() -> None:
    async with model_server(route=site(VLLM)) as named, model_server(route=site(VLLM)) as usual:
        found = await find_servers([named.url], KeyRing(Secret("sk-local", "test")), usual=(usual.url, named.url))
    assert len(found) == 2
    assert {seen.headers.get("authorization") for seen in named.requests} == {"Bearer sk-local"}
    assert {seen.headers.get("authorization") for seen in usual.requests} == {None}


async def test_an_unknown_local_server_is_asked_once_and_spoken_to_in_its_own_words() -> None:
    def build(fake: ModelServer) -> LocalProvider:
        def make(flavour: str) -> Provider:
            if flavour == "ollama":
                return OllamaProvider(OllamaOptions(Endpoint(url=fake.url)))
            return OpenAIChatProvider(ChatOptions(Endpoint(url=fake.url)))

        return LocalProvider(HttpServer(Endpoint(url=f"{fake.url}/v1")), make)

    pages = {**OLLAMA, "/api/chat": ollama_stream([TextBlock(text="native")]).decode()}
    async with model_server(route=site(pages)) as fake:
        provider = build(fake)
        assert provider.name == "local"
        await provider.warm()
        assert provider.name == "ollama"
        done = (await play(provider))[-1]
        assert isinstance(done, Completed)
        assert done.message.text == "native"
        assert provider.wire(REQUEST).url.endswith("/api/chat")
        assert len(await provider.models()) == 2
        await provider.close()
    pages = {**VLLM, "/v1/chat/completions": chat_stream([TextBlock(text="chat")], HABITS["vllm"]).decode()}
    async with model_server(route=site(pages)) as fake:
        provider = build(fake)
        done = (await play(provider))[-1]
        assert isinstance(done, Completed)
        assert (done.message.text, await provider.context_window("m")) == ("chat", 40_960)
        await provider.close()


async def test_a_server_that_loads_its_model_is_known_once_it_has() -> None:
    """llama.cpp lists its model at once, and says 503 to everything else until it is there."""
    loading = answer('{"error":{"code":503,"message":"Loading model"}}', "application/json", 503)
    left = [2]

    def route(seen: Seen) -> Sequence[Op]:
        if seen.path == "/v1/chat/completions":
            left[0] -= 1
        if seen.path != "/v1/models" and left[0] >= 0:
            return loading
        pages = {**LLAMACPP, "/v1/chat/completions": chat_stream([TextBlock(text="ok")], HABITS["openai"]).decode()}
        return site(pages)(seen)

    async def sleep(delay: float) -> None:
        return

    async with model_server(route=route) as fake:

        def build(flavour: str) -> Provider:
            return OpenAIChatProvider(ChatOptions(Endpoint(url=fake.url)), pace=Pace(sleep=sleep))

        provider = LocalProvider(HttpServer(Endpoint(url=fake.url)), build)
        assert await provider.server() is None
        assert await provider.context_window("file") == 0
        events = await play(provider)
        assert [event.max_attempts for event in events if isinstance(event, Retrying)] == [24, 24]
        assert isinstance(events[-1], Completed)
        found = await provider.server()
        assert found is not None
        assert (found.flavour, await provider.context_window("file")) == ("llamacpp", 4096)
        await provider.close()


@pytest.mark.parametrize(
    ("blocks", "verdict"),
    [
        ([ToolUseBlock(id="a", name="echo", input={"text": "ok"})], "native"),
        ([TextBlock(text='{"name": "echo", "arguments": {"text": "ok"}}')], "text"),
        ([TextBlock(text="ok")], "none"),
    ],
)
async def test_a_model_s_calls_are_tried_out_once(blocks: list[TextBlock | ToolUseBlock], verdict: str) -> None:
    async with model_server([answer(chat_stream(blocks, HABITS["openai"]).decode())]) as fake:
        provider, prober, server = (
            OpenAIChatProvider(ChatOptions(Endpoint(url=fake.url))),
            ToolProber(),
            FoundServer(url=fake.url, flavour="openai"),
        )
        for again in (False, False, True):
            assert (await prober.probe(provider, "m", server, again=again)).verdict == verdict
        await provider.close()
    assert len(fake.requests) == 2
