"""From bytes of a terminal to events: whatever it sends, however it is cut."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual.events import AppBlur, AppFocus, Key, MouseDown, Paste, Resize
from textual.message import Message

from rein_tui.terminal_input import TerminalInput


class Clock:
    """A clock that stands still."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


def read(*chunks: bytes) -> list[Message]:
    terminal = TerminalInput(Clock())
    return [message for chunk in chunks for message in terminal.feed(chunk)]


def keys(*chunks: bytes) -> list[str]:
    return [message.key for message in read(*chunks) if isinstance(message, Key)]


def pastes(*chunks: bytes) -> list[str]:
    return [message.text for message in read(*chunks) if isinstance(message, Paste)]


def test_keys_the_mouse_and_the_focus_are_what_they_were():
    assert keys(b"a\r\x1b[A\x1b[1;5C\x1b[99;5u\xc3\xa9") == ["a", "enter", "up", "ctrl+right", "ctrl+c", "é"]
    (press,) = read(b"\x1b[<0;3;4M")
    assert isinstance(press, MouseDown) and (press.x, press.y) == (2, 3)
    assert [type(each) for each in read(b"\x1b[O\x1b[I")] == [AppBlur, AppFocus]


def test_escape_sequences_in_a_paste_are_text_and_no_keys():
    pasted = b"one \x1b[31mred \x1b]0;title\x07 \x1bX" + b"long " * 20 + b"\r!rm -rf x\r\x1b\x1b[I\x1b[O\x03\x07 two"
    (paste,) = read(b"\x1b[200~" + pasted + b"\x1b[201~")
    assert isinstance(paste, Paste) and paste.text == pasted.decode()


def test_keys_around_a_paste_are_keys():
    found = read(b"a\x1b[200~b\x1b[201~c\x1b[200~\x1b[201~d")
    assert [each.key if isinstance(each, Key) else each.text for each in found if isinstance(each, Key | Paste)] == [
        *("a", "b", "c", "", "d")
    ]


@given(st.text(), st.text(alphabet="\x1b[]012~;MmO<\x07\\a\r\n"), st.lists(st.integers(0, 400), max_size=8))
def test_a_paste_is_whole_however_it_is_cut(plain: str, wild: str, cuts: list[int]):
    text = plain.encode("utf-8", "replace").decode() + wild.replace("\x1b[201~", "")
    if "\x1b[201~" in text + "\x1b[201~"[:-1]:
        text = text.replace("\x1b", "")
    data = b"\x1b[200~" + text.encode() + b"\x1b[201~k"
    edges = sorted({0, len(data), *(cut for cut in cuts if cut < len(data))})
    found = read(*(data[start:end] for start, end in itertools.pairwise(edges)))
    assert [each.text for each in found if isinstance(each, Paste)] == [text]
    assert [each.key for each in found if isinstance(each, Key)] == ["k"]


@given(st.lists(st.binary(max_size=60) | st.text(alphabet="\x1b[]?0129;:$yutRMmP_\\\x07").map(str.encode)))
def test_no_bytes_raise_and_all_that_comes_is_sound(chunks: list[bytes]):
    clock = Clock()
    terminal = TerminalInput(clock)
    for chunk in chunks:
        for message in [*terminal.feed(chunk), *terminal.tick()]:
            if isinstance(message, Key):
                (message.character or "").encode()
            if isinstance(message, Resize):
                assert all(0 < length <= 4096 for length in message.size)
        clock.now += 1


@pytest.mark.parametrize(
    "noise",
    [
        b"\x1b[99999999999;1u",
        b"\x1b[97:65;1:1u",
        b"\x1b[55296;1u",
        b"\x1b[48;0;0;0;0t",
        b"\x1b]11;rgb:ffff/ffff/ffff\x07",
        b"\x1b]11;rgb:ffff/ffff/ffff\x1b\\",
        b"\x1bP>|tmux 3.4\x1b\\",
        b"\x1b[?1;2;4c",
        b"\x1b[>1;3400;0c",
        b"\x1b[?2026;2$y",
        b"\x1b[?25u",
        b"\x1b_Gi=31;OK\x1b\\",
    ],
)
def test_nonsense_and_late_answers_are_not_typed(noise: bytes):
    assert keys(b"a" + noise + b"b") == ["a", "b"]
    middle = len(noise) // 2
    assert keys(b"a" + noise[:middle], noise[middle:] + b"b") == ["a", "b"]


def test_a_byte_that_is_no_text_ends_nothing():
    assert [each.character for each in read(b"a\xff", b"b\xc3", b"\xa9") if isinstance(each, Key)] == [*"a\ufffdbé"]


def test_alt_and_a_bracket_is_a_key_when_nothing_follows():
    clock = Clock()
    terminal = TerminalInput(clock)
    assert not list(terminal.feed(b"\x1b]1"))
    assert terminal.is_waiting
    clock.now += 1
    assert [each.key for each in terminal.tick() if isinstance(each, Key)] == ["right_square_bracket", "1"]
    assert not terminal.is_waiting


def test_letters_that_nobody_types_as_fast_are_one_paste_and_enter_stays_enter():
    found = read(b"ab", b"x" * 300 + b"\r" + b"y" * 200)
    assert [each.text for each in found if isinstance(each, Paste)] == ["x" * 300]
    assert [each.key for each in found if isinstance(each, Key)] == ["a", "b", "enter", *"y" * 200]
    assert not pastes(b"\x1b[A" + b"x" * 300), "keys, as long as something begins that is none"


def test_a_paste_that_never_ends_is_ended_by_ctrl_c():
    clock = Clock()
    terminal = TerminalInput(clock)
    assert not [*terminal.feed(b"\x1b[200~half"), *terminal.feed(b"\x03")], "a part of what is pasted"
    clock.now += 2
    (paste,) = terminal.feed(b"\x03")
    assert isinstance(paste, Paste) and paste.text == "half\x03"
    assert [each.key for each in terminal.feed(b"k") if isinstance(each, Key)] == ["k"]
