"""Running one handler once, from its payload to the word that tells its story."""

import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rein_tui.harness.protocol.base import JsonObject
from rein_tui.harness.protocol.hooks import HookCall, HookRun, HookSpec

from .budget import session_end_budget, timeout_of
from .context import HookContext
from .effect import Effect
from .merge import FinishedRun
from .output import interpret
from .payload import build_payload, encode_payload
from .runners import Fault, Job, Raw, inherited_environment, run_handler
from .spill import Spill, logged


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """One firing under way, with what all of its handlers share.

    `budget` is in seconds and set where they share their time. `environment` is what commands inherit.
    """

    call: HookCall
    payload: JsonObject
    stdin: bytes
    context: HookContext
    environment: dict[str, str]
    budget: float | None = None
    dry: bool = False

    @classmethod
    def of(cls, call: HookCall, context: HookContext, specs: Sequence[HookSpec], *, dry: bool = False) -> "Moment":
        """The moment as its handlers will see it."""
        payload = build_payload(call, context)
        return cls(
            call=call,
            payload=payload,
            stdin=encode_payload(payload),
            context=context,
            environment=inherited_environment(context) if any(spec.handler == "command" for spec in specs) else {},
            budget=session_end_budget(specs, context.ambient) if call.point == "SessionEnd" else None,
            dry=dry,
        )


async def execute(
    order: int, spec: HookSpec, moment: Moment, run_id: str, on_async: Callable[[], None] | None = None
) -> FinishedRun:
    """Run one handler and read what it says. `on_async` is called when it wants nobody to wait for it."""
    job = Job(
        spec=spec,
        payload=moment.payload,
        stdin=moment.stdin,
        timeout=timeout_of(spec, moment.budget),
        context=moment.context,
        environment=moment.environment,
        on_async=on_async,
    )
    started, clock = time.time(), time.monotonic()
    raw = await run_handler(job)
    spill = Spill(moment.context.spill_folder, run_id)
    effect = interpret(spec, raw, moment.payload, spill)
    run = HookRun(
        id=run_id,
        hook=spec,
        started=started,
        duration=time.monotonic() - clock,
        result=effect.result,
        exit_code=raw.exit_code,
        stdin=_stdin_text(moment),
        stdout=logged(raw.stdout),
        stderr=logged(raw.stderr),
        parsed=effect.parsed,
        reason=effect.stop_reason or effect.reason or effect.feedback or effect.problem,
        message=effect.message,
        context=effect.context,
        updated_input=effect.updated_input,
        environment=raw.environment,
        spilled=tuple(spill.paths),
        dry=moment.dry,
    )
    return FinishedRun(order, run, effect)


def broken_run(spec: HookSpec, reason: str, moment: Moment, order: int) -> FinishedRun:
    """The run of a gate that cannot be run: it did not happen, and asks."""
    raw = Raw(fault=Fault(kind="failed", reason=reason))
    effect = interpret(spec, raw, moment.payload, Spill(moment.context.spill_folder, ""))
    return FinishedRun(order, _cut_short(spec, moment, new_run_id(), time.time(), effect), effect)


def interrupted_run(spec: HookSpec, moment: Moment, run_id: str, started: float) -> HookRun:
    """The run of a handler that was ended from outside. `started` is epoch seconds."""
    effect = Effect(fault="killed", reason="interrupted; killed with all that it started")
    return _cut_short(spec, moment, run_id, started, effect)


def new_run_id() -> str:
    """An id that no other run has."""
    return uuid.uuid4().hex[:16]


def _cut_short(spec: HookSpec, moment: Moment, run_id: str, started: float, effect: Effect) -> HookRun:
    return HookRun(
        id=run_id,
        hook=spec,
        started=started,
        duration=max(0.0, time.time() - started),
        result=effect.result,
        stdin=_stdin_text(moment),
        reason=effect.reason,
        dry=moment.dry,
    )


def _stdin_text(moment: Moment) -> str:
    return logged(moment.stdin.decode(errors="replace"))
