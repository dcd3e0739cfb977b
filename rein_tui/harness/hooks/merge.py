"""Many runs, one outcome: deny over defer over ask over allow, everything said is kept, the last input wins."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from rein_tui.harness.protocol.decisions import HookVerdict, Outcome
from rein_tui.harness.protocol.hooks import HookOutcome, HookRun

from .effect import Effect, Permission, short_title

T = TypeVar("T")

_RANK: dict[Permission, int] = {"deny": 3, "defer": 2, "ask": 1, "allow": 0}


@dataclass(frozen=True, slots=True)
class FinishedRun:
    """One run with its effect; `order` is the handler's place in the configuration."""

    order: int
    run: HookRun
    effect: Effect


def merge(finished: Sequence[FinishedRun]) -> HookOutcome:
    """Add up the runs of one moment, given in the order in which they finished.

    That order matters only for rewritten inputs and outputs, where the last to finish wins. Texts stand in the
    order of the configuration, so that the same hooks give the same conversation.
    """
    ordered = sorted(finished, key=lambda one: one.order)
    effects = [one.effect for one in ordered]
    deciding = _deciding(effects)
    verdict = deciding.permission if deciding else None
    answer = _request_answer(effects)
    stopping = [effect for effect in effects if effect.stop]
    blocking = [effect for effect in effects if effect.blocked]
    return HookOutcome(
        verdict=_outcome(verdict),
        reason=_reason(ordered, verdict),
        blocked=bool(blocking),
        stop=bool(stopping),
        stop_reason="\n".join(effect.stop_reason for effect in stopping if effect.stop_reason),
        updated_input=_last([one.effect.updated_input for one in finished]),
        updated_output=_last([one.effect.updated_output for one in finished]),
        context=tuple(_labelled(one) for one in ordered if one.effect.context),
        messages=tuple(effect.message for effect in effects if effect.message),
        verdicts=tuple(_verdict(one) for one in ordered if one.effect.permission),
        feedback=tuple(effect.feedback for effect in effects if effect.feedback),
        session_title=_last([effect.session_title or None for effect in effects]) or "",
        initial_prompt="\n\n".join(effect.initial_prompt for effect in effects if effect.initial_prompt),
        permission=answer,
        runs=tuple(one.run for one in ordered),
    )


def _deciding(effects: list[Effect]) -> Effect | None:
    return max((e for e in effects if e.permission), key=lambda e: _RANK[e.permission or "allow"], default=None)


def _outcome(permission: Permission | None) -> Outcome | None:
    # Deferring belongs to callers that answer later; here a person is asked instead.
    return "ask" if permission == "defer" else permission


def _reason(ordered: list[FinishedRun], verdict: Permission | None) -> str:
    """Why the moment is blocked, else why the verdict is what it is."""
    chosen = [one for one in ordered if one.effect.blocked]
    chosen = chosen or [one for one in ordered if verdict and one.effect.permission == verdict]
    return "\n".join(dict.fromkeys(text for text in map(_reason_of, chosen) if text))


def _reason_of(one: FinishedRun) -> str:
    if one.effect.fault and one.effect.permission == "ask":
        return f"The hook {short_title(one.run.hook)} is broken: {one.effect.reason}"
    return one.effect.reason


def _request_answer(effects: list[Effect]) -> dict[str, object] | None:
    answers = [e.request_answer for e in effects if e.request_answer is not None]
    refusing = [answer for answer in answers if answer["behavior"] == "deny"]
    return next(iter(refusing or answers), None)


def _verdict(one: FinishedRun) -> HookVerdict:
    return HookVerdict(
        outcome=_outcome(one.effect.permission) or "ask",
        reason=one.effect.reason,
        source=one.run.hook.source,
        hook_id=one.run.hook.id,
        broken=one.effect.fault is not None,
    )


def _labelled(one: FinishedRun) -> str:
    hook = one.run.hook
    return f"[{hook.point} hook: {hook.plugin_id or hook.name}]\n{one.effect.context}"


def _last(values: list[T | None]) -> T | None:
    return next((value for value in reversed(values) if value is not None), None)
