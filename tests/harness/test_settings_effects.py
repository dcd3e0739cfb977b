"""Settings in assembled sessions, key by key: what is switched on or off really is."""

import json
import time
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from rein_tui.harness.places import Places
from rein_tui.harness.protocol import events as ev
from rein_tui.harness.protocol.decisions import QuestionReply, QuestionRequest
from rein_tui.harness.protocol.ports import Prompt, SessionInfo
from rein_tui.harness.protocol.workbench import ModelChoice
from rein_tui.harness.providers.scripted import ScriptedCall, Step
from rein_tui.harness.store.store import Store
from rein_tui.harness.wiring.build import open_workbench
from rein_tui.harness.wiring.wishes import Wishes
from tests.fakes.engines import ScriptedPerson
from tests.harness.plugins.files import markdown, write
from tests.harness.plugins.sessions import DONE, PATH, staged


def user(places: Places, **settings: Any) -> None:
    write(places.config, {"settings.json": settings})


def managed(places: Places, **settings: Any) -> None:
    write(places.managed, {"managed-settings.json": settings})


async def test_language_and_last_lines_of_commits_are_in_the_prompt(places: Places, tmp_path: Path) -> None:
    project = write(tmp_path / "w", {".claude/settings.json": {"attribution": {"commit": "Reviewed-by: team"}}})
    user(places, language="Deutsch\n", attribution={"pr": "", "commit": "Mine"})
    async with staged(places, project, [DONE]) as stage:
        await stage.say("go")
    system = stage.provider.requests[0].system
    assert "Talk to the person in Deutsch, whatever" in system
    assert "every commit" in system and system.endswith("Reviewed-by: team") and "pull request" not in system
    async with staged(places, project, [DONE], trusted=False) as stage:
        await stage.say("go")
    assert stage.provider.requests[0].system.endswith("Mine")


async def test_git_can_be_left_out_of_the_prompt(places: Places, tmp_path: Path) -> None:
    project = write(tmp_path / "w", {".git/HEAD": "ref: refs/heads/main\n"})
    user(places, includeGitInstructions=False, attribution={"commit": "Mine"})
    async with staged(places, project, [DONE]) as stage:
        await stage.say("go")
    assert "Mine" not in stage.provider.requests[0].system
    user(places, includeGitInstructions=True, attribution={"commit": "Mine"})
    async with staged(places, project, [DONE]) as stage:
        await stage.say("go")
    assert "Mine" in stage.provider.requests[0].system


async def test_an_administrator_has_instructions_in_settings(places: Places, tmp_path: Path) -> None:
    project = write(tmp_path / "w", {".claude/settings.json": {"claudeMd": "Of the project."}})
    user(places, claudeMd="Of the person.")
    write(places.managed, {"managed-settings.json": {"claudeMd": "Use tabs."}})
    write(places.managed, {"managed-settings.d/10.json": {"claudeMd": "Use spaces."}})
    async with staged(places, project, [DONE]) as stage:
        await stage.say("go")
    told = [e.message.text for e in stage.events if isinstance(e, ev.PromptAdded) and e.origin == "memory"]
    assert "set by the administrator" in told[0] and "Use spaces." in told[0]
    assert not any("Of the p" in text for text in told)


async def test_auto_memory_can_be_elsewhere_or_off(places: Places, tmp_path: Path) -> None:
    project = write(tmp_path / "w", {".claude/settings.json": {"autoMemoryDirectory": "/etc"}})
    write(places.home / "notes", {"MEMORY.md": "Remember the milk."})

    async def remembered(**settings: Any) -> bool:
        user(places, **settings)
        async with staged(places, project, [DONE]) as stage:
            await stage.say("go")
        return "Remember the milk." in json.dumps(
            [e.message.text for e in stage.events if isinstance(e, ev.PromptAdded)]
        )

    assert not await remembered()
    assert await remembered(autoMemoryDirectory="~/notes")
    assert not await remembered(autoMemoryDirectory="~/notes", autoMemoryEnabled=False)


