"""What agents bring for themselves: a memory, a checkout, servers, limits; and keys that mean nothing."""

import json
import subprocess
from pathlib import Path

import pytest

from rein_tui.harness.permissions.twins import twin_of
from rein_tui.harness.places import Places
from rein_tui.harness.plugins.agent_files import read_agent
from rein_tui.harness.plugins.words import Owner
from rein_tui.harness.protocol.errors import ConfigError
from rein_tui.harness.protocol.events import AgentFinished, HookFired, ToolCallRequested
from rein_tui.harness.protocol.mcp import McpServerState
from rein_tui.harness.protocol.models import ModelRequest
from rein_tui.harness.protocol.ports import Prompt
from rein_tui.harness.providers.scripted import ScriptedCall, Step

from .files import markdown, write
from .mcp.house import nasty
from .sessions import DONE, Stage, bash, staged
from .test_agents import agent


def call(name: str, **values: str) -> Step:
    return Step(calls=(ScriptedCall(name=name, input=values),))


def tools_of(request: ModelRequest) -> set[str]:
    return {tool.name for tool in request.tools}


# --- memory -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("scope", "place"),
    [
        ("user", "home/.claude/agent-memory/a"),
        ("project", "w/.claude/agent-memory/a"),
        ("local", "w/.claude/agent-memory-local/a"),
    ],
)
async def test_an_agent_is_told_what_it_remembers_and_may_read_more(
    places: Places, tmp_path: Path, scope: str, place: str
) -> None:
    memory = write(tmp_path / place, {"MEMORY.md": "Tests live in spec/.\n" * 300, "more.md": "deep"})
    write(places.config, {"agents/a.md": markdown("Act.", name="a", description="x", tools="Grep", memory=scope)})
    steps = [agent("a"), call("Read", file_path=str(memory / "more.md")), Step(text="x"), DONE]
    async with staged(places, write(tmp_path / "w", {}), steps) as stage:
        await stage.say("go")
        asked = stage.person.requests
    system = stage.provider.requests[1].system
    assert str(memory) in system
    assert system.count("Tests live in spec/.") == 200
    assert tools_of(stage.provider.requests[1]) == {"Grep", "Read", "Write", "Edit"}
    assert ("Read", "ok") in [(name, outcome) for name, outcome, _ in stage.finished()]
    assert not asked


async def test_what_an_agent_writes_into_its_memory_asks(places: Places, tmp_path: Path) -> None:
    project = write(tmp_path / "w", {})
    write(places.config, {"agents/a.md": markdown("Act.", name="a", description="x", memory="project")})
    note = str(project / ".claude/agent-memory/a/MEMORY.md")
    steps = [agent("a"), call("Write", file_path=note, content="Mind the gap."), Step(text="x"), DONE]
    async with staged(places, project, steps, mode="acceptEdits") as stage:
        await stage.say("go")
        assert [request.agent_type for request in stage.person.requests] == ["a"]
    assert Path(note).read_text() == "Mind the gap."


async def test_a_memory_that_leads_elsewhere_is_not_told(places: Places, tmp_path: Path) -> None:
    write(tmp_path, {"secret": "TOP SECRET"})
    project = write(tmp_path / "w", {".claude/agent-memory/x": ""})
    (project / ".claude/agent-memory/a").mkdir()
    (project / ".claude/agent-memory/a/MEMORY.md").symlink_to(tmp_path / "secret")
    write(places.config, {"agents/a.md": markdown("Act.", name="a", description="x", memory="project")})
    async with staged(places, project, [agent("a"), Step(text="x"), DONE]) as stage:
        await stage.say("go")
    assert "MEMORY.md is empty" in stage.provider.requests[1].system
    assert "TOP SECRET" not in stage.provider.requests[1].system


# --- isolation ----------------------------------------------------------------------------------------------


def repository(folder: Path, **files: str) -> Path:
    write(folder, {name.replace("__", "/"): text for name, text in files.items()} or {"a.txt": "one\n"})
    for command in ("init -q -b main", "add -A", "-c user.name=n -c user.email=e commit -qm first"):
        subprocess.run(["git", "-C", str(folder), *command.split()], check=True)
    return folder


