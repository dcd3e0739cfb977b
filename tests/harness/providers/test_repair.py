"""Repair: every step is told, what may have been meant otherwise is marked, and a well-formed call stays as it is."""

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rein_tui.harness.providers.text_mode.fitting import Tools, coerced
from rein_tui.harness.providers.text_mode.lenient import LONGEST_GUESS, load
from rein_tui.harness.providers.text_mode.shapes import RawCall, calls_of
from tests.harness.providers.dialect_cases import TOOLS, spec

KNOWN = Tools(TOOLS)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9**9) | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=12,
)


@pytest.mark.parametrize(
    ("raw", "value", "whats", "semantic"),
    [
        ('{"a": 1}', {"a": 1}, [], False),
        ('{"a": 1,}', {"a": 1}, ["trailing comma"], False),
        ("[1, 2,]", [1, 2], ["trailing comma"], False),
        ('{"a": [1, 2', {"a": [1, 2]}, ["missing closing bracket"], False),
        ('{"a": [1, 2}', {"a": [1, 2]}, ["missing closing bracket"], True),
        ("{'a': 'it\\'s'}", {"a": "it's"}, ["single quotes"], False),
        ("{'a': 'it's'}", {"a": "it's"}, ["single quotes"], False),
        ("{“a”: “b”}", {"a": "b"}, ["smart quotes"], False),
        ('{"a": "x\ny\tz"}', {"a": "x\ny\tz"}, ["line breaks inside a string that were not escaped"], False),
        ('{"a": True, "b": None}', {"a": True, "b": None}, ["Python's True", "Python's None"], False),
        ("{a: 1}", {"a": 1}, ["key without quotes"], False),
        ('{"a": 1 "b": 2}', {"a": 1, "b": 2}, ["missing comma"], False),
        ('{"a": 1}}', {"a": 1}, ["superfluous closing bracket"], False),
        ('{"a": "say "hi" now"}', {"a": 'say "hi" now'}, ["quotes inside a string that were not escaped"], True),
        ('{"a": "C:\\dir"}', {"a": "C:\\dir"}, ["backslash that escapes nothing"], True),
        ('{"a": "cut', {"a": "cut"}, ["string without its end", "missing closing bracket"], True),
        ('{"a": 1, // why\n "b": 2}', {"a": 1, "b": 2}, ["comment in JSON"], False),
        ('{"a": """x\n"y" \\n"""}', {"a": 'x\n"y" \n'}, ["triple quotes"], False),
        ('{"a": .5, "b": +2}', {"a": 0.5, "b": 2}, [], False),
        ('{"a": "\\ud83d\\ude00", }', {"a": "😀"}, ["trailing comma"], False),
    ],
)
def test_nearly_json(raw: str, value: Any, whats: list[str], semantic: bool) -> None:
    found, repairs = load(raw)
    assert found == value
    assert [repair.what for repair in repairs] == whats
    assert any(repair.semantic for repair in repairs) == semantic


@pytest.mark.parametrize("raw", ["", "hello", '{"a": 1, "a": 2}', '{"a": 1, "a": 2,}', '{"a": "\\ud800",}', "[" * 5000])
def test_what_stays_broken(raw: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        load(raw)


def test_the_last_resort_is_a_guess_and_has_a_limit() -> None:
    raw = '{"a": rm -rf x, "b": 1}'
    value, repairs = load(raw)
    assert isinstance(value, dict)
    assert repairs[-1].semantic
    with pytest.raises(ValueError, match="value is needed"):
        load('{"a": rm, "b": "' + "x" * LONGEST_GUESS + '"}')


def test_a_value_that_was_cut_off_is_a_guess() -> None:
    _, repairs = load('{"a": {"b": 1}', closed=False)
    assert [(repair.what, repair.semantic) for repair in repairs] == [("missing closing bracket", True)]
    with pytest.raises(ValueError, match="cut off"):
        load('{"a": "half a fi', closed=False)


@settings(max_examples=300, deadline=None)
@given(st.dictionaries(st.text(max_size=6), JSON, max_size=4), st.booleans(), st.sampled_from([None, 1]))
def test_well_formed_json_is_never_changed(value: dict[str, Any], ascii_only: bool, indent: int | None) -> None:
    assert load(json.dumps(value, ensure_ascii=ascii_only, indent=indent)) == (value, ())


@settings(max_examples=300, deadline=None)
@given(st.dictionaries(st.from_regex(r"[a-z]{1,5}", fullmatch=True), JSON, min_size=1, max_size=4))
def test_liberties_do_not_change_the_value(value: dict[str, Any]) -> None:
    raw = json.dumps(value)
    assert load(raw[:-1] + ",}")[0] == value
    assert load(raw[:-1])[0] == value
    assert load(raw + "}")[0] == value


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet='{}[]",:\'a1 \\n"TrueNone', max_size=40))
def test_whatever_comes_either_a_value_or_a_value_error(raw: str) -> None:
    with suppress(ValueError):
        load(raw)


