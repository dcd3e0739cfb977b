"""The composer: keys, chips, history, completion, stash, vim. Nothing that is typed gets lost or misread."""

from collections.abc import AsyncGenerator, Sequence
from pathlib import Path
from typing import Any

import pytest
from textual import events, on
from textual.app import App, ComposeResult
from textual.pilot import Pilot

from rein_tui.widgets.composer import Candidate, Composer, History
from rein_tui.widgets.composer.popup import CompletionPopup
from rein_tui.widgets.composer.sources import CommandHint

PNG = b"\x89PNG\r\n\x1a\n" + b"\x00\x00\x00\rIHDR" + (640).to_bytes(4, "big") + (480).to_bytes(4, "big") + b"\x08" * 5


class Files:
    """A completer of three files."""

    async def complete(self, query: str) -> AsyncGenerator[Sequence[Candidate]]:
        names = ("src/app.py", "src/screen.py", "my notes.md")
        yield [
            Candidate(insert=f'@"{n}" ' if " " in n else f"@{n} ", label=n) for n in names if query.lower() in n.lower()
        ]


COMMANDS = (
    CommandHint("export", "Write it to a file", "[file]"),
    CommandHint("exit", "Leave"),
    CommandHint("theme", "Colours", "[name]"),
)


class Bench(App[None]):
    """A composer alone."""

    def __init__(self, history: Path | None = None) -> None:
        super().__init__()
        self.composer = Composer(lambda: COMMANDS, Files(), History(history))
        self.sent: list[Composer.Submitted] = []
        self.wishes: list[str] = []

    def compose(self) -> ComposeResult:
        yield self.composer

    @on(Composer.Submitted)
    def keep(self, event: Composer.Submitted) -> None:
        self.sent.append(event)

    @on(Composer.TakeBackRequested)
    @on(Composer.EditorRequested)
    @on(Composer.HistoryRequested)
    def note(self, event: Any) -> None:
        self.wishes.append(type(event).__name__)


async def paste(pilot: Pilot[Any], app: Bench, text: str) -> None:
    app.composer.area.post_message(events.Paste(text))
    await pilot.pause()


async def stored(pilot: Pilot[Any], path: Path) -> None:
    """Wait until both prompts are on disk."""
    while not path.exists() or path.read_text().count("\n") < 2:
        await pilot.pause()


@pytest.mark.parametrize("key", ["ctrl+j", "shift+enter", "alt+enter", "shift+\r"])
async def test_newline_keys(key: str):
    app = Bench()
    async with app.run_test() as pilot:
        await pilot.press("a")
        if key == "shift+\r":  # what xterm's modifyOtherKeys makes of shift+enter
            app.composer.area.post_message(events.Key(key, "\r"))
            await pilot.pause()
        else:
            await pilot.press(key)
        await pilot.press("b")
        assert app.composer.text == "a\nb"
        assert not app.sent


async def test_a_backslash_before_enter_is_a_newline_and_two_are_not():
    app = Bench()
    async with app.run_test() as pilot:
        await pilot.press("a", "backslash", "enter", "b")
        assert app.composer.text == "a\nb"
        await pilot.press("backslash", "backslash", "enter")
        await pilot.pause()
        assert app.sent[0].text == "a\nb\\\\"


async def test_enter_sends_and_ctrl_enter_steers():
    app = Bench()
    async with app.run_test() as pilot:
        await pilot.press(*"one", "enter")
        await pilot.press(*"two", "ctrl+enter")
        await pilot.pause()
        assert [(sent.text, sent.steer) for sent in app.sent] == [("one", False), ("two", True)]
        assert app.composer.text == ""


@pytest.mark.parametrize(
    ("text", "kind", "sent"),
    [
        ("hi", "prompt", "hi"),
        ("!ls -l", "shell", "ls -l"),
        ("!!env", "private_shell", "env"),
        ("/theme dark", "command", "/theme dark"),
        ("/usr/bin/x", "prompt", "/usr/bin/x"),
        ("what is /theme", "prompt", "what is /theme"),
    ],
)
async def test_kinds_and_their_labels(text: str, kind: str, sent: str):
    app = Bench()
    async with app.run_test() as pilot:
        app.composer.text = text
        await pilot.pause()
        assert app.composer.has_class("-shell") == (kind == "shell")
        assert app.composer.has_class("-private") == (kind == "private_shell")
        await pilot.press("escape", "enter")
        await pilot.pause()
        assert (app.sent[0].kind, app.sent[0].text) == (kind, sent)


