"""A model file without a server: the door that starts calls, files that do not load, and what is left behind."""

import json
import struct
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest

from rein_tui.harness.protocol.errors import ProviderError, StartError
from rein_tui.harness.protocol.messages import Message, TextBlock
from rein_tui.harness.protocol.models import ModelRequest
from rein_tui.harness.providers.embedded import EmbeddedOptions, EmbeddedProvider, packaged_model
from rein_tui.harness.providers.embedded_front import OPENING, force_call, open_front
from rein_tui.harness.providers.gguf import read_gguf
from rein_tui.harness.providers.http import Endpoint, HttpServer
from tests.fakes.model_server import Op, Seen, answer, model_server

CHAT, MESSAGES = "/v1/chat/completions", "/v1/messages"
USER = {"role": "user", "content": "read it"}


def forced(path: str, **request: Any) -> dict[str, Any]:
    return json.loads(force_call(path, json.dumps(request).encode()))


def test_a_call_is_begun_when_the_user_spoke_last() -> None:
    chat = forced(CHAT, messages=[USER], tools=[{}], stop=["x"])
    assert (chat["tool_choice"], chat["messages"][-1]["content"]) == ("required", OPENING)
    assert chat["stop"] == ["x", "\n<tool_call>"]
    claude = forced(f"{MESSAGES}?beta=1", messages=[USER], tools=[{}])
    assert (claude["tool_choice"], claude["stop_sequences"]) == ({"type": "any"}, ["\n<tool_call>"])


def test_after_a_result_the_model_speaks() -> None:
    result = {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "a"}]}
    assert forced(MESSAGES, messages=[result], tools=[{}])["tool_choice"] == {"type": "none"}
    assert forced(CHAT, messages=[{"role": "tool", "content": "x"}], tools=[{}])["tool_choice"] == "none"


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{}", b'{"messages":[]}', b'{"messages":[1],"tools":[1]}', b'{"messages":[{"role":"user"}]}']
)
def test_what_is_not_understood_passes_unchanged(body: bytes) -> None:
    assert force_call(CHAT, body) == body
    assert force_call("/v1/models", body) == body


async def test_the_door_passes_requests_and_answers_on() -> None:
    def route(seen: Seen) -> list[Op]:
        return answer(json.dumps({"path": seen.path, "key": seen.headers.get("authorization", "")}), "application/json")

    async with model_server(route=route) as fake, open_front(int(fake.url.rsplit(":", 1)[1])) as port:
        server = HttpServer(Endpoint(url=f"http://127.0.0.1:{port}"))
        assert await server.get("/props") == {"path": "/props", "key": ""}
        told = await server.post(CHAT, {"messages": [USER], "tools": [{}]})
        await server.close()
    assert told["path"] == CHAT
    assert fake.requests[-1].json()["tool_choice"] == "required"


def write_gguf(path: Path, **fields: str | int) -> Path:
    """A head with these fields, and no model behind it."""
    data = b"GGUF" + struct.pack("<IQQ", 3, 0, len(fields))
    for name, value in fields.items():
        key = name.replace("__", ".").encode()
        data += struct.pack("<Q", len(key)) + key
        if isinstance(value, int):
            data += struct.pack("<II", 4, value)
        else:
            data += struct.pack("<IQ", 8, len(value.encode())) + value.encode()
    path.write_bytes(data)
    return path


def test_the_head_of_a_model_file(tmp_path: Path) -> None:
    path = write_gguf(
        tmp_path / "my-model.gguf",
        general__architecture="llama",
        llama__context_length=2048,
        tokenizer__chat_template="{% if tools %}",
    )
    head = read_gguf(path)
    assert (head.name, head.architecture, head.context_length, head.takes_tools) == ("my-model", "llama", 2048, True)


async def test_a_file_that_was_cut_off_is_told_as_such(tmp_path: Path) -> None:
    pytest.importorskip("xllamacpp")
    try:
        whole = packaged_model()
    except StartError:
        pytest.skip("the package with the small model is not installed")
    path = tmp_path / "half.gguf"
    with whole.open("rb") as file:
        path.write_bytes(file.read(3_000_000))
    provider = EmbeddedProvider(EmbeddedOptions(path=path, threads=1))
    with pytest.raises(ProviderError) as caught:
        async with aclosing(provider.stream(ModelRequest(model="m", system="", messages=()))) as events:
            async for _ in events:
                pass
    assert "incomplete" in caught.value.message
    assert "download it again" in caught.value.hint
    await provider.close()


async def test_a_file_that_does_not_load_is_explained(tmp_path: Path) -> None:
    pytest.importorskip("xllamacpp")
    path = write_gguf(tmp_path / "empty.gguf", general__architecture="llama", llama__context_length=2048)
    provider = EmbeddedProvider(EmbeddedOptions(path=path, threads=1))
    assert await provider.context_window("") == 2048
    request = ModelRequest(model="m", system="", messages=(Message(role="user", blocks=(TextBlock(text="hi"),)),))
    with pytest.raises(ProviderError) as caught:
        async with aclosing(provider.stream(request)) as events:
            async for _ in events:
                pass
    assert (caught.value.kind, caught.value.where) == ("unavailable", str(path))
    assert provider.pid == 0
    assert provider.server[0] == ""
    await provider.close()
