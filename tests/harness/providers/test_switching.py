"""One conversation through three providers and back: what each is sent is what it accepts, and nothing is lost."""

import json
from collections.abc import AsyncGenerator
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from rein_tui.harness.places import Places
from rein_tui.harness.protocol.messages import Block, ImageBlock, TextBlock, ThinkingBlock, ToolUseBlock
from rein_tui.harness.protocol.models import Provider
from rein_tui.harness.protocol.ports import Prompt
from rein_tui.harness.providers.anthropic import AnthropicOptions, AnthropicProvider
from rein_tui.harness.providers.base import Secret
from rein_tui.harness.providers.http import Endpoint
from rein_tui.harness.providers.keys import KeyRing
from rein_tui.harness.providers.ollama import OllamaOptions, OllamaProvider
from rein_tui.harness.providers.openai_chat import ChatOptions, OpenAIChatProvider
from rein_tui.harness.providers.text_mode.mode import ToolText, Way
from tests.fakes.model_server import ModelServer, Op, Seen, answer, model_server
from tests.fakes.streams import HABITS, anthropic_stream, chat_stream

from .fault_stage import house
from .test_stream_faults import invalid

IMAGE = ImageBlock(media_type="image/png", data="aGk=", name="shot.png")
TURN: tuple[tuple[Block, ...], ...] = (
    (ThinkingBlock(thinking="hm", signature="sig-1"), ToolUseBlock(id="call_1", name="Bash", input={"command": "ls"})),
    (ThinkingBlock(thinking="so", signature="sig-2"), TextBlock(text="Done.")),
)


class Model:
    """Calls a tool, then rests, whatever the protocol."""

    def __init__(self) -> None:
        self.asked = 0

    def __call__(self, seen: Seen) -> list[Op]:
        if seen.method != "POST" or seen.path == "/api/show":
            return answer('{"error": "no"}', "application/json", 404)
        blocks = TURN[self.asked % len(TURN)]
        self.asked += 1
        if seen.path == "/v1/messages":
            return answer(anthropic_stream(blocks).decode())
        if seen.path == "/api/chat":
            calls = [
                {"function": {"name": b.name, "arguments": b.input}} for b in blocks if isinstance(b, ToolUseBlock)
            ]
            said = "".join(b.text for b in blocks if isinstance(b, TextBlock))
            line = {"message": {"role": "assistant", "content": said, "tool_calls": calls}, "done": True}
            return answer(json.dumps(line), "application/x-ndjson")
        return answer(chat_stream(blocks, HABITS["openai"]).decode())


@asynccontextmanager
async def provider_for(name: str, fake: ModelServer) -> AsyncGenerator[Provider]:
    mode = ToolText(Way(kind="text") if name == "text" else None)
    provider: Provider
    match name:
        case "claude":
            provider = AnthropicProvider(KeyRing(Secret("key-1234")), AnthropicOptions(url=fake.url))
        case "ollama":
            provider = OllamaProvider(OllamaOptions(Endpoint(url=fake.url)), text_mode=mode)
        case _:
            provider = OpenAIChatProvider(ChatOptions(Endpoint(url=fake.url), 100_000), text_mode=mode)
    try:
        yield provider
    finally:
        await provider.close()


def bodies(fake: ModelServer) -> list[Any]:
    return [seen.json() for seen in fake.requests if seen.method == "POST" and seen.path != "/api/show"]


@pytest.mark.parametrize("others", [("chat", "ollama"), ("ollama", "text"), ("text", "chat")])
async def test_a_conversation_goes_from_model_to_model(places: Places, tmp_path: Path, others: tuple[str, ...]) -> None:
    async with model_server(route=Model()) as fake, house(places, tmp_path / "project", fake.url) as (session, _):
        for number, name in enumerate(("claude", *others, "claude")):
            async with provider_for(name, fake) as provider:
                session.use_model(provider, "m", 100_000)
                prompt = Prompt(text=f"wish {number}", blocks=(IMAGE,) if number == 0 else ())
                async with aclosing(session.run(prompt)) as events:
                    _ = [event async for event in events]
    sent = bodies(fake)
    assert len(sent) == 8
    with_ids = [body for body in sent if "options" not in body]  # Ollama goes by the order of calls
    assert [fault for body in with_ids for fault in invalid(body)] == []
    assert all(f"wish {number}" in json.dumps(sent[-1]) for number in range(4))
    last = json.dumps(sent[-1]["messages"])
    # Claude's own thinking comes back with its signature, once each; nobody else ever sees it.
    assert (last.count("sig-1"), last.count("sig-2")) == (2, 1)
    assert not any("sig-" in json.dumps(body) for body in sent[2:6])
    # The image stays an image where it can, and the calls keep their answers.
    assert all("aGk=" in json.dumps(body) for body in sent)
    asked = [part["id"] for m in sent[-1]["messages"] for part in m["content"] if part["type"] == "tool_use"]
    answered = [p["tool_use_id"] for m in sent[-1]["messages"] for p in m["content"] if p["type"] == "tool_result"]
    assert len(set(asked)) == 4
    assert asked == answered
