"""What a model without native calls sees: tools, one example, history as text; and the words after a failed call."""

import json
from typing import Any

import msgspec
import pytest

from rein_tui.harness.protocol.messages import (
    ImageBlock,
    Message,
    ParseTrace,
    TextBlock,
    ThinkingBlock,
    ToolResultBlock,
    ToolSpec,
    ToolUseBlock,
)
from rein_tui.harness.protocol.models import Completed, ModelRequest
from rein_tui.harness.providers.text_mode.feedback import Problem, asked_again, call_schema, explain, problem_in
from rein_tui.harness.providers.text_mode.forms import FORMS, HERMES, TOOLS_TAG, Form, form_named, form_shown
from rein_tui.harness.providers.text_mode.mode import ToolText, Way, read_text
from rein_tui.harness.providers.text_mode.prompt import describe, example, flat, slim
from tests.harness.providers.dialect_cases import TOOLS, spec

ASKED = Message(role="user", blocks=(TextBlock(text="Read it. {braces} stay."),))
CALLED = Message(
    role="assistant",
    blocks=(
        ThinkingBlock(thinking="hm"),
        TextBlock(text="I look."),
        ToolUseBlock(id="c1", name="Read", input={"file_path": "a"}),
        ToolUseBlock(id="c2", name="Bash", input={"command": "ls"}),
    ),
)
PICTURE = ImageBlock(media_type="image/png", data="aGk=", name="x.png")
RESULTS = Message(
    role="user",
    blocks=(
        ToolResultBlock(tool_use_id="c1", content="# A {project}"),
        ToolResultBlock(tool_use_id="c2", content=(TextBlock(text="no"), PICTURE), is_error=True),
        TextBlock(text="go on"),
    ),
)
REQUEST = ModelRequest(model="m", system="Be brief.", messages=(ASKED, CALLED, RESULTS), tools=TOOLS)


def settled(**way: Any) -> ToolText:
    mode = ToolText()
    mode.settle("m", Way(**way))
    return mode


def test_native_calls_travel_unchanged_and_small_models_get_less() -> None:
    assert ToolText().rewrite(REQUEST) == REQUEST
    small = settled(small=True).rewrite(REQUEST)
    assert small.messages == REQUEST.messages
    assert [tool.name for tool in small.tools] == ["Bash", "Read", "Edit", "Write", "Grep", "Glob"]


def test_a_small_model_gets_a_tool_that_says_itself_briefly() -> None:
    skill = ToolSpec(
        name="Skill",
        description="Long. " * 200,
        brief="Loads: docs (writes docs)",
        input_schema={"type": "object", "properties": {"skill": {"type": "string"}}, "required": ["skill"]},
    )
    (lean,) = slim([skill, msgspec.structs.replace(skill, name="Other", brief="")])
    assert (lean.name, lean.description) == ("Skill", "Loads: docs (writes docs)")


def test_requests_without_tools_are_left_alone() -> None:
    bare = msgspec.structs.replace(REQUEST, tools=())
    mode = settled(kind="text")
    assert mode.rewrite(bare) == bare
    reader = mode.reader(bare)
    call = '<tool_call>{"name": "Read"}</tool_call>'
    assert [getattr(event, "text", "") for event in reader.feed(call)] == [call]
    assert reader.finish(()).blocks == (TextBlock(text=call),)


@pytest.mark.parametrize("form", FORMS, ids=[form.name for form in FORMS])
def test_the_whole_story_is_text_in_the_model_s_own_dialect(form: Form) -> None:
    sent = settled(kind="text", form=form.name, small=True).rewrite(REQUEST)
    assert sent.tools == ()
    assert sent.system.startswith("Be brief.\n\n# Tools")
    assert sent.temperature is not None
    assert sent.temperature <= 0.2
    assert [message.role for message in sent.messages] == ["user", "assistant", "user"]
    assert sent.messages[0] == ASKED
    assert sent.messages[1].blocks == (
        TextBlock(text="I look."),
        TextBlock(text=form.write([("Read", {"file_path": "a"}), ("Bash", {"command": "ls"})])),
    )
    assert sent.messages[2].blocks == (
        TextBlock(text="Tool result for Read:\n# A {project}"),
        TextBlock(text="Tool result for Bash (error):\nno"),
        PICTURE,
        TextBlock(text="go on"),
    )
    assert set(form.stops) < set(sent.stop)
    worked = form.write([("Read", {"file_path": "README.md"})])
    assert sent.system.count(worked) == 2
    read = [b for b in read_text(worked, TOOLS).blocks if isinstance(b, ToolUseBlock)]
    assert [(call.name, call.input) for call in read] == [("Read", {"file_path": "README.md"})]


def test_a_small_model_s_prompt_is_small() -> None:
    nested = ToolSpec(
        name="mcp__x__y",
        description="Does. " + "long " * 200,
        source="mcp:x",
        input_schema={
            "type": "object",
            "properties": {
                "last": {"type": "string"},
                "what": {"anyOf": [{"type": "integer"}, {"type": "string"}], "description": "d"},
                "deep": {"type": "object", "properties": {"a": {"type": "object"}}},
                "list": {"type": "array", "items": {"type": "object", "properties": {}}},
                **{f"f{n}": {"type": "string"} for n in range(9)},
            },
            "required": ["deep"],
        },
    )
    (lean,) = slim([nested])
    assert lean.description == "Does."
    assert list(lean.input_schema["properties"]) == ["deep", "last", "what", "list", "f0"]
    assert lean.input_schema["properties"]["deep"] == {"type": "object"}
    assert lean.input_schema["properties"]["what"] == {"type": "integer"}
    text = describe(slim([*TOOLS, nested]), HERMES, small=True)
    assert len(text) < 4000
    assert "- Read(file_path: string, offset?: integer, limit?: integer): Read does it." in text
    assert describe((), HERMES, small=True) == ""
    whole = describe(TOOLS, HERMES, small=False)
    assert json.dumps(TOOLS[0].input_schema) in whole


