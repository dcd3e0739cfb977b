"""Local servers over loopback: spoken to in their own protocol, mended with, and watched for silent cuts."""

import json
from collections.abc import Sequence
from contextlib import aclosing
from typing import Any

import pytest

from rein_tui.harness.protocol.errors import ConfigError, ProviderError
from rein_tui.harness.protocol.messages import (
    ImageBlock,
    Message,
    TextBlock,
    ToolResultBlock,
    ToolSpec,
    ToolUseBlock,
)
from rein_tui.harness.protocol.models import Completed, ModelRequest, Provider, ProviderEvent, ProviderNotice, Retrying
from rein_tui.harness.providers.base import Secret
from rein_tui.harness.providers.http import Endpoint, HttpServer
from rein_tui.harness.providers.keys import KeyRing
from rein_tui.harness.providers.ollama import OllamaOptions, OllamaProvider
from rein_tui.harness.providers.openai_chat import ChatOptions, OpenAIChatProvider
from rein_tui.harness.providers.retry import Pace
from tests.fakes.local_servers import OLLAMA, site
from tests.fakes.model_server import ModelServer, Op, Seen, answer, model_server
from tests.fakes.streams import HABITS, chat_stream, ollama_stream

TOOL = ToolSpec(name="Bash", description="Runs", input_schema={"type": "object"})
CALL = ToolUseBlock(id="call_a", name="Bash", input={"command": "ls"})


def asking(text: str = "hi", *messages: Message, tools: tuple[ToolSpec, ...] = ()) -> ModelRequest:
    return ModelRequest(
        model="m", system="s", messages=(Message(role="user", blocks=(TextBlock(text=text),)), *messages), tools=tools
    )


async def _no_wait(delay: float) -> None:
    return


async def play(provider: Provider, request: ModelRequest) -> list[ProviderEvent]:
    async with aclosing(provider.stream(request)) as events:
        return [event async for event in events]


def chat(fake: ModelServer, **options: Any) -> OpenAIChatProvider:
    return OpenAIChatProvider(ChatOptions(Endpoint(url=fake.url), **options), pace=Pace(sleep=_no_wait))


async def test_ollama_is_asked_for_a_constant_context_length() -> None:
    pages = {**OLLAMA, "/api/chat": ollama_stream([TextBlock(text="ok"), CALL]).decode()}
    async with model_server(route=site(pages)) as fake:
        provider = OllamaProvider(OllamaOptions(Endpoint(url=fake.url)))
        for _ in range(2):
            done = (await play(provider, asking(tools=(TOOL,))))[-1]
            assert isinstance(done, Completed)
            assert (done.message.tool_uses[0].input, done.stop_reason) == ({"command": "ls"}, "tool_use")
        assert await provider.context_window("m") == 32_768
        await provider.close()
    bodies = [seen.json() for seen in fake.requests if seen.path == "/api/chat"]
    assert [body["options"]["num_ctx"] for body in bodies] == [32_768, 32_768]
    assert "think" not in bodies[0]


@pytest.mark.parametrize(("asked", "model_takes", "sent"), [(0, 4096, 4096), (65_536, 131_072, 65_536), (9, 0, 9)])
async def test_the_context_length_is_what_fits(asked: int, model_takes: int, sent: int) -> None:
    show = {"model_info": {"general.architecture": "a", "a.context_length": model_takes}}
    async with model_server(route=site({"/api/show": show})) as fake:
        provider = OllamaProvider(OllamaOptions(Endpoint(url=fake.url), num_ctx=asked))
        assert await provider.context_window("m") == sent
        await provider.close()


