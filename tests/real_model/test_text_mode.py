"""Tool calls of a real small model in each of the three ways: native, as text, and held by a schema."""

from contextlib import aclosing
from pathlib import Path

import pytest
from msgspec import structs

from rein_tui.cli.headless import NobodyAnswers
from rein_tui.harness.protocol.messages import Message, TextBlock, ToolResultBlock, ToolUseBlock
from rein_tui.harness.protocol.models import (
    Completed,
    ModelInfo,
    ModelRequest,
    ProviderEvent,
    ProviderNotice,
    TextChunk,
)
from rein_tui.harness.protocol.tools import ToolContext, Workspace
from rein_tui.harness.protocol.workbench import FoundServer
from rein_tui.harness.providers.embedded import EmbeddedProvider
from rein_tui.harness.providers.http import Endpoint
from rein_tui.harness.providers.keys import KeyRing
from rein_tui.harness.providers.openai_chat import ChatOptions, OpenAIChatProvider
from rein_tui.harness.providers.probe import ToolProber
from rein_tui.harness.providers.text_mode.calling import CallingProvider, Wish
from rein_tui.harness.providers.text_mode.feedback import asked_again, problem_in
from rein_tui.harness.providers.text_mode.forms import HERMES
from rein_tui.harness.providers.text_mode.mode import ToolText, Way
from rein_tui.harness.tools.file_tool import FileAccess
from rein_tui.harness.tools.read import Read

pytestmark = [pytest.mark.real_model, pytest.mark.asyncio(loop_scope="session")]

READ = Read(FileAccess())
# One field, as in the smallest prompt: this model fills whatever it is offered.
SPEC = structs.replace(
    READ.spec,
    input_schema={"type": "object", "properties": {"file_path": {"type": "string"}}, "required": ["file_path"]},
)


def asking(*messages: Message, max_tokens: int = 96) -> ModelRequest:
    first = Message(role="user", blocks=(TextBlock(text="Read the file README.md."),))
    return ModelRequest(
        model="SmolLM2",
        system="Be brief.",
        messages=(first, *messages),
        tools=(SPEC,),
        max_tokens=max_tokens,
        temperature=0.0,
    )


def house(embedded: EmbeddedProvider, wish: Wish, file: Path | None = None) -> CallingProvider:
    url, key = embedded.server
    mode = ToolText()

    async def where() -> FoundServer:
        return FoundServer(url=url, flavour="llamacpp", models=(ModelInfo(id="SmolLM2", size_bytes=138_000_000),))

    inner = OpenAIChatProvider(ChatOptions(Endpoint(url=f"{url}/v1")), KeyRing(key), text_mode=mode)
    return CallingProvider(inner, mode, where, wish=wish, prober=ToolProber(file))


async def play(provider: CallingProvider, request: ModelRequest) -> list[ProviderEvent]:
    async with aclosing(provider.stream(request)) as events:
        return [event async for event in events]


def completed(events: list[ProviderEvent]) -> Completed:
    assert isinstance(events[-1], Completed)
    return events[-1]


async def run(call: ToolUseBlock, folder: Path) -> str:
    """The result of the run that the call asks for; the file is there under whatever name the model gave it."""
    workspace = Workspace(root=folder, cwd=folder, home=folder)
    wanted = READ.normalize({"file_path": Path(str(call.input["file_path"])).name or "README.md"}, workspace)
    value = READ.parse(wanted)
    Path(wanted["file_path"]).write_text("# A project\n")
    context = ToolContext(call_id=call.id, workspace=workspace, emit=_quiet, prompter=NobodyAnswers())
    result = await READ.run(value, context)
    assert not result.is_error
    return str(result.content)


async def _quiet(_: object) -> None:
    """Nobody listens."""


async def test_a_probe_proves_the_native_way_and_it_makes_a_tool_run(
    embedded: EmbeddedProvider, tmp_path: Path
) -> None:
    provider = house(embedded, "auto", tmp_path / "probes.json")
    events = await play(provider, asking(max_tokens=200))
    assert [event.code for event in events if isinstance(event, ProviderNotice)] == ["tool_probe", "tool_way"]
    assert provider.way("SmolLM2").kind == "native"
    done = completed(events)
    (call,) = done.message.tool_uses
    assert call.name == "Read"
    assert "A project" in await run(call, tmp_path)
    await provider.close()


def earlier(name: str, number: int) -> tuple[Message, ...]:
    """A file that was read before: with such a past even this model knows what a call looks like."""
    call = ToolUseBlock(id=f"c{number}", name="Read", input={"file_path": name})
    return (
        Message(role="user", blocks=(TextBlock(text=f"Read the file {name}."),)),
        Message(role="assistant", blocks=(call,)),
        Message(role="user", blocks=(ToolResultBlock(tool_use_id=call.id, content="hello"),)),
        Message(role="assistant", blocks=(TextBlock(text="It says hello."),)),
    )


@pytest.mark.parametrize("form", ["tool_call fence", "llama"])
async def test_text_mode_reads_what_the_model_writes_and_makes_a_tool_run(
    embedded: EmbeddedProvider, tmp_path: Path, form: str
) -> None:
    provider = house(embedded, "text")
    provider.mode.settle("SmolLM2", Way(kind="text", form=form, small=True))
    past = (*earlier("a.txt", 1), *earlier("b.txt", 2))
    events = await play(provider, structs.replace(asking(), messages=(*past, *asking().messages)))
    done = completed(events)
    (call,) = done.message.tool_uses
    assert (call.name, call.malformed) == ("Read", "")
    assert done.parse is not None
    assert "Read" in done.parse.raw
    assert "{" not in "".join(event.text for event in events if isinstance(event, TextChunk))
    assert "A project" in await run(call, tmp_path)
    await provider.close()


async def test_the_second_retry_is_held_by_a_schema_and_makes_a_tool_run(
    embedded: EmbeddedProvider, tmp_path: Path
) -> None:
    failed = ToolUseBlock(id="x", name="Read", malformed="README.md")
    answer = Completed(message=Message(role="assistant", blocks=(failed,)), stop_reason="tool_use")
    problem = problem_in(answer, (SPEC,))
    assert problem is not None
    provider = house(embedded, "text")
    held = asked_again(asking(max_tokens=200), answer, problem, HERMES, constrained=True)
    done = completed(await play(provider, held))
    (call,) = done.message.tool_uses
    assert (call.name, call.malformed) == ("Read", "")
    assert "A project" in await run(call, tmp_path)
    await provider.close()