# --- names and arguments ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "meant", "semantic"),
    [
        ("Read", "Read", None),
        ("read", "Read", False),
        ("getWeather", "get_weather", False),
        ("functions.get_weather", "get_weather", False),
        ("run_shell_command", "Bash", True),
        ("shell", "Bash", True),
        ("write_to_file", "Write", True),
        ("get_wether", "get_weather", True),
        ("Raed", None, None),
        ("Send", None, None),
        ("delete_everything", None, None),
        ("", None, None),
    ],
)
def test_tool_names(name: str, meant: str | None, semantic: bool | None) -> None:
    found = KNOWN.resolve(name)
    assert (found[0] if found else None) == meant
    assert (found[1].semantic if found and found[1] else None) == semantic


def test_the_name_that_a_tool_had_before_means_it_beyond_doubt() -> None:
    tools = Tools([spec("Agent", ["prompt"], prompt="string"), spec("TaskStop", ["task_id"], task_id="string")])
    for name, meant in (("Task", "Agent"), ("KillShell", "TaskStop")):
        found = tools.resolve(name)
        assert found is not None and found[1] is not None
        assert (found[0], found[1].semantic) == (meant, False)


def test_an_alias_counts_only_for_a_tool_that_was_sent() -> None:
    assert Tools([spec("Read", ["file_path"], file_path="string")]).resolve("shell") is None


@pytest.mark.parametrize(
    ("name", "given_", "fitted", "steps"),
    [
        ("Read", {"file_path": "a", "limit": 5}, {"file_path": "a", "limit": 5}, []),
        ("Read", {"filePath": "a"}, {"file_path": "a"}, [False]),
        ("Read", {"path": "a"}, {"file_path": "a"}, [True]),
        ("Read", {"path": "a", "file_path": "b"}, {"file_path": "b"}, [True]),
        ("Read", {"file_path": "a", "limit": "5"}, {"file_path": "a", "limit": 5}, [True]),
        ("Read", {"file_path": "a", "limit": 5.0}, {"file_path": "a", "limit": 5}, [True]),
        ("Bash", {"command": "x", "run_in_background": "true"}, {"command": "x", "run_in_background": True}, [True]),
        ("Bash", {"cmd": "x", "why": "y"}, {"command": "x"}, [True, True]),
        ("Write", {"path": "a", "text": "b"}, {"file_path": "a", "content": "b"}, [True, True]),
        ("Grep", {"pattern": "x", "path": "."}, {"pattern": "x", "path": "."}, []),
        ("tag", {"names": "a"}, {"names": ["a"]}, [True]),
        ("tag", {"names": '["a", "b"]'}, {"names": ["a", "b"]}, [True]),
        ("tag", {"names": ["a"], "weight": "0.5"}, {"names": ["a"], "weight": 0.5}, [True]),
        ("get_weather", {"city": 7}, {"city": "7"}, [True]),
        ("Bash", {"input": {"command": "x"}}, {"command": "x"}, [False]),
        ("Bash", {"_raw": '{"command": "x"}'}, {"command": "x"}, [False]),
    ],
)
def test_arguments(name: str, given_: dict[str, Any], fitted: dict[str, Any], steps: list[bool]) -> None:
    found = KNOWN.fit(RawCall(name=name, arguments=given_))
    assert found.input == fitted
    assert [repair.semantic for repair in found.repairs] == steps
    assert found.problem == ""


def test_what_is_missing_is_never_made_up() -> None:
    found = KNOWN.fit(RawCall(name="Write", arguments={"file_path": "a"}))
    assert found.input == {"file_path": "a"}
    assert found.problem == 'missing "content"'


def test_text_is_read_by_the_schema_and_stays_text_where_that_is_wanted() -> None:
    found = KNOWN.fit(RawCall(name="Bash", arguments={"command": "123", "timeout": "5"}, typed=False))
    assert (found.input, found.repairs) == ({"command": "123", "timeout": 5}, ())
    assert coerced("five", {"type": "integer"}) == "five"
    assert coerced("maybe", {"type": "boolean"}) == "maybe"
    assert coerced({"a": "1"}, {"type": "object", "properties": {"a": {"type": "integer"}}}) == {"a": 1}
    assert coerced(["1"], {"type": "array", "items": {"type": "integer"}}) == [1]


def test_a_tool_without_a_schema_gets_what_came() -> None:
    tools = Tools([spec("free", [])])
    assert tools.fit(RawCall(name="free", arguments={"x": 1})).input == {"x": 1}


def test_what_is_no_call_has_no_shape() -> None:
    for raw in ("[]", "{}", "[1]", '{"a": 1}', '[{"name": "Read"}, 1]', '"Read"', "nothing"):
        assert calls_of(raw) == (), raw
