"""Claude over a loopback server, through the real SDK: headers, keys, limits, lists, prices."""

import json
from collections.abc import Sequence
from contextlib import aclosing
from typing import Any

import msgspec
import pytest

from rein_tui.harness.protocol.errors import ConfigError, ProviderError
from rein_tui.harness.protocol.messages import Message, TextBlock, ThinkingBlock, ToolUseBlock
from rein_tui.harness.protocol.models import Completed, ModelRequest, ProviderEvent, Retrying
from rein_tui.harness.providers.anthropic import API_VERSION, AnthropicOptions, AnthropicProvider
from rein_tui.harness.providers.base import Secret
from rein_tui.harness.providers.keys import KeyRing
from rein_tui.harness.providers.retry import Pace
from tests.fakes.model_server import Op, Seen, answer, model_server
from tests.fakes.streams import anthropic_stream

OK = anthropic_stream([TextBlock(text="done")]).decode()
REQUEST = ModelRequest(
    model="claude-sonnet-5-5", system="s", messages=(Message(role="user", blocks=(TextBlock(text="hi"),)),)
)
KEY = Secret("sk-secret-0123456789", source="ANTHROPIC_API_KEY")


async def _no_wait(delay: float) -> None:
    return


def claude(url: str, keys: KeyRing | None = None, **options: Any) -> AnthropicProvider:
    return AnthropicProvider(keys or KeyRing(KEY), AnthropicOptions(url=url, **options), pace=Pace(sleep=_no_wait))


async def play(provider: AnthropicProvider, request: ModelRequest = REQUEST) -> list[ProviderEvent]:
    try:
        async with aclosing(provider.stream(request)) as events:
            return [event async for event in events]
    finally:
        await provider.close()


async def test_an_answer_with_its_cost() -> None:
    async with model_server([answer(OK, request_id="req_9")]) as fake:
        done = (await play(claude(fake.url)))[-1]
    assert isinstance(done, Completed)
    assert (done.message.text, done.request_id) == ("done", "req_9")
    assert done.usage.cost_usd is None  # the fake's model "m" has no price
    sent = fake.requests[0]
    assert sent.path == "/v1/messages"
    assert sent.headers["authorization"] == f"Bearer {KEY.reveal()}"
    assert sent.headers["anthropic-version"] == API_VERSION
    assert "x-api-key" not in sent.headers
    assert sent.json()["stream"] is True


async def test_gateways_get_the_headers_that_they_want() -> None:
    async with model_server([answer(OK)]) as fake:
        await play(claude(f"{fake.url}/v1", auth="x-api-key", version="2023-06-01", headers={"x-team": "a"}))
    headers = fake.requests[0].headers
    assert (headers["x-api-key"], headers["anthropic-version"], headers["x-team"]) == (KEY.reveal(), "2023-06-01", "a")
    assert "authorization" not in headers


async def test_older_models_may_think_between_calls_too() -> None:
    """A model that refuses adaptive thinking gets a budget, and the header that lets it interleave."""
    refusal = {"type": "error", "error": {"type": "invalid_request_error", "message": "adaptive thinking: unsupported"}}
    attempts = [answer(json.dumps(refusal), "application/json", 400), answer(OK)]
    thinking = msgspec.structs.replace(REQUEST, thinking=True)
    async with model_server(attempts) as fake:
        await play(claude(fake.url, headers={"Anthropic-Beta": "mine-1"}), thinking)
    first, second = fake.requests
    assert (first.json()["thinking"]["type"], first.headers["anthropic-beta"]) == ("adaptive", "mine-1")
    assert second.json()["thinking"]["type"] == "enabled"
    assert second.headers["anthropic-beta"] == "mine-1,interleaved-thinking-2025-05-14"


async def test_headers_of_the_person_are_not_shown() -> None:
    provider = claude("http://127.0.0.1:9", headers={"x-gateway-key": "hush"})
    assert provider.wire(REQUEST).headers["x-gateway-key"] == "[set]"


