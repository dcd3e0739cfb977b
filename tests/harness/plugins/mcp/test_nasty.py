"""Servers that hang, flood, print garbage, die and change: each harms only itself."""

import asyncio
import json
import os
from pathlib import Path

from rein_tui.harness.places import Places
from rein_tui.harness.plugins.words import ServerDefinition
from rein_tui.harness.protocol.decisions import QuestionReply, QuestionRequest, Source
from rein_tui.harness.protocol.events import Notice, ProgressDelta, QuestionAnswered, QuestionAsked

from .house import House, names, nasty, open_house


async def test_the_others_go_on(places: Places, tmp_path: Path) -> None:
    entries = {"good": nasty("good"), "dead": nasty("die"), "none": {"command": "no-such-thing"}}
    async with open_house(places, tmp_path / "p", entries) as house:
        assert house.state("good").state == "connected"
        assert house.state("dead").error == "It ended with exit code 3: no licence found"
        assert house.state("none").error == "no-such-thing was not found"
        result = await house.call("mcp__good__echo", text="still here")
        assert result.content == "still here"


async def test_servers_come_and_go_with_their_plugins(places: Places, tmp_path: Path) -> None:
    def brought(name: str, how: str) -> ServerDefinition:
        return ServerDefinition(name=name, scoped=name, config=nasty(how), source=Source(layer="plugin"), plugin_id="p")

    async with open_house(places, tmp_path / "root", {"mine": nasty("good")}) as house:
        mine = house.servers.connections["mine"]
        await house.servers.take_up([brought("a", "one"), brought("b", "two")])
        await house.settled()
        first = house.servers.connections["a"]
        assert {"mcp__mine__echo", "mcp__b__echo"} <= names(house.toolbox)
        await house.servers.take_up([brought("a", "three")])
        await house.settled()
        assert list(house.servers.connections) == ["mine", "a"]
        assert (house.servers.connections["mine"], first.is_connected) == (mine, False)
        assert "mcp__a__echo" in names(house.toolbox)
        assert "mcp__b__echo" not in names(house.toolbox)
        await house.servers.take_up([])
        assert names(house.toolbox) == {tool.name for tool in house.servers.tools_of("mine")}


async def test_a_server_that_hangs_at_its_start(places: Places, tmp_path: Path) -> None:
    async with open_house(places, tmp_path / "p", {"s": nasty("hang")}, environment={"MCP_TIMEOUT": "1000"}) as house:
        assert house.state("s").state == "failed"
        assert "did not answer within 1 s" in house.state("s").error
        assert "MCP_TIMEOUT" in house.state("s").hint


async def test_failures_are_told_at_the_first_turn(places: Places, tmp_path: Path) -> None:
    async with open_house(places, tmp_path / "p", {"dead": nasty("die")}) as house:
        assert not house.told
        await house.servers.settle(house.emit)
        notices = [event for event in house.told if isinstance(event, Notice)]
        assert [notice.code for notice in notices] == ["mcp.failed"]
        assert "no licence found" in notices[0].text


async def test_garbage_is_survived_and_counted(places: Places, tmp_path: Path) -> None:
    async with open_house(places, tmp_path / "p", {"s": nasty("noise")}) as house:
        assert (await house.call("mcp__s__garbage")).content == "littered"
        assert (await house.call("mcp__s__echo", text="x")).content == "x"
        state = house.state("s")
        assert state.garbage >= 5
        assert "Welcome!" in state.log
        assert len(state.log) <= 64 * 1024


async def test_a_flood_is_dropped(places: Places, tmp_path: Path) -> None:
    async with open_house(places, tmp_path / "p", {"s": nasty("good"), "t": nasty("good")}) as house:
        flooding = asyncio.create_task(house.call("mcp__s__flood"))
        assert (await house.call("mcp__t__echo", text="beside")).content == "beside"
        assert (await flooding).content == "flooded"
        assert house.state("s").dropped > 10_000
        assert len(house.state("s").log) <= 64 * 1024


async def test_tools_that_cannot_be_offered_are_told(places: Places, tmp_path: Path) -> None:
    async with open_house(places, tmp_path / "p", {"a__b_": nasty("odd"), "s": nasty("bad")}) as house:
        assert [tool.name for tool in house.toolbox] == ["mcp__a_b__a_b", "mcp__a_b__echo", "mcp__a_b__" + "L" * 118]
        log = house.state("a__b_").log
        assert "a.b is left out: for models it has the name of a b" in log
        assert "task is left out" in log and "it has no name" in log
        assert house.state("s").state == "connected"
        assert "could not be read" in house.state("s").error
        await house.servers.settle(house.emit)
        assert any("s is not wholly there" in event.text for event in house.told if isinstance(event, Notice))


async def test_a_dying_server_answers_its_call(places: Places, tmp_path: Path) -> None:
    async with open_house(places, tmp_path / "p", {"s": nasty("good")}) as house:
        result = await house.call("mcp__s__die")
        assert result.is_error
        await house.until(lambda: house.state("s").state == "failed")
        assert house.state("s").error == "It ended with exit code 7: I am dying"
        assert not names(house.toolbox)
        await house.people.reconnect("s")
        assert house.state("s").state == "connected"
        assert (await house.call("mcp__s__echo", text="back")).content == "back"


async def test_a_hanging_call_is_cancelled_there_too(places: Places, tmp_path: Path) -> None:
    async with open_house(places, tmp_path / "p", {"s": nasty("good")}) as house:
        hanging = asyncio.create_task(house.call("mcp__s__hang"))
        await house.call("mcp__s__echo", text="so that the other has arrived")
        hanging.cancel()
        await asyncio.wait({hanging})
        assert hanging.cancelled()
        assert (await house.call("mcp__s__cancelled")).content == "[true]"


