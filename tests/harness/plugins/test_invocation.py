"""Commands and skills in whole sessions: typed and called, with their rules, commands, files, hooks and subagents."""

import asyncio
from pathlib import Path

import pytest

from rein_tui.harness.places import Places
from rein_tui.harness.protocol.events import AgentStarted, BackgroundFinished, PromptAdded, TurnFinished
from rein_tui.harness.providers.scripted import Step

from .files import markdown, write
from .sessions import DONE, bash, skill, staged


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return write(tmp_path / "project", {"notes.txt": "remember the milk\n"})


async def test_a_command_with_arguments_runs_its_commands_and_takes_files_along(places: Places, project: Path) -> None:
    body = "Review $0 of $ARGUMENTS.\n\n- here: !`pwd`\n\n```!\necho one\necho '$1'\n```\nSee @notes.txt"
    write(project / ".claude", {"commands/review.md": markdown(body, allowed_tools="Bash(echo *), Bash(pwd)")})
    async with staged(places, project, [DONE]) as stage:
        await stage.say("/review a.py '!`touch x`'")
    head, text, attached = stage.prompts()
    assert head == "<command-name>/review</command-name>\n<command-args>a.py '!`touch x`'</command-args>"
    assert text == (f"Review a.py of a.py '!`touch x`'.\n\n- here: {project}\n\none\n!`touch x`\nSee @notes.txt")
    assert attached.startswith("Contents of ")
    assert not (project / "x").exists()
    assert stage.finished() == []


async def test_a_command_that_may_not_run_aborts_and_nothing_reaches_the_model(places: Places, project: Path) -> None:
    write(project / ".claude", {"commands/x.md": "Look: !`touch made`", "commands/y.md": "!`false` now"})
    async with staged(places, project, [DONE]) as stage:
        events = await stage.say("/x")
        await stage.say("/y")
    assert (stage.prompts(), stage.provider.requests) == ([], [])
    assert not (project / "made").exists()
    assert isinstance(events[-1], TurnFinished)
    assert events[-1].reason == "denied"
    assert "`touch made` may not run: " in stage.notices()[0]
    assert "`false` failed after" in stage.notices()[1]
    assert stage.person.requests == []


async def test_what_answers_with_exit_1_does_not_abort(places: Places, project: Path) -> None:
    write(project / ".claude", {"commands/x.md": "Found: !`grep nothing notes.txt`."})
    async with staged(places, project, [DONE]) as stage:
        await stage.say("/x")
    assert stage.prompts()[1] == "Found: No matches found."


async def test_rules_hold_for_the_turn_and_end_with_it(places: Places, project: Path) -> None:
    write(project / ".claude", {"commands/go.md": markdown(allowed_tools="Bash(touch:*)")})
    async with staged(places, project, [bash("touch a"), DONE, bash("touch b"), DONE], interactive=False) as stage:
        await stage.say("/go")
        await stage.say("and again")
    assert [outcome for _, outcome, _ in stage.finished()] == ["ok", "denied"]
    assert (project / "a").exists() and not (project / "b").exists()


async def test_disallowed_tools_are_denied_while_it_holds(places: Places, project: Path) -> None:
    write(project / ".claude", {"commands/go.md": markdown(disallowed_tools="Bash")})
    async with staged(places, project, [bash("pwd"), DONE, bash("pwd"), DONE]) as stage:
        await stage.say("/go")
        await stage.say("again")
    assert [outcome for _, outcome, _ in stage.finished()] == ["denied", "ok"]


async def test_a_project_that_is_not_trusted_opens_nothing_up(places: Places, project: Path) -> None:
    files = {"commands/go.md": markdown(allowed_tools="Bash(touch:*)"), "commands/sh.md": "!`pwd`"}
    write(project / ".claude", files)
    steps = [bash("touch a"), DONE]
    async with staged(places, project, steps, trusted=False, interactive=False) as stage:
        await stage.say("/go")
        await stage.say("/sh")
    assert [outcome for _, outcome, _ in stage.finished()] == ["denied"]
    assert "not trusted" in stage.notices()[-1]
    assert "- go" not in stage.tool("Skill")


