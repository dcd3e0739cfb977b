"""What a person changes while a session lives: folders, and work that is no longer wanted."""

from contextlib import aclosing
from pathlib import Path

import pytest

from rein_tui.cli.headless import NobodyAnswers
from rein_tui.deferred import DeferredWorkbench
from rein_tui.harness.places import Places
from rein_tui.harness.protocol.errors import ConfigError
from rein_tui.harness.protocol.events import (
    AgentFinished,
    AgentStarted,
    BackgroundFinished,
    CwdChanged,
    Event,
    HookFired,
    ModeChanged,
    PermissionDecided,
    PromptAdded,
    SessionStarted,
    SideAnswered,
    StepStarted,
    ToolCallFinished,
    TurnFinished,
)
from rein_tui.harness.protocol.messages import TextBlock, ToolResultBlock, Usage
from rein_tui.harness.protocol.models import ModelRequest
from rein_tui.harness.protocol.ports import Adjustments, Prompt
from rein_tui.harness.protocol.workbench import Extensible, KeepsKey, ModelChoice
from rein_tui.harness.providers.scripted import ScriptedCall, Step
from rein_tui.harness.wiring.build import open_workbench
from rein_tui.harness.wiring.choices import remember
from rein_tui.harness.wiring.wishes import Wishes
from tests.harness.plugins.sessions import DONE, Stage, staged


def adjustments(stage: Stage) -> Adjustments:
    assert stage.session.adjustments is not None
    return stage.session.adjustments


def agent(prompt: str, *, kind: str = "general-purpose", background: bool = False) -> ScriptedCall:
    work = {"description": prompt, "prompt": prompt, "subagent_type": kind, "run_in_background": background}
    return ScriptedCall(name="Agent", input=work)


def told(request: ModelRequest) -> str:
    return "\n".join(b.text for m in request.messages for b in m.blocks if isinstance(b, TextBlock))


def has_results(request: ModelRequest) -> bool:
    return any(isinstance(block, ToolResultBlock) for m in request.messages for block in m.blocks)


async def test_one_agent_is_stopped_and_the_other_works_on(places: Places, tmp_path: Path) -> None:
    def respond(request: ModelRequest) -> Step:
        words = told(request)
        if "hang there" in words:
            return Step(hang=True)
        if "look there" in words:
            return Step(text="found", usage=Usage(output_tokens=7))
        if has_results(request):
            return Step(text="both are back", usage=Usage(output_tokens=1))
        return Step(calls=(agent("hang there"), agent("look there")), usage=Usage(output_tokens=1))

    async with staged(places, tmp_path, respond) as stage:
        seen, hanging = list[Event](), ""
        async with aclosing(stage.session.run(Prompt(text="go"))) as events:
            async for event in events:
                seen.append(event)
                if isinstance(event, AgentStarted) and event.prompt == "hang there":
                    hanging = event.parent
                if isinstance(event, AgentFinished) and event.outcome == "ok":
                    assert await adjustments(stage).stop_work(hanging)
        assert {e.outcome for e in seen if isinstance(e, AgentFinished)} == {"ok", "interrupted"}
        results = {e.call_id: e for e in seen if isinstance(e, ToolCallFinished) and e.name == "Agent"}
        assert "stopped this agent" in str(results[hanging].content)
        assert isinstance(seen[-1], TurnFinished)
        assert seen[-1].usage.output_tokens == 9  # what its subagents used belongs to the turn
        assert not await adjustments(stage).stop_work(hanging)


async def test_an_agent_in_the_background_is_stopped_in_order(places: Places, tmp_path: Path) -> None:
    def respond(request: ModelRequest) -> Step:
        if "hang there" in told(request):
            return Step(hang=True)
        if has_results(request):
            return Step(text="it runs")
        return Step(calls=(agent("hang there", background=True),))

    async with staged(places, tmp_path, respond) as stage:
        await stage.say("go")
        ended = list[object]()
        async with aclosing(stage.session.asides()) as asides:
            async for event in asides:
                if isinstance(event, StepStarted):
                    assert await adjustments(stage).stop_work("agent_1")
                ended += [event] if isinstance(event, AgentFinished | BackgroundFinished) else []
                if isinstance(event, BackgroundFinished):
                    break
        assert [getattr(e, "outcome", getattr(e, "status", "")) for e in ended] == ["interrupted", "killed"]


async def test_an_agent_knows_the_memory_files_and_one_that_explores_does_not(places: Places, tmp_path: Path) -> None:
    (tmp_path / "CLAUDE.md").write_text("Use tabs.")

    def respond(request: ModelRequest) -> Step:
        words = told(request)
        if "look there" in words:
            return Step(text="Use tabs." if "Use tabs." in words else "no word of tabs")
        if has_results(request):
            return Step(text="done")
        return Step(calls=(agent("look there"), agent("look there", kind="Explore")))

    async with staged(places, tmp_path, respond) as stage:
        events = await stage.say("go")
        assert [c for n, _, c in stage.finished() if n == "Agent"] in (
            ["Use tabs.", "no word of tabs"],
            ["no word of tabs", "Use tabs."],
        )
        memory = [e for e in events if isinstance(e, PromptAdded) and e.origin == "memory" and e.parent]
        assert [Path(e.source).name for e in memory] == ["CLAUDE.md"]


