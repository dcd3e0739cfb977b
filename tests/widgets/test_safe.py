"""Nothing that a terminal would obey comes through, whatever the channel and however the text is cut."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rein_tui.widgets.safe import Channel, SafeStream, clip_line, safe_content, safe_link, safe_text

CHANNELS: tuple[Channel, ...] = ("output", "markdown", "label", "prompt", "diff", "path")
STREAMED: tuple[Channel, ...] = ("output", "markdown", "label")
FORBIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\u061c\u202a-\u202e\u2066-\u2069\u200b\u200c\u200e\u200f"
    "\u2060-\u206f\ufeff\U000e0000-\U000e0fff]"
)
NASTY = [
    *(
        "\x1b",
        "\x1b[",
        "\x1b[31m",
        "\x1b[0m",
        "\x1b[38;5;196m",
        "\x1b[8m",
        "\x1b]0;title",
        "\x1b]52;c;QQ==\x07",
        "\x1b\\",
    ),
    *("\x9b31m", "\x9d0;x\x9c", "\x90q", "\x1b(B", "\x1bc", "\x07", "\b", "\x00", "\x7f", "\r", "\r\n", "\n", "\t"),
    *(
        "\u202e",
        "\u200b",
        "\u200d",
        "\ufe0f",
        "\U0001f468",
        "\U0001f469",
        "\U0001f3fd",
        "\u0301" * 5,
        "\ud800",
        "é",
        "漢",
    ),
    *("a", "[/x]", "[red]", "31m", "e", " ", "\U000e0041", "\u2028", "\x85", "\xa0"),
]
texts = st.lists(st.one_of(st.sampled_from(NASTY), st.text(max_size=3)), max_size=12).map("".join)


@pytest.mark.parametrize("channel", CHANNELS)
@given(text=texts)
def test_nothing_harmful_is_left(channel: Channel, text: str) -> None:
    safe = safe_text(text, channel)
    assert not FORBIDDEN.search(safe)
    if channel != "markdown":
        assert "\t" not in safe
    if channel in {"label", "path"}:
        assert "\n" not in safe


@pytest.mark.parametrize("channel", CHANNELS)
@given(text=texts)
def test_idempotent(channel: Channel, text: str) -> None:
    once = safe_text(text, channel)
    assert safe_text(once, channel) == once


@given(text=st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=40))
def test_plain_ascii_is_untouched(text: str) -> None:
    assert all(safe_text(text, channel) == text for channel in CHANNELS if channel != "prompt")


@pytest.mark.parametrize("channel", STREAMED)
@settings(max_examples=200)
@given(data=st.data(), text=texts, colour=st.booleans())
def test_chunking_does_not_matter(channel: Channel, data: st.DataObject, text: str, colour: bool) -> None:
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=6)))
    stream = SafeStream(channel, colour=colour)
    pieces = [stream.feed(text[a:b]).plain for a, b in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    assert "".join(pieces) + stream.finish().plain == safe_text(text, channel)


@given(text=texts)
def test_colours_change_no_text(text: str) -> None:
    assert safe_content(text, colour=True).plain == safe_text(text)


def test_colours_become_theme_colours() -> None:
    content = safe_content("\x1b[1;31mbad\x1b[0m \x1b[38;2;0;200;0mgood\x1b[m \x1b[8;44mhidden", colour=True)
    assert content.plain == "bad good hidden"
    assert [(content.plain[s.start : s.end], s.style) for s in content.spans] == [
        ("bad", "bold $text-error"),
        ("good", "$text-success"),
    ]


def test_an_open_escape_waits_and_is_bounded() -> None:
    stream = SafeStream()
    assert stream.feed("a\x1b]52;c;" + "A" * 100).plain == "a"
    assert stream.feed("A" * 5000 + "end").plain.endswith("end")
    assert stream.finish().plain == ""
    assert safe_text("a\x1b]0;never closed\nnext line") == "a\nnext line"


def test_what_a_person_approves_hides_nothing() -> None:
    assert safe_text("git\u200b push \u202eyes", "prompt") == "git<U+200B> push <U+202E>yes"
    assert safe_text("a\x1b[8mb", "prompt") == "a\u241b[8mb"
    assert safe_text("x\xa0y", "prompt") == "x<U+00A0>y"
    assert safe_text("npm test" + " " * 400 + "; rm -r x", "prompt") == "npm test<400 spaces>; rm -r x"
    assert safe_text("a\nb", "path") == "a\u240ab"


def test_emoji_families_stay_together() -> None:
    family = "\U0001f468\u200d\U0001f469\u200d\U0001f467"
    assert all(safe_text(family, channel) == family for channel in CHANNELS)
    assert safe_text("a\u200db") == "ab"


def test_tabs_keep_their_stops_over_chunks() -> None:
    stream = SafeStream()
    assert stream.feed("ab").plain + stream.feed("\tc\td").plain == "ab      c       d"


@pytest.mark.parametrize(
    ("target", "good"),
    [
        ("https://example.org/a?b=c", True),
        ("http://[::1]:80/", True),
        ("mailto:a@example.org", True),
        ("javascript:alert(1)", False),
        ("file:///etc/passwd", False),
        ("data:text/html,x", False),
        ("https:///nothing", False),
        ("https://exa\u202emple.org", False),
        ("https://a b", False),
        ("http://[", False),
        ("ssh://host", False),
        ("", False),
    ],
)
def test_links(target: str, good: bool) -> None:
    assert safe_link(target) == (target if good else "")


def test_a_cut_line_says_so() -> None:
    assert clip_line("short") == "short"
    clipped = clip_line("x" * 3000)
    assert clipped.endswith("… 1,024 more characters")
    assert clip_line(clipped) == clipped