async def test_a_prompt_that_ollama_cut_in_silence_raises_the_alarm() -> None:
    counts = iter([3_000, 4_096, 4_096])

    def route(seen: Seen) -> Sequence[Op]:
        if seen.path == "/api/chat":
            line = {"message": {"content": "ok"}, "done": True, "prompt_eval_count": next(counts), "eval_count": 1}
            return answer(json.dumps(line) + "\n", "application/x-ndjson")
        return site(OLLAMA)(seen)

    async with model_server(route=route) as fake:
        provider = OllamaProvider(OllamaOptions(Endpoint(url=fake.url)))
        told: list[list[str]] = []
        for length in (12_000, 16_000, 40_000):
            reply = Message(role="assistant", blocks=(TextBlock(text="x " * (length // 2)),))
            events = await play(provider, asking("start", reply))
            told.append([event.code for event in events if isinstance(event, ProviderNotice)])
        await provider.close()
    assert told == [[], [], ["prompt_truncated"]]


@pytest.mark.parametrize("protocol", ["ollama", "openai"])
@pytest.mark.parametrize("inside", [True, False])
async def test_a_large_image_is_no_prompt_that_was_cut(protocol: str, inside: bool) -> None:
    """As base64 it is long, for the model it is a thousand tokens."""
    picture = ImageBlock(media_type="image/png", data="aWNv" * 50_000)
    within = ToolResultBlock(tool_use_id="call_a", content=(picture,)) if inside else picture
    said = (Message(role="assistant", blocks=(CALL,)), Message(role="user", blocks=(within,)))
    last = {"message": {"content": "ok"}, "done": True, "prompt_eval_count": 1_500, "eval_count": 1}
    chunk = {"choices": [{"delta": {"content": "ok"}, "finish_reason": "stop"}], "usage": {"prompt_tokens": 1_500}}
    pages: dict[str, Any] = {"/api/show": {}, "/api/chat": json.dumps(last) + "\n"}
    async with model_server(route=site({**pages, "/v1/chat/completions": f"data: {json.dumps(chunk)}\n\n"})) as fake:
        provider = OllamaProvider(OllamaOptions(Endpoint(url=fake.url))) if protocol == "ollama" else chat(fake)
        events = await play(provider, asking("x" * 9_000, *said))
        assert isinstance(events[-1], Completed)
        assert [event.code for event in events if isinstance(event, ProviderNotice)] == []
        await provider.close()
    assert len(fake.requests[-1].body) > 200_000


async def test_where_nobody_counts_an_image_is_estimated_as_an_image() -> None:
    """By its characters it would fill the window, and the conversation would be summarised for nothing."""
    picture = Message(role="user", blocks=(ImageBlock(media_type="image/png", data="aWNv" * 50_000),))
    async with model_server(
        route=lambda _: answer(chat_stream([TextBlock(text="ok")], HABITS["lmstudio"]).decode())
    ) as fake:
        provider = chat(fake)
        done = (await play(provider, asking("see", picture)))[-1]
        assert isinstance(done, Completed)
        assert 1_000 < done.usage.input_tokens < 3_000
        await provider.close()


@pytest.mark.parametrize(("counted", "stop"), [(8_000, "context_full"), (100, "max_tokens")])
async def test_a_full_window_is_told_from_a_long_answer(counted: int, stop: str) -> None:
    last = {"done": True, "done_reason": "length", "prompt_eval_count": counted, "eval_count": 192}
    pages = {**OLLAMA, "/api/chat": json.dumps({"message": {"content": "and so"}, **last}) + "\n"}
    async with model_server(route=site(pages)) as fake:
        provider = OllamaProvider(OllamaOptions(Endpoint(url=fake.url), num_ctx=8_192))
        done = (await play(provider, asking()))[-1]
        assert isinstance(done, Completed)
        assert done.stop_reason == stop
        await provider.close()


async def test_errors_of_ollama_are_understood() -> None:
    pages = {**OLLAMA, "/api/chat": '{"error":"model \\"m\\" not found"}\n'}
    async with model_server(route=site(pages)) as fake:
        provider = OllamaProvider(OllamaOptions(Endpoint(url=fake.url)), pace=Pace(sleep=_no_wait))
        with pytest.raises(ProviderError) as caught:
            await play(provider, asking())
        await provider.close()
    assert "not found" in caught.value.message


async def test_a_server_that_dies_in_mid_answer_and_comes_back_lets_the_turn_go_on() -> None:
    whole = chat_stream([TextBlock(text="hello there")], HABITS["openai"]).decode()
    head: Op = {"op": "head", "status": 200, "headers": {"content-type": "text/event-stream"}}
    async with model_server(
        [[head, {"op": "send", "data": whole[:200]}, {"op": "reset"}], [{"op": "refuse"}], answer(whole)]
    ) as fake:
        provider = chat(fake)
        events = await play(provider, asking())
        await provider.close()
    done = events[-1]
    assert isinstance(done, Completed)
    assert done.message.text == "hello there"
    assert [event.attempt for event in events if isinstance(event, Retrying)] == [1, 2]


async def test_a_field_that_the_server_refuses_is_left_out_from_then_on() -> None:
    def route(seen: Seen) -> list[Op]:
        for name in ("stream_options", "reasoning_effort"):
            if name in seen.json():
                return answer(json.dumps({"error": {"message": f"unknown field {name}"}}), "application/json", 400)
        return answer(chat_stream([TextBlock(text="ok")], HABITS["lmstudio"]).decode())

    async with model_server(route=route) as fake:
        provider = chat(fake)
        request = ModelRequest(model="m", system="", messages=asking().messages, effort="low")
        for _ in range(2):
            done = (await play(provider, request))[-1]
            assert isinstance(done, Completed)
            assert done.usage.input_tokens > 0  # estimated: this server counts nothing
        await provider.close()
    assert len(fake.requests) == 4


PICTURE = Message(
    role="user", blocks=(TextBlock(text="see"), ImageBlock(media_type="image/png", data="aWNv", name="a.png"))
)
SEEN = Message(
    role="user",
    blocks=(ToolResultBlock(tool_use_id="call_a", content=(ImageBlock(media_type="image/png", data="aWNv"),)),),
)


@pytest.mark.parametrize("status", [400, 500])
@pytest.mark.parametrize("said", [(PICTURE,), (Message(role="assistant", blocks=(CALL,)), SEEN)])
async def test_a_model_without_vision_is_told_of_images_and_so_is_the_person(
    status: int, said: tuple[Message, ...]
) -> None:
    """No list of abilities says so: the server refuses the first image, which must not end the conversation."""
    refusal = '{"error": {"code": 500, "message": "image input is not supported - hint: provide the mmproj"}}'

    def route(seen: Seen) -> Sequence[Op]:
        if b"image_url" in seen.body:
            return answer(refusal, "application/json", status)
        return answer(chat_stream([TextBlock(text="ok")], HABITS["openai"]).decode())

    async with model_server(route=route) as fake:
        provider = chat(fake)
        request = asking("start", *said)
        events = await play(provider, request)
        assert [event.code for event in events if isinstance(event, ProviderNotice)] == ["no_vision"]
        assert isinstance(events[-1], Completed)
        later = asking("start", *said, Message(role="assistant", blocks=(TextBlock(text="ok"),)), *asking().messages)
        assert not [event for event in await play(provider, later) if isinstance(event, ProviderNotice)]
        await provider.close()
    assert [b"image_url" in seen.body for seen in fake.requests] == [True, False, False]
    assert b"not shown, this model takes no images" in fake.requests[1].body


async def test_a_failure_that_only_names_an_image_is_a_failure() -> None:
    async with model_server([answer('{"error": {"message": "no image pulled"}}', "application/json", 400)]) as fake:
        provider = chat(fake)
        with pytest.raises(ProviderError):
            await play(provider, asking())
        await provider.close()
    assert len(fake.requests) == 1


async def test_ollama_s_models_without_vision_are_told_of_images() -> None:
    pages = {**OLLAMA, "/api/chat": ollama_stream([TextBlock(text="ok")]).decode()}
    async with model_server(route=site(pages)) as fake:
        provider = OllamaProvider(OllamaOptions(Endpoint(url=fake.url)))
        events = await play(provider, asking("start", PICTURE))
        assert [event.code for event in events if isinstance(event, ProviderNotice)] == ["no_vision"]
        await provider.close()
    assert b"a.png: not shown" in fake.requests[-1].body


async def test_llamacpp_s_grammar_failure_ends_in_text() -> None:
    refusal = {
        "error": {"code": 500, "message": "model produced output that does not match the expected peg-native format"}
    }

    def route(seen: Seen) -> list[Op]:
        if "tools" in seen.json():
            return answer(json.dumps(refusal), "application/json", 500)
        return answer(chat_stream([TextBlock(text="plain words")], HABITS["llama.cpp"]).decode())

    async with model_server(route=route) as fake:
        provider = chat(fake)
        events = await play(provider, asking(tools=(TOOL,)))
        await provider.close()
    done = events[-1]
    assert isinstance(done, Completed)
    assert done.message.text == "plain words"
    assert len(fake.requests) == 3
    assert "call_unreadable" in {event.code for event in events if isinstance(event, ProviderNotice)}


async def test_a_key_goes_to_its_server_and_to_no_redirect() -> None:
    keys = KeyRing(Secret("key-123456", "LOCAL_LLM_API_KEY"))
    async with model_server() as other:
        away: list[Op] = [{"op": "head", "status": 307, "headers": {"location": f"{other.url}/v1/chat/completions"}}]
        async with model_server([away]) as fake:
            provider = OpenAIChatProvider(ChatOptions(Endpoint(url=fake.url)), keys)
            with pytest.raises(ProviderError) as caught:
                await play(provider, asking())
            await provider.close()
        assert "redirect" in caught.value.message
        assert fake.requests[0].headers["authorization"] == "Bearer key-123456"
        assert other.connections == 0
    assert "key-123456" not in f"{provider.wire(asking())}{keys.known!r}{caught.value}"


def test_plain_http_to_the_network_needs_consent() -> None:
    with pytest.raises(ConfigError):
        HttpServer(Endpoint(url="http://192.168.1.5:11434"))
    assert HttpServer(Endpoint(url="http://192.168.1.5:11434/v1/", allow_http=True)).root == "http://192.168.1.5:11434"