async def test_a_long_paste_is_a_chip_that_is_one_character_and_unfolds():
    app = Bench()
    long = "\n".join(f"line {n}" for n in range(214))
    async with app.run_test() as pilot:
        await paste(pilot, app, long)
        assert app.composer.text == "[Pasted #1 · 214 lines]"
        await pilot.press("left", "x")
        assert app.composer.text == "x[Pasted #1 · 214 lines]"
        await pilot.press("end", "backspace")
        assert app.composer.text == "x"
        await pilot.press("ctrl+z")
        await pilot.press("enter")
        await pilot.pause()
        assert app.sent[0].text == "x" + long
        assert app.sent[0].raw == "x[Pasted #1 · 214 lines]"
        await pilot.press("up", "end", "ctrl+o")
        assert app.composer.text == "x" + long


async def test_one_endless_line_is_a_chip_too():
    app = Bench()
    async with app.run_test() as pilot:
        await paste(pilot, app, "x" * 100_000)
        assert app.composer.text == "[Pasted #1 · 100000 characters]"
        app.composer.text = "y" * 30_000
        assert app.composer.text == "[Pasted #2 · 30000 characters]"


async def test_a_short_paste_stays_text_without_control_characters():
    app = Bench()
    async with app.run_test() as pilot:
        await paste(pilot, app, "a\r\nb \x1b]0;owned\x07 c\u202e")
        assert app.composer.text == "a\nb  c"


async def test_what_only_looks_like_a_chip_is_text():
    app = Bench()
    async with app.run_test() as pilot:
        app.composer.text = "[Pasted #9 · 3 lines]"
        await pilot.press("enter")
        await pilot.pause()
        assert app.sent[0].text == "[Pasted #9 · 3 lines]"


async def test_the_path_of_an_image_becomes_a_chip(tmp_path: Path):
    picture = tmp_path / "shot.png"
    picture.write_bytes(PNG)
    app = Bench()
    async with app.run_test() as pilot:
        await paste(pilot, app, str(picture))
        while not app.composer.text:
            await pilot.pause()
        assert app.composer.text == "[Image #1 · 640×480]"
        await pilot.press("enter")
        await pilot.pause()
        assert [image.media_type for image in app.sent[0].images] == ["image/png"]


async def test_an_image_stands_where_it_was_dropped_though_it_is_read_later(tmp_path: Path):
    picture = tmp_path / "shot.png"
    picture.write_bytes(PNG)
    app = Bench()
    async with app.run_test() as pilot:
        app.composer.area.post_message(events.Paste(str(picture)))
        await pilot.press(*"why")
        while "]" not in app.composer.text:
            await pilot.pause()
        assert app.composer.text == "[Image #1 · 640×480]why"
        await pilot.press("!")
        assert app.composer.text == "[Image #1 · 640×480]why!"


async def test_a_path_that_is_no_image_stays_a_path(tmp_path: Path):
    fake = tmp_path / "fake.png"
    fake.write_text("not a picture")
    app = Bench()
    async with app.run_test() as pilot:
        await paste(pilot, app, str(fake))
        while not app.composer.text:
            await pilot.pause()
        assert app.composer.text == str(fake)


async def test_history_walks_on_the_edge_lines_and_keeps_the_draft(tmp_path: Path):
    app = Bench(tmp_path / "history.jsonl")
    async with app.run_test() as pilot:
        for text in ("first", "second"):
            await pilot.press(*text, "enter")
        await pilot.press(*"draft", "up")
        assert app.composer.text == "second"
        await pilot.press("up", "up")
        assert app.composer.text == "first"
        await pilot.press("down", "down")
        assert app.composer.text == "draft"
        await stored(pilot, tmp_path / "history.jsonl")
    later = History(tmp_path / "history.jsonl")
    await later.load()
    assert later.entries == ("first", "second")


async def test_up_inside_a_text_moves_the_cursor():
    app = Bench()
    async with app.run_test() as pilot:
        await pilot.press(*"old", "enter", "a", "ctrl+j", "b", "up")
        assert app.composer.text == "a\nb"
        await pilot.press("up")
        assert app.composer.text == "old"


