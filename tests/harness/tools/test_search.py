"""Grep and Glob, with ripgrep and without: both must answer alike."""

import os
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rein_tui.harness.protocol.tools import InvalidInput, ToolResult, Workspace
from rein_tui.harness.tools.glob import Glob
from rein_tui.harness.tools.grep import Grep
from rein_tui.harness.tools.plain_search import glob_regex
from rein_tui.harness.tools.ripgrep import find_ripgrep
from rein_tui.harness.tools.search import SearchEngine, split_globs

from .conftest import Bench, text_of

FILES = {
    "a.py": "def foo():\n    return 1\n\nfoo()\n",
    "b.ts": "const foo = 'Foo';\n",
    "src/c.py": "import a\nFOO = 1\n",
    "src/deep/d.txt": "foo foo\nbar\n",
    "src/deep/-e.md": "# foo\n",
    ".hidden": "foo\n",
    "ignored/f.py": "foo\n",
    ".git/config": "foo\n",
    "secret.env": "foo\n",
    "bin.dat": "foo\0foo\n",
    ".gitignore": "ignored/\n",
}


@pytest.fixture(params=["ripgrep", "plain"])
def engine(request: pytest.FixtureRequest) -> SearchEngine:
    """Each engine in turn."""
    plain = request.param == "plain"
    if not plain and not find_ripgrep():
        pytest.skip("no ripgrep on this machine")
    return SearchEngine(is_denied=lambda path: path.endswith(".env"), plain=plain)


@pytest.fixture
def tree(bench: Bench) -> Bench:
    """A bench with files, each a little newer than the one before."""
    for number, (name, text) in enumerate(FILES.items()):
        path = bench.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        os.utime(path, (1_700_000_000 + number, 1_700_000_000 + number))
    return bench


async def grep(bench: Bench, engine: SearchEngine, **raw: object) -> ToolResult:
    """Call Grep."""
    tool = Grep(engine)
    return await tool.run(tool.parse(tool.normalize(dict(raw), bench.workspace)), bench.context())


async def glob(bench: Bench, engine: SearchEngine, **raw: object) -> ToolResult:
    """Call Glob."""
    tool = Glob(engine)
    return await tool.run(tool.parse(tool.normalize(dict(raw), bench.workspace)), bench.context())


async def test_files_with_matches_newest_first(tree: Bench, engine: SearchEngine) -> None:
    result = await grep(tree, engine, pattern="foo")
    files = [".hidden", "src/deep/-e.md", "src/deep/d.txt", "b.ts", "a.py"]
    assert result.response == {"mode": "files_with_matches", "numFiles": 5, "filenames": files}
    assert result.content == "Found 5 files\n" + "\n".join(files)


async def test_content(tree: Bench, engine: SearchEngine) -> None:
    result = await grep(tree, engine, pattern="foo", output_mode="content", type="py")
    assert result.content == "a.py:1:def foo():\na.py:4:foo()"
    assert result.response is not None
    assert result.response["numLines"] == 2


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({"-n": False}, "a.py:def foo():\na.py:foo()"),
        ({"-A": 1}, "a.py:1:def foo():\na.py-2-    return 1\n--\na.py:4:foo()"),
        ({"-B": 1}, "a.py:1:def foo():\n--\na.py-3-\na.py:4:foo()"),
        ({"context": 1}, "a.py:1:def foo():\na.py-2-    return 1\na.py-3-\na.py:4:foo()"),
        ({"-C": 0, "context": 1}, "a.py:1:def foo():\na.py:4:foo()"),
        ({"-o": True}, "a.py:1:foo\na.py:4:foo"),
        ({"-i": True, "pattern": "FOO"}, "a.py:1:def foo():\na.py:4:foo()"),
        ({"head_limit": 1}, "a.py:1:def foo():\n\n(1 more: use offset, or narrow the search.)"),
        ({"offset": 1}, "a.py:4:foo()"),
        ({"head_limit": 0}, "a.py:1:def foo():\na.py:4:foo()"),
        ({"pattern": r"foo\(\):.*?return", "multiline": True}, "a.py:1:def foo():\na.py:2:    return 1"),
        ({"pattern": "^$"}, "a.py:3:"),
        ({"pattern": "nothing at all"}, "No matches found"),
    ],
)
async def test_options(more: dict[str, object], expected: str, tree: Bench, engine: SearchEngine) -> None:
    raw: dict[str, object] = {"pattern": "foo", "path": "a.py", "output_mode": "content"} | more
    if raw.get("multiline") and engine.plain:
        expected = "a.py:1:def foo():\na.py:2:    return 1"
    assert (await grep(tree, engine, **raw)).content == expected


