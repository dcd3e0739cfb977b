"""The seam for tools as text: a mode rewrites what is sent and reads what comes back, in every local provider."""

import json
from collections.abc import Iterable
from contextlib import aclosing

import msgspec
import pytest

from rein_tui.harness.protocol.messages import Message, ParseTrace, TextBlock, ToolSpec, ToolUseBlock
from rein_tui.harness.protocol.models import Completed, ModelRequest, Provider, ProviderEvent, TextChunk
from rein_tui.harness.providers.base import TextEnd, TextReader
from rein_tui.harness.providers.http import Endpoint
from rein_tui.harness.providers.ollama import OllamaOptions, OllamaProvider
from rein_tui.harness.providers.openai_chat import ChatOptions, OpenAIChatProvider
from tests.fakes.model_server import Op, Seen, answer, model_server
from tests.fakes.streams import HABITS, chat_stream, ollama_stream

TEXT = 'I look. CALL {"file_path": "x"}'
TOOL = ToolSpec(name="Read", description="Reads", input_schema={"type": "object"})
REQUEST = ModelRequest(
    model="m", system="s", messages=(Message(role="user", blocks=(TextBlock(text="hi"),)),), tools=(TOOL,)
)


class Reader:
    """Holds everything back from the word CALL on."""

    def __init__(self) -> None:
        self._seen = ""
        self._shown = 0

    def feed(self, text: str) -> Iterable[ProviderEvent]:
        self._seen += text
        safe = self._seen.partition("CALL")[0]
        safe = safe if "CALL" in self._seen else safe[: max(0, len(safe) - 4)]
        piece, self._shown = safe[self._shown :], max(self._shown, len(safe))
        return (TextChunk(text=piece),) if piece else ()

    def finish(self, native: tuple[ToolUseBlock, ...]) -> TextEnd:
        prose, _, raw = self._seen.partition("CALL")
        call = ToolUseBlock(id="text_1", name="Read", input=json.loads(raw))
        trace = ParseTrace(raw=raw, dialect="test", call_ids=(call.id,))
        return TextEnd(blocks=(TextBlock(text=prose), *native, call), parse=trace)


class Mode:
    """Moves the tools into the system prompt."""

    def rewrite(self, request: ModelRequest) -> ModelRequest:
        return msgspec.structs.replace(request, system=f"{request.system} tools: Read", tools=())

    def reader(self, request: ModelRequest) -> TextReader:
        return Reader()


@pytest.mark.parametrize("name", ["openai", "ollama"])
async def test_tools_travel_as_text(name: str) -> None:
    def route(seen: Seen) -> list[Op]:
        if seen.path == "/api/chat":
            return answer(ollama_stream([TextBlock(text=TEXT)]).decode(), "application/x-ndjson")
        return answer(chat_stream([TextBlock(text=TEXT)], HABITS["openai"]).decode())

    async with model_server(route=route) as fake:
        endpoint = Endpoint(url=fake.url)
        provider: Provider = (
            OllamaProvider(OllamaOptions(endpoint), text_mode=Mode())
            if name == "ollama"
            else OpenAIChatProvider(ChatOptions(endpoint), text_mode=Mode())
        )
        async with aclosing(provider.stream(REQUEST)) as stream:
            events = [event async for event in stream]
        await provider.close()
    sent = fake.requests[-1].json()
    assert "tools" not in sent
    assert sent["messages"][0]["content"] == "s tools: Read"
    assert "".join(event.text for event in events if isinstance(event, TextChunk)) == "I look. "
    done = events[-1]
    assert isinstance(done, Completed)
    assert done.stop_reason == "tool_use"
    assert done.message.tool_uses[0].input == {"file_path": "x"}
    assert done.parse is not None
    assert done.parse.dialect == "test"
