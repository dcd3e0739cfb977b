"""Any JSON object is a settings file: it is checked, told, never raised, and never wider than it says."""

import math
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from rein_tui.harness.permissions.layers import rules_in_force
from rein_tui.harness.protocol.decisions import Layer
from rein_tui.harness.settings.keys import KEYS, PERMISSION_KEYS, SANDBOX_KEYS
from rein_tui.harness.settings.load import assemble, hold, layer_from_data
from rein_tui.harness.settings.shapes import is_list, is_object

leaves = (
    st.none() | st.booleans() | st.integers(-2, 9) | st.floats() | st.sampled_from(["Bash", "Read(x)", "disable", ""])
)
values = st.recursive(
    leaves,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["tool", "decision", "a"]), inner),
    max_leaves=6,
)
inner = st.dictionaries(st.sampled_from([*PERMISSION_KEYS, *SANDBOX_KEYS, "Deny", "asks"]), values, max_size=4)
names = st.sampled_from([*KEYS, "permissionMode", "bashSandbox", "blockedPlugins", "permision", "hook"])
files = st.dictionaries(names, values | inner, max_size=5)
layers: st.SearchStrategy[Layer] = st.sampled_from(["managed", "command_line", "local", "project", "user"])


def texts(value: Any) -> set[str]:
    if is_object(value):
        return {text for item in value.values() for text in texts(item)}
    if is_list(value):
        return {text for item in value for text in texts(item)}
    return {value} if isinstance(value, str) else set()


@given(files, layers, st.booleans())
@example({"permissions": math.nan, "cleanupPeriodDays": math.inf}, "user", True)
@example({"cleanupPeriodDays": 10**400}, "user", True)
@settings(max_examples=400, deadline=None)
def test_any_object_is_checked(data: Any, layer: Layer, trusted: bool) -> None:
    built, notices, broken = layer_from_data(layer, "f.json", data, "/b", trusted)
    found = assemble([built], notices, {"f.json": broken} if broken else {}, trusted)
    parsed, _ = rules_in_force(found)
    allowed = {rule.rule.text for rule in parsed if rule.behavior == "allow"}
    assert allowed <= texts(data.get("permissions"))
    if not trusted and layer in ("project", "local"):
        assert not allowed
    mode = found.get("permissions", "defaultMode")
    assert mode != "bypassPermissions" or layer not in ("project", "local")
    for key, value in built.data.items():
        assert key not in PERMISSION_KEYS or value is not None
    assert all(notice.text and notice.where for notice in notices)
    for rule in parsed:
        assert rule.rule.source.layer == layer


@given(files)
@settings(max_examples=100, deadline=None)
def test_holding_loses_nothing(data: Any) -> None:
    kept, held = hold(data)
    for key, value in data.items():
        if is_object(value) and key in kept and key in held:
            assert {**kept[key], **held[key]} == value
        elif key in kept or key in held:
            assert kept.get(key, held.get(key)) is value or kept.get(key, held.get(key)) == value
        else:
            assert value in ({},)


@given(files)
@example({"permision": {"allow": None, "ask": ["Bash"]}})
@settings(max_examples=100, deadline=None)
def test_checking_twice_changes_nothing(data: Any) -> None:
    once, _, broken = layer_from_data("user", "f.json", data, "/b")
    again, notices, _ = layer_from_data("user", "f.json", once.data, "/b")
    if not broken:
        assert again.data == once.data
        assert not [notice for notice in notices if notice.code in ("entry_hardened", "settings_broken", "alias")]


def test_one_bad_price_is_left_out_and_named() -> None:
    data = {"prices": {"good": {"input": 1, "output": 2}, "bad": {"input": "x", "output": 2}, "worse": 3}}
    data["prices"] |= {"typo": {"input": 1, "output": 2, "cached": 1}, "less": {"input": -1, "output": 0}}
    built, notices, broken = layer_from_data("user", "f.json", data, "/b", True)
    assert not broken
    assert list(built.data["prices"]) == ["good"]
    told = {notice.text.partition(":")[0]: notice for notice in notices}
    assert set(told) == {"prices.bad", "prices.worse", "prices.typo", "prices.less"}
    assert "`input`" in told["prices.bad"].text
    assert all("f.json" in notice.where for notice in notices)


@pytest.mark.parametrize(
    ("key", "wrong", "right"),
    [
        ("authHeader", ["basic", "", "Bearer", 3], "x-api-key"),
        ("anthropicVersion", ["2023-06-01\r\nx: y", "é", 20230601], "2023-06-01"),
        ("idleTimeoutSeconds", [0, -5, 10**400, "90"], 0.5),
        ("numCtx", [-1, 10**400, 4096.5], 16384),
        ("contextWindow", [-1, True], 32768),
        ("effortLevel", ["heroic", ""], "max"),
    ],
)
def test_a_value_that_means_nothing_is_named_and_left_out(key: str, wrong: list[Any], right: Any) -> None:
    for value in wrong:
        built, notices, broken = layer_from_data("user", "f.json", {key: value, "model": "m"}, "/b", True)
        assert built.data == {"model": "m"}
        assert not broken
        assert [(notice.code, notice.text.partition(":")[0]) for notice in notices] == [("entry_skipped", key)]
        assert "f.json" in notices[0].where
    built, notices, _ = layer_from_data("user", "f.json", {key: right}, "/b", True)
    assert (built.data, notices) == ({key: right}, [])


def test_a_whole_number_may_be_written_with_a_point() -> None:
    built, notices, _ = layer_from_data("user", "f.json", {"numCtx": 8192.0}, "/b", True)
    assert (repr(built.data["numCtx"]), notices) == ("8192", [])
