"""The provider that sees to it that calls arrive: found out by trying, read wherever they stand, asked for again."""

import json
from collections.abc import Callable, Sequence
from contextlib import aclosing
from pathlib import Path
from typing import Any

import msgspec
import pytest

from rein_tui.harness.protocol.errors import ProviderError
from rein_tui.harness.protocol.messages import Block, Message, TextBlock, ToolUseBlock
from rein_tui.harness.protocol.models import (
    Completed,
    ModelInfo,
    ModelRequest,
    ProviderEvent,
    ProviderNotice,
    Retrying,
    TextChunk,
)
from rein_tui.harness.protocol.workbench import FoundServer
from rein_tui.harness.providers.http import Endpoint
from rein_tui.harness.providers.openai_chat import ChatOptions, OpenAIChatProvider
from rein_tui.harness.providers.probe import ToolProber
from rein_tui.harness.providers.retry import RetryPolicy
from rein_tui.harness.providers.text_mode.calling import CallingProvider, Wish
from rein_tui.harness.providers.text_mode.mode import ToolText
from tests.fakes.model_server import ModelServer, Op, Seen, answer, model_server
from tests.fakes.streams import HABITS, chat_stream
from tests.harness.providers.dialect_cases import TOOLS

REQUEST = ModelRequest(
    model="m", system="s", messages=(Message(role="user", blocks=(TextBlock(text="hi"),)),), tools=TOOLS
)
ECHO = ToolUseBlock(id="e", name="echo", input={"text": "ok"})
READ = ToolUseBlock(id="r", name="Read", input={"file_path": "a"})
TEXT_READ = '<tool_call>{"name": "Read", "arguments": {"file_path": "a"}}</tool_call>'
Say = Callable[[dict[str, Any]], Sequence[Block]]


def is_probe(body: dict[str, Any]) -> bool:
    return "Call the tool echo" in json.dumps(body)


def route(probe: Sequence[Block], *answers: Sequence[Block] | int) -> Callable[[Seen], list[Op]]:
    """Answers the probe, then plays answers in order; a number is an HTTP error."""
    left = list(answers)

    def play(seen: Seen) -> list[Op]:
        blocks = probe if is_probe(seen.json()) else left.pop(0)
        if isinstance(blocks, int):
            return answer('{"error": {"message": "no such thing"}}', "application/json", blocks)
        return answer(chat_stream(blocks, HABITS["openai"]).decode())

    return play


class House:
    """A provider over a fake server; `size` is what the server tells of the model's file."""

    def __init__(
        self,
        fake: ModelServer,
        *,
        wish: Wish = "auto",
        file: Path | None = None,
        size: int = 0,
        flavour: str = "llamacpp",
        abilities: tuple[str, ...] = (),
    ) -> None:
        self.mode = ToolText()
        info = ModelInfo(id="m", size_bytes=size, digest="d1", abilities=abilities)
        found = FoundServer(url=fake.url, flavour=flavour, version="1", models=(info,))

        async def where() -> FoundServer:
            return found

        inner = OpenAIChatProvider(ChatOptions(Endpoint(url=fake.url)), text_mode=self.mode)
        self.provider = CallingProvider(inner, self.mode, where, wish=wish, prober=ToolProber(file))

    async def play(self, request: ModelRequest = REQUEST) -> list[ProviderEvent]:
        async with aclosing(self.provider.stream(request)) as events:
            return [event async for event in events]


def completed(events: list[ProviderEvent]) -> Completed:
    assert isinstance(events[-1], Completed)
    return events[-1]


def codes(events: list[ProviderEvent]) -> list[str]:
    return [event.code for event in events if isinstance(event, ProviderNotice)]


def calls(done: Completed) -> list[tuple[str, Any]]:
    return [(call.name, call.malformed or call.input) for call in done.message.tool_uses]


async def test_native_calls_are_proven_once_and_remembered(tmp_path: Path) -> None:
    file = tmp_path / "cache" / "probes.json"
    async with model_server(route=route([ECHO], [READ], [READ], [READ])) as fake:
        house = House(fake, file=file, size=20 * 10**9)
        first = await house.play()
        assert codes(first) == ["tool_probe", "tool_way"]
        assert completed(first).message.tool_uses[0].input == {"file_path": "a"}
        assert completed(first).parse is None
        assert completed(first).calls == "native"
        assert codes(await house.play()) == []
        assert codes(await House(fake, file=file).play()) == []
        await house.provider.close()
    assert [is_probe(seen.json()) for seen in fake.requests] == [True, False, False, False]
    probe = fake.requests[0].json()
    assert (probe["max_tokens"], probe["temperature"], len(probe["tools"])) == (64, 0.0, 1)
    assert len(fake.requests[1].json()["tools"]) == len(TOOLS)
    assert "native" in file.read_text()


