"""The scripted provider keeps the provider contract and its file format is strict."""

import asyncio
from contextlib import aclosing
from pathlib import Path

import pytest

from rein_tui.harness.protocol.errors import ConfigError, Failure, ProviderError
from rein_tui.harness.protocol.messages import Message, TextBlock
from rein_tui.harness.protocol.models import (
    Completed,
    ModelRequest,
    Provider,
    ProviderEvent,
    Retrying,
    TextChunk,
    ToolInputChunk,
)
from rein_tui.harness.providers.scripted import ScriptedCall, ScriptedProvider, Step, load_script

REQUEST = ModelRequest(model="m", system="s", messages=(Message(role="user", blocks=(TextBlock(text="hi"),)),))


async def play(provider: Provider) -> list[ProviderEvent]:
    async with aclosing(provider.stream(REQUEST)) as events:
        return [event async for event in events]


async def test_a_step_is_told_in_chunks_and_completed_once() -> None:
    provider = ScriptedProvider(
        [Step(text="hello world", thinking="hm", calls=(ScriptedCall("Read", {"a": 1}),), chunk=4)]
    )
    events = await play(provider)
    assert "".join(e.text for e in events if isinstance(e, TextChunk)) == "hello world"
    assert [e.text for e in events if isinstance(e, ToolInputChunk)] == ['{"a":1}']
    done = events[-1]
    assert isinstance(done, Completed)
    assert done.stop_reason == "tool_use"
    assert done.message.tool_uses[0].id == "toolu_0001"
    assert [type(e) for e in events].count(Completed) == 1
    assert provider.requests == [REQUEST]


async def test_steps_may_depend_on_the_request() -> None:
    provider = ScriptedProvider(lambda request: Step(text=request.messages[-1].text.upper()))
    for _ in range(2):
        done = (await play(provider))[-1]
        assert isinstance(done, Completed)
        assert done.message.text == "HI"


async def test_a_cut_loses_the_last_block() -> None:
    done = (
        await play(ScriptedProvider([Step(text="kept", calls=(ScriptedCall("Bash", {"command": "ls"}),), cut=True)]))
    )[-1]
    assert isinstance(done, Completed)
    assert (done.stop_reason, done.message.text, done.message.tool_uses) == ("incomplete", "kept", ())
    with pytest.raises(ProviderError) as caught:
        await play(ScriptedProvider([Step(text="lost", cut=True)]))
    assert caught.value.kind == "cut"


async def test_errors_retries_and_the_end_of_the_script() -> None:
    retry = Retrying(attempt=1, delay=0.5, reason="overloaded", status=529)
    provider = ScriptedProvider(
        [Step(retries=(retry,), text="ok"), Step(error=Failure(message="no", kind="auth", status=401))]
    )
    assert (await play(provider))[0] == retry
    with pytest.raises(ProviderError) as caught:
        await play(provider)
    assert (caught.value.kind, caught.value.status) == ("auth", 401)
    with pytest.raises(ProviderError) as caught:
        await play(provider)
    assert caught.value.kind == "unavailable"


async def test_a_hanging_step_ends_when_it_is_cancelled() -> None:
    provider = ScriptedProvider([Step(text="a", hang=True)])
    first = asyncio.Event()

    async def watch() -> None:
        async with aclosing(provider.stream(REQUEST)) as events:
            async for _ in events:
                first.set()

    task = asyncio.create_task(watch())
    await first.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_script_file_plays(tmp_path: Path) -> None:
    path = tmp_path / "demo.json"
    path.write_text(
        '{"model": "demo", "steps": [{"text": "hi", "calls": [{"name": "Read", "input": {"file_path": "x"}}]}]}'
    )
    done = (await play(load_script(path)))[-1]
    assert isinstance(done, Completed)
    assert (done.model, done.message.tool_uses[0].input) == ("demo", {"file_path": "x"})


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ('{"steps": [{"txt": "a"}]}', "$.steps[0]"),
        ('{"steps": [{"text": 3}]}', "$.steps[0].text"),
        ('{"steps": [{"calls": [{"name": "Read", "input": []}]}]}', "$.steps[0].calls[0].input"),
        ('{"steps": [{"chunk": 0}]}', "$.steps[0].chunk"),
        ('{"steps": [{"error": {"type": "failure", "message": "m", "kind": "odd"}}]}', "$.steps[0].error.kind"),
        ('{"steps": [', ""),
    ],
)
def test_a_bad_script_names_file_and_field(tmp_path: Path, text: str, field: str) -> None:
    path = tmp_path / "bad.json"
    path.write_text(text)
    with pytest.raises(ConfigError) as caught:
        load_script(path)
    assert str(path) in caught.value.where
    assert field in caught.value.where


def test_a_missing_script_is_an_error_for_a_person(tmp_path: Path) -> None:
    with pytest.raises(ConfigError):
        load_script(tmp_path / "none.json")