async def test_a_further_folder_is_worked_in_and_the_model_hears_of_it(places: Places, tmp_path: Path) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    here.mkdir()
    there.mkdir()
    (there / "a.txt").write_text("hello")
    read = Step(calls=(ScriptedCall(name="Read", input={"file_path": str(there / "a.txt")}),))
    async with staged(places, here, [read, Step(text="1"), read, Step(text="2")]) as stage:
        await stage.say("before")
        await adjustments(stage).add_folder(Path("../there"))
        await stage.say("after")
        decided = [e.decision.outcome for e in stage.events if isinstance(e, PermissionDecided)]
        assert (decided[0], decided[-1]) == ("ask", "allow")
        assert str(there) in told(stage.provider.requests[-1])
        for folder in (there, here, tmp_path / "nowhere"):
            with pytest.raises(ConfigError):
                await adjustments(stage).add_folder(folder)


async def test_a_key_that_was_typed_is_forgotten(places: Places, tmp_path: Path) -> None:
    choice = ModelChoice(kind="anthropic", model="m", url="http://127.0.0.1:9")
    remember(places, choice, "sk-typed")
    bench = open_workbench(places, {}, Wishes(root=tmp_path, persist=False), NobodyAnswers(), choice)
    held = bench.desk.key
    assert held.reveal() == "sk-typed"
    assert bench.forget_key()
    assert (held.reveal(), bool(bench.desk.key)) == ("", False)
    assert not list(places.data.glob("key"))
    assert not bench.forget_key()
    await bench.close()


async def test_a_command_whose_file_came_meanwhile_is_found(places: Places, tmp_path: Path) -> None:
    (tmp_path / "script.json").write_text('{"steps": [{"text": "ok"}]}')
    choice = ModelChoice(kind="demo", model="scripted", path=str(tmp_path / "script.json"))
    wishes = Wishes(root=tmp_path, persist=False, trust=True, interactive=False)
    bench = open_workbench(places, {}, wishes, NobodyAnswers(), choice)
    await bench.open()
    (tmp_path / ".claude" / "commands").mkdir(parents=True)
    (tmp_path / ".claude" / "commands" / "late.md").write_text("I came late.")
    bench.look_for_commands()
    assert [info.name for info in bench.commands()] == ["late"]
    await bench.close()


def test_what_the_screen_holds_can_do_this_too() -> None:
    assert issubclass(DeferredWorkbench, Extensible)
    assert issubclass(DeferredWorkbench, KeepsKey)


async def test_commands_begin_where_the_person_says(places: Places, tmp_path: Path) -> None:
    project, there = tmp_path / "w", tmp_path / "there"
    (project / "sub").mkdir(parents=True)
    there.mkdir()
    hooks = '{"hooks": {"CwdChanged": [{"hooks": [{"type": "command", "command": "true"}]}]}}'
    steps = [Step(calls=(ScriptedCall(name="Bash", input={"command": "pwd"}),)), Step(text="there")]
    async with staged(places, project, steps, settings=hooks) as stage:
        with pytest.raises(ConfigError, match="does not work in that folder"):
            await adjustments(stage).change_folder(there)
        with pytest.raises(ConfigError, match="no such folder"):
            await adjustments(stage).change_folder(Path("nowhere"))
        assert await adjustments(stage).change_folder(Path("sub")) == project / "sub"
        await adjustments(stage).add_folder(there)
        assert await adjustments(stage).change_folder(there) == there
        assert await adjustments(stage).change_folder(project / "sub") == project / "sub"
        await stage.say("where?")
        moved = [fact for fact in stage.session.history() if isinstance(fact, CwdChanged)]
    assert [Path(fact.new).name for fact in moved] == ["sub", "there", "sub"]
    assert [content for name, _, content in stage.finished() if name == "Bash"] == [str(project / "sub")]
    assert "moved the shell to" in told(stage.provider.requests[0])
    assert sum(isinstance(f, HookFired) and f.run.hook.point == "CwdChanged" for f in stage.session.history()) == 3


async def test_a_question_aside_joins_nothing(places: Places, tmp_path: Path) -> None:
    def respond(request: ModelRequest) -> Step:
        return Step(text="42" if "asks this aside" in told(request) else "worked", usage=Usage(output_tokens=3))

    (tmp_path / "w").mkdir()
    async with staged(places, tmp_path / "w", respond) as stage:
        assert (await adjustments(stage).ask_aside("how many?")).text == "42"
        await stage.say("go")
        before = len(stage.session.history())
        answer = await adjustments(stage).ask_aside("how many?")
        assert (answer.text, answer.usage.output_tokens) == ("42", 3)
        assert [type(fact) for fact in stage.session.history()[before:]] == [SideAnswered]
        await stage.say("on")
    first, asked, last = stage.provider.requests[1], stage.provider.requests[2], stage.provider.requests[3]
    assert (asked.system, asked.tools) == (first.system, first.tools)
    assert "worked" in str(asked.messages)
    assert "how many" not in str(last.messages)


