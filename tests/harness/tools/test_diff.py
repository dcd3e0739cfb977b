"""Diffs: applying the hunks to the old text gives the new one."""

import re

from hypothesis import given
from hypothesis import strategies as st

from rein_tui.harness.protocol.displays import DiffDisplay
from rein_tui.harness.tools.diff import make_diff, structured_patch

texts = st.lists(st.sampled_from(["a", "b", "c", "", "long line"]), max_size=40).map("\n".join)


def applied(diff: DiffDisplay, old: list[str]) -> list[str]:
    """The new lines, by applying the hunks as patch would."""
    new: list[str] = []
    position = 0
    for hunk in diff.hunks:
        start = hunk.old_start - 1 if hunk.old_lines else hunk.old_start
        new += old[position:start]
        taken = [line[1:] for line in hunk.lines if line[0] in " -"]
        assert taken == old[start : start + hunk.old_lines]
        given_lines = [line[1:] for line in hunk.lines if line[0] in " +"]
        assert len(given_lines) == hunk.new_lines
        assert len(new) == (hunk.new_start - 1 if hunk.new_lines else hunk.new_start)
        new += given_lines
        position = start + hunk.old_lines
    return new + old[position:]


def lines_of(text: str) -> list[str]:
    """Lines, the last newline beginning none."""
    return re.sub(r"\n\Z", "", text).split("\n") if text else []


@given(texts, texts)
def test_hunks_apply(old: str, new: str) -> None:
    diff = make_diff("f", old, new)
    assert applied(diff, lines_of(old)) == lines_of(new)
    assert len(structured_patch(diff)) == len(diff.hunks)
    assert diff.added - diff.removed == len(lines_of(new)) - len(lines_of(old))


def test_a_new_file() -> None:
    diff = make_diff("f", None, "a\nb\n")
    assert not diff.old_exists
    assert (diff.hunks[0].old_start, diff.hunks[0].old_lines, diff.hunks[0].new_start) == (0, 0, 1)
    assert diff.hunks[0].lines == ("+a", "+b")


def test_only_the_last_newline_changes() -> None:
    diff = make_diff("f", "a", "a\n")
    assert diff.hunks == ()
    assert "newline at the end" in diff.note


def test_far_changes_are_hunks_of_their_own() -> None:
    old = [str(i) for i in range(100)]
    new = ["x" if i in (5, 50) else str(i) for i in range(100)]
    diff = make_diff("f", "\n".join(old), "\n".join(new))
    assert [(h.old_start, len(h.lines)) for h in diff.hunks] == [(3, 8), (48, 8)]
    assert (diff.added, diff.removed) == (2, 2)


def test_a_huge_change_is_bounded() -> None:
    old, new = "\n".join(f"a{i}" for i in range(30_000)), "\n".join(f"b{i}" for i in range(30_000))
    diff = make_diff("f", old, new)
    assert (diff.added, diff.removed) == (30_000, 30_000)
    assert sum(len(h.lines) for h in diff.hunks) == 4_000
    assert "56,000 more lines" in diff.note
