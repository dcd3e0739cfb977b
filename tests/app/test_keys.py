"""Every key of the pages that F1 shows: pressed where it is valid, and what it did looked at.

Each walk notes which class's key it pressed; a key of that class that it left out fails it, so a new key wants a line.
"""

from collections.abc import AsyncGenerator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from textual.binding import Binding, BindingType
from textual.widget import Widget
from textual.widgets import Input

from rein_tui.app import ReinApp
from rein_tui.preview import Preview
from rein_tui.screen import MainScreen
from rein_tui.widgets.chat import DENSITIES, Chat
from rein_tui.widgets.composer.area import PromptArea
from rein_tui.widgets.context_pane import ContextPane
from rein_tui.widgets.hook_log import HookLog
from rein_tui.widgets.inspector import Inspector
from rein_tui.widgets.list_pane import ListPane
from rein_tui.widgets.page import Page
from rein_tui.widgets.permission_modal import PermissionModal
from rein_tui.widgets.permission_modal_frame import CallModal
from rein_tui.widgets.picker import Picker
from rein_tui.widgets.rows import RowList
from rein_tui.widgets.sheet import Sheet
from rein_tui.widgets.sidebar_list import SessionList
from rein_tui.widgets.surface import Surface
from rein_tui.widgets.timeline import SpanList, Timeline
from tests import stories

from .driving import Stage, on_stage
from .fake_harness import SESSIONS

EVERYWHERE: tuple[type, ...] = (ReinApp, MainScreen)


def keys_of(owner: type) -> set[str]:
    """The keys that a class binds."""
    given: Iterable[BindingType] = vars(owner).get("BINDINGS", ())
    keys = (each.key if isinstance(each, Binding) else each[0] for each in given)
    return {key.strip() for group in keys for key in group.split(",")}


@dataclass
class Walk:
    """A stage whose presses are remembered by the class that bound the key."""

    stage: Stage
    pressed: set[tuple[type, str]] = field(default_factory=set[tuple[type, str]])

    @property
    def main(self) -> MainScreen:
        """The main screen."""
        return self.stage.app.main

    async def press(self, *keys: str, until: Callable[[], object] | None = None) -> None:
        """Press these; after the last one this becomes true, or everything comes to rest."""
        for key in keys:
            app = self.stage.app
            active = app.screen.active_bindings.get(key)
            assert active is not None, f"{key} is not valid here"
            for node in (app.focused or app.screen).ancestors_with_self:
                ours = (kind for kind in type(node).__mro__ if kind.__module__.startswith("rein_tui."))
                owner = next((kind for kind in ours if key in keys_of(kind)), None)
                if owner is not None:
                    self.pressed.add((owner, key))
                    if node is active.node:
                        break
            await self.stage.press(key)
        if until is None:
            await self.stage.still()
        else:
            await self.stage.until(until)

    async def focus(self, widget: Widget) -> None:
        """Go there."""
        widget.focus()
        await self.stage.until(lambda: widget.has_focus)

    async def rest(self) -> None:
        """Say yes until the turn is over."""
        stage = self.stage
        while (turns := stage.app.desk.current) is not None and turns.state != "idle":
            if isinstance(stage.app.screen, PermissionModal):
                await stage.press("y")
            else:
                await stage.pilot.pause(0)

    async def back(self, key: str = "escape") -> None:
        """Close what is on top."""
        depth = len(self.stage.app.screen_stack)
        await self.stage.press(key)
        await self.stage.until(lambda: len(self.stage.app.screen_stack) < depth)


@asynccontextmanager
async def walking(
    *owners: type, tell: Callable[[], Sequence[list[Any]]] = lambda: [stories.fix()], tells: bool = True, **options: Any
) -> AsyncGenerator[Walk]:
    """A stage with a story told; afterwards every key of these classes must have been pressed."""
    async with on_stage(tell, **options) as stage:
        walk = Walk(stage)
        if tells:
            await stage.say("fix it")
            await walk.rest()
        yield walk
        left = {(owner.__name__, key) for owner in owners for key in keys_of(owner) if (owner, key) not in walk.pressed}
        assert not left, f"keys without a test: {sorted(left)}"


