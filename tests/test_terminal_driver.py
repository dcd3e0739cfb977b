"""What is written to a terminal that lags, is made non-blocking by others, or is gone."""

import asyncio
import os
from threading import Thread

from rein_tui.terminal_driver import Output, read_terminal


class Painter:
    """Counts when it is to wait and when it may paint."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.caught_up = asyncio.Event()

    def fall_behind(self) -> None:
        """Note it."""
        self.told.append("behind")

    def catch_up(self) -> None:
        """Note it."""
        self.told.append("caught up")
        self.caught_up.set()


class Clock:
    """A clock that stands still."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


async def test_a_terminal_that_does_not_follow_is_waited_for_until_it_has_shown_all():
    painter, clock = Painter(), Clock()
    reader, writer = os.pipe()
    output = Output(writer, "utf-8", painter, clock)
    output.expect()
    output.expect()
    assert not painter.told, "a frame in several writes"
    clock.now += 1
    output.expect()
    output.expect()
    assert painter.told == ["behind"]
    thread = Thread(target=lambda: (output.write("frame"), output.flush()))
    thread.start()
    await painter.caught_up.wait()
    thread.join()
    assert painter.told == ["behind", "caught up"]
    clock.now += 1
    output.expect()
    assert painter.told == ["behind", "caught up"]
    assert os.read(reader, 100) == b"frame"
    os.close(reader)
    os.close(writer)


async def test_all_is_written_where_another_program_made_the_terminal_non_blocking():
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    output = Output(writer, "utf-8", Painter())
    text = "é" * 200_000
    thread = Thread(target=lambda: (output.write(text), os.close(writer)))
    thread.start()
    with os.fdopen(reader, "rb") as file:
        data = await asyncio.to_thread(file.read)
    thread.join()
    assert data.decode() == text


async def test_a_terminal_that_is_gone_takes_everything():
    reader, writer = os.pipe()
    os.close(reader)
    Output(writer, "utf-8", Painter()).write("into the void")
    os.close(writer)


def test_the_end_of_input_is_told_from_nothing_to_read():
    reader, writer = os.pipe()
    os.set_blocking(reader, False)
    assert read_terminal(reader) == b""
    os.write(writer, b"k")
    assert read_terminal(reader) == b"k"
    os.close(writer)
    assert read_terminal(reader) is None
    os.close(reader)
    assert read_terminal(reader) is None