async def test_up_on_an_empty_prompt_asks_for_the_queued_one():
    app = Bench()
    async with app.run_test() as pilot:
        app.composer.show_queue(["later"], paused=False)
        await pilot.press("up")
        await pilot.pause()
        assert app.wishes == ["TakeBackRequested"]


async def test_commands_complete_with_hints_and_run():
    app = Bench()
    async with app.run_test() as pilot:
        await pilot.press("slash", *"ex")
        popup = app.query_one(CompletionPopup)
        assert popup.is_open
        await pilot.press("down", "tab")
        assert app.composer.text == "/export "
        assert not popup.is_open
        app.composer.text = ""
        await pilot.press("slash", *"exi", "enter")
        await pilot.pause()
        assert [sent.raw for sent in app.sent] == ["/exit"]


async def test_files_complete_anywhere_quoted_where_needed():
    app = Bench()
    async with app.run_test() as pilot:
        await pilot.press(*"see", "space", "at", *"scr")
        while not app.composer.area.is_choosing:
            await pilot.pause()
        await pilot.press("enter")
        assert app.composer.text == "see @src/screen.py "
        await pilot.press("at", *"notes")
        while not app.composer.area.is_choosing:
            await pilot.pause()
        await pilot.press("tab")
        assert app.composer.text == 'see @src/screen.py @"my notes.md" '
        assert not app.sent


async def test_escape_closes_the_list_and_leaves_the_text():
    app = Bench()
    async with app.run_test() as pilot:
        await pilot.press("slash", "e", "escape")
        assert not app.query_one(CompletionPopup).is_open
        assert app.composer.text == "/e"


async def test_a_click_completes():
    app = Bench()
    async with app.run_test() as pilot:
        await pilot.press("slash", "t")
        await pilot.click(CompletionPopup, offset=(4, 0))
        await pilot.pause()
        assert app.composer.text == "/theme "


async def test_an_address_is_no_mention():
    app = Bench()
    async with app.run_test() as pilot:
        await pilot.press(*"me", "at", *"home")
        await pilot.pause()
        assert not app.composer.area.is_choosing


async def test_the_stash_swaps():
    app = Bench()
    async with app.run_test() as pilot:
        await pilot.press(*"later", "f7")
        assert app.composer.text == ""
        await pilot.press(*"now", "enter", "f7")
        await pilot.pause()
        assert app.composer.text == "later"


async def test_keys_of_the_editor_and_of_history_search():
    app = Bench()
    async with app.run_test() as pilot:
        await pilot.press("ctrl+g", "ctrl+r")
        await pilot.pause()
        assert app.wishes == ["EditorRequested", "HistoryRequested"]