async def test_everywhere():
    async with walking(*EVERYWHERE, size=(120, 24)) as walk:
        main, app = walk.main, walk.stage.app
        surface = main.chat.surface
        await walk.press("f1", until=lambda: isinstance(app.screen, Sheet))
        await walk.back()
        await walk.press("ctrl+p", until=lambda: isinstance(app.screen, Picker))
        await walk.back()
        await walk.press("shift+tab", until=lambda: walk.stage.harness.mode == "acceptEdits")
        for key, tab in (("f2", "inspector"), ("f3", "hooks"), ("f4", "timeline"), ("f5", "context")):
            await walk.press(key, until=lambda tab=tab: main.dock.shown == tab)
            await walk.press(key, until=lambda: not main.dock.shown)
        await walk.press("f6", until=lambda: main.sidebar.has_focus_within)
        await walk.press("f6", until=lambda: not main.sidebar.display)
        main.composer.text = "steered"
        await walk.press("f8", until=lambda: not main.composer.text)
        await walk.rest()
        await walk.press("ctrl+home", until=lambda: surface.scroll_y == 0)
        await walk.press("ctrl+end", until=lambda: surface.following)
        await walk.press("alt+up", until=lambda: surface.has_focus and surface.cursor is not None)
        await walk.press("escape", until=lambda: main.composer.area.has_focus)
        await walk.press("alt+down", until=lambda: surface.has_focus)
        await walk.focus(main.composer.area)
        await walk.press("ctrl+f", until=lambda: main.chat.has_class("-searching"))
        await walk.press("escape", until=lambda: not main.chat.has_class("-searching"))
        await walk.focus(main.composer.area)
        main.composer.text = "words"
        await walk.press("ctrl+c", until=lambda: not main.composer.text)


async def test_in_the_prompt():
    async with walking(PromptArea, tell=lambda: [stories.streaming()] * 3, tells=False) as walk:
        composer, app = walk.main.composer, walk.stage.app
        for number, key in enumerate(("ctrl+j", "shift+enter", "alt+enter"), 1):
            await walk.press(key, until=lambda number=number: composer.text == "\n" * number)
        composer.text = "put aside"
        await walk.press("f7", until=lambda: not composer.text)
        await walk.press("f7", until=lambda: composer.text == "put aside")
        composer.text = ""
        composer.insert("1\n2\n3\n4\n5\n6")
        assert composer.text.startswith("[Pasted")
        await walk.press("ctrl+o", until=lambda: composer.text == "1\n2\n3\n4\n5\n6")
        composer.text = ""
        await walk.press("pageup", "pagedown")
        await walk.press("ctrl+r", until=lambda: isinstance(app.screen, Picker))
        await walk.back()
        await walk.press("ctrl+g", until=lambda: "cannot be lent" in walk.stage.text())
        await walk.press("ctrl+v")
        composer.text = "goes"
        await walk.press("enter", until=lambda: not composer.text)
        composer.text = "and another thing"
        await walk.press("ctrl+enter", until=lambda: not composer.text)
        walk.stage.harness.interrupt()
        await walk.stage.settled()


async def test_in_the_chat():
    async with walking(Surface, Chat, size=(120, 24)) as walk:
        main, app, chat = walk.main, walk.stage.app, walk.main.chat
        surface = chat.surface
        await walk.focus(surface)
        await walk.press("alt+up", until=lambda: surface.cursor is not None)
        low = surface.cursor
        await walk.press("alt+up", until=lambda: surface.cursor is not low)
        await walk.press("alt+down", until=lambda: surface.cursor is low)
        await walk.press("y", until=lambda: app.clipboard == (low.block.source if low else ""))
        await walk.press("o", until=lambda: app.screen is main)
        await walk.press("left_curly_bracket", until=lambda: surface.cursor is not low)
        await walk.press("right_curly_bracket")
        chat.show_call(next(iter(chat._fold.cards)))  # pyright: ignore[reportPrivateUsage]  the calls by id
        entry = surface.cursor
        assert entry is not None
        before = entry.block.folded
        await walk.press("space", until=lambda: entry.block.folded is not before)
        for density in (*DENSITIES[2:], *DENSITIES[:2]):
            await walk.press("d", until=lambda density=density: chat.density == density)
        await walk.press("end", until=lambda: surface.following)
        await walk.press("home", until=lambda: surface.scroll_y == 0)
        await walk.press("G", until=lambda: surface.following)
        await walk.press("g", until=lambda: surface.scroll_y == 0)
        for key in ("ctrl+f", "slash"):
            await walk.press(key, until=lambda: chat.has_class("-searching"))
            await walk.press("escape", until=lambda: not chat.has_class("-searching"))
        await walk.press("slash")
        await walk.stage.type("expire")
        await walk.focus(surface)
        search = surface.search
        assert search is not None and search.total > 1
        hit = search.current
        await walk.press("n", until=lambda: search.current != hit)
        await walk.press("N", until=lambda: search.current == hit)
        await walk.press("escape", until=lambda: surface.search is None)
        await walk.press("enter", until=lambda: main.dock.shown == "inspector")