@pytest.mark.parametrize("keeps", [True, False])
async def test_without_checkpoints_nothing_of_a_file_is_kept(places: Places, tmp_path: Path, keeps: bool) -> None:
    project = write(tmp_path / "w", {"a.txt": "old\n"})
    user(places, fileCheckpointingEnabled=keeps, permissions={"defaultMode": "acceptEdits"})
    path = str(project / "a.txt")
    read = Step(calls=(ScriptedCall(name="Read", input={"file_path": path}),))
    change = Step(calls=(ScriptedCall(name="Write", input={"file_path": path, "content": "new\n"}),))
    async with staged(places, project, [read, change, DONE]) as stage:
        await stage.say("go")
        (step,) = stage.session.rewind_plan(0).steps
    assert step.obstacle == ("" if keeps else "not_kept")


async def test_the_session_works_as_the_agent_of_settings(places: Places, tmp_path: Path) -> None:
    hooks = "hooks:\n  PreToolUse:\n    - hooks: [{type: command, command: 'exit 2'}]"
    agent = (
        f"---\nname: clerk\ndescription: x\ntools: Read, AskUserQuestion\neffort: low\n{hooks}\n---\nYou are a clerk."
    )
    project = write(tmp_path / "w", {".claude/agents/clerk.md": agent, "a.txt": "x\n"})
    user(places, agent="clerk")
    look = Step(
        calls=(ScriptedCall(name="Bash", input={"command": "ls"}), ScriptedCall(name="Read", input={"file_path": "a"}))
    )
    async with staged(places, project, [look, DONE]) as stage:
        await stage.say("go")
    request = stage.provider.requests[0]
    assert request.system.startswith("You are a clerk.") and "You are rein" not in request.system
    assert [tool.name for tool in request.tools] == ["Read", "AskUserQuestion"] and request.effort == "low"
    assert stage.finished()[0][1] == "invalid" and stage.finished()[1][1] == "denied"
    user(places, agent="nobody")
    async with staged(places, project, [DONE]) as stage:
        await stage.say("go")
    assert any("There is no agent 'nobody'" in notice.text for notice in stage.opening.notices)
    assert stage.provider.requests[0].system.startswith("You are rein")


async def test_plugin_folders_of_settings(places: Places, tmp_path: Path) -> None:
    write(places.home / "mine", {"commands/hello.md": markdown("Say hello.", description="x")})
    project = write(tmp_path / "w", {"evil/commands/bad.md": "Bad.", ".claude/settings.json": {"pluginDirs": ["evil"]}})
    user(places, pluginDirs=["~/mine", "gone\0"])
    async with staged(places, project, [DONE]) as stage:
        await stage.say("/mine:hello")
        assert stage.opening.brought is not None
        assert "bad" not in {info.name.partition(":")[2] for info in stage.opening.brought.catalog.infos()}
    assert "Say hello." in "".join(stage.prompts())
    assert any("There is no plugin folder" in notice.text for notice in stage.opening.notices)


async def test_sessions_that_are_too_old_go_and_can_be_had_back(places: Places, tmp_path: Path) -> None:
    store = Store.open(places)
    for name, age in (("old", 40), ("young", 5)):
        journal = store.create(SessionInfo(id=f"{name}-session", cwd=str(tmp_path)))
        then = time.time() - age * 86400
        for fact in (ev.TurnStarted(text="x"), ev.TurnFinished(reason="end_turn")):
            journal.append(structs.replace(fact, turn=1, time=then))
        journal.close()
    store.close()
    user(places, cleanupPeriodDays=30)
    choice = ModelChoice(kind="demo", model="scripted", path=str(tmp_path / "script.json"))
    (tmp_path / "script.json").write_text('{"steps": [{"text": "hi"}]}')
    bench = open_workbench(places, PATH, Wishes(root=tmp_path, interactive=False), ScriptedPerson(), choice)
    try:
        harness = await bench.open()
        async with aclosing(harness.run(Prompt(text="go"))) as events:
            told = [event.text async for event in events if isinstance(event, ev.Notice)]
        assert {"old-session", "young-session"} & {info.id for info in bench.sessions()} == {"young-session"}
        assert any("Deleted 1 sessions" in text for text in told)
        bench.undelete("old-session")
        assert "old-session" in {info.id for info in bench.sessions()}
    finally:
        await bench.close()


