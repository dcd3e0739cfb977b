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
