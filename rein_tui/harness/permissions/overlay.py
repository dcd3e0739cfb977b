"""What hooks, a locked session, repairs, and an empty chair make of a verdict. Pure.

Order: a hook's deny, a rule's deny, a rule's ask and whatever no rule may approve, a hook's ask, a hook's allow,
the lock, a repaired call, a tool that needs the person; at last dontAsk and unattended sessions turn every ask
into a deny.
"""

from dataclasses import dataclass, replace

from rein_tui.harness.protocol.decisions import HookVerdict, Mode, PermissionQuery

from .files import Verdict


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What beside the rules decides. `locked` is why the settings are locked, or empty."""

    mode: Mode
    locked: str = ""


def overlay(verdict: Verdict, query: PermissionQuery, around: Circumstances) -> Verdict:
    """The verdict after everything else has spoken."""
    verdict = _hooks(verdict, query.hook_verdicts)
    if query.caution:
        verdict = replace(verdict, warnings=(*verdict.warnings, query.caution))
    if verdict.outcome == "allow" and around.locked:
        reason = f"Nothing is approved without you while settings cannot be read: {around.locked}"
        verdict = replace(verdict, outcome="ask", decided_by="settings_locked", reason=reason)
    if verdict.outcome == "allow" and query.repaired:
        reason = f"The call as the model wrote it may have been meant otherwise, so it asks: {query.repaired}"
        verdict = replace(verdict, outcome="ask", decided_by="repair", reason=reason)
    if verdict.outcome == "allow" and query.requires_person and not _hook_allows(query):
        reason = f"{query.tool} needs you: nothing may answer in your place"
        verdict = replace(verdict, outcome="ask", decided_by="tool", reason=reason)
    if verdict.outcome != "ask":
        return verdict
    if around.mode == "dontAsk":
        return replace(verdict, outcome="deny", reason=f"{verdict.reason}; dontAsk mode denies what would ask")
    if not query.interactive:
        reason = f"{verdict.reason}; nobody can answer here, so it is denied"
        return replace(verdict, outcome="deny", decided_by="unattended", reason=reason)
    return verdict


def _hooks(verdict: Verdict, said: tuple[HookVerdict, ...]) -> Verdict:
    denying = next((hook for hook in said if hook.outcome == "deny"), None)
    if denying is not None:
        reason = f"Denied by a hook ({denying.source}){_because(denying)}"
        return replace(verdict, outcome="deny", decided_by="hook", reason=reason, rule=None, waivable=False)
    if verdict.outcome == "deny" or (verdict.outcome == "ask" and not verdict.waivable):
        return verdict
    asking = next((hook for hook in said if hook.broken or hook.outcome == "ask"), None)
    if asking is not None:
        what = "A hook that guards this call failed" if asking.broken else "Asks because of a hook"
        reason = f"{what} ({asking.source}){_because(asking)}"
        return replace(verdict, outcome="ask", decided_by="hook", reason=reason, waivable=False)
    allowing = next((hook for hook in said if hook.outcome == "allow" and not hook.broken), None)
    if allowing is not None and verdict.outcome == "ask":
        reason = f"Allowed by a hook ({allowing.source}){_because(allowing)}"
        return replace(verdict, outcome="allow", decided_by="hook", reason=reason, rule=None)
    return verdict


def _hook_allows(query: PermissionQuery) -> bool:
    return any(hook.outcome == "allow" and not hook.broken for hook in query.hook_verdicts)


def _because(hook: HookVerdict) -> str:
    return f": {hook.reason}" if hook.reason else ""
