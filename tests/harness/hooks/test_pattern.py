"""Matcher patterns: JavaScript's meaning, and no pattern that hangs."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rein_tui.harness.hooks.matcher import matcher_problem, matches
from rein_tui.harness.hooks.pattern import PatternError, compile_pattern, search


@pytest.mark.parametrize(
    ("matcher", "subject", "expected"),
    [
        ("", "Anything", True),
        ("*", "Anything", True),
        ("Bash", "Bash", True),
        ("Bash", "BashOutput", False),
        ("bash", "Bash", False),
        ("Edit|Write", "Write", True),
        ("Edit|Write", "MultiEdit", False),
        ("Edit, Write", "Write", True),
        ("Edit , Write|Read", "Read", True),
        ("code-reviewer", "code-reviewer", True),
        ("code-reviewer", "my-code-reviewer", False),
        ("mcp__memory", "mcp__memory__create", False),
        ("mcp__memory__.*", "mcp__memory__create", True),
        ("mcp__.*__write.*", "mcp__fs__write_file", True),
        ("Edit.*", "NotebookEdit", True),
        ("^Edit$", "NotebookEdit", False),
        ("^(?!mcp__)", "Bash", True),
        ("^(?!mcp__)", "mcp__a__b", False),
        ("my-plugin:agent", "my-plugin:agent", True),
        ("my-plugin:agent", "x-my-plugin:agent-2", True),
        ("Task", "Agent", True),
        ("Task", "TaskCreate", False),
        ("Read|Task", "Agent", True),
        ("^Task$", "Agent", True),
        ("startup|clear|compact", "resume", False),
        ("permission_prompt|idle_prompt", "idle_prompt", True),
        ("Bash\n", "Bash", False),
        ("Bash$", "Bash\n", False),
    ],
)
def test_matchers(matcher: str, subject: str, expected: bool) -> None:
    assert matches(matcher, subject) is expected


def test_narrow_word_matchers() -> None:
    assert matches("rate_limit|overloaded", "overloaded", word_matcher=True)
    # A comma is no list here but part of a pattern.
    assert not matches("rate_limit, overloaded", "overloaded", word_matcher=True)


@pytest.mark.parametrize("bad", ["Bash([", "(", ")", "a**", "*a", "[z-a]", "a{3,1}", r"(a)\1", "(?<=a)b", "x{1,9999}"])
def test_bad_patterns_are_told(bad: str) -> None:
    assert matcher_problem(bad)
    with pytest.raises(PatternError):
        compile_pattern(bad)


@pytest.mark.parametrize(
    "pattern", ["(a+)+$", "^(a|a)*$", "(a|aa)+$", "^((a*)*)*$", ".*.*.*.*.*.*.*.*y", "(((((a+)+)+)+)+)+$"]
)
def test_no_pattern_hangs(pattern: str) -> None:
    assert not search(pattern, "a" * 400 + "!")


_ATOMS = st.sampled_from(["a", "b", "_", ".", r"\w", r"\d", "[ab]", "[^a]", "[a-c]", r"\b", "^", "$", "1", r"\.", "B"])


def _grow(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    quantifier = st.sampled_from(["*", "+", "?", "{2}", "{1,2}", "{0,}", "*?", "+?"])
    return st.one_of(
        st.lists(inner, min_size=1, max_size=3).map("".join),
        st.tuples(inner, inner).map(lambda pair: f"(?:{pair[0]}|{pair[1]})"),
        st.tuples(inner, quantifier).map(lambda pair: f"({pair[0]}){pair[1]}"),
        inner.map(lambda text: f"(?={text})"),
        inner.map(lambda text: f"(?!{text})"),
    )


@settings(max_examples=300, deadline=None)
@given(st.recursive(_ATOMS, _grow, max_leaves=6), st.text(alphabet="abB1_.-", max_size=8))
def test_agrees_with_backtracking(pattern: str, subject: str) -> None:
    # Python's `$` also fits before a final newline and its classes know Unicode; neither occurs in this alphabet.
    assert search(pattern, subject) == bool(re.search(pattern, subject))


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=30), st.text(max_size=10))
def test_any_text_parses_or_is_told(pattern: str, subject: str) -> None:
    try:
        search(pattern, subject)
    except PatternError:
        assert matcher_problem(pattern) or pattern == "*"


@given(st.lists(st.from_regex(r"[A-Za-z0-9_-]{1,8}", fullmatch=True), min_size=1, max_size=4), st.data())
def test_a_list_matches_its_names_only(names: list[str], data: st.DataObject) -> None:
    separator = data.draw(st.sampled_from(["|", ",", ", ", " | "]))
    subject = data.draw(st.one_of(st.sampled_from(names), st.from_regex(r"[A-Za-z0-9_-]{1,8}", fullmatch=True)))
    expected = subject in names or (subject == "Agent" and "Task" in names)
    assert matches(separator.join(names), subject) is expected
