"""Agents of files and plugins: found, ranked, limited, briefed."""

import json
from pathlib import Path

from rein_tui.harness.places import Places
from rein_tui.harness.protocol.events import AgentStarted
from rein_tui.harness.providers.scripted import ScriptedCall, Step

from .files import markdown, write
from .sessions import DONE, bash, staged


def agent(name: str, **more: str) -> Step:
    return Step(
        calls=(ScriptedCall(name="Agent", input={"description": "x", "prompt": "go", "subagent_type": name, **more}),)
    )


async def test_an_agent_of_a_plugin_works_with_its_own_prompt_and_tools(places: Places, tmp_path: Path) -> None:
    body = "You live in ${CLAUDE_PLUGIN_ROOT}."
    plugin = write(
        tmp_path / "team", {"agents/er.md": markdown(body, name="er", description="reads", tools="LS, Read")}
    )
    project = write(tmp_path / "w", {})
    steps = [agent("team:er"), Step(text="read it"), DONE]
    async with staged(places, project, steps, plugin_dirs=(plugin,)) as stage:
        await stage.say("ask er")
    assert "- team:er: reads" in stage.tool("Agent")
    request = stage.provider.requests[1]
    assert request.system.startswith(f"You live in {plugin}.")
    assert [tool.name for tool in request.tools] == ["Read"]
    assert stage.finished()[-1] == ("Agent", "ok", "read it")


async def test_project_before_person_before_plugin_and_documents_are_no_agents(places: Places, tmp_path: Path) -> None:
    project = write(
        tmp_path / "w", {".claude/agents/a.md": markdown("Project.", name="a", description="of the project")}
    )
    write(places.config, {"agents/a.md": markdown("Person.", name="a", description="of the person")})
    write(places.config, {"agents/README.md": "# Notes\n", "agents/bad.md": markdown(name="a:b", description="x")})
    async with staged(places, project, [agent("a"), Step(text="x"), DONE]) as stage:
        await stage.say("go")
        assert stage.opening.brought is not None
        assert list(stage.opening.brought.catalog.agents()) == ["a"]
    assert stage.provider.requests[1].system.startswith("Project.")
    assert any("may neither hold a colon" in notice.text for notice in stage.opening.notices)


async def test_agents_of_an_untrusted_project_are_not_there(places: Places, tmp_path: Path) -> None:
    mode = markdown(name="b", description="x", permissionMode="acceptEdits")
    files = {".claude/agents/a.md": markdown(name="a", description="x"), ".claude/agents/b.md": mode}
    async with staged(places, write(tmp_path / "w", files), [DONE], trusted=False) as stage:
        assert stage.opening.brought is not None
        assert stage.opening.brought.catalog.agents() == {}


async def test_a_project_without_anything_to_trust_is_heard(places: Places, tmp_path: Path) -> None:
    files = {
        "CLAUDE.md": "Be brief.",
        ".claude/agents/a.md": markdown(name="a", description="x", memory="user", isolation="worktree"),
        ".claude/skills/s/SKILL.md": markdown("Say !`pwd`", description="says it"),
        ".claude/commands/c.md": markdown("Now !`touch made`"),
    }
    project = write(tmp_path / "w", files)
    async with staged(places, project, [DONE, DONE], trusted=False) as stage:
        await stage.say("/s")
        write(project, {".claude/skills/late/SKILL.md": markdown(allowed_tools="Bash")})
        await stage.say("/c")
        assert stage.opening.brought is not None
        agent = stage.opening.brought.catalog.agents()["a"]
        late = stage.opening.brought.catalog.find("late")
    assert (agent.memory, agent.is_isolated) == ("", False)
    assert late is not None and late.allowed == ()
    assert "Be brief." in str(stage.provider.requests[0].messages)
    assert "- s: says it" in stage.tool("Skill") and f"Say {project}" in stage.prompts()
    assert not (project / "made").exists()


async def test_an_agent_begins_with_its_skills_and_brings_its_hooks(places: Places, tmp_path: Path) -> None:
    hooks = "hooks:\n  PreToolUse:\n    - matcher: Bash\n      hooks:\n        - {type: command, command: 'exit 2'}"
    files = {
        "agents/a.md": f"---\nname: a\ndescription: x\nskills: know\neffort: low\n{hooks}\n---\nAct.",
        "skills/know/SKILL.md": "Know this: $ARGUMENTS !`pwd`",
    }
    write(places.config, files)
    project = write(tmp_path / "w", {})
    steps = [agent("a"), bash("pwd"), Step(text="x"), bash("pwd"), DONE]
    async with staged(places, project, steps) as stage:
        await stage.say("go")
    request = stage.provider.requests[1]
    assert request.system.startswith("Act.\n\n<skill name='know'>\nKnow this:  [shell")
    assert request.effort == "low"
    assert [o for name, o, _ in stage.finished() if name == "Bash"] == ["denied", "ok"]
    assert [e.agent_type for e in stage.events if isinstance(e, AgentStarted)] == ["a"]


async def test_a_bad_mode_is_told_and_widens_nothing(places: Places, tmp_path: Path) -> None:
    head = markdown(name="a", description="x", permissionMode="yolo")
    write(places.config, {"agents/a.md": head})
    async with staged(places, write(tmp_path / "w", {}), [DONE]) as stage:
        assert stage.opening.brought is not None
        assert stage.opening.brought.catalog.agents()["a"].mode is None
    assert any("'yolo' is none of" in notice.text for notice in stage.opening.notices)


async def test_an_agent_cannot_exceed_a_ban_on_bypassing(places: Places, tmp_path: Path) -> None:
    write(places.config, {"agents/a.md": markdown(name="a", description="x", permissionMode="bypassPermissions")})
    settings = '{"permissions": {"disableBypassPermissionsMode": "disable"}}'
    steps = [agent("a"), bash("npm publish"), Step(text="x"), DONE]
    async with staged(places, write(tmp_path / "w", {}), steps, settings=settings, interactive=False) as stage:
        await stage.say("go")
        assert stage.opening.brought is not None
        assert stage.opening.brought.catalog.agents()["a"].mode is None
    assert any("settings forbid" in notice.text for notice in stage.opening.notices)
    assert ("Bash", "denied") in [(name, outcome) for name, outcome, _ in stage.finished()]


async def test_a_prompt_may_name_the_agents_that_are_wanted(places: Places, tmp_path: Path) -> None:
    write(places.config, {"agents/a.md": markdown("Act.", name="code-reader", description="x")})
    async with staged(places, write(tmp_path / "w", {}), [DONE, DONE]) as stage:
        await stage.say('@agent-code-reader, look; or @"Explore (agent)" and @agent-nobody does; me@agent-code-reader')
        prompt, *words = stage.prompts()
        assert prompt.startswith("@agent-code-reader, look")
        assert ["'code-reader'" in words[0], "'explore'" in words[1].lower(), len(words)] == [True, True, 2]
        await stage.say("no agent here")
        assert len(stage.prompts()) == 4


async def test_what_holds_for_all_agents(places: Places, tmp_path: Path) -> None:
    write(places.config, {"agents/a.md": markdown("Act.", name="a", description="x")})
    settings = json.dumps({"env": {"CLAUDE_CODE_MAX_SUBAGENT_SPAWN_DEPTH": "1"}})
    steps = [agent("a"), Step(text="x"), DONE]
    async with staged(places, write(tmp_path / "w", {}), steps, settings=settings) as stage:
        await stage.say("go")
    assert "Agent" not in {tool.name for tool in stage.provider.requests[1].tools}