async def test_a_small_model_hears_of_skills_in_a_line(places: Places, project: Path) -> None:
    async with staged(places, project, [DONE]) as stage:
        await stage.say("go")
    assert next(tool for tool in stage.provider.requests[0].tools if tool.name == "Skill").brief == ""
    files = {f"skills/s{n:03}/SKILL.md": markdown(description="does it " * 50) for n in range(99)}
    write(places.config, files | {"skills/docs/SKILL.md": markdown(description="writes docs")})
    async with staged(places, project, [DONE]) as stage:
        await stage.say("/s098")
    brief = next(tool for tool in stage.provider.requests[0].tools if tool.name == "Skill").brief
    assert "Skills: s098 (does it" in brief and "docs (writes docs)" in brief and brief.endswith(" more")
    assert len(brief) < 700 and "\n" not in brief


async def test_the_model_loads_a_skill_once(places: Places, project: Path) -> None:
    files = {
        "skills/docs/SKILL.md": markdown("How to write in ${CLAUDE_SKILL_DIR}: $ARGUMENTS", description="writes docs"),
        "skills/private/SKILL.md": markdown(disable_model_invocation="true"),
        "commands/plain.md": markdown(description="plain one"),
    }
    write(places.config, files)
    async with staged(
        places, project, [skill("docs", "briefly"), skill("docs", "briefly"), skill("private"), DONE]
    ) as s:
        await s.say("write")
    assert "- docs: writes docs" in s.tool("Skill")
    assert "- plain: plain one" in s.tool("Skill")
    assert "private" not in s.tool("Skill")
    folder = places.config / "skills" / "docs"
    assert s.finished()[0] == (
        "Skill",
        "ok",
        f"Base folder of this skill: {folder}\n\nHow to write in {folder}: briefly",
    )
    assert "already in this conversation" in s.finished()[1][2]
    assert s.finished()[2][1] == "invalid"
    assert "only the person may use" in s.finished()[2][2]


async def test_a_skill_that_opens_something_up_asks_first(places: Places, project: Path) -> None:
    write(places.config, {"skills/strong/SKILL.md": markdown(allowed_tools="Bash(touch:*)")})
    async with staged(places, project, [skill("strong"), DONE], interactive=False) as stage:
        await stage.say("go")
    assert stage.finished()[0][1] == "denied"


async def test_skills_stack_and_each_gets_the_words(places: Places, project: Path) -> None:
    files = {"skills/one/SKILL.md": "First: $ARGUMENTS", "skills/two/SKILL.md": "Second: $0"}
    write(places.config, files)
    async with staged(places, project, [DONE]) as stage:
        await stage.say("/one /two do it")
    assert [text for text in stage.prompts() if not text.startswith("<")] == ["First: do it", "Second: do"]


@pytest.mark.parametrize("text", ["/usr/bin/env is a path", "plain words", "see /one"])
async def test_other_words_are_words(places: Places, project: Path, text: str) -> None:
    write(places.config, {"skills/one/SKILL.md": "First"})
    async with staged(places, project, [DONE]) as stage:
        await stage.say(text)
    assert stage.prompts() == [text]


async def test_not_for_the_person(places: Places, project: Path) -> None:
    write(places.config, {"skills/inner/SKILL.md": markdown("For the model.", user_invocable="no")})
    async with staged(places, project, [DONE]) as stage:
        await stage.say("/inner")
        assert stage.opening.brought is not None
        assert [info.name for info in stage.opening.brought.catalog.infos()] == []
    assert stage.prompts() == []