async def test_plugins_of_a_marketplace_that_policy_blocks_later_are_off(places: Places, tmp_path: Path) -> None:
    source = {"source": "github", "repo": "acme/tools"}
    market = write(
        tmp_path / "m", {".claude-plugin/marketplace.json": {"name": "m", "owner": {"name": "x"}, "plugins": []}}
    )
    plugin = write(tmp_path / "p", {"commands/hello.md": markdown("Say hello.", description="x")})
    known = {"m": {"source": source, "installLocation": str(market)}}
    entry = {"scope": "user", "installPath": str(plugin), "version": "1"}
    write(
        places.config / "plugins",
        {"known_marketplaces.json": known, "installed_plugins.json": {"version": 2, "plugins": {"p@m": [entry]}}},
    )
    project = write(tmp_path / "w", {})

    async def has_it() -> bool:
        async with staged(places, project, [DONE]) as stage:
            assert stage.opening.brought is not None
            return "p:hello" in {info.name for info in stage.opening.brought.catalog.infos()}

    assert await has_it()
    policies: tuple[dict[str, Any], ...] = (
        {"blockedMarketplaces": [source]},
        {"strictKnownMarketplaces": []},
        {"allowedMarketplaces": [{"source": "github", "repo": "other/*"}]},
    )
    for policy in policies:
        managed(places, **policy)
        assert not await has_it(), policy
    managed(places, allowedMarketplaces=[{"source": "github", "repo": "acme/*"}])
    assert await has_it()


async def test_files_are_found_by_the_command_of_settings(places: Places, tmp_path: Path) -> None:
    project = write(tmp_path / "w", {})

    async def found(command: str, query: str = "x") -> tuple[Any, list[str]]:
        user(places, fileSuggestion={"type": "command", "command": command}, respectGitignore=False)
        async with staged(places, project, [DONE]) as stage:
            finder = stage.session.file_finder
            assert finder is not None and not finder.hides_ignored
            suggested = await finder.suggest(query)
            await finder.suggest(query)
            told = [fact.text for fact in stage.session.history() if isinstance(fact, ev.Notice)]
        return suggested, [text for text in told if "fileSuggestion" in text]

    paths, told = await found('cat; echo; echo "$CLAUDE_PROJECT_DIR"; seq 40', 'a"b')
    assert paths[:3] == ('{"query": "a\\"b"}', str(project), "1") and len(paths) == 15 and not told
    paths, told = await found("exit 3")
    assert paths is None and len(told) == 1 and "exit code 3" in told[0]
    managed(places, allowManagedHooksOnly=True)
    assert await found("echo no") == (None, [])


class Answering(ScriptedPerson):
    """Chooses the option of every question that begins with these words."""

    def __init__(self, words: str) -> None:
        super().__init__()
        self.words = words
        self.asked = 0

    async def question(self, request: QuestionRequest) -> QuestionReply:
        self.asked += 1
        found = {q.question: o.label for q in request.questions for o in q.options if o.label.startswith(self.words)}
        return QuestionReply(answers=found, cancelled=not found)


async def test_a_session_without_questions_begins_only_when_the_person_agrees(places: Places, tmp_path: Path) -> None:
    (tmp_path / "script.json").write_text('{"steps": [{"text": "hi"}]}')
    choice = ModelChoice(kind="demo", model="scripted", path=str(tmp_path / "script.json"))

    async def mode(words: str, interactive: bool = True, **wish: Any) -> tuple[str, int]:
        person = Answering(words)
        bench = open_workbench(places, PATH, Wishes(root=tmp_path, interactive=interactive, **wish), person, choice)
        try:
            await bench.open()
            return (await bench.open()).mode, person.asked
        finally:
            await bench.close()

    assert await mode("Ask as usual", mode="bypassPermissions") == ("bypassPermissions", 0), "the flag said it"
    user(places, permissions={"defaultMode": "bypassPermissions"})
    assert await mode("Ask as usual") == ("default", 2)
    assert await mode("nothing of that") == ("default", 2)
    assert await mode("Go on, nothing") == ("bypassPermissions", 1)
    assert await mode("", interactive=False) == ("bypassPermissions", 0)
    assert await mode("Ask as usual", mode="acceptEdits") == ("acceptEdits", 0)
    assert await mode("Go on, and do not") == ("bypassPermissions", 1)
    written = json.loads(places.user_settings.read_text())
    assert written == {
        "permissions": {"defaultMode": "bypassPermissions"},
        "skipDangerousModePermissionPrompt": True,
    }
    assert await mode("Ask as usual") == ("bypassPermissions", 0)