async def test_a_helper_is_asked_again_when_its_key_is_refused() -> None:
    given = iter(["old-key-1", "new-key-2"])

    async def helper() -> str:
        return next(given)

    refused = answer('{"error":{"type":"authentication_error","message":"expired"}}', "application/json", 401)
    async with model_server([refused, answer(OK)]) as fake:
        events = await play(claude(fake.url, KeyRing(helper=helper), auth="both"))
    assert isinstance(events[0], Retrying)
    assert [seen.headers["x-api-key"] for seen in fake.requests] == ["old-key-1", "new-key-2"]


async def test_an_output_limit_is_learnt_from_the_refusal() -> None:
    refusal = {"error": {"type": "invalid_request_error", "message": "max_tokens: 32000 > 8192, which is the maximum"}}
    async with model_server([answer(json.dumps(refusal), "application/json", 400), answer(OK)]) as fake:
        events = await play(claude(fake.url))
    assert not any(isinstance(event, Retrying) for event in events)
    assert [seen.json()["max_tokens"] for seen in fake.requests] == [32_000, 8_192]


async def test_what_an_older_model_turns_down_is_left_out_from_then_on() -> None:
    def route(seen: Seen) -> Sequence[Op]:
        body = seen.json()
        if body.get("thinking", {}).get("type") == "adaptive":
            message = "adaptive thinking is not supported on this model"
        elif "output_config" in body:
            message = "This model does not support the effort parameter."
        else:
            return answer(OK)
        refusal = {"error": {"type": "invalid_request_error", "message": message}}
        return answer(json.dumps(refusal), "application/json", 400)

    asked = ModelRequest(model="m", system="", messages=REQUEST.messages, thinking=True, effort="high")
    async with model_server(route=route) as fake:
        provider = claude(fake.url)
        for _ in range(2):
            async with aclosing(provider.stream(asked)) as events:
                assert [event async for event in events]
        await provider.close()
    assert len(fake.requests) == 4
    assert fake.requests[-1].json()["thinking"]["type"] == "enabled"


async def test_thinking_that_another_model_signed_is_left_out_when_refused() -> None:
    message = "messages.1.content.0: Invalid `signature` in `thinking` block"
    refusal = json.dumps({"error": {"type": "invalid_request_error", "message": message}})
    thought = Message(role="assistant", blocks=(ThinkingBlock(thinking="hm", signature="x"), TextBlock(text="a")))
    asked = ModelRequest(model="m", system="", messages=(*REQUEST.messages, thought, *REQUEST.messages))
    async with model_server([answer(refusal, "application/json", 400), answer(OK)]) as fake:
        await play(claude(fake.url), asked)
    kinds = [[part["type"] for part in seen.json()["messages"][1]["content"]] for seen in fake.requests]
    assert kinds == [["thinking", "text"], ["text"]]


async def test_no_certificate_no_second_try() -> None:
    async with model_server([[{"op": "tls_error"}]]) as fake:
        with pytest.raises(ProviderError) as caught:
            await play(claude(fake.url.replace("http:", "https:")))
    assert (fake.connections, caught.value.kind) == (1, "connection")


async def test_a_server_that_is_down_is_tried_again() -> None:
    waits: list[float] = []
    async with model_server() as fake:
        pass  # closed again: nobody listens on its port now

    async def sleep(delay: float) -> None:
        waits.append(delay)

    provider = AnthropicProvider(KeyRing(KEY), AnthropicOptions(url=fake.url), pace=Pace(sleep=sleep))
    with pytest.raises(ProviderError) as caught:
        await play(provider)
    assert caught.value.kind == "connection"
    assert len(waits) == 10


async def test_an_enormous_event_ends_the_request() -> None:
    flood: list[Op] = [
        {"op": "head", "status": 200, "headers": {"content-type": "text/event-stream"}},
        {"op": "send", "data": "data: "},
        {"op": "send_repeat", "data": "x" * 1_000_000, "times": 20},
        {"op": "close"},
    ]
    async with model_server([flood]) as fake:
        with pytest.raises(ProviderError) as caught:
            await play(claude(fake.url))
    assert (len(fake.requests), caught.value.kind) == (1, "malformed")


