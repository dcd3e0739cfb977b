"""The chat: live is replay, cards tell their state, nothing bad is ever folded away, the view goes where it is sent."""

import gc
import weakref

from hypothesis import given, settings
from hypothesis import strategies as st
from textual.app import App, ComposeResult
from textual.content import Content
from textual.events import MouseScrollDown, MouseScrollUp

from rein_tui.harness.protocol import events as ev
from rein_tui.harness.protocol.decisions import Decision, PermissionRequest
from rein_tui.harness.protocol.messages import TextBlock
from rein_tui.widgets.block import Density
from rein_tui.widgets.chat import Chat
from rein_tui.widgets.chat_blocks import ChatBlock, Look
from rein_tui.widgets.chat_fold import ChatFold
from rein_tui.widgets.lines import Line
from rein_tui.widgets.wishes import Copied

from .chat_stories import COMMAND, DIFF, call, hook, message, stories


class Pane(App[None]):
    """A chat alone."""

    def __init__(self) -> None:
        super().__init__()
        self.told: list[object] = []

    def compose(self) -> ComposeResult:
        yield Chat()

    @property
    def chat(self) -> Chat:
        return self.query_one(Chat)

    async def play(self, *events: ev.Event) -> None:
        for event in events:
            await self.chat.apply(event)
        self.chat.surface.flush()

    def rows(self) -> list[str]:
        """All lines of the chat as text."""
        surface = self.chat.surface
        return [
            (line.gutter.plain + line.body.plain).rstrip()
            for entry in surface.stack
            for line in surface.lines_of(entry)
        ]

    def on_chat_block_selected(self, event: Chat.BlockSelected) -> None:
        self.told.append((event.call_id, event.turn))

    def on_copied(self, event: Copied) -> None:
        self.told.append(event.text)


def rows_of(blocks: list[ChatBlock], width: int = 70) -> list[tuple[str, str]]:
    """Rows as gutter and body."""
    return [(line.gutter.plain, line.body.plain) for block in blocks for line in block.lines(width)]


def folded_live(story: list[ev.Event], density: Density) -> list[tuple[str, str]]:
    """The rows after all events came one by one, blocks kept in order by the changes alone."""
    fold = ChatFold(Look(density))
    blocks: list[ChatBlock] = []
    lines: dict[ChatBlock, list[Line]] = {}
    for event in story:
        for change in fold.apply(event):
            if change.kind == "added":
                blocks.insert(blocks.index(change.after) + 1 if change.after else 0, change.block)
                lines[change.block] = change.block.lines(70)
            elif change.kind == "removed":
                blocks.remove(change.block)
            else:
                change.block.grow(lines[change.block], 70)
    return [(line.gutter.plain, line.body.plain) for block in blocks for line in lines[block]]


@settings(max_examples=60, deadline=None)
@given(story=stories(), density=st.sampled_from(["grouped", "line", "full"]))
def test_live_is_replay(story: list[ev.Event], density: Density) -> None:
    fold = ChatFold(Look(density))
    for event in story:
        if not isinstance(event, ev.DELTAS):
            fold.apply(event)
    assert folded_live(story, density) == rows_of(list(fold.walk()))


@settings(max_examples=40, deadline=None)
@given(story=stories())
def test_no_density_hides_what_went_wrong(story: list[ev.Event]) -> None:
    last_rewind = any(isinstance(event, ev.Rewound) for event in story)
    bad = [e.call_id for e in story if isinstance(e, ev.ToolCallFinished) and e.outcome != "ok"]
    for density in ("grouped", "line", "full"):
        fold = ChatFold(Look(density))
        for event in story:
            fold.apply(event)
        text = "\n".join(body for _, body in rows_of(list(fold.walk()), 160))
        assert last_rewind or all(f"do {call_id} " in text for call_id in bad)


async def test_the_widget_shows_what_the_fold_says() -> None:
    story = [
        ev.SessionStarted(session_id="s", cwd="/w"),
        ev.TurnStarted(text="fix it", turn=1),
        ev.TextDelta(text="I will **read**", turn=1),
        message(TextBlock(text="I will **read** it")),
        *call("c1"),
        *call("c2", display=DIFF, edited_by=("you",), ask="once", name="Edit"),
        *call("c3", "error", display=COMMAND),
        *call("a1", name="Agent", inside=[*call("b1", parent="a1")]),
        ev.TurnFinished(turn=1),
    ]
    live, replay = Pane(), Pane()
    async with live.run_test(size=(80, 30)) as pilot:
        await live.play(*story)
        await pilot.pause()
        rows = live.rows()
    async with replay.run_test(size=(80, 30)) as pilot:
        replay.chat.load([event for event in story if not isinstance(event, ev.DELTAS)])  # pyright: ignore[reportArgumentType]
        await pilot.pause()
        assert replay.rows() == rows
    assert "▌ fix it" in rows
    assert "  I will read it" in rows
    edit = next(row for row in rows if "Edit do c2" in row)
    assert "+1 −1" in edit
    assert "edited by you" in edit
    assert "ask → once" in edit
    assert any("-     return 1" in row for row in rows)
    assert any("✗ Bash do c3" in row for row in rows)
    assert any("1 call" in row for row in rows if "Agent" in row)
    assert not any("do b1" in row for row in rows)


