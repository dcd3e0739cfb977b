"""Fuzzy matching and the file index: right, and never in the way."""

import subprocess
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from rein_tui.harness.context.listing import project_files
from rein_tui.widgets.composer import FileIndex
from rein_tui.widgets.fuzzy import line_pattern, match

PATHS = st.text(alphabet="abcXY/_-.ü", min_size=1, max_size=24)


def is_subsequence(query: str, text: str) -> bool:
    rest = iter(text)
    return all(character in rest for character in query)


@given(PATHS, st.text(alphabet="abcXY/_.", min_size=1, max_size=5))
def test_a_match_is_a_subsequence_and_every_subsequence_matches(path: str, query: str):
    subject = path.lower() if query == query.lower() else path
    hit = match(query, path)
    assert (hit is not None) == is_subsequence(query, subject)
    if hit is not None:
        assert "".join(subject[position] for position in hit[1]) == query
        assert list(hit[1]) == sorted(set(hit[1]))


@given(st.lists(PATHS, max_size=20), st.text(alphabet="abcXY/_.", min_size=1, max_size=5))
def test_the_pattern_finds_the_lines_that_match(paths: list[str], query: str):
    found = [hit.group() for hit in line_pattern(query).finditer("\n".join(paths))]
    assert found == [path for path in paths if match(query, path) is not None]


def best(query: str, *paths: str) -> str:
    return max(paths, key=lambda path: (match(query, path) or (-(10**6), ()))[0])


def test_what_people_expect_comes_first():
    assert best("screen", "docs/screens/notes.md", "src/screen.py") == "src/screen.py"
    assert best("ma", "src/format.py", "src/main.py") == "src/main.py"
    assert best("fb", "a/fab.py", "a/foo_bar.py") == "a/foo_bar.py"
    assert best("README", "docs/readme.txt", "README.md") == "README.md"


async def answers(index: FileIndex, query: str) -> list[str]:
    last: list[str] = []
    async for candidates in index.complete(query):
        last = [candidate.label for candidate in candidates]
    return last


async def test_ignored_files_are_not_offered_without_a_repository_either(tmp_path: Path):
    (tmp_path / ".gitignore").write_text("build/\n")
    for name in ("src/app.py", "build/app.js"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_text("")
    index = FileIndex(partial(project_files, tmp_path))
    assert await answers(index, "app") == ["src/app.py"]
    await index.close()


async def test_ignored_files_are_not_offered(tmp_path: Path):
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    (tmp_path / ".gitignore").write_text("build/\n*.log\n")
    for name in ("src/deep/app.py", "build/app.js", "app.log", "with space/app.md"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("")
    index = FileIndex(partial(project_files, tmp_path))
    assert set(await answers(index, "app")) == {"src/deep/app.py", "with space/app.md"}
    assert "src/deep/" in await answers(index, "deep")
    await index.close()


async def test_listing_runs_nothing_of_the_repository(tmp_path: Path):
    root, mark = tmp_path / "repository", tmp_path / "ran"
    root.mkdir()
    subprocess.run(["git", "init", "-q"], cwd=root, check=True)
    subprocess.run(["git", "config", "core.fsmonitor", f"touch {mark}; false"], cwd=root, check=True)
    (root / "app.py").write_text("")
    index = FileIndex(partial(project_files, root))
    assert await answers(index, "app") == ["app.py"]
    await index.close()
    assert not mark.exists()
    subprocess.run(["git", "ls-files", "--others"], cwd=root, check=True, capture_output=True)
    assert mark.exists()  # what plain git would have done


async def test_without_git_and_ripgrep_the_disk_itself_is_read(tmp_path: Path, monkeypatch: object):
    from rein_tui.harness.context import listing

    (tmp_path / ".gitignore").write_text("junk\n")
    (tmp_path / "junk").mkdir()
    (tmp_path / "junk" / "a.txt").write_text("")
    (tmp_path / "keep.txt").write_text("")
    walk = listing._walk  # pyright: ignore[reportPrivateUsage]  the last resort, reached only on bare machines
    assert walk(tmp_path) == [".gitignore", "keep.txt"]


async def test_a_hundred_thousand_files_are_searched_in_short_slices(tmp_path: Path):
    from rein_tui.widgets.composer import files

    index = FileIndex(partial(project_files, tmp_path))
    names = [f"packages/pkg{n % 300}/src/module_{n}.py" for n in range(100_000)]
    chunked = files._chunked(names)  # pyright: ignore[reportPrivateUsage]  building a real tree would take minutes
    index._chunks, index._listed_at = chunked, float("inf")  # pyright: ignore[reportPrivateUsage]
    found = await answers(index, "pkg7/module_77707")
    assert found[0] == "packages/pkg7/src/module_77707.py"


async def test_what_begins_looks_for_new_files(tmp_path: Path):
    (tmp_path / "old.py").write_text("")
    index = FileIndex(partial(project_files, tmp_path))
    assert await answers(index, "") == ["old.py"]
    (tmp_path / "new.py").write_text("")
    index._listed_at -= 5.0  # pyright: ignore[reportPrivateUsage]  seconds pass
    assert await answers(index, "o") == ["old.py"]
    assert await answers(index, "") == ["new.py", "old.py"]
    await index.close()


async def test_an_empty_query_offers_the_top_of_the_tree(tmp_path: Path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "b.py").write_text("")
    (tmp_path / "top.py").write_text("")
    index = FileIndex(partial(project_files, tmp_path))
    found = await answers(index, "")
    assert found[:2] == ["a/", "top.py"] or found[:2] == ["top.py", "a/"]
    await index.close()


class Finder:
    """What settings say, and the queries of a command of theirs."""

    def __init__(self, *, hides: bool = True, found: Sequence[str] | None = None) -> None:
        self.hides_ignored = hides
        self.found = found
        self.asked: list[str] = []

    async def suggest(self, query: str) -> Sequence[str] | None:
        self.asked.append(query)
        return self.found


async def test_settings_may_show_ignored_files_and_find_their_own(tmp_path: Path):
    (tmp_path / ".gitignore").write_text("*.log\n")
    (tmp_path / "app.log").write_text("")
    finder = Finder(hides=False)
    index = FileIndex(partial(project_files, tmp_path), lambda: finder)
    assert await answers(index, "app") == ["app.log"]
    finder.hides_ignored = True
    assert await answers(index, "app") == []
    finder.found = ("far/away.py", "with space")
    assert await answers(index, "wa") == ["far/away.py", "with space"] and finder.asked[-1] == "wa"
    await index.close()
