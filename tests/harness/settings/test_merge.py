"""Laws of merging."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from rein_tui.harness.settings.merge import merge, merge_objects, without_repeats
from rein_tui.harness.settings.shapes import is_list

keys = st.sampled_from(["a", "b", "env", "hooks", "fallbackModel", "extraKnownMarketplaces"])
leaves = st.integers(0, 3) | st.booleans() | st.sampled_from(["x", "y"]) | st.none()
values = st.recursive(leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3))
objects = st.dictionaries(keys, values, max_size=4)


plain_lists = st.lists(leaves, max_size=3)
one_kind = st.recursive(
    st.fixed_dictionaries({}, optional={"s": leaves, "l": plain_lists, "fallbackModel": plain_lists}),
    lambda inner: st.fixed_dictionaries(
        {}, optional={"s": st.integers(), "l": plain_lists, "o": inner, "hooks": inner, "extraKnownMarketplaces": inner}
    ),
)
"""Layers that agree on the kind of each key: the law needs that."""


@given(one_kind, one_kind, one_kind)
@settings(max_examples=150, deadline=None)
def test_merging_in_steps_changes_nothing(a: Any, b: Any, c: Any) -> None:
    assert merge_objects([a, b, c]) == merge_objects([merge_objects([a, b]), c])
    assert merge_objects([a, b, c]) == merge_objects([a, merge_objects([b, c])])


@given(st.lists(objects, max_size=4))
@settings(deadline=None)
def test_the_highest_scalar_wins_and_no_list_item_is_lost(layers: list[Any]) -> None:
    merged: dict[str, Any] = merge_objects(layers)
    for key, value in merged.items():
        given_values = [layer[key] for layer in layers if layer.get(key) is not None]
        assert type(value) is type(given_values[0])
        if not isinstance(value, list | dict):
            assert value == given_values[0]
        if is_list(value) and key != "fallbackModel":
            items = value
            same: list[list[Any]] = [item for item in given_values if type(item) is list]
            assert all(entry in items for item in same for entry in item)


@given(objects)
@settings(deadline=None)
def test_an_empty_layer_is_neutral(layer: Any) -> None:
    assert merge_objects([layer, {}]) == merge_objects([{}, layer]) == merge_objects([layer])


def test_the_documented_rules() -> None:
    assert merge([["a", "b"], ["b", "c"]], ("permissions", "deny")) == ["a", "b", "c"]
    high = {"hooks": {"Stop": [1]}, "fallbackModel": ["x"], "env": {"A": "1"}}
    low = {"hooks": {"Stop": [1, 2]}, "fallbackModel": ["y"], "env": {"A": "0", "B": "2"}}
    merged = merge_objects([high, low])
    assert merged["hooks"] == {"Stop": [1, 1, 2]}
    assert merged["fallbackModel"] == ["x"]
    assert merged["env"] == {"A": "1", "B": "2"}
    market = {"extraKnownMarketplaces": {"m": {"source": {"a": 1}}}}
    other = {"extraKnownMarketplaces": {"m": {"source": {"b": 2}, "autoUpdate": True}}}
    assert merge_objects([market, other]) == market
    assert without_repeats([1, True, 1, {"a": 1}, {"a": 1}]) == [1, True, {"a": 1}]