async def test_in_the_inspector_and_its_details():
    async with walking(ListPane, RowList, Inspector, Page, size=(140, 40)) as walk:
        app, dock = walk.stage.app, walk.main.dock
        await walk.press("f2", until=lambda: dock.shown == "inspector")
        pane = dock.panes["inspector"]
        assert isinstance(pane, Inspector)
        rows, page = pane.rows, pane.details.page
        steps: list[tuple[str, int]] = [("home", 1), ("down", 2), ("j", 3), ("up", 2), ("k", 1)]
        number = {entry: at for at, entry in enumerate((e for e in rows.stack if e.block.selectable), 1)}
        last = len(number)
        for key, place in [*steps, ("end", last), ("g", 1), ("G", last), ("pageup", 1), ("pagedown", last)]:
            await walk.press(key, until=lambda place=place: rows.cursor and number[rows.cursor] == place)
        await walk.press("home", "c")  # what it copies is tested where there is a wire
        await walk.press("right", until=lambda: page.has_focus)
        await walk.press("escape", until=lambda: rows.has_focus)
        await walk.press("enter", until=lambda: page.has_focus)
        known = {leaf.number for leaf in pane.details._leaves}  # pyright: ignore[reportPrivateUsage]  the tabs shown
        for tab in range(1, 9):
            await walk.press(str(tab), until=lambda tab=tab: tab not in known or pane.details.active == tab)
        await walk.press("1", "right", until=lambda: pane.details.active != 1)
        await walk.press("left", until=lambda: pane.details.active == 1)
        await walk.press("y", until=lambda: "copied" in walk.stage.text())
        await walk.press("c")
        for key, place in (("alt+down", 2), ("right_square_bracket", 3), ("alt+up", 2), ("left_square_bracket", 1)):
            await walk.press(key, until=lambda place=place: rows.cursor and number[rows.cursor] == place)
        for key in ("slash", "ctrl+f"):
            await walk.press(key, until=lambda: isinstance(app.focused, Input))
            await walk.stage.press("escape")
            await walk.stage.until(lambda: page.has_focus)
        await walk.press("t")
        await walk.press("o", until=lambda: "cannot be lent" in walk.stage.text())
        await walk.press("enter", until=lambda: walk.main.chat.surface.has_focus)


async def test_in_the_hook_log():
    async with walking(HookLog, size=(140, 40)) as walk:
        await walk.press("f3", until=lambda: walk.main.dock.shown == "hooks")
        pane = walk.main.dock.panes["hooks"]
        assert isinstance(pane, HookLog)

        def filters() -> tuple[object, ...]:
            return dict(pane._filters), pane._words, pane._shows_skipped  # pyright: ignore[reportPrivateUsage]

        none = filters()
        for key in ("e", "r", "s", "m"):
            before = filters()
            await walk.press(key, until=lambda before=before: filters() != before)
        await walk.press("m", "x", until=lambda: filters() == none)
        await walk.press("slash", until=lambda: isinstance(walk.stage.app.focused, Input))
        await walk.stage.type("lint")
        assert filters() != none
        await walk.press("escape", until=lambda: not isinstance(walk.stage.app.focused, Input))
        await walk.press("t", until=lambda: walk.stage.app.screen is walk.main)


async def test_in_the_timeline():
    async with walking(Timeline, SpanList, tell=lambda: [stories.greeting()] * 2, size=(140, 40)) as walk:
        await walk.stage.say("again")
        await walk.press("f4", until=lambda: walk.main.dock.shown == "timeline")
        before = "turn 2" in walk.stage.text()
        assert before
        for back, on in (("left", "right"), ("left_square_bracket", "right_square_bracket")):
            await walk.press(back, until=lambda: "turn 1" in walk.stage.text())
            await walk.press(on, until=lambda: "turn 2" in walk.stage.text())
        await walk.press("z", until=lambda: "turn 2" not in walk.stage.text())
        await walk.press("enter", until=lambda: walk.main.chat.surface.has_focus)


