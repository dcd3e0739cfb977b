"""The surface: following, holding, folding, selecting, searching; and the stack below it."""

from collections.abc import Sequence

from hypothesis import given, settings
from hypothesis import strategies as st
from textual.app import App, ComposeResult
from textual.content import Content
from textual.geometry import Offset, Region
from textual.selection import Selection
from textual.strip import Strip

from rein_tui.widgets.lines import Piece, lay_out
from rein_tui.widgets.stack import Entry, Stack
from rein_tui.widgets.surface import Block, Surface
from rein_tui.widgets.wishes import Copied, LinkOpened


class Words(Block):
    """Some lines, folded to one."""

    foldable = True

    def __init__(self, text: str) -> None:
        self.text = text

    @property
    def source(self) -> str:
        return self.text

    def pieces(self, width: int) -> Sequence[Piece]:
        lines = self.text.split("\n")
        shown = lines[:1] if self.folded else lines
        bar = Content("| ")
        return [Piece(Content(line), bar, bar, header=number == 0) for number, line in enumerate(shown)]


class Pane(App[None]):
    """A surface alone."""

    def __init__(self) -> None:
        super().__init__()
        self.messages: list[object] = []

    def compose(self) -> ComposeResult:
        yield Surface()

    @property
    def surface(self) -> Surface:
        return self.query_one(Surface)

    def screen_rows(self) -> list[str]:
        """What stands on the screen, row by row."""
        return [self.surface.render_line(y).text.rstrip() for y in range(self.surface.size.height)]

    def on_copied(self, event: Copied) -> None:
        self.messages.append(event.text)

    def on_link_opened(self, event: LinkOpened) -> None:
        self.messages.append(event.targets)


def many(count: int) -> list[Block]:
    """Blocks of one to four lines."""
    return [Words("\n".join(f"block {n} line {k}" for k in range(n % 4 + 1))) for n in range(count)]


async def test_follows_the_end_only_for_a_reader_who_is_there() -> None:
    app = Pane()
    async with app.run_test(size=(40, 10)) as pilot:
        surface = app.surface
        surface.load(many(50))
        await pilot.pause()
        assert app.screen_rows()[-1] == " | block 49 line 1"
        surface.scroll_to(y=20, animate=False)
        await pilot.pause()
        before = app.screen_rows()
        for number in range(3):
            surface.add(Words(f"new {number}\nsecond line"))
        surface.flush()
        await pilot.pause()
        assert app.screen_rows() == before
        assert surface.unread == 3
        surface.scroll_to_end()
        await pilot.pause()
        assert app.screen_rows()[-2:] == [" | new 2", " | second line"]
        assert surface.unread == 0


async def test_nothing_above_moves_what_is_read() -> None:
    app = Pane()
    async with app.run_test(size=(40, 10)) as pilot:
        surface = app.surface
        entries = surface.load(many(100))
        await pilot.pause()
        surface.scroll_to(y=120, animate=False)
        await pilot.pause()
        before = app.screen_rows()
        block = entries[3].block
        assert isinstance(block, Words)
        block.text += "\nmore\nand more\nand more"
        surface.touch(entries[3])
        surface.remove_entry(entries[5])
        surface.add(Words("between\nthem"), entries[10])
        surface.flush()
        await pilot.pause()
        assert app.screen_rows() == before


async def test_paging_up_never_skips_a_line() -> None:
    app = Pane()
    async with app.run_test(size=(30, 8)) as pilot:
        surface = app.surface
        surface.load([Words(f"{n}: " + "word " * (n % 23)) for n in range(300)])
        await pilot.pause()
        pages = 0
        while True:
            top = surface.line_at(round(surface.scroll_y))
            surface.scroll_page_up(animate=False)
            await pilot.pause()
            if surface.scroll_y <= 0:
                break
            pages += 1
            assert surface.line_at(round(surface.scroll_y) + 8) == top
        assert pages > 80
        assert app.screen_rows()[0] == " | 0:"