def branches(folder: Path) -> list[str]:
    said = subprocess.run(["git", "-C", str(folder), "branch", "--list"], capture_output=True, text=True, check=True)
    return [line.strip("*+ ") for line in said.stdout.splitlines()]


def isolated(places: Places, **more: str) -> None:
    head = markdown("Act.", name="a", description="x", isolation="worktree", **more)
    write(places.config, {"agents/a.md": head})


def answer_of(stage: Stage) -> str:
    return next(content for name, _, content in stage.finished() if name == "Agent")


async def test_an_isolated_agent_changes_a_checkout_of_its_own(places: Places, tmp_path: Path) -> None:
    isolated(places)
    project = repository(tmp_path / "w")
    steps = [
        agent("a"),
        call("Write", file_path="b.txt", content="two\n"),
        bash("pwd; cat a.txt"),
        Step(text="wrote it"),
        DONE,
    ]
    async with staged(places, project, steps, mode="acceptEdits") as stage:
        await stage.say("go")
        assert not stage.person.requests
    assert not (project / "b.txt").exists()
    tree = next(path for path in (project / ".claude/worktrees").iterdir() if path.is_dir())
    assert (tree / "b.txt").read_text() == "two\n"
    assert f"{tree}\none" in next(content for name, _, content in stage.finished() if name == "Bash")
    assert answer_of(stage).startswith("wrote it")
    assert f"Its changes are in {tree}, on the branch worktree-a-" in answer_of(stage)
    status = subprocess.run(["git", "-C", str(project), "status", "--porcelain"], capture_output=True, check=True)
    assert status.stdout == b""


async def test_a_checkout_without_changes_goes_with_its_agent(places: Places, tmp_path: Path) -> None:
    isolated(places)
    project = repository(tmp_path / "w")
    async with staged(places, project, [agent("a"), bash("ls"), Step(text="saw it"), DONE]) as stage:
        await stage.say("go")
    assert answer_of(stage) == "saw it"
    assert [path.name for path in (project / ".claude/worktrees").iterdir()] == [".gitignore"]
    assert branches(project) == ["main"]


async def test_an_isolated_agent_reads_the_project_and_asks_before_it_changes_it(
    places: Places, tmp_path: Path
) -> None:
    isolated(places)
    project = repository(tmp_path / "w")
    steps = [
        agent("a"),
        call("Read", file_path=str(project / "a.txt")),
        call("Write", file_path=str(project / "new.txt"), content="x"),
        Step(text="x"),
        DONE,
    ]
    async with staged(places, project, steps, mode="acceptEdits") as stage:
        await stage.say("go")
        assert [request.tool for request in stage.person.requests] == ["Write"]


@pytest.mark.parametrize(
    "rule", ["Read(/vault/**)", "Read(./vault/**)", "Read(vault/**)", "Read(//{project}/vault/**)"]
)
async def test_what_is_denied_in_the_project_is_denied_in_its_checkouts(
    places: Places, tmp_path: Path, rule: str
) -> None:
    isolated(places)
    project = repository(tmp_path / "w", vault__key="s3cret\n", a="s3cret\n")
    deny = rule.replace("{project}", str(project).lstrip("/"))
    write(project, {".claude/settings.json": {"permissions": {"deny": [deny]}}})
    steps = [
        agent("a"),
        call("Read", file_path="vault/key"),
        bash("cat vault/key"),
        call("Grep", pattern="s3cret", output_mode="content"),
        Step(text="x"),
        DONE,
    ]
    async with staged(places, project, steps) as stage:
        await stage.say("go")
    ends = {name: (outcome, content) for name, outcome, content in stage.finished()}
    assert ends["Read"][0] == ends["Bash"][0] == "denied"
    assert "a:" in ends["Grep"][1]
    assert "vault" not in ends["Grep"][1]


async def test_rules_of_the_project_allow_in_its_checkout(places: Places, tmp_path: Path) -> None:
    isolated(places)
    project = repository(tmp_path / "w", src__a="x")
    write(project, {".claude/settings.json": {"permissions": {"allow": ["Edit(/src/**)"]}}})
    steps = [
        agent("a"),
        call("Write", file_path="src/b", content="x"),
        call("Write", file_path="c", content="x"),
        Step(text="x"),
        DONE,
    ]
    async with staged(places, project, steps) as stage:
        await stage.say("go")
        assert [str(request.input["file_path"]).rsplit("/", 1)[-1] for request in stage.person.requests] == ["c"]


