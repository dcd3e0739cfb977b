"""Real servers: git and time from PyPI (newer protocol), everything and filesystem from npm (older protocol)."""

import asyncio
import base64
import json
import os
import shutil
import socket
import subprocess
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from rein_tui.harness.places import Places
from rein_tui.harness.plugins.mcp.gather import unfolding
from rein_tui.harness.protocol.decisions import QuestionReply, QuestionRequest
from rein_tui.harness.protocol.errors import ReinError
from rein_tui.harness.protocol.events import Event, Notice, ProgressDelta
from rein_tui.harness.protocol.messages import Block, ImageBlock, TextBlock
from rein_tui.harness.protocol.ports import Emit, Prompt
from rein_tui.harness.turn.unfolding import Unfolded

from .house import NODE, House, names, open_house

pytestmark = pytest.mark.mcp_servers

needs_node = pytest.mark.skipif(shutil.which("npm") is None, reason="there is no npm here")

GIT = {"command": sys.executable, "args": ["-m", "mcp_server_git"]}
TIME = {"command": sys.executable, "args": ["-m", "mcp_server_time", "--local-timezone", "UTC"]}


def everything() -> dict[str, Any]:
    """The reference server that has all features."""
    return {"command": "node", "args": [str(NODE / "server-everything" / "dist" / "index.js"), "stdio"]}


def filesystem(root: Path) -> dict[str, Any]:
    """A server that reads and writes files; it asks us which folders it may touch."""
    return {"command": "node", "args": [str(NODE / "server-filesystem" / "dist" / "index.js"), str(root)]}


def text_of(blocks: tuple[Block, ...]) -> str:
    """All prose of some blocks."""
    return "\n".join(block.text for block in blocks if isinstance(block, TextBlock))


async def test_git_and_time(places: Places, tmp_path: Path) -> None:
    root = tmp_path / "p"
    root.mkdir()
    subprocess.run(["git", "init", "-q", "-b", "main", str(root)], check=True)
    (root / "new.txt").write_text("x")
    async with open_house(places, root, {"git": GIT, "time": TIME}) as house:
        assert house.state("git").protocol == house.state("time").protocol == "2026-07-28"
        status = await house.call("mcp__git__git_status", repo_path=str(root))
        assert "new.txt" in str(status.content)
        now = await house.call("mcp__time__get_current_time", timezone="Europe/Berlin")
        assert "Europe/Berlin" in str(now.content)
        wrong = await house.call("mcp__time__get_current_time", timezone="Nowhere/Land")
        assert wrong.is_error
        assert house.state("time").tokens > 100
        spec = house.tool("mcp__git__git_status").spec
        assert spec.source == "mcp:git"
        assert spec.input_schema["type"] == "object"


@needs_node
async def test_tools_of_everything(places: Places, tmp_path: Path) -> None:
    async with open_house(places, tmp_path / "p", {"all": everything()}) as house:
        assert house.state("all").protocol == "2025-11-25"
        assert (await house.call("mcp__all__get-sum", a=2, b=3)).content == "The sum of 2 and 3 is 5."
        image = await house.call("mcp__all__get-tiny-image")
        assert any(isinstance(block, ImageBlock) and base64.b64decode(block.data) for block in image.content)
        structured = await house.call("mcp__all__get-structured-content", location="New York")
        assert structured.response is not None
        assert "temperature" in structured.response["structuredContent"]
        assert "demo://resource" in str((await house.call("mcp__all__get-resource-reference")).content)


@needs_node
async def test_progress_and_cancellation(places: Places, tmp_path: Path) -> None:
    async with open_house(places, tmp_path / "p", {"all": everything()}) as house:
        await house.call("mcp__all__trigger-long-running-operation", duration=1, steps=4)
        assert [event.total for event in house.told if isinstance(event, ProgressDelta)] == [4, 4, 4, 4]
        long = asyncio.create_task(house.call("mcp__all__trigger-long-running-operation", duration=600, steps=600))
        await house.call("mcp__all__echo", message="meanwhile")
        long.cancel()
        await asyncio.wait({long})
        assert (await house.call("mcp__all__echo", message="after")).content == "Echo: after"


