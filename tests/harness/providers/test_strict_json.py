"""Tool input is parsed strictly; a stream's envelope is not."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rein_tui.harness.providers.strict_json import child, children, number, read_event, read_object, strings, text


@pytest.mark.parametrize(
    ("raw", "word"),
    [
        ('{"a": 1, "a": 2}', "twice"),
        ('{"o": {"a": 1, "a": 1}}', "twice"),
        ('{"a": NaN}', "NaN"),
        ('{"a": -Infinity}', "Infinity"),
        ("[1]", "an array"),
        ('"x"', "a string"),
        ("null", "null"),
        ("true", "a boolean"),
        ("1", "a number"),
        ('{"command":"echo hi"}}}', "Extra data"),
        ('{"a": "b"', "Expecting"),
        ("", "Expecting"),
        ('{"a": "\\ud83d"}', "surrogate"),
        ("[" * 100_000, "deep"),
    ],
)
def test_doubtful_input_is_refused(raw: str, word: str) -> None:
    with pytest.raises(ValueError, match=word):
        read_object(raw)


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters(exclude_categories=("Cs",))),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.text(st.characters(exclude_categories=("Cs",)), max_size=4), _json, max_size=4))
def test_what_json_wrote_is_read(value: dict[str, object]) -> None:
    if "\\ud" not in json.dumps(value):
        assert read_object(json.dumps(value)) == value
    assert read_object(json.dumps(value, ensure_ascii=False)) == value or "\\ud" in json.dumps(value)


def test_envelopes_are_read_leniently() -> None:
    assert read_event(b'{"a": "\\ud83d"}') == {"a": "?"}
    assert text(read_event(b'{"a": NaN, "b": "x"}'), "b") == "x"
    for bad in (b"[]", b"{", b"\xff", b""):
        with pytest.raises(ValueError, match=r"\w"):
            read_event(bad)


def test_fields_of_the_wrong_shape_are_absent() -> None:
    event = {"o": {"x": 1}, "l": [{"y": 2}, 3], "t": "s", "n": -5, "b": True, "words": ["a", 1]}
    assert (child(event, "o"), child(event, "t"), child(event, "none")) == ({"x": 1}, {}, {})
    assert (children(event, "l"), children(event, "o")) == ([{"y": 2}], [])
    assert (text(event, "t"), text(event, "n")) == ("s", "")
    assert (number(event, "n"), number(event, "b"), number({"n": 7.9}, "n")) == (0, 0, 7)
    assert strings(event, "words") == ("a",)
