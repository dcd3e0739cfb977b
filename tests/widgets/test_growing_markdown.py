"""Markdown that grows ends up as markdown that was there at once, however it came."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rein_tui.widgets.growing import GrowingMarkdown
from rein_tui.widgets.lines import Line, lay_out
from rein_tui.widgets.markdown import markdown_pieces

BLOCKS = [
    "# Heading\n\n",
    "A paragraph with **bold**, `code` and [a link](https://example.org).\n\n",
    "two\nlines\n\n",
    "- one\n- two\n  - nested\n\n    more\n- three\n\n",
    "1. first\n2. second\n\n   ```sh\n   ls\n   ```\n3. third\n\n",
    "```python\ndef f():\n    '''doc\n    string'''\n    return 1\n```\n\n",
    "~~~\nplain\n```\n~~~\n",
    "| a | b |\n|---|--:|\n| 1 | 2 |\n| x | y |\n\n",
    "> quoted\n>\n> - in it\n\n",
    "---\n\n",
    "text\n---\n",
    "    indented code\n\n",
    "- - x\n---\n",
    "<thinking>kept</thinking>\n\n",
    "漢字とかな 👨‍👩‍👧\n\n",
    "- [ ] open\n- [x] done\n\n",
    "```\nnever closed\n",
    "1. a\n1. b\n1. c\n\n",
    "see [ref]\n\n[ref]: https://example.org\n\n",
    "\n\n",
    "\x1b[31mred\x1b[0m\u202e\n\n",
]
sources = st.lists(st.sampled_from(BLOCKS), max_size=7).map("".join)


def look(lines: list[Line]) -> list[tuple[str, str, list[tuple[int, int, str]]]]:
    """Rows as values."""
    return [
        (line.gutter.plain, line.body.plain, [(span.start, span.end, str(span.style)) for span in line.body.spans])
        for line in lines
    ]


def grown(pieces: list[str], width: int) -> list[Line]:
    """The rows after these pieces came one by one."""
    text = GrowingMarkdown()
    lines = text.whole(width)
    for piece in pieces:
        text.feed(piece)
        text.grow(lines, width)
    text.finish()
    text.grow(lines, width)
    return lines


@settings(max_examples=120, deadline=None)
@given(source=sources, data=st.data(), width=st.sampled_from([20, 40, 80]))
def test_growing_ends_as_the_whole(source: str, data: st.DataObject, width: int) -> None:
    cuts = sorted(data.draw(st.lists(st.integers(0, len(source)), max_size=12)))
    pieces = [source[a:b] for a, b in zip([0, *cuts], [*cuts, len(source)], strict=True)]
    whole = GrowingMarkdown(source, finished=True).whole(width)
    assert look(grown(pieces, width)) == look(whole)


@settings(max_examples=60, deadline=None)
@given(source=sources)
def test_frozen_block_by_block_as_parsed_at_once(source: str) -> None:
    whole = GrowingMarkdown(source, finished=True).whole(60)
    direct = lay_out(markdown_pieces(source, 60), 60)
    assert [line.body.plain for line in whole] == [line.body.plain for line in direct]


def test_frozen_rows_are_not_made_again() -> None:
    text = GrowingMarkdown("first paragraph\n\nsecond\n\n")
    lines = text.whole(40)
    first = lines[0]
    for _ in range(20):
        text.feed("more words ")
        text.grow(lines, 40)
    assert lines[0] is first
    assert lines[-1].body.plain.strip()


def test_an_open_fence_grows_by_its_lines() -> None:
    text = GrowingMarkdown("```python\n")
    lines = text.whole(40)
    text.feed("x = 1\n")
    text.grow(lines, 40)
    first = lines[0]
    text.feed("y = 2\nz")
    text.grow(lines, 40)
    assert [line.body.plain for line in lines] == ["x = 1", "y = 2", "z"]
    assert lines[0] is first


def test_another_width_starts_over_and_goes_on() -> None:
    text = GrowingMarkdown("one two three four\n\nfive")
    lines = text.whole(40)
    text.grow(lines, 10)
    text.feed(" six seven")
    text.grow(lines, 10)
    assert [line.body.plain.strip() for line in lines] == ["one two", "three four", "", "five six", "seven"]


@pytest.mark.parametrize("width", [12, 30, 60])
def test_tables_fit_and_copy_as_rows(width: int) -> None:
    source = "| name | what it does |\n|---|---|\n| a | many words that do not fit |\n"
    lines = lay_out(markdown_pieces(source, width), width)
    assert all(line.gutter.cell_length + line.body.cell_length <= max(width, 19) for line in lines)
    copied = "".join(line.text() for line in lines)
    assert "│" not in copied
    if width > 12:
        assert "a\tmany words that do not fit\n" in copied
