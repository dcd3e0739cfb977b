"""Work put off until the paint, over widgets that are gone by then."""

from textual.app import App, ComposeResult
from textual.widgets import Static

from rein_tui.widgets.later import after_refresh
from rein_tui.widgets.permission_modal_view import SeenView


class Room(App[None]):
    """Two widgets."""

    def compose(self) -> ComposeResult:
        """Them."""
        yield Static("here", id="static")
        yield SeenView()


async def test_it_is_done_once_painted_for_what_is_there_and_not_for_what_goes():
    done: list[str] = []
    async with Room().run_test() as pilot:
        static = pilot.app.query_one(Static)
        after_refresh(static, lambda: done.append("stays"))
        await pilot.pause()
        assert done == ["stays"]
        after_refresh(static, lambda: done.append("goes"))
        await static.remove()
        await pilot.pause()
        after_refresh(static, lambda: done.append("gone"))
        await pilot.pause()
    assert done == ["stays"]


async def test_a_view_whose_question_is_gone_has_seen_nothing_more():
    async with Room().run_test() as pilot:
        view = pilot.app.query_one(SeenView)
        await view.remove()
        view.must_see = 3
        view.note_seen()
        assert view.unseen == 3
