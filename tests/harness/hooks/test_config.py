"""Reading hook configuration: what is kept, what is reported, and where."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rein_tui.harness.hooks.config import parse_hooks
from rein_tui.harness.hooks.points import NEVER_FIRING, POINTS
from rein_tui.harness.protocol.base import JsonObject
from rein_tui.harness.protocol.decisions import Source
from rein_tui.harness.protocol.events import Notice
from rein_tui.harness.protocol.hooks import HookSpec

GOOD: JsonObject = {"type": "command", "command": "true"}


def locate(pointer: tuple[str | int, ...]) -> Source:
    """A place that shows the pointer."""
    return Source(layer="user", path="/".join(map(str, pointer)), line=7)


def read(data: Any) -> tuple[list[HookSpec], list[Notice]]:
    return parse_hooks(data, locate)


def test_a_whole_entry() -> None:
    handler = {
        "type": "command",
        "command": "check.sh",
        "if": "Bash(git *)",
        "timeout": 345600,
        "asyncRewake": True,
        "once": True,
        "onError": "block",
        "statusMessage": "Checking",
        "unknown": 1,
    }
    specs, notices = read({"PreToolUse": [{"matcher": "Bash", "hooks": [handler]}]})
    (spec,) = specs
    assert notices == []
    assert (spec.point, spec.matcher, spec.condition, spec.timeout) == ("PreToolUse", "Bash", "Bash(git *)", 345600.0)
    assert (spec.is_async, spec.rewakes, spec.once, spec.on_error) == (True, True, True, "block")
    assert (spec.title, str(spec.source)) == ("check.sh", "PreToolUse/0/hooks/0:7")


@pytest.mark.parametrize(
    ("handler", "text"),
    [
        ("text", "must be an object"),
        ({}, "`type` must be one of"),
        ({"type": "shell"}, "`type` must be one of"),
        ({"type": "command"}, "needs `command`"),
        ({"type": "command", "command": " "}, "needs `command`"),
        ({"type": "command", "command": "x", "args": "y"}, "`args`"),
        ({"type": "command", "command": "x", "args": [1]}, "`args`"),
        ({"type": "command", "command": "x", "shell": "fish"}, "`shell`"),
        ({"type": "http"}, "needs `url`"),
        ({"type": "mcp_tool", "server": "s"}, "needs `tool`"),
        ({"type": "prompt"}, "needs `prompt`"),
    ],
)
def test_one_bad_handler_does_not_take_the_others(handler: Any, text: str) -> None:
    specs, notices = read({"PostToolUse": [{"hooks": [handler, GOOD]}]})
    assert [spec.config for spec in specs] == [GOOD]
    (notice,) = notices
    assert text in notice.text
    assert (notice.level, notice.where) == ("error", "PostToolUse/0/hooks/0:7")


def test_events_that_never_fire_are_accepted() -> None:
    specs, notices = read({name: [{"hooks": [GOOD]}] for name in NEVER_FIRING})
    assert specs == []
    assert {notice.level for notice in notices} == {"info"}
    assert {notice.code for notice in notices} == {"hook_never_fires"}


def test_unknown_events_are_reported_with_a_guess() -> None:
    specs, (notice,) = read({"PreToolUsee": [{"hooks": [GOOD]}], "Stop": [{"hooks": [GOOD]}]})
    assert [spec.point for spec in specs] == ["Stop"]
    assert (notice.code, notice.hint) == ("unknown_hook_event", "Did you mean PreToolUse?")


@pytest.mark.parametrize("timeout", [-1, 0, "30", True, float("nan"), float("inf"), [1]])
def test_bad_timeouts_fall_back(timeout: Any) -> None:
    (spec,), (notice,) = read({"Stop": [{"hooks": [GOOD | {"timeout": timeout}]}]})
    assert (spec.timeout, notice.code) == (None, "bad_timeout")


def test_matchers_of_gates_are_never_lost() -> None:
    (gate,), (notice,) = read({"PreToolUse": [{"matcher": 5, "hooks": [GOOD]}]})
    assert (gate.matcher, notice.code) == ("", "bad_matcher")
    specs, (notice,) = read({"PostToolUse": [{"matcher": 5, "hooks": [GOOD]}]})
    assert (specs, notice.code) == ([], "bad_matcher")


@pytest.mark.parametrize(
    ("point", "fields", "code"),
    [
        ("Stop", {"if": "Bash(git *)"}, "hook_never_runs"),
        ("PreToolUse", {"if": "Bash(a), Bash(b) and more"}, "bad_condition"),
        ("PreToolUse", {"onError": "explode"}, "bad_on_error"),
        ("PostToolUse", {"onError": "ask"}, "bad_on_error"),
        ("PreToolUse", {"command": "/no/such/gate.sh"}, "missing_hook"),
        ("PreToolUse", {"command": "/no/such/gate.sh", "args": []}, "missing_hook"),
    ],
)
def test_what_will_not_do_what_it_says_is_told(point: str, fields: JsonObject, code: str) -> None:
    specs, (notice,) = read({point: [{"hooks": [GOOD | fields]}]})
    assert (len(specs), notice.code) == (1, code)


def test_handler_types_that_a_moment_does_not_have() -> None:
    specs, (notice,) = read({"SessionStart": [{"hooks": [{"type": "prompt", "prompt": "x"}, GOOD]}]})
    assert len(specs) == 1
    assert "not possible here" in notice.text


WRONG_SHAPES: list[Any] = [
    None,
    [],
    "x",
    {"Stop": None},
    {"Stop": {}},
    {"Stop": [None]},
    {"Stop": [{}]},
    {"Stop": [{"hooks": []}]},
]


@pytest.mark.parametrize("bad", WRONG_SHAPES)
def test_wrong_shapes_are_reported(bad: Any) -> None:
    specs, notices = read(bad)
    assert (specs, len(notices), notices[0].level) == ([], 1, "error")


def test_ids_tell_sources_apart_and_stay() -> None:
    data = {"Stop": [{"hooks": [GOOD]}]}
    ids = {parse_hooks(data, locate, plugin_id=plugin)[0][0].id for plugin in ("", "a", "b", "a")}
    assert len(ids) == 3


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
KEYS = st.sampled_from(["type", "command", "args", "timeout", "if", "shell", "url", "prompt", "onError", "async"])
HANDLERS = st.dictionaries(KEYS, JSON | st.sampled_from(["command", "http", "prompt", "x"]), max_size=5) | JSON
GROUPS = st.fixed_dictionaries({"hooks": st.lists(HANDLERS, max_size=3) | JSON}, optional={"matcher": JSON})


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(st.sampled_from([*POINTS, "Nope"]), st.lists(GROUPS | JSON, max_size=3) | JSON, max_size=3))
def test_no_shape_crashes(data: JsonObject) -> None:
    specs, _ = read(data)
    assert all(spec.title for spec in specs)


@pytest.mark.parametrize(
    ("handler", "name"),
    [
        ({"command": '"$CLAUDE_PROJECT_DIR"/.claude/check.sh'}, "check.sh"),
        ({"command": 'bash "${CLAUDE_PLUGIN_ROOT}/hooks/start.sh" now'}, "start.sh"),
        ({"command": "python3 guard.py --strict"}, "guard.py"),
        ({"command": "/opt/node/bin/node /srv/hooks/guard.js"}, "guard.js"),
        ({"command": "/usr/bin/python3.11 -m guard"}, "python3.11"),
        ({"command": "node", "args": ["${CLAUDE_PLUGIN_ROOT}/guard.js"]}, "guard.js"),
        ({"command": """echo '{"additionalContext": "full today."}'"""}, "echo"),
        ({"command": "agent-guard hook-test"}, "agent-guard"),
        ({"command": "jq -r .tool_input.command"}, "jq"),
        ({"command": "\n# look first\ntrue"}, "true"),
    ],
)
def test_what_a_person_calls_a_hook(handler: JsonObject, name: str) -> None:
    data = {"Stop": [{"hooks": [{"type": "command", **handler}]}]}
    (spec,), _ = parse_hooks(data, lambda _: Source(layer="user"))
    assert spec.name == name
