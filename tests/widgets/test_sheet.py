"""A page of text: what is too long goes on below its words."""

from textual.content import Content

from rein_tui.widgets.sheet import hanging, table


def test_words_go_on_under_the_column_where_they_begin():
    body = table([("key", "some words that are too long for one row"), ("other", "short")], width=6)
    assert [line.rstrip() for line in hanging(body, 24).plain.split("\n")] == [
        "key     some words that",
        "        are too long for",
        "        one row",
        "other   short",
    ]


def test_a_line_without_a_term_is_wrapped_as_it_is_and_one_that_begins_with_blanks_below_itself():
    assert hanging(Content("no term in this line"), 10).plain.split("\n")[0].rstrip() == "no term in"
    lines = hanging(Content("      → do this and that"), 16).plain.split("\n")
    assert [line.rstrip() for line in lines] == ["      → do this", "        and that"]


def test_nothing_is_lost_where_there_is_hardly_room():
    body = table([("a term", "漢字 words")], width=18)
    for width in (2, 5, 19, 30):
        assert "".join(hanging(body, width).plain.split()) == "aterm漢字words"