async def test_a_question_aside_is_answered_while_a_call_runs(places: Places, tmp_path: Path) -> None:
    answers: list[str] = []

    def respond(request: ModelRequest) -> Step:
        if "asks this aside" in told(request):
            return Step(text="aside")
        return Step(calls=(ScriptedCall(name="Bash", input={"command": "pwd"}),)) if not has_results(request) else DONE

    (tmp_path / "w").mkdir()
    async with staged(places, tmp_path / "w", respond) as stage:
        turn = stage.session.run(Prompt(text="go"))
        async for event in turn:
            if isinstance(event, StepStarted | PermissionDecided):
                answers.append((await adjustments(stage).ask_aside("still there?")).text)
                with pytest.raises(ConfigError, match="a turn is running"):
                    await adjustments(stage).change_folder(tmp_path / "w")
    assert answers == ["aside"] * 3


async def test_settings_are_changed_by_name(places: Places, tmp_path: Path) -> None:
    project = tmp_path / "w"
    (project / ".claude").mkdir(parents=True)
    places.config.mkdir(parents=True)
    places.user_settings.write_text('{\n  "language": "en",\n  "permissions": {"allow": ["Read"]}\n}\n')
    (project / ".claude/settings.json").write_text('{"effortLevel": "low"}')
    async with staged(places, project, [DONE]) as stage:
        desk = stage.session.settings_desk
        assert desk is not None
        assert "holds with the next prompt" in desk.put("permissions.defaultMode", "plan")
        assert "holds in new sessions" in desk.put("cleanupPeriodDays", "30")
        assert "goes before it and says low" in desk.put("effortLevel", "high")
        desk.put("autoCompactEnabled", "off")
        desk.put("language", "de")
        rows = {row.key: row for row in desk.rows()}
        for key, value in (("effortLevel", "huge"), ("permissions.defaultMode", "x"), ("cleanupPeriodDays", "soon")):
            with pytest.raises(ConfigError):
                desk.put(key, value)
        with pytest.raises(ConfigError) as caught:
            desk.put("efortLevel", "high")
        assert caught.value.hint == "Did you mean effortLevel?"
        await stage.say("go")
        assert stage.session.mode == "plan"
        assert [fact.mode for fact in stage.events if isinstance(fact, ModeChanged)] == ["plan"]
    assert (rows["language"].value, rows["autoCompactEnabled"].value) == ("de", "false")
    assert rows["effortLevel"].source is not None
    assert rows["effortLevel"].source.layer == "project"
    text = places.user_settings.read_text()
    assert text.startswith('{\n  "language": "de",\n  "permissions": {"allow": ["Read"], "defaultMode": "plan"}')


async def test_the_story_opens_in_the_mode_of_settings(places: Places, tmp_path: Path) -> None:
    (tmp_path / "w").mkdir()
    settings = '{"permissions": {"defaultMode": "plan"}}'
    async with staged(places, tmp_path / "w", [DONE], settings=settings) as stage:
        await stage.say("go")
        opened = next(fact for fact in stage.session.history() if isinstance(fact, SessionStarted))
    assert opened.mode == "plan"


async def test_a_source_that_is_switched_off_is_not_sent_until_it_is_put_back(places: Places, tmp_path: Path) -> None:
    (tmp_path / "CLAUDE.md").write_text("Always say marzipan.")
    memory = str(tmp_path / "CLAUDE.md")
    calls = Step(calls=(ScriptedCall(name="Glob", input={"pattern": "*"}),))

    def sent(stage: Stage, number: int) -> tuple[bool, bool]:
        request = stage.provider.requests[number]
        return "Glob" in {tool.name for tool in request.tools}, "marzipan" in told(request)

    async with staged(places, tmp_path, [DONE, calls, DONE]) as stage:
        await stage.say("one")
        await adjustments(stage).switch_source("tool", "Glob", on=False)
        await adjustments(stage).switch_source("memory", memory, on=False)
        await stage.say("two")
        assert [sent(stage, number) for number in range(2)] == [(True, True), (False, False)]
        assert "no tool 'Glob'" in stage.finished()[-1][2]
        rebuilt = stage.session.request_of(2, 1)
        assert rebuilt is not None
        assert "marzipan" not in str(rebuilt.body)
        past = list(stage.session.history())
    async with staged(places, tmp_path, [DONE, DONE], past=past) as stage:
        await stage.say("three")
        await adjustments(stage).switch_source("tool", "Glob", on=True)
        await adjustments(stage).switch_source("memory", memory, on=True)
        await stage.say("four")
        assert [sent(stage, number) for number in range(2)] == [(False, False), (True, True)]
