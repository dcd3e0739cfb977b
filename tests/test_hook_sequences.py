"""What a hook may write to the terminal."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rein_tui.terminal import asked_for, notification, title


@pytest.mark.parametrize(
    "sequence",
    [
        "\a",
        "\x1b]0;building\a",
        "\x1b]9;4;1;50\x1b\\",
        "\x1b]777;notify;done;all green\a\a",
        title("x"),
        notification("y"),
    ],
)
def test_titles_notifications_and_bells_pass(sequence: str) -> None:
    assert asked_for(sequence) == sequence


@pytest.mark.parametrize(
    "sequence",
    [
        "",
        "hello",
        "\x1b[2J",
        "\x1b]52;c;aGk=\a",
        "\x1b]0;a\x1b[2J\a",
        "\x1b]8;;http://x\a",
        "\x1b]0;no end",
        "\x1b]0;a\n\a",
        7,
        None,
    ],
)
def test_nothing_else_does(sequence: object) -> None:
    assert asked_for(sequence) == ""


@given(st.text(alphabet="\x1b\a]\\0129;n[mx\n\x9b", max_size=30))
def test_what_passes_holds_no_other_escape(text: str) -> None:
    passed = asked_for(text)
    assert passed.count("\x1b") == passed.count("\x1b]") + passed.count("\x1b\\")
    assert "\n" not in passed and "\x9b" not in passed
