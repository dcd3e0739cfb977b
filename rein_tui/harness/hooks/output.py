"""Reading what a run gave back: exit code × output × moment → one effect."""

from contextlib import suppress
from dataclasses import dataclass

from rein_tui.harness.protocol.base import JsonObject
from rein_tui.harness.protocol.hooks import HookSpec

from .answer import read_answer
from .effect import Effect, short_title
from .points import POINTS
from .runners.first_line import async_timeout
from .runners.job import Raw
from .shapes import is_object, read_json
from .specific import Reading, read_specific
from .spill import Spill, clean

MAX_TITLE = 200
"""Characters of a session title that a hook may give."""

_CAPPED = ("reason", "stop_reason", "context", "message", "feedback", "initial_prompt")


def interpret(spec: HookSpec, raw: Raw, payload: JsonObject, spill: Spill) -> Effect:
    """What one run comes to."""
    effect = Effect()
    if raw.fault is not None:
        effect.fault, effect.reason = raw.fault.kind, raw.fault.reason
    elif raw.answer is not None:
        read_answer(spec, raw.answer, effect)
    else:
        _read_output(spec, raw, payload, effect)
    if effect.fault is not None:
        _break(spec, effect)
    for name in _CAPPED:
        if text := getattr(effect, name):
            setattr(effect, name, spill.cap(text))
    effect.session_title = " ".join(clean(effect.session_title).split())[:MAX_TITLE]
    return effect


@dataclass(frozen=True, slots=True)
class _Output:
    """Standard output, parsed. `broken`: it begins like an object and is none."""

    text: str
    parsed: JsonObject | None = None
    broken: str = ""


def _parse(stdout: str, *, is_async: bool = False) -> _Output:
    text = stdout.strip()
    first, _, rest = text.partition("\n")
    if async_timeout(first) is not None:
        text, is_async = rest.strip(), True
    problem = ""
    if text.startswith("{"):
        try:
            value = read_json(text)
        except (ValueError, RecursionError) as error:
            problem = f"standard output begins with {{ but is not JSON ({error})"
        else:
            return _Output(text, value if is_object(value) else None)
    answer = _first_object(text) if is_async else None
    return _Output(text, answer, "" if answer is not None else problem)


def _first_object(text: str) -> JsonObject | None:
    """The first line that is a JSON object: what goes on in the background may print other lines around it."""
    for line in text.splitlines():
        if line.startswith("{"):
            with suppress(ValueError, RecursionError):
                value = read_json(line)
                if is_object(value):
                    return value
    return None


def _read_output(spec: HookSpec, raw: Raw, payload: JsonObject, effect: Effect) -> None:
    traits, output = POINTS[spec.point], _parse(raw.stdout, is_async=spec.is_async)
    reading = Reading(spec, payload, effect, spare_reason=raw.stderr.strip() if raw.exit_code == 2 else "")
    effect.parsed = output.parsed
    if output.parsed is not None and spec.point != "StopFailure":
        _read_json(reading, output.parsed)
    if raw.exit_code == 2:
        _read_exit_2(reading)
    elif raw.exit_code != 0 and output.parsed is None:
        first = next((line for line in raw.stderr.splitlines() if line.strip()), "")
        effect.fault = "failed"
        effect.reason = f"exit code {raw.exit_code}" + (f": {first.strip()[:300]}" if first else "")
    elif output.parsed is None and traits.plain_context:
        effect.context = output.text
    if output.broken and raw.exit_code == 0:
        effect.fault, effect.reason = "bad_output", output.broken
    if reading.problems:
        effect.problem = "; ".join(reading.problems)
        if reading.is_invalid and not effect.said_no and effect.fault is None:
            effect.fault, effect.reason = "bad_output", effect.problem
    if effect.fault and traits.is_gate:
        # What a broken gate printed is not trusted, whatever it says.
        effect.context, effect.updated_input = "", None


def _read_json(reading: Reading, parsed: JsonObject) -> None:
    """The fields that all moments share, then the moment's own."""
    effect = reading.effect
    effect.message = reading.text(parsed, "systemMessage")
    if reading.flag(parsed, "continue") is False:
        effect.stop = True
        effect.stop_reason = reading.text(parsed, "stopReason")
    decision, reason = reading.text(parsed, "decision"), reading.text(parsed, "reason")
    if decision == "block":
        reading.block(reason)
    elif decision == "approve":
        if reading.spec.point == "PreToolUse":
            effect.permission, effect.reason = "allow", reason
    elif decision:
        reading.reject(f"unknown decision {decision!r}")
    read_specific(reading, parsed)


def _read_exit_2(reading: Reading) -> None:
    """Exit code 2 says no, also over a JSON `allow`; a refusal in JSON has said it already."""
    effect = reading.effect
    if POINTS[reading.spec.point].on_block == "refused":
        effect.fault, effect.reason = "failed", "exit code 2 is no answer here; only JSON `decision` is"
    elif effect.permission != "deny" and not effect.feedback and not (effect.blocked and effect.reason):
        reading.block("")


def _break(spec: HookSpec, effect: Effect) -> None:
    """A run that cannot be trusted: a gate asks, others are only shown; `onError` changes either."""
    gate = POINTS[spec.point].is_gate
    policy = spec.on_error or ("ask" if gate else "continue")
    reason = effect.reason
    if policy == "block":
        Reading(spec, {}, effect).block(f"{spec.point} hook {short_title(spec)} is broken: {reason}")
    elif policy == "ask" and gate:
        effect.permission = "ask"
    elif effect.permission != "deny":
        effect.permission = None
    effect.reason = effect.reason or reason
