"""The scroll bar beside lines looks and works as Textual's own, and paints only the rows that changed."""

from textual.geometry import Region
from textual.scrollbar import ScrollBar

from rein_tui.widgets.scroll_bar import LeanScrollBar
from tests.widgets.test_surface import Pane, many


def looks(bar: ScrollBar, paint: type[ScrollBar]) -> list[tuple[str, str]]:
    """Each row's glyph and colours, painted in the way of this class."""
    strips = paint.render_lines(bar, Region(0, 0, 1, bar.size.height))
    styles = [next(iter(strip)).style for strip in strips]
    return [(strip.text, f"{s.color} {s.bgcolor} {s.reverse}") for strip, s in zip(strips, styles, strict=True) if s]


async def test_it_looks_like_textuals_own_wherever_one_reads() -> None:
    app = Pane()
    async with app.run_test(size=(40, 17)) as pilot:
        surface = app.surface
        surface.load(many(60))
        await pilot.pause()
        bar = surface.vertical_scrollbar
        assert isinstance(bar, LeanScrollBar)
        assert bar.display
        for row in (0, 1, 7, 40, 41, surface.max_scroll_y):
            surface.scroll_to(y=row, animate=False)
            await pilot.pause()
            own = looks(bar, LeanScrollBar)
            bar.refresh()
            assert own == looks(bar, ScrollBar)
        bar.mouse_over = True
        await pilot.pause()
        own = looks(bar, LeanScrollBar)
        bar.refresh()
        assert own == looks(bar, ScrollBar)


async def test_a_layout_that_is_painted_before_the_bar_knows_of_it_has_blank_rows() -> None:
    app = Pane()
    async with app.run_test(size=(40, 17)) as pilot:
        app.surface.load(many(60))
        await pilot.pause()
        bar = app.surface.vertical_scrollbar
        strips = bar.render_lines(Region(0, 10, 1, bar.size.height))
        assert len(strips) == bar.size.height
        assert {strip.cell_length for strip in strips} == {1}


async def test_the_mouse_moves_the_view() -> None:
    app = Pane()
    async with app.run_test(size=(40, 17)) as pilot:
        surface = app.surface
        surface.load(many(60))
        surface.scroll_to(y=0, animate=False)
        await pilot.pause()
        bar = surface.vertical_scrollbar
        await pilot.click(bar, offset=(0, 15))
        assert surface.scroll_y > 0
        await pilot.mouse_down(bar, offset=(0, 3))
        await pilot.hover(bar, offset=(0, 16))
        await pilot.mouse_up(bar, offset=(0, 16))
        await pilot.pause()
        assert surface.scroll_y > surface.max_scroll_y // 2


async def test_only_changed_rows_are_painted() -> None:
    app = Pane()
    async with app.run_test(size=(40, 17)) as pilot:
        surface = app.surface
        surface.load(many(400))
        surface.scroll_to(y=0, animate=False)
        await pilot.pause()
        bar = surface.vertical_scrollbar
        assert not bar._repaint_regions  # pyright: ignore[reportPrivateUsage]
        surface.scroll_to(y=30, animate=False, immediate=True)
        painted = bar._repaint_regions  # pyright: ignore[reportPrivateUsage]
        assert 0 < sum(region.height for region in painted) <= 4