async def test_what_an_isolated_agent_starts_works_in_the_same_checkout(places: Places, tmp_path: Path) -> None:
    isolated(places)
    project = repository(tmp_path / "w")
    steps = [agent("a"), agent("general-purpose"), bash("pwd"), Step(text="x"), Step(text="x"), DONE]
    async with staged(places, project, steps) as stage:
        await stage.say("go")
    said = next(content for name, _, content in stage.finished() if name == "Bash")
    assert said.startswith(f"{project}/.claude/worktrees/a-")


async def test_hooks_hear_of_the_checkout(places: Places, tmp_path: Path) -> None:
    isolated(places)
    hook = {"hooks": {"PreToolUse": [{"hooks": [{"type": "command", "command": "true"}]}]}}
    project = repository(tmp_path / "w")
    steps = [agent("a"), bash("ls"), Step(text="x"), DONE]
    async with staged(places, project, steps, settings=json.dumps(hook)) as stage:
        await stage.say("go")
    told = [json.loads(e.run.stdin)["cwd"] for e in stage.events if isinstance(e, HookFired)]
    assert told[0] == str(project)
    assert told[1].startswith(f"{project}/.claude/worktrees/a-")


async def test_without_a_repository_an_isolated_agent_does_not_start(places: Places, tmp_path: Path) -> None:
    isolated(places)
    async with staged(places, write(tmp_path / "w", {}), [agent("a"), DONE]) as stage:
        await stage.say("go")
    assert "The agent could not start" in answer_of(stage)
    assert "git rev-parse failed" in answer_of(stage)


async def test_a_repositorys_filters_run_only_where_it_is_trusted(places: Places, tmp_path: Path) -> None:
    isolated(places)
    project = repository(tmp_path / "w")
    async with staged(places, project, [agent("a"), Step(text="saw it"), DONE], trusted=False) as stage:
        await stage.say("go")
        assert answer_of(stage) == "saw it"
    ran = tmp_path / "ran"
    (project / ".git/info").mkdir(exist_ok=True)
    (project / ".git/info/attributes").write_text("* filter=evil\n")
    smudge = f"touch {ran}; cat"
    subprocess.run(["git", "-C", str(project), "config", "filter.evil.smudge", smudge], check=True)
    async with staged(places, project, [agent("a"), DONE], trusted=False) as stage:
        await stage.say("go")
        assert "is not trusted" in answer_of(stage)
    assert not ran.exists()


def test_a_worktree_is_the_project_once_more() -> None:
    assert twin_of("cat /p/.claude/worktrees/a-1/x '/p/.claude/worktrees/b'", "/p") == "cat /p/x '/p'"
    assert twin_of("/q/.claude/worktrees/a/x", "/p") == "/q/.claude/worktrees/a/x"


# --- servers ------------------------------------------------------------------------------------------------


def with_servers(*servers: object, **more: str) -> str:
    return markdown("Act.", name="a", description="x", mcpServers=json.dumps(servers), **more)


async def test_an_agents_server_is_there_for_it_alone_and_ends_with_it(places: Places, tmp_path: Path) -> None:
    write(places.config, {"agents/a.md": with_servers({"own": nasty("good")}, tools="Read")})
    steps = [agent("a"), call("mcp__own__echo", text="hello"), Step(text="x"), call("mcp__own__echo"), DONE]
    async with staged(places, write(tmp_path / "w", {}), steps) as stage:
        await stage.say("go")
        assert [request.tool for request in stage.person.requests] == ["mcp__own__echo"]
    outer, inner = stage.provider.requests[0], stage.provider.requests[1]
    assert {"Read", "mcp__own__echo", "mcp__own__die"} <= tools_of(inner)
    assert "Write" not in tools_of(inner)
    assert not any(name.startswith("mcp__") for name in tools_of(outer))
    assert stage.finished()[0] == ("mcp__own__echo", "ok", "hello")
    assert stage.finished()[-1][1] == "invalid"


