"""Runs the hooks of a session: all matching ones side by side, each to its end, and tells what every one did."""

import asyncio
import contextlib
import time
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any

from rein_tui.harness.protocol.events import HookFired, HooksSkipped, HookStarted
from rein_tui.harness.protocol.hooks import HookCall, HookOutcome, HookRun, HookSpec
from rein_tui.harness.protocol.ports import Emit

from .context import HookContext, HookSwitches
from .execution import Moment, broken_run, execute, interrupted_run, new_run_id
from .merge import FinishedRun, merge
from .points import POINTS
from .selection import Selection, select
from .spill import MAX_TEXT, clean

_NOTHING = HookOutcome()

_TELL_TIMEOUT = 1.0
"""Seconds that telling of an interrupted run may take before the interruption goes on."""


class Hooks:
    """Implements `engines.HookEngine`. Specs are in order of precedence, highest first."""

    def __init__(self, specs: Iterable[HookSpec], context: HookContext) -> None:
        self.context = context
        self._specs: dict[str, list[HookSpec]] = {}
        self._ignored: frozenset[str] = frozenset()
        self._spent: set[str] = set()
        self._background: set[asyncio.Task[Any]] = set()
        self.add(specs)

    @property
    def specs(self) -> tuple[HookSpec, ...]:
        """All handlers, event by event."""
        return tuple(spec for specs in self._specs.values() for spec in specs)

    def add(self, specs: Iterable[HookSpec]) -> None:
        """Take up more handlers: those of a skill that was invoked, or of a subagent that starts."""
        known = {spec.id for spec in self.specs}
        for spec in specs:
            if not (spec.owner and spec.id in known):
                self._specs.setdefault(spec.point, []).append(spec)

    def remove(self, owner: str) -> None:
        """Drop the handlers that somebody brought."""
        self._keep([spec for spec in self.specs if spec.owner != owner])

    def replace(self, specs: Iterable[HookSpec], switches: HookSwitches | None = None) -> None:
        """Take up changed settings; handlers that skills and subagents brought stay."""
        self._keep([*specs, *(spec for spec in self.specs if spec.owner)])
        if switches is not None:
            self.context.switches = switches

    def _keep(self, specs: list[HookSpec]) -> None:
        self._specs = {}
        for spec in specs:
            self._specs.setdefault(spec.point, []).append(spec)

    def has(self, point: str) -> bool:
        """Whether any handler is configured for this moment."""
        return point in self._specs

    def ignore(self, hook_ids: Sequence[str]) -> None:
        """Do not run these handlers again in this session."""
        self._ignored |= frozenset(hook_ids)

    def select(self, call: HookCall) -> Selection:
        """Which handlers would run, and why the others would not."""
        specs = [spec for spec in self._specs.get(call.point, ()) if spec.id not in self._spent]
        return select(specs, call, self.context, self._ignored)

    async def fire(self, call: HookCall, emit: Emit) -> HookOutcome:
        """Run what matches, side by side, and add it up."""
        if call.point not in self._specs:
            return _NOTHING
        selection = self.select(call)
        if selection.skipped:
            skipped = tuple(selection.skipped)
            await emit(HooksSkipped(point=call.point, skipped=skipped, call_id=call.call_id))
        if not selection.chosen and not selection.broken:
            return _NOTHING
        moment = Moment.of(call, self.context, selection.chosen)
        finished: list[FinishedRun] = []
        for spec, reason in selection.broken:
            finished.append(await self._report_broken(spec, reason, moment, emit))
        async with asyncio.TaskGroup() as group:
            for order, spec in enumerate(selection.chosen):
                if spec.once and spec.owner:
                    self._spent.add(spec.id)
                if spec.is_async:
                    await self._start_background(spec, moment, emit)
                else:
                    group.create_task(self._run_told(order, spec, moment, emit, finished))
        return merge(finished)

    async def rehearse(self, call: HookCall, context: HookContext) -> tuple[Selection, HookOutcome]:
        """Run what matches in another context, telling and delivering nothing; runs are marked dry."""
        selection = self.select(call)
        moment = Moment.of(call, context, selection.chosen, dry=True)
        finished = [broken_run(spec, reason, moment, -1) for spec, reason in selection.broken]

        async def run(order: int, spec: HookSpec) -> None:
            finished.append(await execute(order, spec, moment, new_run_id()))

        async with asyncio.TaskGroup() as group:
            for order, spec in enumerate(selection.chosen):
                group.create_task(run(order, spec))
        return selection, merge(finished)

    async def close(self) -> None:
        """End hooks that still run in the background."""
        tasks = list(self._background)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _report_broken(self, spec: HookSpec, reason: str, moment: Moment, emit: Emit) -> FinishedRun:
        done = broken_run(spec, reason, moment, -1)
        await emit(HookFired(run=done.run, call_id=moment.call.call_id))
        return done

    async def _run_told(
        self, order: int, spec: HookSpec, moment: Moment, emit: Emit, finished: list[FinishedRun]
    ) -> None:
        run_id, call_id, started = new_run_id(), moment.call.call_id, time.time()
        await emit(HookStarted(run_id=run_id, point=spec.point, title=spec.title, call_id=call_id))
        try:
            if POINTS[spec.point].is_gate:
                # A gate is always waited for; only others may send themselves to the background.
                done = await execute(order, spec, moment, run_id)
            else:
                done = await self._execute_detachable(order, spec, moment, run_id, emit)
        except asyncio.CancelledError:
            await self._tell_interrupted(interrupted_run(spec, moment, run_id, started), emit, call_id)
            raise
        if done is not None:
            finished.append(done)
            await emit(HookFired(run=done.run, call_id=call_id))

    async def _execute_detachable(
        self, order: int, spec: HookSpec, moment: Moment, run_id: str, emit: Emit
    ) -> FinishedRun | None:
        """Run one handler; None when it goes on in the background."""
        started = time.time()
        detached: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        working = asyncio.create_task(execute(order, spec, moment, run_id, lambda: _settle(detached)))
        try:
            await asyncio.wait({working, detached}, return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:
            working.cancel()
            await asyncio.wait({working})
            raise
        if not detached.done():
            return working.result()
        self._leave_running(working, partial(interrupted_run, spec, moment, run_id, started), emit)
        return None

    async def _tell_interrupted(self, run: HookRun, tell: Emit, call_id: str = "") -> None:
        # Esc ends the hook, but its story still needs an ending. Whoever listens may be going too: do not insist.
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_TELL_TIMEOUT):
                await tell(HookFired(run=run, call_id=call_id))

    async def _start_background(self, spec: HookSpec, moment: Moment, emit: Emit) -> None:
        run_id, call_id, started = new_run_id(), moment.call.call_id, time.time()
        await emit(HookStarted(run_id=run_id, point=spec.point, title=spec.title, call_id=call_id))
        working = asyncio.create_task(execute(0, spec, moment, run_id))
        self._leave_running(working, partial(interrupted_run, spec, moment, run_id, started), emit)

    def _leave_running(
        self, working: asyncio.Task[FinishedRun], interrupted: Callable[[], HookRun], emit: Emit
    ) -> None:
        ending = asyncio.create_task(self._finish_later(working, interrupted, emit))
        for task in (working, ending):
            self._background.add(task)
            task.add_done_callback(self._background.discard)

    async def _finish_later(
        self, working: asyncio.Task[FinishedRun], interrupted: Callable[[], HookRun], emit: Emit
    ) -> None:
        """End a run that nobody waits for: what it decides comes too late, what it says reaches the next request."""
        tell = self.context.tell or emit
        try:
            done = await working
        except asyncio.CancelledError:
            await self._tell_interrupted(interrupted(), tell)
            raise
        await tell(HookFired(run=done.run))
        outcome = merge([done])
        if done.run.hook.rewakes and done.run.exit_code == 2 and self.context.wake is not None:
            self.context.wake(_wake_text(done))
        elif self.context.deliver is not None:
            for text in (*outcome.context, *outcome.messages):
                self.context.deliver(text)


def _settle(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)


def _wake_text(done: FinishedRun) -> str:
    lead = done.run.hook.config.get("rewakeMessage")
    text = clean(done.run.stderr.strip() or done.run.stdout.strip())[:MAX_TEXT]
    return f"{lead}\n{text}" if isinstance(lead, str) and lead else text
