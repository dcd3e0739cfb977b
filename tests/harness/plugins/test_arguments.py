"""Where arguments go in a body."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rein_tui.harness.plugins.arguments import counts_from_one, fill_arguments, split_arguments


@pytest.mark.parametrize(
    ("body", "raw", "text"),
    [
        ("Fix $ARGUMENTS now", "a b", "Fix a b now"),
        ("$0 then $1", "first second", "first then second"),
        ("$ARGUMENTS[1]!", "a 'b c'", "b c!"),
        ("$0 and $5", "one", "one and $5"),
        ("awk '{print $1}'", "", "awk '{print $1}'"),
        (r"cost \$1 and \$ARGUMENTS, $0", "x", "cost $1 and $ARGUMENTS, x"),
        (r"\\$0", "x", r"\\x"),
        ("Nothing asked", "a b", "Nothing asked\n\nARGUMENTS: a b"),
        ("Nothing asked", " ", "Nothing asked"),
        ("$ARGUMENTSX $0", "x", "$ARGUMENTSX x"),
        ("say $0", "don't", "say don't"),
    ],
)
def test_places(body: str, raw: str, text: str) -> None:
    assert fill_arguments(body, raw) == text


def test_names_stand_for_positions_and_missing_ones_are_empty() -> None:
    assert fill_arguments("$issue in $branch.", "7", ["issue", "branch"]) == "7 in ."


def test_another_base() -> None:
    assert fill_arguments("$1 $2 $0", "a b", base=1) == "a b $0"


def test_what_was_filled_in_is_not_looked_at_again() -> None:
    assert fill_arguments("$0 $1", "'$1' x") == "$1 x"


def test_bodies_written_for_a_base_of_one_are_known() -> None:
    assert counts_from_one("use $1 and $2")
    assert not counts_from_one("use $0 and $1")
    assert not counts_from_one("nothing")


@given(st.text(alphabet="ab $01\\'\"[]ARGUMENTS", max_size=60), st.text(alphabet="ab '\"$1", max_size=30))
def test_never_raises_and_without_arguments_only_escapes_change(body: str, raw: str) -> None:
    fill_arguments(body, raw, ["ab"])
    split_arguments(raw)
    if "\\$" not in body and "$ARGUMENTS" not in body:
        assert fill_arguments(body, "") == body