async def test_a_file_of_verdicts_that_cannot_be_read_costs_one_probe(tmp_path: Path) -> None:
    file = tmp_path / "probes.json"
    file.write_text('{"broken')
    async with model_server(route=route([ECHO], [READ])) as fake:
        assert codes(await House(fake, file=file).play()) == ["tool_probe", "tool_way"]
    assert json.loads(file.read_text())


async def test_a_model_that_writes_its_calls_is_prompted_in_its_own_dialect() -> None:
    fenced = TextBlock(text='```json\n{"name": "echo", "arguments": {"text": "ok"}}\n```')
    written = TextBlock(text='<tools>\n{"name": "Read", "arguments": {"file_path": "a"}}\n')
    async with model_server(route=route([fenced], [written])) as fake:
        house = House(fake)
        events = await house.play()
        await house.provider.close()
    assert calls(completed(events)) == [("Read", {"file_path": "a"})]
    assert completed(events).stop_reason == "tool_use"
    parse = completed(events).parse
    assert parse is not None
    assert parse.dialect == "tools tag"
    sent = fake.requests[1].json()
    assert "tools" not in sent
    assert "<tools>" in sent["messages"][0]["content"]
    assert "</tools>" in sent["stop"]
    assert not [event for event in events if isinstance(event, TextChunk) and event.text.strip()]
    assert house.provider.wire(REQUEST).body["messages"] == sent["messages"]
    way = house.provider.way("m")
    assert (way.kind, way.form, way.small) == ("text", "tools tag", True)


async def test_a_model_that_does_neither_gets_the_example() -> None:
    async with model_server(route=route([TextBlock(text="ok")], [TextBlock(text=TEXT_READ)])) as fake:
        house = House(fake)
        assert calls(completed(await house.play())) == [("Read", {"file_path": "a"})]
        assert (house.provider.way("m").kind, house.provider.way("m").form) == ("text", "hermes")
        await house.provider.close()


async def test_a_thinking_model_gets_more_room_for_its_probe() -> None:
    def play(seen: Seen) -> list[Op]:
        body = seen.json()
        if is_probe(body) and body["max_tokens"] == 64:
            cut = chat_stream([TextBlock(text="<think>The user wants")], HABITS["openai"]).decode()
            return answer(cut.replace('"stop"', '"length"'))
        return answer(chat_stream([ECHO] if is_probe(body) else [READ], HABITS["openai"]).decode())

    async with model_server(route=play) as fake:
        house = House(fake)
        await house.play()
        assert house.provider.way("m").kind == "native"
        await house.provider.close()


async def test_a_person_may_force_either_way() -> None:
    async with model_server(route=route([ECHO], [READ], [TextBlock(text=TEXT_READ)])) as fake:
        assert codes(await House(fake, wish="native").play()) == []
        assert codes(await House(fake, wish="text").play()) == []
    assert "tools" in fake.requests[0].json()
    assert "tools" not in fake.requests[1].json()


async def test_a_native_server_that_leaves_a_call_in_the_text_does_not_lose_it() -> None:
    text = f"I look.\n{TEXT_READ}"
    async with model_server(route=route([ECHO], [TextBlock(text=text)])) as fake:
        events = await House(fake, wish="native").play()
    assert calls(completed(events)) == [("Read", {"file_path": "a"})]
    assert completed(events).message.text == "I look.\n"
    assert "".join(event.text for event in events if isinstance(event, TextChunk)) == "I look.\n"


async def test_requests_without_tools_are_passed_on_without_a_probe() -> None:
    bare = ModelRequest(model="m", system="s", messages=REQUEST.messages)
    async with model_server(route=route([ECHO], [TextBlock(text=TEXT_READ)])) as fake:
        events = await House(fake).play(bare)
    assert completed(events).message.text == TEXT_READ
    assert len(fake.requests) == 1


