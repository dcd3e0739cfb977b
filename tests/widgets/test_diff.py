"""Diffs: both layouts, changed words, and copying code without its gutters."""

from msgspec import structs
from textual.content import Content

from rein_tui.harness.protocol.displays import DiffDisplay, Hunk
from rein_tui.widgets.diff import diff_pieces, diff_title, is_split, mark_words
from rein_tui.widgets.lines import lay_out

DIFF = DiffDisplay(
    path="a.py",
    added=2,
    removed=1,
    hunks=(
        Hunk(
            old_start=9, old_lines=2, new_start=9, new_lines=3, lines=(" a = 1", "-b = old(1)", "+b = new(1)", "+c = 3")
        ),
    ),
)


def shown(width: int, style: str = "auto", **options: int) -> list[str]:
    """Rows as text."""
    pieces = diff_pieces(DIFF, width, style, **options)  # pyright: ignore[reportArgumentType]
    return [(line.gutter.plain + line.body.plain).rstrip() for line in lay_out(pieces, width)]


def test_unified() -> None:
    assert shown(60) == [" 9   a = 1", "10 - b = old(1)", "10 + b = new(1)", "11 + c = 3"]


def test_side_by_side() -> None:
    rows = shown(50, "split")
    assert [row.split(" │ ") for row in rows[:2]] == [
        [" 9   a = 1               ".rstrip().ljust(23), " 9   a = 1"],
        ["10 - b = old(1)".ljust(23), "10 + b = new(1)"],
    ]
    assert rows[2].split(" │ ")[1] == "11 + c = 3"


def test_both_sides_stand_beside_each_other_by_themselves_where_their_lines_fit() -> None:
    wide = structs.replace(DIFF, hunks=(structs.replace(DIFF.hunks[0], lines=("-漢" + "字" * 30, "+b"), old_lines=1),))
    assert is_split(DIFF, 120)
    assert not is_split(DIFF, 119)
    assert not is_split(wide, 120), "its left side would wrap"
    assert is_split(wide, 160)
    assert is_split(wide, 60, "split") and not is_split(wide, 200, "unified")
    assert not is_split(structs.replace(DIFF, removed=0), 200), "one side would be empty"


def test_changed_words_are_marked() -> None:
    old, new = mark_words(Content("b = old(1)"), Content("b = new(1)"))
    assert [old.plain[span.start : span.end] for span in old.spans] == ["old"]
    assert [new.plain[span.start : span.end] for span in new.spans] == ["new"]
    assert not mark_words(Content("aaa"), Content("zzz yyy"))[0].spans


def test_copying_gives_code_alone() -> None:
    for style in ("unified", "split"):
        lines = lay_out(diff_pieces(DIFF, 60, style), 60)
        copied = "".join(line.text() for line in lines)
        assert "b = new(1)\nc = 3\n" in copied
        assert "│" not in copied


def test_limit_says_what_is_left_out() -> None:
    assert shown(60, limit=2)[-1] == "… 2 more lines"


def test_title() -> None:
    assert diff_title(DIFF).plain == "+2 −1"
    assert diff_title(DiffDisplay(path="n", hunks=(), added=3, removed=0, old_exists=False)).plain == "new file +3"


def test_carriage_returns_and_bidi_show() -> None:
    hunk = Hunk(old_start=1, old_lines=0, new_start=1, new_lines=1, lines=("+x\u202ey",))
    pieces = diff_pieces(DiffDisplay(path="a", hunks=(hunk,), added=1, removed=0), 60)
    assert pieces[0].body.plain == "x<U+202E>y"