async def test_an_id_that_the_conversation_holds_is_replaced() -> None:
    call = ToolUseBlock(id="toolu_1", name="Bash", input={"command": "ls"})
    asked = ModelRequest(model="m", system="", messages=(*REQUEST.messages, Message(role="assistant", blocks=(call,))))
    async with model_server([answer(anthropic_stream([call]).decode())]) as fake:
        done = (await play(claude(fake.url), asked))[-1]
    assert isinstance(done, Completed)
    assert done.message.tool_uses[0].id not in {"", "toolu_1"}


MODELS = {
    "data": [
        {
            "id": "claude-sonnet-5-5",
            "display_name": "Claude Sonnet 5.5",
            "max_input_tokens": 900_000,
            "max_tokens": 16_000,
            "lifecycle": "active",
            "capabilities": {
                "image_input": {"supported": True},
                "effort": {"supported": True},
                "thinking": {"supported": True, "types": {"adaptive": {"supported": False}}},
            },
        },
        {"id": "claude-old", "lifecycle": "retired"},
        {"id": "gateway/model"},
    ]
}


async def test_models_counts_and_the_wire() -> None:
    def route(seen: Seen) -> list[Op]:
        if "count_tokens" in seen.path:
            return answer('{"input_tokens": 42}', "application/json")
        return answer(json.dumps(MODELS), "application/json")

    async with model_server(route=route) as fake:
        provider = claude(fake.url)
        models = await provider.models()
        assert [info.id for info in models] == ["claude-sonnet-5-5", "gateway/model"]
        assert models[0].abilities == ("tools", "vision", "thinking", "effort")
        assert (models[0].context_window, models[0].input_price) == (900_000, 2)
        assert await provider.context_window("claude-sonnet-5-5") == 900_000
        assert await provider.context_window("unheard-of") == 0
        assert await provider.count_tokens(REQUEST) == 42
        wire = provider.wire(
            ModelRequest(model="claude-sonnet-5-5", system="", messages=REQUEST.messages, thinking=True)
        )
        assert wire.body["max_tokens"] == 16_000
        assert wire.body["thinking"]["type"] == "enabled"
        assert KEY.reveal() not in f"{wire}"
        assert wire.headers["Authorization"] == "Bearer [key]"
        await provider.close()


async def test_a_model_list_in_pages_is_read_to_its_end() -> None:
    def route(seen: Seen) -> list[Op]:
        after = seen.path.partition("after_id=")[2].partition("&")[0]
        page = {"": ("a", "b"), "b": ("b", "c"), "c": ("d", "d")}[after]
        listed = [{"id": name} for name in page]
        # The last page lies, and names itself as the next one.
        return answer(json.dumps({"data": listed, "has_more": True, "last_id": listed[-1]["id"]}), "application/json")

    async with model_server(route=lambda seen: route(seen) if "after_id=d" not in seen.path else END) as fake:
        provider = claude(fake.url)
        assert [info.id for info in await provider.models()] == ["a", "b", "c", "d"]
        await provider.close()
    assert len(fake.requests) == 4


END = answer('{"data": [], "has_more": true, "last_id": "d"}', "application/json")


async def test_windows_are_known_without_a_server() -> None:
    provider = AnthropicProvider(KeyRing(), AnthropicOptions())
    assert await provider.context_window("claude-sonnet-5-5") == 1_000_000
    assert await provider.context_window("claude-sonnet-4-5") == 200_000


@pytest.mark.parametrize("url", ["http://example.com", "ftp://localhost", "https://user:pw@host", "nonsense"])
def test_addresses_that_are_refused(url: str) -> None:
    with pytest.raises(ConfigError) as caught:
        AnthropicProvider(KeyRing(KEY), AnthropicOptions(url=url))
    assert "pw" not in str(caught.value)
