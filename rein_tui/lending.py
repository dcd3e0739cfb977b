"""Lending the terminal to another program, and getting it back however that ends."""

import signal
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

from textual.app import SuspendNotSupported

from rein_tui.harness.protocol.errors import ConfigError, ReinError

if TYPE_CHECKING:
    from rein_tui.app import ReinApp

ResultT = TypeVar("ResultT")


async def lend_terminal(app: "ReinApp", work: Callable[[], Awaitable[ResultT]], *, to: str, hint: str) -> ResultT:
    """Suspend the screen, not the loop, while `work` has the terminal: a running turn goes on.

    Raises ConfigError where the terminal cannot be lent, saying `to` what and `hint`; else what `work` raises.
    """
    try:
        with _deaf(), app.batch_update(), app.suspend():
            result = await _outcome(work())
    except SuspendNotSupported as error:
        raise ConfigError(f"this terminal cannot be lent to {to}", hint=hint) from error
    app.refresh()
    if isinstance(result, ReinError):
        raise result
    return result


async def _outcome(work: Awaitable[ResultT]) -> ResultT | ReinError:
    """An exception through Textual's suspend would leave the terminal to nobody."""
    try:
        return await work
    except ReinError as error:
        return error


def _nothing(number: int, frame: object) -> None:
    """Not ignored: programs that we start would inherit that."""


@contextmanager
def _deaf() -> Generator[None]:
    """Ctrl+C and ctrl+\\ are for whoever has the terminal; the kernel sends them to us, too."""
    numbers = (signal.SIGINT,) if not hasattr(signal, "SIGQUIT") else (signal.SIGINT, signal.SIGQUIT)
    before = [signal.signal(number, _nothing) for number in numbers]
    try:
        yield
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)