@needs_node
async def test_resources_and_prompts(places: Places, tmp_path: Path) -> None:
    async with open_house(places, tmp_path / "p", {"all": everything()}) as house:
        listed = str((await house.call("ListMcpResourcesTool", server="all")).content)
        uri = json.loads(listed.splitlines()[0])["uri"]
        read = await house.call("ReadMcpResourceTool", server="all", uri=uri)
        assert uri in str(read.content)
        assert (await house.call("ReadMcpResourceTool", server="none", uri=uri)).is_error
        commands = {command.name: command for command in house.servers.prompts.commands()}
        assert commands["mcp__all__args-prompt"].argument == "<city> [state]"
        filled = await house.servers.prompts.expand("/mcp__all__args-prompt Paris Texas")
        assert filled is not None and "Paris, Texas" in text_of(filled)
        with pytest.raises(ReinError, match="needs city"):
            await house.servers.prompts.expand("/mcp__all__args-prompt")
        assert await house.servers.prompts.expand("/unknown words") is None


@needs_node
async def test_what_may_be_typed_next(places: Places, tmp_path: Path) -> None:
    async with open_house(places, tmp_path / "p", {"plugin:x:all": everything()}) as house:

        async def texts(query: str) -> list[str]:
            return [each.text for each in await house.people.suggest(query)]

        resource = "plugin:x:all:demo://resource/static/document/startup.md"
        assert resource in await texts("") and "plugin:x:all:demo://resource/dynamic/text/" in await texts("plug")
        assert await house.servers.prompts.resource(resource), "a server's name may hold colons"
        dynamic = "plugin:x:all:demo://resource/dynamic/text/7"
        assert [text for text in await texts(dynamic) if "/dynamic/text" in text] == [dynamic]
        prompt = "/mcp__plugin_x_all__completable-prompt"
        assert await texts(f"{prompt} E") == ["Engineering"]
        assert await texts(f"{prompt} Sales ") == ["David", "Eve", "Frank"]
        assert await texts(f"{prompt} Sales Ev") == ["Eve"]
        assert await texts(f"{prompt} Sales Eve") == []
        assert await texts("/mcp__nobody__x y") == []
        listed = str((await house.call("ListMcpResourcesTool")).content)
        assert '"uriTemplate":"demo://resource/dynamic/text/{resourceId}"' in listed


@needs_node
async def test_a_prompt_of_the_person(places: Places, tmp_path: Path) -> None:
    async def others(prompt: Prompt, tell: Emit) -> Unfolded | None:
        return None

    def expand(prompt: Prompt) -> tuple[tuple[Block, ...], tuple[Notice, ...]]:
        return (TextBlock(text=prompt.text),), ()

    told: list[Event] = []

    async def tell(event: Event) -> None:
        told.append(event)

    async with open_house(places, tmp_path / "p", {"all": everything()}) as house:
        unfold = unfolding(house.servers, others, list[str], expand)
        uri = house.state("all").resources[0]
        mentioned = await unfold(Prompt(text=f"what does @all:{uri} say?"), tell)
        assert mentioned is not None
        assert text_of(mentioned.messages[0].message.blocks).startswith("what does")
        assert len(mentioned.messages[0].message.blocks) == 2
        assert await unfold(Prompt(text="mail me@all:x or @someone:here"), tell) is None
        command = await unfold(Prompt(text="/mcp__all__simple-prompt"), tell)
        assert command is not None and command.messages
        refused = await unfold(Prompt(text="/mcp__all__args-prompt"), tell)
        assert refused is not None and "needs city" in refused.refused
        await unfold(Prompt(text="@all:demo://no/such/thing"), tell)
        assert isinstance(told[-1], Notice) and "left out" in told[-1].text


def _yes(request: QuestionRequest) -> QuestionReply:
    """Fill in whatever is asked."""
    answers: dict[str, str] = {}
    for question in request.questions:
        if question.options:
            answers[question.question] = question.options[0].label
        elif "number" in question.question.lower() or "integer" in question.question.lower():
            answers[question.question] = "7"
        elif "email" in question.question.lower():
            answers[question.question] = "ada@example.org"
        else:
            answers[question.question] = "Ada" if "(required" in question.question else ""
    return QuestionReply(answers=answers)


@needs_node
async def test_elicitation(places: Places, tmp_path: Path) -> None:
    async with open_house(places, tmp_path / "p", {"all": everything()}, answers=_yes) as house:
        result = await house.call("mcp__all__trigger-elicitation-request")
        assert "Ada" in str(result.content), result.content
        assert house.person.asked[0].call_id == "call_1"
        assert any(question.options for question in house.person.asked[0].questions)


@needs_node
async def test_a_form_that_is_declined(places: Places, tmp_path: Path) -> None:
    def no(request: QuestionRequest) -> QuestionReply:
        assert request.can_decline
        return QuestionReply(declined=True)

    async with open_house(places, tmp_path / "p", {"all": everything()}, answers=no) as house:
        assert "declined" in str((await house.call("mcp__all__trigger-elicitation-request")).content)


