"""Heads of definition files: as YAML, as people write them, and as an attacker would."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rein_tui.harness.plugins import yaml_block
from rein_tui.harness.plugins.frontmatter import Frontmatter, list_of, read_frontmatter, text_of


def read(block: str, body: str = "Do it.") -> Frontmatter:
    return read_frontmatter(f"---\n{block}\n---\n{body}", "/f/x.md")


def test_plain_yaml_keeps_words_and_lines() -> None:
    head = read("name: on\nversion: 1.0\ndescription: |\n  two\n  lines\nmodel: 'haiku'")
    assert (head.state, head.notices) == ("read", ())
    assert (head.text("name"), head.text("version"), head.text("model")) == ("on", "1.0", "haiku")
    assert head.text("description") == "two\nlines"
    assert head.source("model").line == 7
    assert (head.body, head.body_line) == ("Do it.", 9)


def test_a_description_with_a_colon_is_read_line_by_line() -> None:
    block = (
        "name: reviewer\n"
        "description: Use this agent when: <example>\nuser: check it\n<commentary>yes</commentary>\n"
        "tools: Read, Grep\nmodel: inherit"
    )
    head = read(block)
    assert head.state == "guessed"
    assert head.text("name") == "reviewer"
    assert head.text("description").startswith("Use this agent when: <example>\nuser: check it")
    assert head.items("tools") == ("Read", "Grep")
    assert [n.code for n in head.notices] == ["frontmatter_lenient"]
    assert head.notices[0].where.startswith("/f/x.md:")


def test_line_by_line_takes_the_first_of_two_equal_keys() -> None:
    assert read("tools: Read\ntools: Bash").items("tools") == ("Read",)


@pytest.mark.parametrize("tag", ["!!python/object/apply:os.system ['touch /tmp/pwned']", "!evil x"])
def test_a_tag_that_constructs_makes_nothing_count(tag: str) -> None:
    head = read(f"description: x\nallowed-tools: {tag}")
    assert (head.state, head.values) == ("unreadable", {})
    assert [n.code for n in head.notices] == ["frontmatter_ignored"]


def test_aliases_do_not_multiply() -> None:
    bomb = "a: &a [x, x]\nb: &b [*a, *a]\nname: y"
    assert read(bomb).state == "guessed"


def test_crlf_and_a_byte_order_mark() -> None:
    head = read_frontmatter("\ufeff---\r\ndescription: x\r\nallowed-tools: Read\r\n---\r\nbody\r\n", "/f")
    assert (head.state, head.notices, head.text("description")) == ("read", (), "x")
    assert head.items("allowed-tools") == ("Read",)
    assert head.body.strip() == "body"


@pytest.mark.parametrize("text", ["no head", "\n---\nname: x\n---\n", "--- x\n---\n", "---\nname: x\n", ""])
def test_a_head_begins_on_the_first_line_and_ends(text: str) -> None:
    head = read_frontmatter(text, "/f")
    assert (head.state, head.body) == ("absent", text)


@pytest.mark.parametrize(
    ("value", "items"),
    [
        ("Bash(git add *) Bash(git status:*)", ("Bash(git add *)", "Bash(git status:*)")),
        ("Read, Write,Agent(a, b)", ("Read", "Write", "Agent(a, b)")),
        ('["Read", "Bash(ls *)"]', ("Read", "Bash(ls *)")),
        ("[Read, Write]", ("Read", "Write")),
        ("src/**/*.{ts,tsx} lib/*", ("src/**/*.{ts,tsx}", "lib/*")),
        (["Read", "Bash(a, b)"], ("Read", "Bash(a, b)")),
        ("", ()),
    ],
)
def test_lists_in_every_form(value: object, items: tuple[str, ...]) -> None:
    assert list_of(value) == items


@pytest.mark.parametrize(
    ("value", "text"), [(["x"], "[x]"), (1.5, "1.5"), (True, "true"), (None, ""), ({"a": 1}, '{"a": 1}')]
)
def test_everything_is_text_where_text_is_wanted(value: object, text: str) -> None:
    assert text_of(value) == text


@pytest.mark.parametrize(("word", "wanted"), [("Yes", True), ("on", True), ("0", False), ("OFF", False), ("?", True)])
def test_flags(word: str, wanted: bool) -> None:
    assert read(f"user-invocable: {word}").flag("user-invocable", default=True) is wanted


def test_hooks_are_typed_and_the_rest_is_not() -> None:
    head = read("hooks:\n  Stop:\n    - hooks:\n        - {type: command, command: x, timeout: 10, async: true}")
    handler = head.mapping("hooks")["Stop"][0]["hooks"][0]
    assert handler == {"type": "command", "command": "x", "timeout": 10, "async": True}


_WORD = st.text(alphabet="ab1 :#-'\"[]{}&*!|>%@`,?~=.<\t\u00e9", max_size=12)
_KEY = st.sampled_from(["a", "b", "name", "hooks", "x-y"])


@given(st.lists(st.tuples(_KEY, st.sampled_from([":", ": ", ":  "]), _WORD), min_size=1, max_size=3))
def test_the_quick_way_reads_what_yaml_reads(parts: list[tuple[str, str, str]]) -> None:
    text = "".join(f"{key}{colon}{word}\n" for key, colon, word in parts)
    quick = yaml_block._plain(text)  # pyright: ignore[reportPrivateUsage] - the shortcut against the whole
    if quick is not None:
        assert quick == yaml_block._whole(text)  # pyright: ignore[reportPrivateUsage]


@given(st.text(max_size=300))
def test_any_text_is_read_without_raising(text: str) -> None:
    for form in (text, f"---\n{text}\n---\nbody", f"---\nname: {text}\n---\n"):
        head = read_frontmatter(form, "/f")
        assert head.state in ("absent", "read", "guessed", "unreadable")
        head.items("allowed-tools")
        head.text("name", "description")