async def test_count(tree: Bench, engine: SearchEngine) -> None:
    result = await grep(tree, engine, pattern="foo", output_mode="count", glob="*.{py,ts} !src/**")
    assert sorted(text_of(result).splitlines()) == ["a.py:2", "b.ts:1"]
    assert result.response is not None
    assert result.response["numMatches"] == 3


async def test_globs_count_from_the_searched_folder(tree: Bench, engine: SearchEngine) -> None:
    result = await grep(tree, engine, pattern="foo", path="src", glob="deep/**")
    assert set(text_of(result).splitlines()[1:]) == {"src/deep/-e.md", "src/deep/d.txt"}


async def test_patterns_and_paths_are_no_options(tree: Bench, engine: SearchEngine) -> None:
    assert (await grep(tree, engine, pattern="--files")).content == "No files found"
    assert "-e.md" in text_of(await grep(tree, engine, pattern="foo", path="src/deep/-e.md"))


async def test_errors_are_answers(tree: Bench, engine: SearchEngine) -> None:
    for raw, said in (
        ({"pattern": "("}, "regex parse error"),
        ({"pattern": "a", "type": "nonsense"}, "unrecognized file type"),
        ({"pattern": "a", "path": "gone"}, "does not exist"),
    ):
        result = await grep(tree, engine, **raw)
        assert result.is_error
        assert said in text_of(result)


async def test_elsewhere_paths_are_absolute(tree: Bench, engine: SearchEngine) -> None:
    tree.workspace.cwd = tree.root / "src/deep"
    assert (await grep(tree, engine, pattern="import")).content == "No files found"
    assert (await grep(tree, engine, pattern="import", path="..")).content == f"Found 1 file\n{tree.root}/src/c.py"


async def test_more_than_can_be_taken(tree: Bench, engine: SearchEngine) -> None:
    (tree.root / "big.txt").write_text("foo bar baz\n" * 400_000)
    result = await grep(tree, engine, pattern="foo", output_mode="content", path="big.txt")
    assert "narrow the pattern" in text_of(result)
    assert len(text_of(result)) < 20_000


async def test_a_pattern_that_never_ends_is_ended(tree: Bench) -> None:
    (tree.root / "long.txt").write_text("a" * 40 + "\n")
    result = await grep(tree, SearchEngine(plain=True, seconds=0.5), pattern="(a+)+$b", path="long.txt")
    assert result.is_error
    assert "took longer" in text_of(result)


async def test_glob(tree: Bench, engine: SearchEngine) -> None:
    result = await glob(tree, engine, pattern="**/*.py")
    assert result.content == "ignored/f.py\nsrc/c.py\na.py"
    assert result.response is not None
    assert result.response["numFiles"] == 3
    assert result.response["filenames"] == ["ignored/f.py", "src/c.py", "a.py"]
    assert result.response["truncated"] is False


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("*.py", {"a.py"}),
        ("src/*", {"src/c.py"}),
        ("src/**", {"src/c.py", "src/deep/d.txt", "src/deep/-e.md"}),
        ("**/*.{ts,md}", {"b.ts", "src/deep/-e.md"}),
        ("**/[cd].*", {"src/c.py", "src/deep/d.txt"}),
        ("?.ts", {"b.ts"}),
        (".*", {".hidden", ".gitignore"}),
        ("**/*.env", set[str]()),
        (".git/**", set[str]()),
    ],
)
async def test_glob_patterns(pattern: str, expected: set[str], tree: Bench, engine: SearchEngine) -> None:
    result = await glob(tree, engine, pattern=pattern)
    assert result.response is not None
    assert set(result.response["filenames"]) == expected