async def test_another_width_keeps_the_text_on_top() -> None:
    app = Pane()
    async with app.run_test(size=(60, 10)) as pilot:
        surface = app.surface
        blocks: list[Block] = [Words(f"start{n} " + "lorem ipsum dolor " * 12 + f"end{n}") for n in range(60)]
        surface.load(blocks)
        await pilot.pause()
        surface.scroll_to(y=100, animate=False)
        await pilot.pause()
        found = surface.line_at(round(surface.scroll_y))
        assert found
        for width in (30, 90, 60):
            await pilot.resize_terminal(width, 10)
            await pilot.pause()
            now = surface.line_at(round(surface.scroll_y))
            assert now
            assert now[0] is found[0]


async def test_selection_gives_logical_text() -> None:
    app = Pane()
    async with app.run_test(size=(24, 10)) as pilot:
        surface = app.surface
        entries = surface.load([Words("one long line that wraps over rows   \nsecond"), Words("third")])
        await pilot.pause()
        assert len(surface.lines_of(entries[0])) > 2
        start, end = entries[0].order << 24, entries[1].order << 24
        text = surface.get_selection(Selection(Offset(2, start), Offset(7, end)))
        assert text == ("one long line that wraps over rows\nsecond\nthird", "\n")
        assert surface.get_selection(Selection(None, None)) == text
        part = surface.get_selection(Selection(Offset(6, start), Offset(3, start + 1)))
        assert part is not None
        assert part[0].startswith("long line")


async def test_dragging_selects_and_copies() -> None:
    app = Pane()
    async with app.run_test(size=(40, 10)) as pilot:
        app.surface.load([Words("alpha beta"), Words("gamma delta")])
        await pilot.pause()
        await pilot.mouse_down(Surface, offset=(3, 0))
        await pilot.hover(Surface, offset=(8, 1))
        await pilot.mouse_up(Surface, offset=(8, 1))
        await pilot.pause()
        assert app.screen.get_selected_text() == "alpha beta\ngamma "


async def test_cursor_walks_folds_and_copies() -> None:
    app = Pane()
    async with app.run_test(size=(40, 10)) as pilot:
        surface = app.surface
        entries = surface.load(many(30))
        surface.focus()
        await pilot.press("alt+up", "alt+up", "alt+up")
        assert surface.cursor is entries[27]
        assert app.screen_rows()[-4].startswith("▌") or any(row.startswith("▌") for row in app.screen_rows())
        await pilot.press("space")
        assert len(surface.lines_of(entries[27])) == 1
        await pilot.press("space", "y")
        await pilot.pause()
        assert app.messages == [entries[27].block.source]
        await pilot.press("alt+down", "alt+down", "alt+down", "alt+down")
        assert surface.cursor is entries[29]


async def test_other_blocks_take_the_cursor_along() -> None:
    app = Pane()
    async with app.run_test(size=(40, 10)) as pilot:
        app.surface.load(many(40))
        app.surface.action_cursor(-1)
        app.surface.load(many(3))
        await pilot.pause()
        assert app.surface.cursor is None
        app.surface.action_cursor(-1)
        assert app.surface.cursor is not None
        assert app.surface.cursor.block.source.startswith("block 2")


async def test_search_walks_all_hits_around_the_ends() -> None:
    app = Pane()
    async with app.run_test(size=(40, 10)) as pilot:
        surface = app.surface
        surface.load([*many(40), Words("Needle and needle"), *many(40), Words("last needle")])
        surface.focus()
        await pilot.pause()
        search = surface.find("needle")
        assert search
        assert (search.current, search.total) == (3, 3)
        assert any("last needle" in row for row in app.screen_rows())
        await pilot.press("N")
        assert search.current == 2
        assert any("Needle and needle" in row for row in app.screen_rows())
        await pilot.press("N", "N")
        assert search.current == 3
        await pilot.press("n")
        assert search.current == 1
        assert surface.find("nowhere") is not None
        surface.clear_find()
        assert surface.search is None


async def test_links_are_told_with_their_real_target() -> None:
    from rein_tui.widgets.markdown import markdown_pieces

    class Linked(Words):
        def pieces(self, width: int) -> Sequence[Piece]:
            return markdown_pieces(self.text, width)

    app = Pane()
    async with app.run_test(size=(60, 10)) as pilot:
        app.surface.load([Linked("[good](https://example.org/a) [bad](javascript:alert(1))")])
        await pilot.pause()
        await pilot.click(Surface, offset=(2, 0))
        await pilot.click(Surface, offset=(9, 0))
        await pilot.pause()
        assert app.messages == [("https://example.org/a",)]


