"""What a session takes from the rooms around it: one value of callables, made by wiring/assembly.py."""

import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from ..idle import IDLE_AFTER
from ..protocol.events import ContextPrepared, Fact, Notice
from ..protocol.hooks import HookOutcome, HookRun
from ..protocol.messages import Block
from ..protocol.ports import Emit, Prompt
from ..protocol.rewind import Restored, RewindPlan
from .loop import Compactor
from .moments import News
from .unfolding import Unfolded


class RewindStore(Protocol):
    """What files held before tools changed them."""

    def plan(self, facts: Iterable[Fact], to_turn: int) -> RewindPlan:
        """What going back would do to files."""
        ...

    def restore(self, plan: RewindPlan, also: frozenset[str] = frozenset()) -> Restored:
        """Do it."""
        ...


@dataclass(slots=True)
class Surroundings:
    """What a session takes from the rooms around it.

    `context` gives system prompt and tools as of now. `memory` gives the memory files as (path, text), once a
    session. `notices` are what was wrong when the session was put together. `expand` turns a typed prompt into
    blocks (references, images) with notices; `unfold` a typed `/name …` into messages. `watchers` see every stored
    fact (the transcript that hooks read, titles). `refresh` takes over changed settings at the start of a turn.
    `closers` end what the session started. `setup` is what Setup hooks are fired for: init, maintenance or nothing.
    `idle_after` is how many seconds after a turn Notification hooks hear that the session waits.
    """

    context: Callable[[], ContextPrepared]
    memory: Callable[[], Sequence[tuple[str, str]]] = tuple
    news: News | None = None
    changed_memory: Callable[[], Sequence[tuple[str, str]]] = tuple
    notices: tuple[Notice, ...] = ()
    expand: Callable[[Prompt], tuple[tuple[Block, ...], tuple[Notice, ...]]] | None = None
    unfold: Callable[[Prompt, Emit], Awaitable[Unfolded | None]] | None = None
    watchers: list[Callable[[Fact], None]] = field(default_factory=list[Callable[[Fact], None]])
    compactor: Compactor | None = None
    refresh: Callable[[Emit], Awaitable[None]] | None = None
    rehearse: Callable[[HookRun], Awaitable[tuple[tuple[HookRun, ...], HookOutcome] | None]] | None = None
    checkpoints: RewindStore | None = None
    closers: list[Callable[[], Awaitable[None]]] = field(default_factory=list[Callable[[], Awaitable[None]]])
    setup: str = ""
    idle_after: float = IDLE_AFTER
    now: Callable[[], float] = time.time