async def test_a_call_has_its_own_timeout(places: Places, tmp_path: Path) -> None:
    async with open_house(places, tmp_path / "p", {"s": nasty("good") | {"timeout": 1000}}) as house:
        result = await house.call("mcp__s__hang")
        assert result.is_error
        assert "timed out" in str(result.content).lower()
        assert house.state("s").state == "connected"


async def test_new_tools_arrive(places: Places, tmp_path: Path) -> None:
    async with open_house(places, tmp_path / "p", {"s": nasty("good")}) as house:
        assert house.toolbox.get("mcp__s__fresh") is None
        await house.call("mcp__s__grow")
        await house.until(lambda: house.toolbox.get("mcp__s__fresh") is not None)


async def test_a_changed_tool_asks_again(places: Places, tmp_path: Path) -> None:
    async with open_house(places, tmp_path / "p", {"s": nasty("good")}) as house:
        assert not house.tool("mcp__s__echo").requires_person
        assert house.tool("mcp__s__echo").is_read_only({})
        await house.call("mcp__s__turn")
        await house.until(lambda: house.tool("mcp__s__echo").requires_person)
        assert not house.tool("mcp__s__fail").requires_person
    async with open_house(places, tmp_path / "p", {"s": nasty("turned")}) as house:
        assert [tool.name for tool in house.state("s").tools if tool.changed] == ["echo"]
        said, now = "Gives back its text.", "Sends its text to somebody else."
        assert house.tool("mcp__s__echo").caution == f"echo has changed. It said: “{said}” Now it says: “{now}”"
        assert not house.tool("mcp__s__fail").caution
        await house.call("mcp__s__echo", text="the person said yes")
        assert not house.tool("mcp__s__echo").requires_person
    async with open_house(places, tmp_path / "p", {"s": nasty("turned")}) as house:
        assert not house.tool("mcp__s__echo").requires_person


async def test_too_much_goes_to_a_file(places: Places, tmp_path: Path) -> None:
    async with open_house(places, tmp_path / "p", {"s": nasty("good")}) as house:
        content = str((await house.call("mcp__s__big")).content)
        assert 80_000 < len(content) < 100_000
        kept = list((tmp_path / "p" / "kept").iterdir())
        assert str(kept[0]) in content
        assert kept[0].stat().st_size == 1024 * 1024


async def test_results(places: Places, tmp_path: Path) -> None:
    async with open_house(places, tmp_path / "p", {"s": nasty("good")}) as house:
        failed = await house.call("mcp__s__fail")
        assert failed.is_error and failed.content == "it went wrong"
        assert json.loads(str((await house.call("mcp__s__structured")).content)) == {"answer": 42}
        assert (await house.call("mcp__s__nothing")).content == "(The tool gave nothing back.)"
        assert await house.servers.call("s", "echo", {"text": "hook"}) == ("hook", False)
        assert house.servers.instructions() == {"s": "Be careful."}


async def test_progress_is_told(places: Places, tmp_path: Path) -> None:
    async with open_house(places, tmp_path / "p", {"s": nasty("good")}) as house:
        assert (await house.call("mcp__s__steps")).content == "arrived"
        steps = [event for event in house.told if isinstance(event, ProgressDelta)]
        assert steps[-1] == ProgressDelta(call_id="call_1", done=3, total=3, text="step 3")


async def test_nothing_of_a_server_is_left(places: Places, tmp_path: Path) -> None:
    async with open_house(places, tmp_path / "p", {"s": nasty("good")}) as house:
        pid = int(str((await house.call("mcp__s__spawn")).content))
    assert not _is_alive(pid)


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()


async def test_servers_see_no_secrets(places: Places, tmp_path: Path) -> None:
    entry = nasty("good") | {"env": {"MY_TOKEN": "${FROM_ENTRY}", "PLAIN": "x"}}
    ambient = {"ANTHROPIC_API_KEY": "sk-secret", "AWS_SECRET_ACCESS_KEY": "s", "FROM_ENTRY": "meant"}
    async with open_house(places, tmp_path / "p", {"s": entry}, environment=ambient) as house:
        seen = json.loads(str((await house.call("mcp__s__environment")).content))
    assert "ANTHROPIC_API_KEY" not in seen
    assert "AWS_SECRET_ACCESS_KEY" not in seen
    assert (seen["MY_TOKEN"], seen["PLAIN"]) == ("meant", "x")
    assert seen["CLAUDE_PROJECT_DIR"] == str(tmp_path / "p")
    assert seen["CLAUDE_CODE_SESSION_ID"] == "session-1"


async def test_a_server_asks_inside_its_call(places: Places, tmp_path: Path) -> None:
    def answers(request: QuestionRequest) -> QuestionReply:
        return QuestionReply(answers={request.questions[0].question: "Ada"})

    async with open_house(places, tmp_path / "p", {"s": nasty("good")}, answers=answers) as house:
        content = json.loads(str((await house.call("mcp__s__ask")).content))
        assert content == {"action": "accept", "content": {"name": "Ada"}}
        assert _told_questions(house) == ["call_1"]
        assert house.person.asked[0].title == "s asks: Who are you?"


async def test_nobody_there_to_ask(places: Places, tmp_path: Path) -> None:
    async with open_house(places, tmp_path / "p", {"s": nasty("good")}, interactive=False) as house:
        assert json.loads(str((await house.call("mcp__s__ask")).content))["action"] == "cancel"
        assert not house.person.asked


def _told_questions(house: House) -> list[str]:
    asked = [event.request for event in house.told if isinstance(event, QuestionAsked)]
    answered = [event.request_id for event in house.told if isinstance(event, QuestionAnswered)]
    assert [request.id for request in asked] == answered
    return [request.call_id for request in asked]