async def test_a_theme_switch_paints_afresh_and_keeps_the_place() -> None:
    app = Pane()
    async with app.run_test(size=(40, 10)) as pilot:
        surface = app.surface
        surface.load(many(50))
        surface.scroll_to(y=30, animate=False)
        await pilot.pause()
        rows, style = app.screen_rows(), surface.render_line(0)._segments[0].style  # pyright: ignore[reportPrivateUsage]
        app.theme = "textual-light"
        await pilot.pause()
        assert app.screen_rows() == rows
        assert surface.render_line(0)._segments[0].style != style  # pyright: ignore[reportPrivateUsage]


class Counted(Surface):
    """A surface that counts how often it paints."""

    painted = 0

    def render_lines(self, crop: Region) -> list[Strip]:
        self.painted += 1
        return super().render_lines(crop)


class CountedPane(App[None]):
    """It alone."""

    def compose(self) -> ComposeResult:
        yield Counted()


async def test_unchanged_frames_paint_nothing() -> None:
    app = CountedPane()
    async with app.run_test(size=(40, 10)) as pilot:
        surface = app.query_one(Counted)
        entries = surface.load(many(50))
        await pilot.pause()
        painted = surface.painted
        assert painted
        surface.touch(entries[0])
        surface.flush()
        await pilot.pause()
        assert surface.painted == painted
        surface.load(many(3))
        await pilot.pause()
        assert surface.painted > painted


# --- the stack ----------------------------------------------------------------------------------------------


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 400), st.integers(0, 9)), max_size=300))
def test_the_stack_is_a_list_with_heights(steps: list[tuple[int, int, int]]) -> None:
    stack: Stack[int] = Stack()
    model: list[Entry[int]] = []
    for number, (kind, place, height) in enumerate(steps):
        if kind == 0 or not model:
            model.append(entry := Entry(number, height))
            stack.append(entry)
        elif kind == 1:
            at = place % len(model)
            model.insert(at + 1, entry := Entry(number, height))
            stack.insert_after(model[at], entry)
        elif kind == 2:
            stack.resize(model[place % len(model)], height)
        else:
            stack.remove(model.pop(place % len(model)))
    assert list(stack) == model
    assert list(reversed(stack)) == model[::-1]
    assert stack.height == sum(entry.height for entry in model)
    assert [entry.order for entry in model] == sorted({entry.order for entry in model})
    row = 0
    for index, entry in enumerate(model):
        assert stack.top(entry) == row
        for offset in range(entry.height):
            assert stack.at(row + offset) == (entry, offset)
        assert stack.below(entry) is (model[index + 1] if index + 1 < len(model) else None)
        assert stack.above(entry) is (model[index - 1] if index else None)
        row += entry.height
    assert stack.at(row) is None


@given(st.text("ab 漢e\u0301", max_size=80), st.integers(8, 30), st.sampled_from(["words", "fold"]))
def test_rows_fit_and_lose_nothing(text: str, width: int, wrap: str) -> None:
    piece = Piece(Content(text), Content("> "), Content("  "), wrap)  # pyright: ignore[reportArgumentType]
    lines = lay_out([piece], width)
    assert "".join(line.body.plain for line in lines) == text
    assert "".join(line.text() for line in lines) == text.rstrip() + "\n"
    assert all(Content(line.body.plain.rstrip()).cell_length <= max(8, width - 2) for line in lines)


def test_a_line_break_in_a_body_stays_inside_the_frame() -> None:
    piece = Piece(Content("one\ntwo three\n\nfour"), Content("> "), Content("  "))
    lines = lay_out([piece], 10)
    assert [(line.gutter + line.body).plain.rstrip() for line in lines] == ["> one", "  two", "  three", "", "  four"]
    assert "".join(line.text() for line in lines) == "one\ntwo three\n\nfour\n"