async def test_in_the_context_pane():
    async with walking(ContextPane, size=(140, 40)) as walk:
        await walk.press("f5", until=lambda: walk.main.dock.shown == "context")
        pane = walk.main.dock.panes["context"]
        assert isinstance(pane, ContextPane)
        pane.switchable = frozenset({"tool", "memory", "skill", "message"})
        await walk.stage.until(lambda: pane.has_focus_within)
        await walk.stage.pilot.pause()
        before = walk.stage.text()
        await walk.press("space", until=lambda: walk.stage.text() != before)
        await walk.press("space", until=lambda: walk.stage.text() == before)
        await walk.press("d")


async def test_in_the_session_list():
    async with walking(SessionList, tells=False, stored=SESSIONS) as walk:
        app, sidebar, bench = walk.stage.app, walk.main.sidebar, walk.stage.workbench
        rows = sidebar.query_one(SessionList)
        await walk.focus(rows)
        rows.highlighted = 1
        await walk.press("space", until=lambda: isinstance(app.screen, Preview))
        await walk.back()
        await walk.press("r", until=lambda: isinstance(app.focused, Input))
        await walk.stage.press("escape")
        await walk.stage.until(lambda: rows.has_focus)
        await walk.press("slash", until=lambda: isinstance(app.focused, Input))
        await walk.stage.press("escape")
        await walk.stage.until(lambda: rows.has_focus)
        count = rows.option_count
        await walk.press("d", "d", until=lambda: rows.option_count == count - 1)
        await walk.press("u", until=lambda: rows.option_count == count)
        opened = len(bench.opened)
        await walk.press("f", until=lambda: len(bench.opened) > opened)
        await walk.focus(rows)
        await walk.press("e", until=lambda: isinstance(app.focused, Input))
        await walk.stage.press("escape")
        await walk.stage.until(lambda: rows.has_focus)
        opened = len(bench.opened)
        await walk.press("n", until=lambda: len(bench.opened) > opened)
        for number in range(1, 10):
            await walk.focus(rows)
            await walk.press(str(number))
        await walk.focus(rows)
        if "a" in keys_of(SessionList):
            await walk.press("a")
        await walk.press("escape", until=lambda: walk.main.composer.area.has_focus)


async def test_in_a_permission_question():
    """What each answer does is tested in test_permission_flow; here each key is valid and answers or shows."""
    answering = ("1", "2", "4", "ctrl+c", "escape", "n", "s", "y")
    async with on_stage(lambda: [stories.fix()] * len(answering), size=(120, 24)) as stage:
        walk = Walk(stage)
        for key in answering:
            await stage.say("fix it")
            await stage.until(lambda: isinstance(stage.app.screen, PermissionModal))
            question = stage.app.screen
            await walk.press(key, until=lambda question=question: stage.app.screen is not question)
            await walk.rest()
    async with on_stage(lambda: [stories.fix()], size=(120, 24)) as stage:
        await stage.say("fix it")
        await stage.until(lambda: isinstance(stage.app.screen, PermissionModal))
        question = stage.app.screen
        assert isinstance(question, PermissionModal)
        walk.stage = stage
        await walk.press("tab", until=lambda: isinstance(stage.app.focused, Input))
        await walk.press("down", "up")
        await stage.press("escape")
        await stage.settled()
        await walk.press("question_mark", until=lambda: "tried" in stage.text())
        top = question.seen.scroll_y
        await walk.press("j", "shift+down", until=lambda: question.seen.scroll_y >= top)
        await walk.press("k", "shift+up", until=lambda: question.seen.scroll_y <= top + 2)
        await walk.press("f", until=lambda: question.has_class("-full"))
        style = question._style  # pyright: ignore[reportPrivateUsage]  how the diff is drawn
        await walk.press("t", until=lambda: question._style != style)  # pyright: ignore[reportPrivateUsage]
        await walk.press("left", "right", "v", "i", "g", "e", until=lambda: stage.app.screen is question)
        for key in ("a", "3"):
            await walk.press(key, until=lambda: question.has_class("-step"))
            await stage.press("escape")
            await stage.until(lambda: not question.has_class("-step"))
    left = {key for owner in (PermissionModal, CallModal) for key in keys_of(owner) if (owner, key) not in walk.pressed}
    assert not left, f"keys without a test: {sorted(left)}"