async def test_an_absolute_pattern_shows_rules_its_folder(tree: Bench, engine: SearchEngine) -> None:
    tool = Glob(engine)
    raw = tool.normalize({"pattern": f"{tree.root}/src/**/*.py"}, tree.workspace)
    assert raw == {"pattern": "**/*.py", "path": f"{tree.root}/src"}
    assert tool.normalize({"pattern": "~/x*"}, tree.workspace) == {"pattern": "x*", "path": str(tree.workspace.home)}
    assert (await glob(tree, engine, pattern=f"{tree.root}/src/**/*.py")).content == "src/c.py"
    with pytest.raises(InvalidInput, match=r"\.\."):
        await glob(tree, engine, pattern="../*")


async def test_glob_stops_at_a_hundred(tree: Bench, engine: SearchEngine) -> None:
    for number in range(120):
        (tree.root / f"n{number}.x").touch()
    result = await glob(tree, engine, pattern="*.x")
    assert "100 newest of 120" in text_of(result)
    assert result.response is not None
    assert result.response["truncated"] is True


@pytest.mark.skipif(sys.platform == "win32", reason="links")
async def test_links_to_folders_are_not_followed(tree: Bench, engine: SearchEngine) -> None:
    (tree.root / "loop").symlink_to(tree.root)
    assert text_of(await glob(tree, engine, pattern="**/a.py")) == "a.py"
    assert "loop" not in text_of(await grep(tree, engine, pattern="foo"))


async def test_glob_needs_a_folder(tree: Bench, engine: SearchEngine) -> None:
    assert "is not a folder" in text_of(await glob(tree, engine, pattern="*", path="a.py"))


def test_globs_of_one_field() -> None:
    assert split_globs("*.ts, *.tsx  src/{a,b}/**") == ["*.ts", "*.tsx", "src/{a,b}/**"]


@given(
    names=st.lists(st.text("ab.", min_size=1, max_size=3).filter(lambda s: s.strip(".")), min_size=1, max_size=3),
    pattern=st.lists(st.sampled_from(["a", "*", "**", "?", "{a,b}", ".", "[ab]"]), min_size=1, max_size=4),
    separators=st.lists(st.sampled_from(["", "/"]), min_size=4, max_size=4),
)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_plain_globs_are_ripgreps(
    names: list[str], pattern: list[str], separators: list[str], bench: Bench
) -> None:
    if not find_ripgrep():
        pytest.skip("no ripgrep on this machine")
    text = "".join(part + separator for part, separator in zip(pattern, separators, strict=False)).rstrip("/")
    if "***" in text or ".." in text or any("**" in part and part != "**" for part in text.split("/")):
        return
    for path in bench.root.rglob("*"):
        if path.is_file():
            path.unlink()
    path = bench.root.joinpath("d", *names)
    if any(parent.is_file() for parent in path.parents) or path.is_dir():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    root = Workspace(root=bench.root / "d", cwd=bench.root / "d", home=bench.root)
    tool = Glob(SearchEngine())
    value = tool.parse(tool.normalize({"pattern": text}, root))
    result = await tool.run(
        value, type(bench.context())(call_id="c", workspace=root, emit=bench.emit, prompter=bench.person)
    )
    found = not result.is_error and result.content != "No files found"
    assert bool(glob_regex("/" + text).match(str(Path(*names)))) == found, (text, names)