async def test_an_agents_server_is_shown_while_it_works(places: Places, tmp_path: Path) -> None:
    write(places.config, {"agents/a.md": with_servers({"own": nasty("good")})})
    steps = [agent("a"), call("mcp__own__echo", text="hello"), Step(text="x"), DONE]
    seen: list[McpServerState] = []
    async with staged(places, write(tmp_path / "w", {}), steps) as stage:
        servers = stage.session.mcp
        assert servers is not None
        async for event in stage.session.run(Prompt(text="go")):
            if isinstance(event, ToolCallRequested) and event.parent:
                seen += servers.states()
        assert [(state.name, state.agent, state.state, state.scope) for state in seen] == [
            ("own", "a", "connected", "user")
        ]
        assert len(seen[0].tools) > 5
        assert not servers.states()
        with pytest.raises(ConfigError):
            await servers.reconnect("own")


async def test_a_server_that_dies_harms_only_its_agent(places: Places, tmp_path: Path) -> None:
    write(places.config, {"agents/a.md": with_servers({"own": nasty("die")}, "nowhere", {"bad": {"url": "x"}})})
    async with staged(places, write(tmp_path / "w", {}), [agent("a"), Step(text="fine"), DONE]) as stage:
        await stage.say("go")
    assert answer_of(stage) == "fine"
    told = "\n".join(stage.notices())
    assert "The MCP server own of the agent a is not there" in told
    assert "The agent's MCP server nowhere is not configured" in told
    assert "'bad' is left out" in told


async def test_a_project_agents_server_wants_a_yes_of_its_own(places: Places, tmp_path: Path) -> None:
    project = write(tmp_path / "w", {".claude/agents/a.md": with_servers({"own": nasty("good")})})
    settings = json.dumps({"enabledMcpjsonServers": ["own"]})
    async with staged(places, project, [agent("a"), Step(text="x"), DONE], settings=settings) as stage:
        await stage.say("go")
    assert not any(name.startswith("mcp__") for name in tools_of(stage.provider.requests[1]))
    assert any("A project's server runs once you approve it" in text for text in stage.notices())


async def test_with_strict_servers_an_agent_brings_none(places: Places, tmp_path: Path) -> None:
    write(places.config, {"agents/a.md": with_servers({"own": nasty("good")})})
    async with staged(places, write(tmp_path / "w", {}), [agent("a"), Step(text="x"), DONE], strict_mcp=True) as stage:
        await stage.say("go")
    assert any("--strict-mcp-config" in text for text in stage.notices())
    assert not any(name.startswith("mcp__") for name in tools_of(stage.provider.requests[1]))


async def test_an_agent_may_name_a_server_of_the_session(places: Places, tmp_path: Path) -> None:
    write(places.config, {"agents/a.md": with_servers("shop", tools="Read")})
    given = json.dumps({"mcpServers": {"shop": nasty("good")}})
    steps = [agent("a"), Step(text="x"), DONE]
    async with staged(places, write(tmp_path / "w", {}), steps, mcp_config=(given,)) as stage:
        await stage.say("go")
    assert {"Read", "mcp__shop__echo"} <= tools_of(stage.provider.requests[1])


# --- limits and keys ----------------------------------------------------------------------------------------


async def test_an_agent_answers_no_more_often_than_max_turns(places: Places, tmp_path: Path) -> None:
    write(places.config, {"agents/a.md": markdown(name="a", description="x", maxTurns="2")})
    steps = [agent("a"), bash("pwd"), bash("pwd"), DONE]
    async with staged(places, write(tmp_path / "w", {}), steps) as stage:
        await stage.say("go")
    assert [name for name, _, _ in stage.finished()] == ["Bash", "Bash", "Agent"]
    assert "The agent stopped" in answer_of(stage)
    assert [e.calls for e in stage.events if isinstance(e, AgentFinished)] == [2]


async def test_an_agents_mode_holds_inside_it(places: Places, tmp_path: Path) -> None:
    write(places.config, {"agents/a.md": markdown(name="a", description="x", permissionMode="acceptEdits")})
    project = write(tmp_path / "w", {})
    steps = [agent("a"), call("Write", file_path="b", content="x"), Step(text="x"), call("Write", file_path="c"), DONE]
    steps[3] = call("Write", file_path="c", content="x")
    async with staged(places, project, steps) as stage:
        await stage.say("go")
        assert [Path(str(r.input["file_path"])).name for r in stage.person.requests] == ["c"]


