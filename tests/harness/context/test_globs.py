"""Globs agree with their definition and stay quick."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rein_tui.harness.context.globs import expand_braces, matches


@pytest.mark.parametrize(
    ("pattern", "path", "expected"),
    [
        ("*.md", "a.md", True),
        ("*.md", "d/a.md", False),
        ("**/*.md", "a.md", True),
        ("**/*.md", "d/e/a.md", True),
        ("src/**", "src/a/b", True),
        ("src/**", "src", True),
        ("src/**/*.ts", "src/a.ts", True),
        ("src/*/a.ts", "src/x/y/a.ts", False),
        ("/abs/**/x", "/abs/a/b/x", True),
        ("a?c", "abc", True),
        ("./a", "a", True),
        ("[ab]/c", "b/c", True),
        ("*.{ts,tsx}", "a.tsx", True),
        ("*.{ts,tsx}", "a.js", False),
        ("{a,b/{c,d}}/x", "b/d/x", True),
        ("{a}", "{a}", True),
        ("Äb/*", "Äb/ü", True),
    ],
)
def test_examples(pattern: str, path: str, expected: bool) -> None:
    assert matches([pattern], path) is expected


def test_no_pattern_stalls() -> None:
    assert not matches(["**/" * 200 + "x"], "/".join("a" * 1000) + "/y")
    assert not matches(["*a" * 50 + "b"], "a" * 2000)
    assert len(expand_braces("{a,b}" * 40)) == 256


_parts = st.lists(st.sampled_from(["a", "b", "ab", "*", "**", "?", "a*"]), min_size=1, max_size=5)
_paths = st.lists(st.text(alphabet="ab", min_size=1, max_size=3), min_size=1, max_size=5)


@given(_parts, _paths)
def test_same_as_a_regular_expression(parts: list[str], path: list[str]) -> None:
    one = {"*": "[^/]*", "?": "[^/]", "a*": "a[^/]*"}
    regex = "".join(r"(?:/[^/]+)*" if part == "**" else "/" + one.get(part, re.escape(part)) for part in parts)
    assert matches(["/".join(parts)], "/".join(path)) is bool(re.fullmatch(regex, "/" + "/".join(path)))
