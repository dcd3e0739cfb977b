"""What deceives a reader is named; what does not is left alone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rein_tui.widgets.permission_modal_deception import LISTED, deceptions


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a\u202eb", "U+202E right-to-left override"),
        ("a\u200bb", "U+200B zero width space"),
        ("\x1b[2Jls", "control characters"),
        ("ls" + " " * 60 + "; rm x", "a long gap"),
        ("p\u0430ypal", "mixes Latin with Cyrillic"),
        ("[github.com](https://evil.example/x)", "reads github.com leads to evil.example"),
        ('<a href="https://evil.example">www.bank.com</a>', "reads www.bank.com leads to evil.example"),
        ("curl https://github.com@evil.example/x", "leads to evil.example"),
        ("https://xn--pypal-4ve.com/", "written in other letters"),
    ],
)
def test_deceptive_text_is_named(text: str, said: str):
    found = deceptions({"command": [{"deep": text}]})
    assert any(said in warning for warning in found), found


@pytest.mark.parametrize(
    "text",
    [
        "git commit -m 'naïve café'",
        "Привет, мир",
        "[docs](https://docs.example/x) and [www.a.example](https://a.example/)",
        "line\n\tindented\nmore",
        "the marker <U+202E> in a document",
        "👩‍💻 works",
    ],
)
def test_honest_text_is_left_alone(text: str):
    assert deceptions({"content": text}) == []


@given(st.text(max_size=300))
def test_any_text_gives_a_few_plain_sentences(text: str):
    found = deceptions({"x": text}, text)
    assert len(found) <= LISTED
    assert not any("\x1b" in warning or "\u202e" in warning for warning in found)
