"""Frames out of bytes: the event-stream format in every dress, lines, and limits."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rein_tui.harness.providers.sse import Decoder, Frame, FrameTooLarge, LineDecoder, SseDecoder, WholeDecoder


def frames(decoder: Decoder, *chunks: bytes) -> list[Frame]:
    found = [frame for chunk in chunks for frame in decoder.feed(chunk)]
    return found + decoder.finish()


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"data: a\n\n", [("", b"a")]),
        (b"data:a\n\n", [("", b"a")]),
        (b"data:  a\n\n", [("", b" a")]),
        (b"event: x\r\ndata: a\r\n\r\n", [("x", b"a")]),
        (b"event: x\rdata: a\r\rdata: b\r\r", [("x", b"a"), ("", b"b")]),
        (b"data: a\ndata: b\n\n", [("", b"a\nb")]),
        (b"data\n\n", [("", b"")]),
        (b": comment\n\n:x\ndata: a\n\n", [("", b"a")]),
        (b"\xef\xbb\xbfdata: a\n\n", [("", b"a")]),
        (b"event: lonely\n\ndata: a\n\n", [("", b"a")]),
        (b"id: 1\nretry: 5\nunknown: x\ndata: a\n\n", [("", b"a")]),
        (b"data: a\n", [("", b"a")]),
        (b"data: a", []),
        (b"data: a\n\ndata: half", [("", b"a")]),
        (b"\n\n\n", []),
        (b"data: x\x0by\xc2\x85z\n\n", [("", b"x\x0by\xc2\x85z")]),
    ],
)
def test_events(data: bytes, expected: list[tuple[str, bytes]]) -> None:
    wanted = [Frame(*pair) for pair in expected]
    assert frames(SseDecoder(), data) == wanted
    assert frames(SseDecoder(), *(data[at : at + 1] for at in range(len(data)))) == wanted


_lines = st.lists(
    st.sampled_from([b"data: a", b"data: \xc3\xa9", b"event: e", b": c", b"", b"\xef\xbb\xbfdata: z", b"data"]),
    max_size=8,
)


@given(lines=_lines, ends=st.sampled_from([b"\n", b"\r\n", b"\r"]), cuts=st.lists(st.integers(0, 200), max_size=6))
def test_chunk_borders_mean_nothing(lines: list[bytes], ends: bytes, cuts: list[int]) -> None:
    data = b"".join(line + ends for line in lines)
    places = sorted({min(cut, len(data)) for cut in cuts})
    chunks = [data[a:b] for a, b in zip([0, *places], [*places, len(data)], strict=True)]
    assert frames(SseDecoder(), *chunks) == frames(SseDecoder(), data)


def test_an_enormous_event_is_given_up() -> None:
    decoder = SseDecoder(limit=100)
    with pytest.raises(FrameTooLarge):
        for _ in range(30):
            decoder.feed(b"data: 123456789\n")
    decoder = SseDecoder(limit=100)
    for _ in range(30):
        decoder.feed(b"data: 123456789\n\n")


def test_lines() -> None:
    assert frames(LineDecoder(), b'{"a":1}\n\n{"b"', b":2}\r\n", b'{"c":3}') == [
        Frame("", b'{"a":1}'),
        Frame("", b'{"b":2}'),
        Frame("", b'{"c":3}'),
    ]
    with pytest.raises(FrameTooLarge):
        frames(LineDecoder(limit=10), b"x" * 6, b"x" * 6)


def test_a_whole_body_is_one_frame() -> None:
    assert frames(WholeDecoder(), b"{}", b" \n") == [Frame("", b"{}")]
    assert frames(WholeDecoder()) == []
    with pytest.raises(FrameTooLarge):
        WholeDecoder(limit=2).feed(b"abc")