async def test_a_forked_skill_works_in_a_subagent(places: Places, project: Path) -> None:
    head = markdown("Look at $0.", context="fork", agent="Explore")
    write(places.config, {"skills/look/SKILL.md": head})
    async with staged(places, project, [Step(text="I saw it"), DONE]) as stage:
        await stage.say("/look src")
    begun = [e for e in stage.events if isinstance(e, AgentStarted)]
    assert [(e.agent_type, e.prompt) for e in begun] == [("Explore", "Look at src.")]
    assert stage.finished() == [("Skill", "ok", "I saw it")]
    assert "I saw it" in stage.prompts()[1]


async def test_a_forked_skill_that_the_model_calls_goes_on_in_the_background(places: Places, project: Path) -> None:
    write(places.config, {"skills/look/SKILL.md": markdown("Look.", context="fork")})
    async with staged(places, project, [skill("look"), DONE, Step(text="I saw it"), DONE]) as stage:
        await stage.say("go")
        while not any(isinstance(fact, BackgroundFinished) for fact in stage.session.history()):
            await asyncio.sleep(0)
        added = [fact for fact in stage.session.history() if isinstance(fact, PromptAdded)]
        told = [*stage.notices(), *(str(fact.message.blocks) for fact in added)]
    (called,) = stage.finished()
    assert "works on it in the background as agent_1" in called[2]
    assert any("agent_1 (/look), which you left in the background, has completed" in text for text in told)


async def test_a_forked_skill_is_waited_for_where_it_says_so(places: Places, project: Path) -> None:
    write(places.config, {"skills/look/SKILL.md": markdown("Look.", context="fork", background="false")})
    async with staged(places, project, [skill("look"), Step(text="I saw it"), DONE]) as stage:
        await stage.say("go")
    assert stage.finished() == [("Skill", "ok", "I saw it")]


async def test_an_agent_that_does_not_exist_is_told(places: Places, project: Path) -> None:
    write(places.config, {"skills/look/SKILL.md": markdown("Look.", context="fork", agent="nobody")})
    async with staged(places, project, [Step(text="I saw it"), DONE]) as stage:
        await stage.say("/look")
    assert "/look is for the agent 'nobody', which does not exist; general-purpose does it" in stage.notices()
    assert [e.agent_type for e in stage.events if isinstance(e, AgentStarted)] == ["general-purpose"]


async def test_words_of_a_head_that_mean_nothing_are_told(places: Places, project: Path) -> None:
    head = markdown("Body.", effort="huge", context="spoon", user_invocable="perhaps", background="true")
    write(places.config, {"skills/look/SKILL.md": head})
    async with staged(places, project, [DONE]) as stage:
        await stage.say("/look")
    told = [notice.text for notice in stage.opening.notices]
    assert told == [
        "effort 'huge' is none of low, medium, high, xhigh, max, inherit; the session's effort holds",
        "context 'spoon' is none of fork; it joins the conversation",
        "user-invocable 'perhaps' is neither true nor false; as if it were not there",
    ]


async def test_what_changed_on_disk_holds_with_the_next_prompt(places: Places, project: Path) -> None:
    write(places.config, {"commands/x.md": "Old"})
    async with staged(places, project, [DONE, DONE, DONE]) as stage:
        await stage.say("/x")
        write(places.config, {"commands/x.md": "New text", "commands/y.md": "Fresh"})
        await stage.say("/x")
        await stage.say("/y")
    assert [text for text in stage.prompts() if not text.startswith("<")] == ["Old", "New text", "Fresh"]


async def test_switching_shell_commands_off(places: Places, project: Path) -> None:
    write(places.config, {"commands/x.md": "a !`pwd` b"})
    async with staged(places, project, [DONE], settings='{"disableSkillShellExecution": true}') as stage:
        await stage.say("/x")
    assert stage.prompts()[1] == "a [shell command execution disabled by policy] b"