async def test_an_agent_none_of_whose_tools_is_there_says_so(places: Places, tmp_path: Path) -> None:
    write(places.config, {"agents/a.md": markdown(name="a", description="x", tools="LS, KillShell2")})
    async with staged(places, write(tmp_path / "w", {}), [agent("a"), DONE]) as stage:
        await stage.say("go")
    assert "None of its tools is there: LS, KillShell2" in answer_of(stage)


def test_every_key_that_means_nothing_is_told_with_its_line(tmp_path: Path) -> None:
    keys = {
        "maxTurns": "ten",
        "memory": "everywhere",
        "isolation": "vm",
        "effort": "enormous",
        "permissionMode": "yolo",
    }
    path = tmp_path / "a.md"
    path.write_text(markdown("Act.", name="a", description="x", **keys))
    spec, notices = read_agent(path, Owner(layer="user", label="user"))
    assert spec is not None
    assert (spec.max_turns, spec.memory, spec.is_isolated, spec.effort, spec.mode) == (0, "", False, "", None)
    lines = {notice.text.split()[0]: notice.where.rsplit(":", 1)[-1] for notice in notices}
    assert lines == {key: str(line) for line, key in enumerate(keys, 4)}


def test_a_plugins_agent_keeps_its_memory_and_brings_no_servers(tmp_path: Path) -> None:
    head = markdown("Act.", name="a", memory="local", isolation="worktree", mcpServers="[x]", permissionMode="plan")
    (tmp_path / "a.md").write_text(head)
    spec, notices = read_agent(tmp_path / "a.md", Owner(layer="plugin", label="p@m", plugin="p", plugin_id="p@m"))
    assert spec is not None
    assert (spec.memory, spec.is_isolated, spec.servers, spec.mode) == ("local", True, (), None)
    assert {n.text.split()[0] for n in notices if n.code == "plugin_agent"} == {"mcpServers", "permissionMode"}


async def test_the_agent_that_leads_has_all_of_its_own(places: Places, tmp_path: Path) -> None:
    write(tmp_path / "home/.claude/agent-memory/a", {"MEMORY.md": "Mind the gap."})
    keys = {"memory": "user", "initialPrompt": "Begin with tea.", "permissionMode": "plan", "isolation": "worktree"}
    write(places.config, {"agents/a.md": with_servers({"own": nasty("good")}, **keys)})
    steps = [call("mcp__own__echo", text="hello"), DONE]
    settings = json.dumps({"agent": "a", "permissions": {"allow": ["mcp__own"]}})
    async with staged(places, write(tmp_path / "w", {}), steps, settings=settings) as stage:
        assert stage.session.mode == "plan"
        assert any("isolation of the agent a means nothing" in n.text for n in stage.opening.notices)
        await stage.say("go")
    request = stage.provider.requests[0]
    assert "Mind the gap." in request.system
    assert "Begin with tea." in str(request.messages[0])
    assert ("mcp__own__echo", "hello") in [(name, content) for name, _, content in stage.finished()]


async def test_a_projects_agent_does_not_loosen_the_session_that_it_leads(places: Places, tmp_path: Path) -> None:
    head = markdown(name="a", description="x", permissionMode="bypassPermissions")
    project = write(tmp_path / "w", {".claude/agents/a.md": head, ".claude/settings.json": {"agent": "a"}})
    async with staged(places, project, [DONE]) as stage:
        assert stage.session.mode == "default"


async def test_a_tool_that_is_not_there_is_answered_in_few_words(places: Places, tmp_path: Path) -> None:
    given = json.dumps({"mcpServers": {"shop": nasty("good")}})
    steps = [call("mcp__gone__x"), call("mcp__shop__x"), call("Raed"), DONE]
    async with staged(places, write(tmp_path / "w", {}), steps, mcp_config=(given,)) as stage:
        await stage.say("go")
    gone, shop, other = (content for _, _, content in stage.finished())
    assert gone.endswith("no MCP server 'gone' is connected now.")
    assert "mcp__shop__echo" in shop
    assert "Bash" not in shop
    assert "mcp__shop__echo" not in other
    assert "Bash, Read" in other
    assert "16 of MCP servers" in other
