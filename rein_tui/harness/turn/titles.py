"""A better title for a session, asked of its own model once: after the first turn, when nothing else goes on.

First words stand at once. The request is small, has no tools, leaves no trace in the conversation, and is given up
without a word when it fails or when the person goes on first: a title is never worth waiting for.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from ..context.titles import TITLE_RANKS, clean_title, title_request
from ..protocol.errors import ProviderError
from ..protocol.events import TURN_ENDS, Fact, PromptAdded, TitleChanged, TurnFinished, TurnStarted

IDLE = 3.0
"""Seconds of rest after a turn before a title is asked for."""


class Titler:
    """Watches a session's facts. `ask` sends one prompt to the model, `entitle` gives the session its title.

    `is_wanted` says whether this model may be asked. `past` are the facts of a resumed session, which had its chance.
    """

    def __init__(
        self,
        ask: Callable[[str], Awaitable[str]],
        entitle: Callable[[str], None],
        *,
        is_wanted: Callable[[], bool] = lambda: True,
        past: Sequence[Fact] = (),
        idle: float = IDLE,
    ) -> None:
        self._ask, self._entitle, self._is_wanted, self._idle = ask, entitle, is_wanted, idle
        self._first = ""
        self._rank = 0
        self._asking: asyncio.Task[None] | None = None
        self._is_done = any(isinstance(fact, TurnStarted) for fact in past)

    def note(self, fact: Fact) -> None:
        """Follow who gave the title, and when there is rest."""
        if fact.parent:
            return
        match fact:
            case TitleChanged():
                self._rank = max(self._rank, TITLE_RANKS[fact.by])
            case PromptAdded(origin="prompt"):
                self._first = self._first or fact.message.text
            case TurnStarted():
                self._stop()
            case TurnFinished(reason="end_turn") if self._first and self._rank < TITLE_RANKS["model"]:
                self._begin()
            case _ if isinstance(fact, TURN_ENDS):
                self._stop()
            case _:
                pass

    async def close(self) -> None:
        """Ask no more."""
        self._is_done = True
        task = self._stop()
        if task is not None:
            await asyncio.wait([task])

    def _begin(self) -> None:
        if not self._is_done and self._asking is None and self._is_wanted():
            self._asking = asyncio.create_task(self._work())

    def _stop(self) -> asyncio.Task[None] | None:
        task, self._asking = self._asking, None
        if task is not None:
            task.cancel()
        return task

    async def _work(self) -> None:
        await asyncio.sleep(self._idle)
        self._is_done = True
        try:
            title = clean_title(await self._ask(title_request(self._first)))
        except ProviderError:
            return
        if title and self._rank < TITLE_RANKS["model"]:
            self._entitle(title)