async def test_hooks_may_refuse_a_command_and_skills_bring_hooks(places: Places, project: Path) -> None:
    hooks = (
        "hooks:\n  PreToolUse:\n    - matcher: Bash\n      hooks:\n"
        "        - {type: command, command: 'echo no >&2; exit 2'}"
    )
    refusing = (
        '{"hooks": {"UserPromptExpansion": [{"matcher": "bad", "hooks": [{"type": "command", "command": "exit 2"}]}]}}'
    )
    files = {"commands/bad.md": "Bad", "skills/strict/SKILL.md": f"---\n{hooks}\n---\nBe strict."}
    write(places.config, files)
    async with staged(places, project, [bash("pwd"), DONE], settings=refusing) as stage:
        await stage.say("/bad")
        assert stage.prompts() == []
        await stage.say("/strict")
    assert stage.finished()[0][1] == "denied"
    assert stage.hooks() == ["UserPromptExpansion", "PreToolUse"]


async def test_skills_about_certain_files_come_up_with_them(places: Places, project: Path) -> None:
    from rein_tui.harness.providers.scripted import ScriptedCall, Step

    write(places.config, {"skills/sql/SKILL.md": markdown(description="about sql", paths="**/*.sql")})
    write(project, {"db/x.sql": "select 1", "web/.claude/skills/css/SKILL.md": markdown(description="about css")})
    write(project, {"web/a.css": "a{}"})
    reads = [
        Step(calls=(ScriptedCall(name="Read", input={"file_path": str(project / p)}),))
        for p in ("db/x.sql", "web/a.css")
    ]
    async with staged(places, project, [*reads, DONE]) as stage:
        await stage.say("read")
    lists = [next(t.description for t in r.tools if t.name == "Skill") for r in stage.provider.requests]
    assert ["- sql" in text for text in lists] == [False, True, True]
    assert ["- css" in text for text in lists] == [False, False, True]


async def test_a_skill_of_words_needs_no_yes_and_one_that_opens_something_does(places: Places, tmp_path: Path) -> None:
    files = {
        ".claude/skills/words/SKILL.md": markdown("Be kind.", description="words"),
        ".claude/skills/opens/SKILL.md": markdown("Go.", description="opens", allowed_tools="Bash(ls *)"),
    }
    project = write(tmp_path / "w", files)
    steps = [skill("words"), DONE, skill("opens"), DONE]
    async with staged(places, project, steps, interactive=False) as stage:
        await stage.say("one")
        await stage.say("two")
        assert [outcome for _, outcome, _ in stage.finished()] == ["ok", "denied"]


@pytest.mark.parametrize(
    ("text", "hint"),
    [("/revew a.py", "Did you mean /review?"), ("/zzz", "blank before the slash"), ("/zzz\nmore", "blank before")],
)
async def test_a_command_that_nobody_knows_is_refused(places: Places, project: Path, text: str, hint: str) -> None:
    write(project / ".claude", {"commands/review.md": "Review $0"})
    async with staged(places, project, [DONE]) as stage:
        events = await stage.say(text)
    assert stage.provider.requests == []
    assert isinstance(events[-1], TurnFinished)
    assert events[-1].reason == "denied"
    assert hint in events[-1].detail


@pytest.mark.parametrize("text", ["/usr/bin/x is gone", "/tmp", " /zzz", "/", "/ zzz", "/zzz? no", "//zzz", "a /zzz"])
async def test_what_is_no_command_is_sent_as_words(places: Places, project: Path, text: str) -> None:
    async with staged(places, project, [DONE]) as stage:
        await stage.say(text)
    assert stage.prompts() == [text]


async def test_the_skills_of_a_folder_that_is_added_count(places: Places, project: Path, tmp_path: Path) -> None:
    more = tmp_path / "more"
    write(more / ".claude", {"skills/there/SKILL.md": "Do it there"})
    async with staged(places, project, [DONE]) as stage:
        assert stage.session.adjustments is not None
        await stage.session.adjustments.add_folder(more)
        await stage.say("/there")
    assert any("Do it there" in text for text in stage.prompts())