async def test_a_card_tells_each_state_as_it_comes() -> None:
    app = Pane()
    async with app.run_test(size=(80, 30)):
        story = call("c1", ask="once", display=COMMAND)
        seen: list[str] = []
        for event in story:
            await app.play(event)
            seen.append(next(row for row in app.rows() if "do c1" in row))
        assert "waiting for you" in seen[2]
        assert "running" not in seen[3]
        assert "running" in seen[4]
        assert seen[-1].endswith("12 ms")
        await app.play(*call("c2")[:-1])
        assert [row.strip() for row in app.rows()[-2:]] == ["│ live out", "│ put"]


async def test_a_denied_call_never_looks_as_if_it_ran() -> None:
    app = Pane()
    async with app.run_test(size=(80, 30)):
        for event in call("c1", "denied"):
            await app.play(event)
            assert not any("running" in row for row in app.rows())
        assert any(" Bash(rm *)" in row and row.endswith("denied") for row in app.rows())


async def test_hooks_leave_a_line_only_when_they_did_something() -> None:
    app = Pane()
    async with app.run_test(size=(80, 30)):
        await app.play(*call("c1", inside=[hook("c1", "nothing"), hook("c1", "rewrote")]))
        receipts = [row for row in app.rows() if row.startswith("⚓")]
        assert receipts == ["⚓ lint.sh rewrote the input · 41 ms"]


async def test_groups_stand_for_calls_that_went_well() -> None:
    app = Pane()
    async with app.run_test(size=(80, 30)) as pilot:
        app.chat.density = "grouped"
        await app.play(*call("c1"), *call("c2", display=DIFF), *call("c3", "error"), *call("c4"))
        await pilot.pause()
        rows = app.rows()
        assert any(row.startswith("▸ 3 calls · 1 edit") for row in rows)
        assert any("do c3" in row for row in rows)
        assert not any("do c1" in row or "do c4" in row for row in rows)
        app.chat.surface.focus()
        await pilot.press("d")
        assert app.chat.density == "line"
        assert sum("Bash do" in row for row in app.rows()) == 4


async def test_new_text_waits_below_and_a_click_goes_there() -> None:
    app = Pane()
    async with app.run_test(size=(60, 12)) as pilot:
        for number in range(12):
            await app.play(
                ev.TurnStarted(text=f"question {number}", turn=number), message(TextBlock(text="a\n\nb\n\nc"))
            )
        await pilot.pause()
        app.chat.surface.scroll_to(y=5, animate=False)
        await pilot.pause()
        await app.play(ev.TurnStarted(text="one more", turn=50))
        await pilot.pause()
        assert app.chat.has_class("-unread")
        await pilot.click("NewBelow")
        await pilot.pause()
        assert not app.chat.has_class("-unread")
        assert app.chat.surface.following


async def test_going_to_calls_and_turns_tells_the_inspector() -> None:
    app = Pane()
    async with app.run_test(size=(60, 12)) as pilot:
        app.chat.density = "grouped"
        for turn in range(1, 15):
            await app.play(
                ev.TurnStarted(text=f"q{turn}", turn=turn), *call(f"x{turn}", turn=turn), *call(f"y{turn}", turn=turn)
            )
        assert app.chat.show_call("y3")
        await pilot.pause()
        assert app.told[-1] == ("y3", 3)
        assert app.chat.show_turn(9)
        await pilot.pause()
        assert app.told[-1] == ("", 9)
        assert not app.chat.show_call("nowhere")
        app.chat.surface.focus()
        await pilot.press("left_curly_bracket")
        await pilot.pause()
        assert app.told[-1] == ("", 8)
        await pilot.press("y")
        await pilot.pause()
        assert app.told[-1] == "q8"


async def test_search_bar() -> None:
    app = Pane()
    async with app.run_test(size=(60, 12)) as pilot:
        for turn in range(1, 15):
            await app.play(ev.TurnStarted(text=f"word{turn}", turn=turn), message(TextBlock(text="answer"), turn=turn))
        app.chat.surface.focus()
        await pilot.press("slash", *"word3", "enter")
        search = app.chat.surface.search
        assert search
        assert search.total == 1
        await pilot.press("escape")
        assert app.chat.surface.search is None
        assert app.chat.surface.has_focus


async def test_a_search_finds_what_diffs_and_commands_show() -> None:
    async with Pane().run_test(size=(60, 20)) as pilot:
        app: Pane = pilot.app  # pyright: ignore[reportAssignmentType]
        app.chat.density = "full"
        await app.play(*call("c1", display=DIFF, name="Edit"), *call("c2", display=COMMAND))
        await app.chat.action_search()
        await pilot.press(*"return")
        await pilot.pause()
        assert app.chat.surface.search is not None and app.chat.surface.search.tally == "2 of 2"
        await pilot.press(*["backspace"] * 6, *"1 failed")
        await pilot.pause()
        assert app.chat.surface.search.tally == "1 of 1"