@needs_node
async def test_addresses_that_a_server_wants_visited(
    places: Places, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    visited = tmp_path / "visited"
    browser = tmp_path / "browser.py"
    browser.write_text(f"import sys; open({str(visited)!r}, 'a').write(sys.argv[1] + '\\n')")
    monkeypatch.setenv("BROWSER", f"{sys.executable} {browser} %s")
    url = "https://example.org/a?b=1"
    async with open_house(places, tmp_path / "p", {"all": everything()}, answers=_yes) as house:
        result = await house.call("mcp__all__trigger-url-elicitation", url=url, errorPath=True)
        assert not result.is_error, "the call is made again once the person was there"
        first, again, second = [request.questions[0].question for request in house.person.asked]
        assert "once you are done" in again and url in second and url not in first
        assert visited.read_text().splitlines()[-1] == url
        house.person.answers = lambda request: QuestionReply(cancelled=True)
        refused = await house.call("mcp__all__trigger-url-elicitation", url=url + "&c", errorPath=True)
        assert refused.is_error and len(visited.read_text().splitlines()) == 2
        monkeypatch.setenv("BROWSER", "false %s")
        house.person.answers = _yes
        await house.call("mcp__all__trigger-url-elicitation", url=url)
        assert any(isinstance(event, Notice) and url in event.text for event in house.told)


@needs_node
async def test_sampling_needs_a_yes(places: Places, tmp_path: Path) -> None:
    asked: list[str] = []

    async def model(prompt: str, system: str, tokens: int) -> tuple[str, str]:
        asked.append(prompt)
        return "forty-two", "test-model"

    def no(request: QuestionRequest) -> QuestionReply:
        return QuestionReply(answers={request.questions[0].question: "Do not answer"})

    entries = {"all": everything()}
    async with open_house(places, tmp_path / "p", entries, answers=no, ask_model=model) as house:
        await house.call("mcp__all__trigger-sampling-request", prompt="secret?")
        assert not asked
        assert "secret?" in house.person.asked[0].questions[0].question
    async with open_house(places, tmp_path / "p", entries, answers=_yes, ask_model=model) as house:
        result = await house.call("mcp__all__trigger-sampling-request", prompt="the answer?")
        assert "forty-two" in str(result.content)
        assert "the answer?" in asked[0]


@needs_node
async def test_files_within_the_roots(places: Places, tmp_path: Path) -> None:
    root = tmp_path / "p"
    root.mkdir()
    (root / "a.txt").write_text("inside")
    (tmp_path / "b.txt").write_text("outside")
    async with open_house(places, root, {"files": filesystem(root)}) as house:
        assert "inside" in str((await house.call("mcp__files__read_text_file", path=str(root / "a.txt"))).content)
        assert (await house.call("mcp__files__read_text_file", path=str(tmp_path / "b.txt"))).is_error
        assert house.tool("mcp__files__read_text_file").is_read_only({})
        assert not house.tool("mcp__files__write_file").is_read_only({})
        assert len(names(house.toolbox)) == len(house.state("files").tools)


@asynccontextmanager
async def _listening(script: str, kind: str) -> AsyncGenerator[int]:
    """The server at a free port, once it says that it listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    server = await asyncio.create_subprocess_exec(
        "node", script, kind, env={**os.environ, "PORT": str(port)}, stdout=asyncio.subprocess.DEVNULL, stderr=PIPE
    )
    assert server.stderr is not None
    try:
        async with asyncio.timeout(60):
            while b"port" not in (await server.stderr.readline()).lower():
                pass
        yield port
    finally:
        server.kill()
        await server.communicate()


async def _over_http(house: House) -> None:
    assert (await house.call("mcp__all__echo", message="hello")).content == "Echo: hello"
    assert house.state("all").resources


@needs_node
@pytest.mark.parametrize(("kind", "way"), [("streamableHttp", "mcp"), ("sse", "sse")])
async def test_over_http(places: Places, tmp_path: Path, kind: str, way: str) -> None:
    script = str(NODE / "server-everything" / "dist" / "index.js")
    async with _listening(script, kind) as port:
        entry = {"type": "sse" if way == "sse" else "http", "url": f"http://127.0.0.1:{port}/{way}"}
        async with open_house(places, tmp_path / "p", {"all": entry}) as house:
            await _over_http(house)