async def test_a_failed_call_is_asked_for_again_then_held_by_the_server() -> None:
    bad = TextBlock(text='<tool_call>{"name": "Read", "arguments": "a"}</tool_call>')
    lacking = TextBlock(text='<tool_call>{"name": "Read", "arguments": {"limit": 3}}</tool_call>')
    held = TextBlock(text='{"name": "Read", "arguments": {"file_path": "a"}}')
    async with model_server(route=route([], [bad], [lacking], [held])) as fake:
        events = await House(fake, wish="text").play()
    done = completed(events)
    assert calls(done) == [("Read", {"file_path": "a"})]
    assert [(event.attempt, event.max_attempts) for event in events if isinstance(event, Retrying)] == [(1, 2), (2, 2)]
    first, second, third = (seen.json() for seen in fake.requests)
    assert len(second["messages"]) == len(first["messages"]) + 2
    assert "could not be run" in second["messages"][-1]["content"]
    assert "<tool_call>" in second["messages"][-1]["content"]
    assert "response_format" not in second
    # The second try does not carry the first failure along: each is told alone.
    assert len(third["messages"]) == len(first["messages"]) + 2
    schema = third["response_format"]["json_schema"]["schema"]
    assert schema["properties"]["name"]["enum"] == ["Read"]
    assert done.parse is not None
    assert "after 2 failed tries" in done.parse.note
    assert done.usage.output_tokens == 3 * 11
    assert done.usage.input_tokens == 7  # the window holds one try only


async def test_after_two_retries_the_failure_is_the_answer() -> None:
    bad = TextBlock(text='<tool_call>{"name": "Read", "arguments": "a"}</tool_call>')
    async with model_server(route=route([], [bad], [bad], [bad])) as fake:
        done = completed(await House(fake, wish="text").play())
    assert len(fake.requests) == 3
    assert done.message.tool_uses[0].malformed


async def test_a_server_without_schemas_ends_the_tries() -> None:
    bad = ToolUseBlock(id="1", name="Zap", input={})
    async with model_server(route=route([], [bad], [bad], 400)) as fake:
        done = completed(await House(fake, wish="native").play())
    assert calls(done) == [("Zap", {})]
    assert done.parse is not None
    assert "did not take the constrained try" in done.parse.note


async def test_a_native_call_that_does_not_parse_is_mended_or_asked_for_again() -> None:
    class Raw:
        def __init__(self) -> None:
            self.left = ['{"path": "a",}', '{"file_path" "a" "b"]', '{"file_path": "a"}']

        def __call__(self, seen: Seen) -> list[Op]:
            part = {"index": 0, "id": "x", "function": {"name": "read_file", "arguments": self.left.pop(0)}}
            chunk = {"choices": [{"delta": {"tool_calls": [part]}, "finish_reason": "tool_calls"}]}
            return answer(f"data: {json.dumps(chunk)}\n\ndata: [DONE]\n\n")

    async with model_server(route=Raw()) as fake:
        house = House(fake, wish="native")
        mended = completed(await house.play())
        assert calls(mended) == [("Read", {"file_path": "a"})]
        assert mended.parse is not None
        assert (mended.parse.dialect, mended.parse.semantic) == ("native", True)
        again = completed(await house.play())
        assert calls(again) == [("Read", {"file_path": "a"})]
        await house.provider.close()


async def test_probing_again_forgets_what_was_known() -> None:
    answers: list[Sequence[Block]] = [[ECHO], [TextBlock(text='[TOOL_CALLS]echo[ARGS]{"text": "ok"}')]]

    def play(seen: Seen) -> list[Op]:
        return answer(chat_stream(answers.pop(0), HABITS["openai"]).decode())

    async with model_server(route=play) as fake:
        house = House(fake, size=4 * 10**9)
        assert (await house.provider.probe("m")).verdict == "native"
        assert house.provider.way("m").small
        found = await house.provider.probe("m")
        assert (found.verdict, found.dialect) == ("text", "mistral")
        assert house.provider.way("m").form == "mistral"
        await house.provider.close()


async def test_a_server_that_does_not_answer_is_told_as_such() -> None:
    async with model_server() as gone:
        pass
    mode = ToolText()

    async def nowhere() -> None:
        return None

    options = ChatOptions(Endpoint(url=gone.url), policy=RetryPolicy(retries=0))
    inner = OpenAIChatProvider(options, text_mode=mode)
    provider = CallingProvider(inner, mode, nowhere, prober=ToolProber())
    with pytest.raises(ProviderError) as caught:
        async with aclosing(provider.stream(REQUEST)) as events:
            async for event in events:
                assert not isinstance(event, ProviderNotice)
    assert caught.value.kind == "connection"
    await provider.close()


async def test_a_server_that_refuses_tools_for_a_model_gets_them_as_text() -> None:
    def play(seen: Seen) -> list[Op]:
        if "tools" in seen.json():
            return answer('{"error": {"message": "m does not support tools"}}', "application/json", 400)
        return answer(chat_stream([TextBlock(text=TEXT_READ)], HABITS["openai"]).decode())

    async with model_server(route=play) as fake:
        house = House(fake)
        assert calls(completed(await house.play())) == [("Read", {"file_path": "a"})]
        await house.provider.close()