async def test_on_a_wide_screen_lines_keep_a_measure_and_the_wheel_scrolls_beside_them() -> None:
    async with Pane().run_test(size=(200, 20)) as pilot:
        app: Pane = pilot.app  # pyright: ignore[reportAssignmentType]
        await app.play(message(TextBlock(text="word " * 2000)))
        await pilot.pause()
        surface = app.chat.surface
        assert surface.size.width <= 122
        assert surface.region.x > 30, "in the middle"
        end = surface.scroll_y
        app.chat.post_message(scrolled(app.chat, MouseScrollUp))
        await pilot.pause()
        assert surface.scroll_y == end - 2
        app.chat.post_message(scrolled(app.chat, MouseScrollDown))
        await pilot.pause()
        assert surface.scroll_y == end


def scrolled(chat: Chat, way: type[MouseScrollUp] | type[MouseScrollDown]) -> MouseScrollUp | MouseScrollDown:
    """A step of the wheel in the margin."""
    return way(chat, 2, 5, 0, 0, 0, False, False, False)


async def test_an_empty_chat_shows_the_welcome() -> None:
    app = Pane()
    async with app.run_test(size=(60, 12)) as pilot:
        app.chat.set_empty(Content("welcome"))
        await pilot.pause()
        assert not app.chat.has_class("-filled")
        await app.play(ev.TurnStarted(text="hi", turn=1))
        assert app.chat.has_class("-filled")


async def test_a_rewind_folds_what_no_longer_counts() -> None:
    app = Pane()
    async with app.run_test(size=(60, 20)):
        await app.play(
            ev.TurnStarted(text="one", turn=1), ev.TurnStarted(text="two", turn=2), ev.Rewound(to_turn=1, turn=2)
        )
        rows = app.rows()
        assert "▌ one" in rows
        assert "▌ two" not in rows
        assert any("rewound to the end of turn 1" in row for row in rows)


async def test_resize_and_theme_in_mid_stream() -> None:
    app = Pane()
    text = "# Head\n\n" + "many words here " * 40 + "\n\n```python\nx = 1\n"
    async with app.run_test(size=(80, 20)) as pilot:
        for number, start in enumerate(range(0, len(text), 7)):
            await app.chat.apply(ev.TextDelta(text=text[start : start + 7], turn=1))
            if number == 30:
                await pilot.resize_terminal(40, 15)
            if number == 60:
                app.theme = "textual-light"
        await app.play(message(TextBlock(text=text)))
        await pilot.pause()
        replay = Pane()
        rows = app.rows()
    async with replay.run_test(size=(40, 15)) as pilot:
        replay.chat.load([message(TextBlock(text=text))])
        await pilot.pause()
        assert replay.rows() == rows


async def test_questions_are_pending_until_answered() -> None:
    app = Pane()
    async with app.run_test(size=(80, 20)):
        decision = Decision(outcome="ask", reason="r", decided_by="default")
        request = PermissionRequest(id="q", call_id="c", tool="Bash", input={}, summary="s", decision=decision)
        await app.play(
            ev.ToolCallRequested(call_id="c", name="Bash", summary="Bash x"), ev.PermissionRequested(request=request)
        )
        assert any(row.startswith("? Bash x") for row in app.rows())


async def test_the_first_words_and_the_last_do_not_wait_for_a_frame() -> None:
    app = Pane()
    async with app.run_test(size=(60, 20)) as pilot:
        await app.play(ev.TurnStarted(text="go", turn=1))  # shown just now: the next frame is not due yet
        await pilot.pause()
        await app.chat.apply(ev.TextDelta(text="First words.", turn=1))
        shown = [app.chat.surface.render_line(y).text.strip() for y in range(app.chat.surface.size.height)]
        assert "First words." in shown


async def test_a_history_that_another_replaces_is_gone_at_once() -> None:
    """It is kept from the garbage collector, which would never find it."""
    app = Pane()
    facts = [
        ev.TurnStarted(text="look", turn=1),
        message(TextBlock(text="It is here.")),
        *call(
            "c1", display=COMMAND, inside=[message(TextBlock(text="I look."), parent="c1"), *call("c2", parent="c1")]
        ),
        *call("c3", "error"),
        ev.Rewound(to_turn=0, turn=2),
    ]
    async with app.run_test():
        app.chat.load(facts)  # pyright: ignore[reportArgumentType]
        blocks = [weakref.ref(entry.block) for entry in app.chat.surface.stack]
        assert len(blocks) > 4
        gc.disable()
        try:
            app.chat.load([])
            assert [ref() for ref in blocks if ref() is not None] == []
        finally:
            gc.enable()