def test_a_schema_with_many_required_fields_keeps_them_all() -> None:
    many = {f"f{n}": {"type": "string"} for n in range(8)}
    assert list(flat({"properties": many, "required": list(many)})["properties"]) == list(many)


def test_examples_fit_their_schemas() -> None:
    assert example(spec("t", ["a", "n", "b", "l"], a="string", n="integer", b="boolean", l="array")) == {
        "a": "…",
        "n": 1,
        "b": True,
        "l": [],
    }
    assert example(spec("t", [], units={"type": "string", "enum": ["c", "f"]})) == {"units": "c"}
    assert example(spec("t", [])) == {}


@pytest.mark.parametrize(
    ("dialect", "raw", "form"),
    [
        ("hermes", "<tool_call>…", "hermes"),
        ("fence", "```json\n{…", "tools tag"),
        ("fence", "```tool_call\n{…", "tool_call fence"),
        ("bare json", '{"name": "x", "arguments": {}}', "tools tag"),
        ("bare json", '{"name": "x", "parameters": {}}', "llama"),
        ("mistral", "", "mistral"),
        ("harmony", "", "hermes"),
        ("", "", "hermes"),
    ],
)
def test_a_model_is_prompted_in_what_it_showed(dialect: str, raw: str, form: str) -> None:
    assert form_shown(dialect, raw).name == form


# --- after a failed call ------------------------------------------------------------------------------------


def done(text: str) -> Completed:
    end = read_text(text, TOOLS)
    return Completed(message=Message(role="assistant", blocks=end.blocks), stop_reason="tool_use", parse=end.parse)


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ('<tool_call>{"name": "Read", "arguments": {"file_path": "a"}}</tool_call>', None),
        ("Just words.", None),
        ('<tool_call>{"name": "Read", "arguments": "a.py"}</tool_call>', "is not one valid JSON object"),
        ('<tool_call>{"name": "Zap", "arguments": {}}</tool_call>', "there is no tool 'Zap'"),
        ('<tool_call>{"name": "Write", "arguments": {"file_path": "a"}}</tool_call>', 'missing "content"'),
    ],
)
def test_problems(text: str, what: str | None) -> None:
    problem = problem_in(done(text), TOOLS)
    assert (problem is None) == (what is None)
    if problem is not None and what is not None:
        assert what in problem.what


def test_a_tool_that_waits_for_a_search_may_be_called() -> None:
    called = done('<tool_call>{"name": "mcp__shop__order", "arguments": {}}</tool_call>')
    search = ToolSpec(name="ToolSearch", description="", input_schema={"type": "object"}, source="mcp")
    assert problem_in(called, (*TOOLS, search)) is None


def test_a_call_that_was_cut_off_by_the_limit_is_not_asked_for_again() -> None:
    cut = msgspec.structs.replace(done('<tool_call>{"name": "Zap", "arguments": {}}'), stop_reason="max_tokens")
    assert problem_in(cut, TOOLS) is None


def test_the_model_is_told_in_its_own_form() -> None:
    failed = done('<tools>{"name": "Write", "arguments": {"file_path": "a"}}</tools>')
    problem = problem_in(failed, TOOLS)
    assert problem is not None
    words = explain(problem, TOOLS_TAG)
    assert 'missing "content"' in words
    assert "Write(file_path: string, content: string)" in words
    assert '<tools>\n{"name": "Write", "arguments": {"file_path": "a", "content": "…"}}\n</tools>' in words
    again = asked_again(REQUEST, failed, problem, TOOLS_TAG, constrained=False)
    assert again.messages[:3] == REQUEST.messages
    assert again.messages[3].text == '<tools>{"name": "Write", "arguments": {"file_path": "a"}}</tools>'
    assert again.forced_schema is None
    held = asked_again(REQUEST, failed, problem, TOOLS_TAG, constrained=True)
    assert held.forced_schema is not None
    assert held.forced_schema["properties"]["name"]["enum"] == ["Write"]
    assert [tool.name for tool in held.tools] == ["Write"]
    sent = settled().rewrite(held)
    assert (sent.tools, sent.stop) == ((), ())
    assert sent.forced_schema == held.forced_schema


def test_an_unknown_tool_may_be_any_of_them() -> None:
    problem = Problem(ToolUseBlock(id="1", name="Zap"), "there is no tool 'Zap'")
    assert "one of these tools" in explain(problem, HERMES)
    schema = call_schema(TOOLS)
    assert len(schema["properties"]["arguments"]["oneOf"]) == len(TOOLS)
    native = Completed(
        message=Message(role="assistant", blocks=(TextBlock(text="Now."), problem.call)),
        stop_reason="tool_use",
        parse=ParseTrace(raw="x", dialect="native"),
    )
    again = asked_again(REQUEST, native, problem, form_named("native"), constrained=False)
    assert again.messages[3].text == "Now.\nZap {}"
