"""Memory files in a session: at the start, when a file is read, with their notices and their hooks."""

from contextlib import aclosing
from pathlib import Path

from rein_tui.harness.places import Places
from rein_tui.harness.protocol.events import Event, Notice, PromptAdded, ToolCallFinished
from rein_tui.harness.protocol.ports import Prompt
from rein_tui.harness.protocol.workbench import ModelChoice
from rein_tui.harness.wiring.build import open_workbench
from rein_tui.harness.wiring.wishes import Wishes
from tests.fakes.engines import ScriptedPerson
from tests.harness.plugins.files import write
from tests.harness.plugins.sessions import DONE, Stage, staged


async def test_nested_memory_joins_when_a_file_below_is_read(places: Places, tmp_path: Path) -> None:
    project = tmp_path / "project"
    (project / "api").mkdir(parents=True)
    (project / "CLAUDE.md").write_text("Be brief.")
    (project / "api" / "CLAUDE.md").write_text("Routes are sorted.")
    (project / "api" / "routes.py").write_text("ROUTES = []\n")
    script = tmp_path / "script.json"
    read = f'{{"name": "Read", "input": {{"file_path": "{project}/api/routes.py"}}}}'
    script.write_text(f'{{"steps": [{{"text": "look", "calls": [{read}]}}, {{"text": "done"}}]}}')
    choice = ModelChoice(kind="demo", model="scripted", path=str(script))
    wishes = Wishes(root=project, trust=True, interactive=False)
    bench = open_workbench(
        places, {"HOME": str(places.home), "PATH": "/usr/bin:/bin"}, wishes, ScriptedPerson(), choice
    )
    try:
        harness = await bench.open()
        async with aclosing(harness.run(Prompt(text="go"))) as story:
            events: list[Event] = [event async for event in story]
    finally:
        await bench.close()
    memory = [e for e in events if isinstance(e, PromptAdded) and e.origin == "memory"]
    assert "Be brief." in memory[0].message.text
    finished = next(e for e in events if isinstance(e, ToolCallFinished))
    assert "Routes are sorted." in "".join(finished.added)


async def test_memory_that_changes_between_turns_is_told_anew(places: Places, tmp_path: Path) -> None:
    project = write(tmp_path / "project", {"CLAUDE.md": "Be brief. @more.md", "more.md": "Use tabs."})
    async with staged(places, project, [DONE] * 4) as stage:
        await stage.say("one")
        assert await _memory_of(stage, "nothing changed") == []
        write(project, {"more.md": "Use spaces."})
        (changed,) = await _memory_of(stage, "two")
        assert "This changed. Contents of" in changed and "Use spaces." in changed
        write(project, {"CLAUDE.local.md": "Mine."})
        (project / "CLAUDE.md").unlink()
        came, gone = await _memory_of(stage, "three")
        assert "Mine." in came and f"{project}/CLAUDE.md is gone" in gone


async def _memory_of(stage: Stage, prompt: str) -> list[str]:
    told = await stage.say(prompt)
    return [event.message.text for event in told if isinstance(event, PromptAdded) and event.origin == "memory"]


async def test_agents_md_is_offered_where_there_is_no_claude_md(places: Places, tmp_path: Path) -> None:
    project = tmp_path / "project"
    project.mkdir()
    (project / "AGENTS.md").write_text("Use tabs.")
    script = tmp_path / "script.json"
    script.write_text('{"steps": [{"text": "hi"}]}')
    choice = ModelChoice(kind="demo", model="scripted", path=str(script))
    wishes = Wishes(root=project, trust=True, interactive=False)
    bench = open_workbench(
        places, {"HOME": str(places.home), "PATH": "/usr/bin:/bin"}, wishes, ScriptedPerson(), choice
    )
    try:
        harness = await bench.open()
        async with aclosing(harness.run(Prompt(text="go"))) as story:
            events = [event async for event in story]
    finally:
        await bench.close()
    assert any(isinstance(e, Notice) and "AGENTS.md" in e.text for e in events)


