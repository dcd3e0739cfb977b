"""Path patterns: gitignore syntax, cross-checked with an independent implementation."""

import pathspec
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from rein_tui.harness.permissions.path_pattern import (
    PathPattern,
    compile_pattern,
    component_fits,
    escape,
    fits,
    is_glob,
    unescape,
)

names = st.text("ab.", min_size=1, max_size=3).filter(lambda name: name not in (".", ".."))
globs = st.text("ab.*?", min_size=1, max_size=4).filter(lambda text: "**" not in text and text not in (".", ".."))


def compiled(text: str, broad: bool = True) -> PathPattern:
    pattern = compile_pattern(text, broad=broad)
    assert isinstance(pattern, PathPattern)
    return pattern


@given(st.lists(globs | st.just("**"), min_size=2, max_size=4), st.lists(names, min_size=1, max_size=5))
@settings(max_examples=300, deadline=None)
def test_patterns_with_slashes_agree_with_git(parts: list[str], path: list[str]) -> None:
    assume(not all(part == "**" for part in parts) and not (len(parts) == 2 and parts[1] == "**"))
    text = "/".join(parts)
    pattern = compiled(text)
    reference = pathspec.PathSpec.from_lines("gitignore", ["/" + text])
    expected = any(reference.match_file("/".join(path[:end])) for end in range(1, len(path) + 1))
    if parts[-1] != "**":
        assert fits(pattern, tuple(path), broad=True) == expected
    elif expected:
        assert fits(pattern, tuple(path), broad=True)


@given(globs, names)
@settings(max_examples=300, deadline=None)
def test_components_agree_with_git(glob: str, name: str) -> None:
    assert component_fits(glob, name) == pathspec.PathSpec.from_lines("gitignore", ["/" + glob]).match_file(name)


@given(st.text(st.characters(exclude_characters="/\x00", exclude_categories=("Cs", "Cc")), min_size=1, max_size=8))
@settings(deadline=None)
def test_an_escaped_name_fits_itself_alone(name: str) -> None:
    assert not is_glob(escape(name))
    assert unescape(escape(name)) == name
    assert component_fits(escape(name), name)
    assert not component_fits(escape(name), name + "x")


@pytest.mark.parametrize(
    ("text", "path", "allow", "deny"),
    [
        ("src/**", "src/a", True, True),
        ("src/**", "x/src/a", False, True),
        ("./src/**", "x/src/a", False, True),
        ("src/", "x/src/a", False, True),
        ("/src/**", "x/src/a", False, False),
        (".env", "x/.env", True, True),
        ("./.env", "x/.env", False, True),
        (".env", ".env.local", False, False),
        ("a/**/b", "a/b", True, True),
        ("a/**/b", "a/x/y/b/z", True, True),
        ("docs/*.md", "docs/a.md", True, True),
        ("docs/*.md", "docs/x/a.md", False, False),
        ("**/src/**", "v/src/l", True, True),
        ("log[0-9].txt", "log5.txt", True, True),
        ("log[!0-9].txt", "log5.txt", False, False),
        ("\\[x\\]/**", "[x]/a", True, True),
        ("**", "anything/at/all", True, True),
        ("*", "anything/at/all", True, True),
    ],
)
def test_shapes(text: str, path: str, allow: bool, deny: bool) -> None:
    parts = tuple(path.split("/"))
    assert fits(compiled(text, broad=False), parts, broad=False) is allow
    assert fits(compiled(text), parts, broad=True) is deny


def test_the_folder_itself() -> None:
    assert not fits(compiled("src/**", broad=False), ("src",), broad=False)
    assert fits(compiled("src/**"), ("src",), broad=True)


@pytest.mark.parametrize("text", ["", "!x", "a/../b", "a\nb", "x" * 5000])
def test_what_makes_no_sense_says_why(text: str) -> None:
    assert isinstance(compile_pattern(text, broad=True), str)


def test_matching_cannot_run_away() -> None:
    assert not component_fits("*a" * 60 + "b", "a" * 250)
    pattern = compiled("/".join(["**/a"] * 60) + "/b")
    assert not fits(pattern, ("a",) * 250, broad=True)
