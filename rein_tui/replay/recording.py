"""A recorded session as ports.Harness and workbench.Workbench: it tells its facts again, and nothing runs.

All that reaches the screen comes through one generator, `asides`: events while it plays, and between two events a
jump, told by the callback. So a jump and a playing event never meet.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence

from msgspec import structs

from rein_tui.harness.protocol.errors import StartError, StoreError
from rein_tui.harness.protocol.events import Delta, Event, Fact, Notice, SessionStarted
from rein_tui.harness.protocol.models import ModelInfo
from rein_tui.harness.protocol.ports import MOST_LISTED, SessionInfo
from rein_tui.harness.protocol.workbench import CommandInfo, ExportForm, FoundServer, ModelChoice
from rein_tui.harness.turn.recorded import Recorded
from rein_tui.replay.tape import TICK, Tape, deltas_of

SPEEDS = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0)
"""The speeds that keys step through."""

_ONLY_A_RECORDING = "This is a recording: nothing runs."


class ReplayHarness(Recorded):
    """ports.Harness over a tape. `moved` is called after every move, `jumped` when the whole screen starts over."""

    def __init__(self, tape: Tape, info: SessionInfo, *, speed: float = 1.0, is_playing: bool = True) -> None:
        info = structs.replace(info, read_only=_ONLY_A_RECORDING)
        super().__init__(info, (), "rein-tui --resume goes on with a session")
        self.tape = tape
        self.speed = speed
        self.is_playing = is_playing and bool(tape.facts)
        self.position = 0
        self.moved: Callable[[], None] = lambda: None
        self.jumped: Callable[[], None] = lambda: None
        self._goal: int | None = None
        self._step_to = 0
        self._pieces: list[Delta | None] | None = None
        self._pause = 0.0
        self._wake = asyncio.Event()

    # --- where it is ----------------------------------------------------------------------------------------

    @property
    def is_over(self) -> bool:
        """Whether everything was told."""
        return self.position >= len(self.tape.facts)

    @property
    def seconds(self) -> float:
        """Seconds of playing up to now, at normal speed."""
        return self.tape.times[self.position] + self._share * self._gap

    @property
    def clock(self) -> float:
        """The time in the recording, epoch seconds."""
        return self.tape.clock_at(self.position, self._share)

    @property
    def _gap(self) -> float:
        return 0.0 if self.is_over else self.tape.wait(self.position)

    @property
    def _share(self) -> float:
        """How much of the wait before the next fact is over, 0 to 1."""
        if self._pieces is None or not self._gap:
            return 0.0
        return max(0.0, 1 - self._pause * (len(self._pieces) + 1) / self._gap)

    # --- steering -------------------------------------------------------------------------------------------

    def toggle(self) -> None:
        """Play or pause; at the end, play again from the start."""
        if self.is_over and not self.is_playing:
            self.go_to(0)
        self.is_playing = not self.is_playing and bool(self.tape.facts)
        self._wake.set()

    def step(self) -> None:
        """Pause, and tell the next fact that shows."""
        self.is_playing = False
        self._step_to = self.tape.next_step(self.position)
        self._wake.set()

    def go_to(self, position: int) -> None:
        """Start the screen over as it was at this position."""
        self._goal = min(max(0, position), len(self.tape.facts))
        self._wake.set()

    def go_faster(self, steps: int) -> None:
        """The next speed up (or down)."""
        nearest = min(range(len(SPEEDS)), key=lambda number: abs(SPEEDS[number] - self.speed))
        self.speed = SPEEDS[min(max(0, nearest + steps), len(SPEEDS) - 1)]
        self._wake.set()

    async def asides(self) -> AsyncGenerator[Event]:
        """The story, as fast as it is played, for as long as somebody reads."""
        while True:
            self._wake.clear()
            if self._goal is not None:
                self._arrive(self._goal)
                self.jumped()
            elif self.position < self._step_to:
                yield self._next_fact()
            elif self.is_over or not self.is_playing:
                self.is_playing = False
                self.moved()
                await self._wake.wait()
                continue
            elif (event := await self._next_played()) is not None:
                yield event
            self.moved()

    def _arrive(self, position: int) -> None:
        self.position, self._goal, self._step_to, self._pieces = position, None, 0, None

    def _next_fact(self) -> Fact:
        fact = self.tape.facts[self.position]
        self.position += 1
        self._pieces = None
        # A wake-up call would start a turn; here its turn is part of the recording.
        return structs.replace(fact, code="woken") if isinstance(fact, Notice) and fact.code == "wake" else fact

    async def _next_played(self) -> Event | None:
        """The next delta or fact when its time has come; None where only the clock moved, or someone steered."""
        pieces = self._pieces
        if pieces is None:
            pieces = self._pieces = [*deltas_of(self.tape.facts[self.position], self._gap)]
            pieces += [None] * (int(self._gap / TICK) if not pieces else 0)
            self._pause = self._gap / (len(pieces) + 1)
        if not await self._rest(self._pause / self.speed):
            return None
        return pieces.pop(0) if pieces else self._next_fact()

    async def _rest(self, seconds: float) -> bool:
        """Wait so long; false when someone steered meanwhile."""
        try:
            async with asyncio.timeout(seconds):
                await self._wake.wait()
        except TimeoutError:
            return True
        return False

    # --- ports.Harness --------------------------------------------------------------------------------------

    def history(self) -> Sequence[Fact]:
        """What was told so far."""
        return self.tape.facts[: self.position]

    def interrupt(self, reason: str = "") -> None:
        """Pause."""
        self.is_playing = False
        self._wake.set()


class ReplayWorkbench:
    """workbench.Workbench with one session, the recorded one."""

    def __init__(self, harness: ReplayHarness) -> None:
        self.harness = harness
        model = harness.info.model or next((f.model for f in harness.tape.facts if isinstance(f, SessionStarted)), "")
        self.choice: ModelChoice | None = ModelChoice(kind="demo", model=model)

    async def prepare(self) -> None:
        """Nothing to get ready."""

    async def open(self, session_id: str = "") -> ReplayHarness:
        """The recorded session. Raises StoreError for any other."""
        if session_id not in ("", self.harness.info.id):
            raise StoreError(_ONLY_A_RECORDING, where=session_id)
        return self.harness

    async def fork(self, session_id: str, turn: int) -> ReplayHarness:
        """Raises StoreError."""
        raise StoreError(_ONLY_A_RECORDING, hint="rein-tui --resume ID --fork-session goes on with a copy")

    def sessions(self, search: str = "", everywhere: bool = False, limit: int = MOST_LISTED) -> Sequence[SessionInfo]:
        """The recorded one."""
        return (self.harness.info,)

    def facts(self, session_id: str) -> Sequence[Fact]:
        """All of it."""
        return self.harness.tape.facts

    def export(self, session_id: str, form: ExportForm) -> bytes:
        """All of it."""
        from rein_tui.harness.store.export import export

        return export(form, self.harness.info, self.harness.tape.facts)

    def commands(self) -> Sequence[CommandInfo]:
        """None: they would be sent to a model."""
        return ()

    def rename(self, session_id: str, title: str) -> None:
        """Raises StoreError."""
        raise StoreError(_ONLY_A_RECORDING)

    def delete(self, session_id: str) -> None:
        """Raises StoreError."""
        raise StoreError(_ONLY_A_RECORDING)

    def undelete(self, session_id: str) -> None:
        """Raises StoreError."""
        raise StoreError(_ONLY_A_RECORDING)

    async def find_servers(self) -> tuple[FoundServer, ...]:
        """None: a recording talks to nobody."""
        return ()

    async def models(self) -> tuple[ModelInfo, ...]:
        """None."""
        return ()

    async def choose(self, choice: ModelChoice, api_key: str = "") -> None:
        """Raises StartError."""
        raise StartError(_ONLY_A_RECORDING)