def memory_sent(stage: Stage, number: int) -> str:
    """All user-side words of a request that stand before its prompt."""
    return "\n".join(block.text for block in stage.provider.requests[number].messages[0].blocks[:-1])  # pyright: ignore


async def test_a_folder_that_nobody_refused_tells_its_memory(places: Places, tmp_path: Path) -> None:
    (tmp_path / "CLAUDE.md").write_text("Be brief.")
    async with staged(places, tmp_path, [DONE], trusted=False) as stage:
        await stage.say("go")
        assert "Be brief." in memory_sent(stage, 0)


async def test_a_refused_folder_tells_nothing(places: Places, tmp_path: Path) -> None:
    (tmp_path / "CLAUDE.md").write_text("Be brief.")
    (tmp_path / ".claude").mkdir()
    (tmp_path / ".claude" / "settings.json").write_text('{"env": {"A": "b"}}')
    script = tmp_path / "script.json"
    script.write_text('{"steps": [{"text": "hi"}, {"text": "hi"}]}')
    choice = ModelChoice(kind="demo", model="scripted", path=str(script))
    heard: list[bool] = []
    for trusted in (False, True):
        person = ScriptedPerson(trusts=trusted)
        wishes = Wishes(root=tmp_path)
        bench = open_workbench(places, {"HOME": str(places.home), "PATH": "/usr/bin:/bin"}, wishes, person, choice)
        try:
            listed = bench.sessions()
            harness = await bench.open(listed[0].id if listed else "")
            async with aclosing(harness.run(Prompt(text="go"))) as story:
                events = [event async for event in story]
        finally:
            await bench.close()
        heard.append(any(isinstance(e, PromptAdded) and e.origin == "memory" for e in events))
    assert heard == [False, True]  # the second time the same session is resumed, and trusted


async def test_a_resumed_session_is_told_what_changed_and_nothing_twice(places: Places, tmp_path: Path) -> None:
    (tmp_path / "CLAUDE.md").write_text("Be brief.")
    (places.config).mkdir(parents=True, exist_ok=True)
    async with staged(places, tmp_path, [DONE]) as stage:
        await stage.say("go")
        past = list(stage.session.history())
    (places.config / "CLAUDE.md").write_text("I like tea.")
    async with staged(places, tmp_path, [DONE], past=past) as stage:
        await stage.say("on")
        added = [e.message.text for e in stage.events if isinstance(e, PromptAdded) and e.origin == "memory"]
        assert len(added) == 1
        assert added[0].endswith("I like tea.")
        past = list(stage.session.history())
    (tmp_path / "CLAUDE.md").write_text("Be long.")
    async with staged(places, tmp_path, [DONE], past=past) as stage:
        await stage.say("on")
        added = [e.message.text for e in stage.events if isinstance(e, PromptAdded) and e.origin == "memory"]
        assert [text.endswith("Be long.") for text in added] == [True]


async def test_what_is_offered_is_read_once_it_is_accepted_and_stays_so(places: Places, tmp_path: Path) -> None:
    (tmp_path / "secret.md").write_text("from outside")
    project = tmp_path / "project"
    project.mkdir()
    (project / "CLAUDE.md").write_text("See @../secret.md")
    async with staged(places, project, [DONE, DONE]) as stage:
        await stage.say("one")
        desk = stage.session.memory_desk
        assert desk is not None
        (offer,) = desk.offers()
        assert (offer.kind, offer.path, offer.wanted_by) == (
            "import",
            str(tmp_path / "secret.md"),
            str(project / "CLAUDE.md"),
        )
        desk.accept(offer)
        assert desk.offers() == ()
        await stage.say("two")
        assert "from outside" in str(stage.provider.requests[1].messages)
        assert str(stage.provider.requests[1].messages).count("See @../secret.md") == 1
    async with staged(places, project, [DONE]) as stage:
        await stage.say("three")
        assert "from outside" in memory_sent(stage, 0)
    (places.data / "memory.json").write_text('{"broken')
    async with staged(places, project, [DONE]) as stage:
        await stage.say("four")
        assert "from outside" not in memory_sent(stage, 0)