@pytest.mark.parametrize(
    ("keys", "text"),
    [
        ("0 x", "ne two\nthree"),
        ("0 d w", "two\nthree"),
        ("d d", "three"),
        ("G d d", "one two"),
        ("0 w D", "one \nthree"),
        ("0 c w X", "X two\nthree"),
        ("A ! escape", "one two!\nthree"),
        ("o x", "one two\nx\nthree"),
        ("O x", "x\none two\nthree"),
        ("y y p", "one two\none two\nthree"),
        ("x u", "one two\nthree"),
        ("0 2 x", "e two\nthree"),
        ("j 0 i >", "one two\n>three"),
        ("0 2 d w", "\nthree"),
        ("0 d 2 w", "\nthree"),
        ("g g d G", ""),
        ("d k", "one two\nthree"),
        ("d j", ""),
        ("0 f o x", "one tw\nthree"),
        ("0 d f e", " two\nthree"),
        ("0 d t w", "wo\nthree"),
        ("$ d F n", "oo\nthree"),
        ("$ d b", "one o\nthree"),
        ("0 r X", "Xne two\nthree"),
        ("0 3 r X", "XXX two\nthree"),
        ("0 2 ~", "ONe two\nthree"),
        ("0 J", "one two three"),
        ("0 d i w", " two\nthree"),
        ("0 d a w", "two\nthree"),
        ("0 w c i w X escape", "one X\nthree"),
        ("0 x .", "e two\nthree"),
        ("0 x 2 .", " two\nthree"),
        ("0 c w a b escape w .", "ab ab\nthree"),
        ("A ! escape j .", "one two!\nthree!"),
        ("0 d w u", "one two\nthree"),
        ("0 x x u u ctrl+r", "ne two\nthree"),
        ("0 v l d", "e two\nthree"),
        ("0 v e y P", "oneone two\nthree"),
        ("V d", "three"),
        ("0 v j d", "hree"),
        ("0 v i w c X", "X two\nthree"),
        ("0 v e y w v e p", "one one\nthree"),
        ("0 D p", "one two\nthree"),
        ("0 C x escape", "x\nthree"),
        ("S x escape", "x\nthree"),
        ("0 s x escape", "xne two\nthree"),
        ("y y 2 p", "one two\none two\none two\nthree"),
        ("0 d ;", "one two\nthree"),
        ("d escape x", "one tw\nthree"),
        ("0 f o ; , x", "ne two\nthree"),
    ],
)
async def test_vim_keys(keys: str, text: str):
    app = Bench()
    names = {"!": "exclamation_mark", ">": "greater_than_sign", "$": "dollar_sign", "~": "tilde", ".": "full_stop"}
    names |= {";": "semicolon", ",": "comma"}
    async with app.run_test() as pilot:
        app.composer.set_vim(True)
        app.composer.text = "one two\nthree"
        app.composer.area.move_cursor((0, 7))
        await pilot.press("escape", *(names.get(key, key) for key in keys.split()))
        await pilot.pause()
        assert app.composer.text == text


async def test_the_cursor_rests_when_nobody_has_typed_for_a_while() -> None:
    app = Bench()
    async with app.run_test() as pilot:
        area = app.composer.area
        area.cursor_blink = True
        await pilot.press("b")
        blink = area._toggle_cursor_blink_visible  # pyright: ignore[reportPrivateUsage]  what its timer calls
        seen: list[bool] = []
        for _ in range(60):
            blink()
            seen.append(area._cursor_visible)  # pyright: ignore[reportPrivateUsage]
        assert False in seen[:20]
        assert all(seen[20:])
        await pilot.press("a")
        blink()
        assert not area._cursor_visible  # pyright: ignore[reportPrivateUsage]


async def test_old_prompts_are_private_and_hold_no_key_of_ours(tmp_path: Path):
    path = tmp_path / "history.jsonl"
    history = History(path, ["local-key-12345", ""])
    await history.store("use local-key-12345 here")
    assert path.read_text() == '"use [redacted] here"\n'
    assert path.stat().st_mode & 0o077 == 0


async def test_the_mode_of_vim_keys_is_on_the_frame():
    app = Bench()
    async with app.run_test() as pilot:
        area, frame = app.composer.area, app.composer.query_one("#prompt-row")
        app.composer.set_vim(True)
        await pilot.press(*"words", "escape")
        await pilot.pause()
        assert str(frame.border_title) == "normal"
        await pilot.press("v", "h")
        await pilot.pause()
        assert str(frame.border_title) == "visual"
        assert area.selected_text == "ds"
        await pilot.press("escape", "i")
        await pilot.pause()
        assert str(frame.border_title) == ""


async def test_half_a_chip_is_never_deleted_by_vim_keys():
    app = Bench()
    async with app.run_test() as pilot:
        app.composer.set_vim(True)
        app.composer.insert("1\n2\n3\n4")
        await pilot.press("escape", "0", "d", "w")
        await pilot.pause()
        assert app.composer.text == ""


async def test_keys_mean_what_they_meant_in_the_order_they_came():
    app = Bench()
    async with app.run_test() as pilot:
        await pilot.pause()
        typed: list[tuple[str, str | None]] = [(letter, letter) for letter in "helpo"]
        typed += [("backspace", "\x7f"), ("backspace", "\x7f"), *((letter, letter) for letter in "lo")]
        typed += [("enter", "\r"), *((letter, letter) for letter in "ddone"), ("home", None), ("delete", None)]
        for key, character in typed:  # all at once, as from someone who types while the machine is busy
            app.post_message(events.Key(key, character))
        await pilot.pause()
        await pilot.pause()
        assert ([sent.raw for sent in app.sent], app.composer.text) == (["hello"], "done")
