"""What holds for every tool, whatever it does."""

import asyncio
import contextlib
import json
import re
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rein_tui.harness.protocol.base import JsonObject
from rein_tui.harness.protocol.messages import ToolSpec
from rein_tui.harness.protocol.tools import InvalidInput, Tool, ToolContext, ToolResult, Workspace
from rein_tui.harness.tools.base import SchemaTool, one_line
from rein_tui.harness.tools.bash import Shell
from rein_tui.harness.tools.builtin import ToolParts, builtin_tools
from rein_tui.harness.tools.toolbox import Toolbox

from .conftest import Bench, ModeBox

REQUIRED: dict[str, JsonObject] = {
    "Bash": {"command": "echo hi"},
    "Read": {"file_path": "a.txt"},
    "Edit": {"file_path": "a.txt", "old_string": "a", "new_string": "b"},
    "Write": {"file_path": "a.txt", "content": "a"},
    "Grep": {"pattern": "a"},
    "Glob": {"pattern": "**/*"},
    "TodoWrite": {"todos": [{"content": "a", "status": "pending", "activeForm": "doing a"}]},
    "WebFetch": {"url": "https://example.com/", "prompt": "what"},
    "AskUserQuestion": {"questions": [{"question": "why?", "options": [{"label": "a"}]}]},
    "TaskOutput": {"task_id": "shell_1"},
    "TaskStop": {"task_id": "shell_1"},
    "EnterPlanMode": {},
    "ExitPlanMode": {"plan": "# first this"},
    "mcp__server__do": {"what": "x"},
}


class Remote(SchemaTool):
    """A tool with a schema known at run time."""

    async def run(self, value: JsonObject, context: ToolContext) -> ToolResult:
        """Echo."""
        return ToolResult(content=json.dumps(value))


def make_tools() -> tuple[Tool, ...]:
    """One of each."""
    schema: JsonObject = {"type": "object", "properties": {"what": {"type": "string"}}, "required": ["what"]}
    remote = Remote(ToolSpec(name="mcp__server__do", description="d", input_schema=schema, source="mcp:server"))
    return *builtin_tools(ToolParts(shell=Shell(spool_folder=Path("/nowhere")), modes=ModeBox())), remote


TOOLS = {tool.name: tool for tool in make_tools()}
every_tool = pytest.mark.parametrize("name", TOOLS)
JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
NASTY = st.text(st.sampled_from("ab\n\r\t\0\x1b\x7f\u202e\u2028\x85~/.*[{ é\ud800"), max_size=30)


def workspace() -> Workspace:
    """A workspace that need not exist."""
    return Workspace(root=Path("/w"), cwd=Path("/w/sub"), home=Path("/home/me"))


def test_every_tool_is_tried() -> None:
    assert set(TOOLS) == set(REQUIRED)


@every_tool
def test_the_schema_is_small_closed_json(name: str) -> None:
    spec = TOOLS[name].spec
    text = json.dumps(spec.input_schema)
    assert spec.input_schema["type"] == "object"
    assert "$ref" not in text
    assert '"title":' not in text
    assert set(spec.input_schema.get("required", ())) <= set(spec.input_schema["properties"])
    assert set(REQUIRED[name]) == set(spec.input_schema.get("required", ()))
    assert spec.description
    assert spec.description == spec.description.strip()


@every_tool
def test_the_smallest_input_parses(name: str) -> None:
    tool = TOOLS[name]
    value = tool.parse(tool.normalize(REQUIRED[name], workspace()))
    assert "\n" not in tool.summarize(value)
    assert isinstance(tool.is_read_only(value), bool)


@every_tool
def test_a_missing_field_is_named(name: str) -> None:
    tool = TOOLS[name]
    for field in REQUIRED[name]:
        raw = {key: value for key, value in REQUIRED[name].items() if key != field}
        with pytest.raises(InvalidInput, match=f'^{name}: missing required field "{field}" \\(fields: '):
            tool.parse(tool.normalize(raw, workspace()))


@pytest.mark.parametrize("name", [name for name in TOOLS if not name.startswith("mcp")])
def test_a_wrong_type_is_named(name: str) -> None:
    tool = TOOLS[name]
    for field in REQUIRED[name]:
        with pytest.raises(InvalidInput, match=f'^{name}: field "{field}": expected '):
            tool.parse(REQUIRED[name] | {field: 7})


@every_tool
def test_nulls_and_unknown_fields_do_no_harm(name: str) -> None:
    tool = TOOLS[name]
    optional = set(tool.spec.input_schema["properties"]) - set(REQUIRED[name])
    raw = REQUIRED[name] | dict.fromkeys(optional) | {"reasoning": "because"}
    assert tool.parse(raw) is not None


