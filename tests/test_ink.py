"""Without colours: no colour code reaches the terminal, and what a colour marked is marked all the same."""

import pytest
from rich.segment import Segment
from rich.style import Style
from textual.color import Color

from rein_tui.ink import Ink
from tests.app.driving import on_stage

AROUND = Color.parse("#0f1215")


def inked(style: str) -> Style:
    """What becomes of a style on a dark background."""
    (segment,) = Ink().apply([Segment("x", Style.parse(style))], AROUND)
    assert segment.style is not None
    return segment.style


def test_marks_are_reversed_and_what_is_faint_is_dim():
    assert inked("#d3d7de on #0f1215") == Style(reverse=False, dim=False)
    assert inked("bold #eaf4f2 on #22403f") == Style(bold=True, reverse=True, dim=False)
    assert inked("#808994 on #0f1215") == Style(reverse=False, dim=True)
    assert inked("reverse underline #d3d7de") == Style(underline=True, reverse=True, dim=False)


def test_what_can_be_clicked_still_can():
    (segment,) = Ink().apply([Segment("x", Style(color="red", meta={"@click": "app.press('y')"}))], AROUND)
    assert segment.style is not None
    assert segment.style.meta == {"@click": "app.press('y')"}


@pytest.mark.parametrize("theme", ["ansi-dark", "ansi-light"])
async def test_marked_rows_can_be_read_in_the_colours_of_any_terminal(theme: str):
    async with on_stage() as stage:
        stage.app.theme = theme
        await stage.press("ctrl+p")
        await stage.settled()
        strips = stage.app.screen._compositor.render_strips()  # pyright: ignore[reportPrivateUsage]  as elsewhere
        row = next(strip for strip in strips if "/help" in strip.text)
        words = [(s.text.split()[0], s.style) for s in row if s.style and s.text.strip()]
        marked = {word: style for word, style in words if word in {"/help", "What"}}
        assert set(marked) == {"/help", "What"}
        assert all(style.reverse and style.bgcolor and style.bgcolor.is_default for style in marked.values())


@pytest.mark.parametrize("name", ["NO_COLOR", "TERM"])
async def test_no_colour_where_none_is_wanted_or_known(name: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv(name, "dumb")
    async with on_stage() as stage:
        await stage.say("hello")
        await stage.press("ctrl+p")
        await stage.settled()
        strips = stage.app.screen._compositor.render_strips()  # pyright: ignore[reportPrivateUsage]  as elsewhere
        styles = [segment.style for strip in strips for segment in strip if segment.style is not None]
        assert not [style for style in styles if style.color is not None or style.bgcolor is not None]
        row = next(strip for strip in strips if "/help" in strip.text)
        assert [s.text.split()[0] for s in row if s.style and s.style.reverse and s.text.strip()] == ["/help", "What"]