async def test_a_server_of_no_known_kind_is_not_probed_and_learnt_from() -> None:
    written = TextBlock(text='<tools>\n{"name": "Read", "arguments": {"file_path": "a"}}\n')
    async with model_server(route=route([], [written], [written])) as fake:
        house = House(fake, flavour="openai")
        first = await house.play()
        assert codes(first) == []
        assert calls(completed(first)) == [("Read", {"file_path": "a"})]
        assert house.provider.way("m").kind == "text"
        await house.play()
        await house.provider.close()
    assert ["tools" in seen.json() for seen in fake.requests] == [True, False]


@pytest.mark.parametrize("counted", [None, 10])
async def test_a_server_of_no_known_kind_that_drops_tools_does_not_keep_them_from_its_model(
    counted: int | None,
) -> None:
    """It says nothing, and counts nothing or nonsense: the prompt tells of the tools until a call has shown the way."""

    def play(seen: Seen) -> list[Op]:
        body = seen.json()
        system = body["messages"][0]["content"]
        said = TEXT_READ if "- Read(file_path: string" in system or '"Read"' in system else "I cannot read files."
        chunk: dict[str, Any] = {"choices": [{"delta": {"content": said}, "finish_reason": "stop"}]}
        if counted is not None:
            chunk["usage"] = {"prompt_tokens": counted, "completion_tokens": 9}
        return answer(f"data: {json.dumps(chunk)}\n\ndata: [DONE]\n\n")

    async with model_server(route=play) as fake:
        house = House(fake, flavour="openai")
        shown = house.provider.wire(REQUEST).body
        assert calls(completed(await house.play())) == [("Read", {"file_path": "a"})]
        assert fake.requests[0].json() == shown
        assert "tools" in shown
        assert calls(completed(await house.play())) == [("Read", {"file_path": "a"})]
        await house.provider.close()
    assert len(fake.requests) == 2
    assert "tools" not in fake.requests[1].json()


async def test_a_native_call_ends_the_telling_both_ways() -> None:
    async with model_server(route=route([], [READ], [READ])) as fake:
        house = House(fake, flavour="openai")
        for _ in range(2):
            assert calls(completed(await house.play())) == [("Read", {"file_path": "a"})]
        await house.provider.close()
    assert ["# Tools" in seen.json()["messages"][0]["content"] for seen in fake.requests] == [True, False]


async def test_a_server_of_no_known_kind_that_refuses_tools_gets_them_as_text() -> None:
    def play(seen: Seen) -> list[Op]:
        if "tools" in seen.json():
            return answer('{"error": {"message": "m does not support tools"}}', "application/json", 400)
        return answer(chat_stream([TextBlock(text=TEXT_READ)], HABITS["openai"]).decode())

    async with model_server(route=play) as fake:
        house = House(fake, flavour="openai")
        assert calls(completed(await house.play())) == [("Read", {"file_path": "a"})]
        await house.provider.close()


async def test_what_a_server_claims_proves_nothing() -> None:
    async with model_server(route=route([TextBlock(text="ok")], [TextBlock(text=TEXT_READ)])) as fake:
        house = House(fake, abilities=("tools",))
        assert calls(completed(await house.play())) == [("Read", {"file_path": "a"})]
        await house.provider.close()
    assert "tools" not in fake.requests[1].json()


@pytest.mark.parametrize("without", [True, False])
async def test_tools_that_a_server_leaves_out_go_as_text(without: bool) -> None:
    """Such servers ignore `tools` without a word, but they count what they read."""
    tools = tuple(msgspec.structs.replace(tool, description=tool.description + " and more" * 400) for tool in TOOLS)
    wordy = msgspec.structs.replace(REQUEST, system="You are a careful assistant. " * 40, tools=tools)

    def play(seen: Seen) -> list[Op]:
        body = seen.json()
        said = TextBlock(text=TEXT_READ if "tools" not in body else "I cannot read files.")
        read = json.dumps(body["messages"]) + ("" if without else json.dumps(body.get("tools", "")))
        usage = {"prompt_tokens": len(read) // 4, "completion_tokens": 9}
        chunk = {"choices": [{"delta": {"content": said.text}, "finish_reason": "stop"}], "usage": usage}
        return answer(f"data: {json.dumps(chunk)}\n\ndata: [DONE]\n\n")

    async with model_server(route=play) as fake:
        house = House(fake, flavour="openai")
        events = await house.play(wordy)
        assert codes(events) == []  # nothing was cut: the tools were never taken
        assert calls(completed(events)) == ([("Read", {"file_path": "a"})] if without else [])
        assert house.provider.way("m").kind == ("text" if without else "native")
        await house.provider.close()