@every_tool
@given(data=st.data())
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_junk_is_normalised_and_refused_in_words(name: str, data: st.DataObject) -> None:
    tool = TOOLS[name]
    fields = st.sampled_from([*tool.spec.input_schema["properties"], "other"])
    raw = data.draw(st.dictionaries(fields, JUNK | NASTY, max_size=4))
    normal = tool.normalize(raw, workspace())
    assert tool.normalize(normal, workspace()) == normal
    try:
        tool.parse(normal)
    except InvalidInput as error:
        assert str(error).startswith(f"{name}: ")


@every_tool
@given(data=st.data())
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_a_summary_is_one_printable_line(name: str, data: st.DataObject) -> None:
    tool = TOOLS[name]
    raw = {key: data.draw(NASTY) if isinstance(value, str) else value for key, value in REQUIRED[name].items()}
    with contextlib.suppress(InvalidInput):
        summary = tool.summarize(tool.parse(tool.normalize(raw, workspace())))
        assert summary.isprintable()
        assert len(summary) <= 300


@pytest.mark.parametrize("name", [name for name in TOOLS if not name.startswith("mcp")])
async def test_a_preview_never_raises_and_does_nothing(name: str, bench: Bench) -> None:
    tool = bench.tool(name)
    await tool.preview(tool.parse(tool.normalize(REQUIRED[name], bench.workspace)), bench.context())
    assert list(bench.root.iterdir()) == []
    assert bench.events == []


SLOW: dict[str, JsonObject] = {
    "Bash": {"command": "echo ready; sleep 300 & setsid sleep 300"},
    "TaskOutput": {"task_id": "shell_1", "timeout": 300_000},
    "Grep": {"pattern": "a"},
    "Glob": {"pattern": "**/*"},
}


@pytest.mark.parametrize("name", SLOW)
async def test_cancelling_leaves_no_process(name: str, bench: Bench) -> None:
    if name == "TaskOutput":
        await bench.call("Bash", command="sleep 300", run_in_background=True)
    tool = bench.tool(name)
    running = asyncio.create_task(tool.run(tool.parse(tool.normalize(SLOW[name], bench.workspace)), bench.context()))
    for _ in range(20):
        await asyncio.sleep(0)
    running.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await running
    await bench.parts.background.close()
    assert bench.leftovers() == []


def specs_as_sent() -> bytes:
    """All default tools as a request carries them."""
    tools = builtin_tools(ToolParts(shell=Shell(spool_folder=Path("/nowhere")), modes=ModeBox()))
    return msgspec.json.encode(
        [{"name": s.name, "description": s.description, "input_schema": s.input_schema} for s in Toolbox(tools).specs()]
    )


def test_all_tools_together_leave_room_in_the_first_request() -> None:
    assert len(specs_as_sent()) <= 6_500


def test_old_names_find_the_tools_that_they_became() -> None:
    box = Toolbox(TOOLS.values())
    for old, new in {"BashOutput": "TaskOutput", "KillShell": "TaskStop", "KillBash": "TaskStop"}.items():
        found = box.get(old)
        assert found is not None
        assert found.name == new
    assert box.get("Task") is None
    assert "Bash" in box


def test_tools_come_and_go() -> None:
    box = Toolbox(TOOLS.values())
    assert box.remove("mcp__server__do")
    assert not box.remove("mcp__server__do")
    assert "mcp__server__do" not in [spec.name for spec in box.specs()]
    box.add(TOOLS["mcp__server__do"])
    names = [spec.name for spec in box.specs(frozenset({"Bash", "KillShell"}))]
    assert names[-1] == "mcp__server__do"
    assert "Bash" not in names
    assert "TaskStop" not in names


def test_an_unknown_tool_is_answered_with_a_near_name() -> None:
    assert "Did you mean Grep?" in Toolbox(TOOLS.values()).unknown("grep")


@given(st.text(), st.integers(2, 50))
def test_one_line(text: str, limit: int) -> None:
    line = one_line(text, limit)
    assert line.isprintable()
    assert len(line) <= limit
    if re.fullmatch(r"[a-z]+( [a-z]+)*", text) and len(text) <= limit:
        assert line == text


def test_a_reserved_looking_field_survives_in_the_schema() -> None:
    fields: Any = TOOLS["Grep"].spec.input_schema["properties"]
    assert {"type", "-i", "-A", "context", "output_mode"} <= set(fields)
    assert fields["output_mode"] == {"type": "string", "enum": ["content", "count", "files_with_matches"]}
    assert "answers" not in TOOLS["AskUserQuestion"].spec.input_schema["properties"]
